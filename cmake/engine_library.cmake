# One static library an engine folder. LINK names what it uses inside, PUBLIC_LINK what its headers show, so that
# the link edges state the dependency rule of engine/README.md.
function(taipan_engine_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PUBLIC_LINK" ${ARGN})
  add_library(taipan_${folder} STATIC ${ARG_SOURCES})
  target_include_directories(taipan_${folder} PUBLIC "${PROJECT_SOURCE_DIR}/engine")
  target_link_libraries(taipan_${folder} PUBLIC ${ARG_PUBLIC_LINK} PRIVATE taipan_options ${ARG_LINK})
endfunction()
