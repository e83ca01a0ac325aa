# What is installed besides the program, and two targets that are built only when asked for:
#
#   cmake --build --preset release -t package-deb        build/release/taipan_<version>_<architecture>.deb
#   cmake --build --preset release -t package-tarball    build/release/taipan-<version>-linux-<machine>.tar.gz
include(GNUInstallDirs)

set(_places
  "bash=bash-completion/completions=taipan"
  "zsh=zsh/vendor-completions=_taipan"
  "fish=fish/vendor_completions.d=taipan.fish")
if(NOT CMAKE_CROSSCOMPILING)
  foreach(place IN LISTS _places)
    string(REPLACE "=" ";" place "${place}")
    list(GET place 0 shell)
    list(GET place 1 directory)
    list(GET place 2 name)
    set(file "${CMAKE_BINARY_DIR}/completions/${shell}")
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/completions")
    add_custom_command(OUTPUT "${file}" COMMAND taipan completion ${shell} > "${file}" DEPENDS taipan VERBATIM)
    list(APPEND _completions "${file}")
    install(FILES "${file}" DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/${directory}" RENAME "${name}")
  endforeach()
  add_custom_target(completions ALL DEPENDS ${_completions})
endif()
install(FILES "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "the authors of taipan")
set(CPACK_PACKAGE_CONTACT "the authors of taipan")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "installer of conda packages")
set(CPACK_PACKAGE_DESCRIPTION "Makes environments out of conda packages, as conda and mamba do, as fast as the machine allows.")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when the first download begins, so it is not among the libraries that the program names.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4 (>= 7.88)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion")
include(CPack)

add_custom_target(package-deb
  COMMAND "${CMAKE_CPACK_COMMAND}" -G DEB --config "${CMAKE_BINARY_DIR}/CPackConfig.cmake" -B "${CMAKE_BINARY_DIR}"
  WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" USES_TERMINAL VERBATIM)
add_custom_target(package-tarball
  COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/cmake/packaging/tarball.sh" "${CMAKE_BINARY_DIR}" "${PROJECT_VERSION}"
  USES_TERMINAL VERBATIM)
if(NOT CMAKE_CROSSCOMPILING)
  add_dependencies(package-deb taipan manual completions)
endif()
