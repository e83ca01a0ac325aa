# libsolv with conda support, as the imported-looking target libsolv::libsolv.
#
# Debian's own build of libsolv lacks conda mode, so we compile the sources ourselves, as one static library of this
# build: our compiler, our sanitizer flags, ccache and incremental builds then work without special cases. The sources are,
# in this order:
#   1. TAIPAN_LIBSOLV_SOURCE, an unpacked source tree or a source tarball;
#   2. the upstream tarball of Debian's source package, fetched by apt through the machine's own package sources with
#      "deb" turned into "deb-src" in a private copy (nothing in /etc/apt is touched), checked by SHA-256;
#   3. the upstream repository at the commit of the release, by FetchContent.
# What was fetched is kept in TAIPAN_DEPENDENCY_CACHE, which all presets share.
set(TAIPAN_LIBSOLV_SOURCE "" CACHE PATH "libsolv sources to use: a directory or a tarball (empty: fetch them)")
set(TAIPAN_DEPENDENCY_CACHE "${CMAKE_SOURCE_DIR}/build/_deps" CACHE PATH "Where fetched sources are kept")
set(_libsolv_version 0.7.23)
set(_libsolv_sha256 0286155964373c6cc3802d025750786c3ee79608d5cb884598e110e3918bb2fe)
set(_libsolv_commit 6deaca7cf61ec2b32c4a3b494a751c8d15efbe8b)

# Unpacks `tarball` below `parent` (once: by rename) and sets `result` to the directory that holds src/solver.c.
function(_taipan_unpack_libsolv tarball parent result)
  if(NOT EXISTS "${parent}/src/solver.c")
    string(RANDOM LENGTH 8 suffix)
    set(staging "${parent}.${suffix}")
    file(ARCHIVE_EXTRACT INPUT "${tarball}" DESTINATION "${staging}")
    file(GLOB roots LIST_DIRECTORIES true "${staging}/*")
    list(LENGTH roots count)
    if(NOT count EQUAL 1 OR NOT EXISTS "${roots}/src/solver.c")
      file(REMOVE_RECURSE "${staging}")
      message(FATAL_ERROR "${tarball} is not a source tarball of libsolv: it has no <directory>/src/solver.c")
    endif()
    file(REMOVE_RECURSE "${parent}")
    file(RENAME "${roots}" "${parent}")
    file(REMOVE_RECURSE "${staging}")
  endif()
  set(${result} "${parent}" PARENT_SCOPE)
endfunction()

# Writes the machine's package sources into `directory`, as source-package entries only.
function(_taipan_private_apt_sources directory)
  file(GLOB lists /etc/apt/sources.list /etc/apt/sources.list.d/*.list)
  file(GLOB deb822 /etc/apt/sources.list.d/*.sources)
  set(number 0)
  foreach(file IN LISTS lists)
    file(STRINGS "${file}" lines REGEX "^[ \t]*deb(-src)?[ \t]")
    set(text "")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "cdrom:")
        string(REGEX REPLACE "^[ \t]*deb(-src)?[ \t]" "deb-src " line "${line}")
        string(APPEND text "${line}\n")
      endif()
    endforeach()
    math(EXPR number "${number} + 1")
    file(WRITE "${directory}/${number}.list" "${text}")
  endforeach()
  foreach(file IN LISTS deb822)
    file(READ "${file}" text)
    string(REGEX REPLACE "(^|\n)Types:[^\n]*" "\\1Types: deb-src" text "${text}")
    math(EXPR number "${number} + 1")
    file(WRITE "${directory}/${number}.sources" "${text}")
  endforeach()
endfunction()

# Fetches the upstream tarball with apt into `destination`; leaves `destination` missing when that is not possible.
function(_taipan_apt_libsolv destination)
  find_program(TAIPAN_APT_GET apt-get)
  find_program(TAIPAN_APT_CACHE apt-cache)
  mark_as_advanced(TAIPAN_APT_GET TAIPAN_APT_CACHE)
  if(NOT TAIPAN_APT_GET OR NOT TAIPAN_APT_CACHE)
    return()
  endif()
  set(work "${CMAKE_BINARY_DIR}/libsolv-apt")
  file(REMOVE_RECURSE "${work}")
  file(MAKE_DIRECTORY "${work}/parts" "${work}/lists/partial" "${work}/cache/archives/partial" "${work}/out")
  _taipan_private_apt_sources("${work}/parts")
  # Hooks of the machine (cleaning of its caches, notifications) are not for our private state.
  file(WRITE "${work}/apt.conf" "
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb-src::Contents-dsc;
Dir::Etc::SourceList \"/dev/null\";
Dir::Etc::SourceParts \"${work}/parts\";
Dir::State::Lists \"${work}/lists\";
Dir::Cache \"${work}/cache\";
APT::Sandbox::User \"root\";
Acquire::Languages \"none\";
Acquire::Retries \"2\";
")
  set(options -qq -c "${work}/apt.conf")
  # A third-party source without source packages makes the update fail in part: what counts is the tarball.
  execute_process(COMMAND "${TAIPAN_APT_GET}" ${options} update
    WORKING_DIRECTORY "${work}" OUTPUT_QUIET ERROR_VARIABLE update_messages)
  execute_process(COMMAND "${TAIPAN_APT_CACHE}" -c "${work}/apt.conf" showsrc libsolv
    WORKING_DIRECTORY "${work}" OUTPUT_VARIABLE sources ERROR_QUIET)
  string(REGEX MATCH "\nVersion: (${_libsolv_version}-[^\n]*)" found "${sources}")
  if(found)
    execute_process(
      COMMAND "${TAIPAN_APT_GET}" ${options} source --download-only --tar-only "libsolv=${CMAKE_MATCH_1}"
      WORKING_DIRECTORY "${work}/out" OUTPUT_QUIET ERROR_VARIABLE source_messages)
    file(GLOB tarball "${work}/out/libsolv_*.orig.tar.*")
  endif()
  if(tarball)
    file(SHA256 "${tarball}" hash)
    if(hash STREQUAL _libsolv_sha256)
      file(COPY_FILE "${tarball}" "${destination}.new")
      file(RENAME "${destination}.new" "${destination}")
    else()
      message(WARNING "apt delivered a libsolv tarball with SHA-256 ${hash}, expected ${_libsolv_sha256}; not used")
    endif()
  else()
    message(STATUS "apt has no source of libsolv ${_libsolv_version} here\n${update_messages}${source_messages}")
  endif()
  file(REMOVE_RECURSE "${work}")
endfunction()

# Sets `result` to a directory with libsolv's sources, fetching them if needed.
function(_taipan_libsolv_source result)
  if(TAIPAN_LIBSOLV_SOURCE)
    get_filename_component(given "${TAIPAN_LIBSOLV_SOURCE}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    if(IS_DIRECTORY "${given}")
      if(NOT EXISTS "${given}/src/solver.c")
        message(FATAL_ERROR "TAIPAN_LIBSOLV_SOURCE=${given} has no src/solver.c")
      endif()
      set(${result} "${given}" PARENT_SCOPE)
      return()
    elseif(NOT EXISTS "${given}")
      message(FATAL_ERROR "TAIPAN_LIBSOLV_SOURCE=${given} does not exist")
    endif()
    file(SHA256 "${given}" hash)
    string(SUBSTRING "${hash}" 0 12 hash)
    _taipan_unpack_libsolv("${given}" "${CMAKE_BINARY_DIR}/libsolv-src-${hash}" directory)
  else()
    file(MAKE_DIRECTORY "${TAIPAN_DEPENDENCY_CACHE}")
    set(tarball "${TAIPAN_DEPENDENCY_CACHE}/libsolv-${_libsolv_version}.tar.gz")
    set(directory "${TAIPAN_DEPENDENCY_CACHE}/libsolv-${_libsolv_version}")
    file(LOCK "${TAIPAN_DEPENDENCY_CACHE}/libsolv.lock" GUARD FUNCTION TIMEOUT 600)
    if(NOT EXISTS "${directory}/src/solver.c")
      if(EXISTS "${tarball}")
        file(SHA256 "${tarball}" hash)
        if(NOT hash STREQUAL _libsolv_sha256)
          file(REMOVE "${tarball}")
        endif()
      endif()
      if(NOT EXISTS "${tarball}")
        message(STATUS "Fetching the sources of libsolv ${_libsolv_version}")
        _taipan_apt_libsolv("${tarball}")
      endif()
      if(EXISTS "${tarball}")
        _taipan_unpack_libsolv("${tarball}" "${directory}" directory)
      else()
        include(FetchContent)
        FetchContent_Declare(taipan_libsolv
          GIT_REPOSITORY https://github.com/openSUSE/libsolv.git
          GIT_TAG ${_libsolv_commit}
          SOURCE_DIR "${directory}")
        FetchContent_GetProperties(taipan_libsolv)
        if(NOT taipan_libsolv_POPULATED)
          FetchContent_Populate(taipan_libsolv)
        endif()
      endif()
    endif()
  endif()
  set(${result} "${directory}" PARENT_SCOPE)
endfunction()

_taipan_libsolv_source(_libsolv_source)

# The headers as <solv/...>, the way every user of libsolv includes them.
set(_libsolv_include "${CMAKE_BINARY_DIR}/libsolv/include")
file(MAKE_DIRECTORY "${_libsolv_include}")
file(CREATE_LINK "${_libsolv_source}/src" "${_libsolv_include}/solv" SYMBOLIC)
include("${_libsolv_source}/VERSION.cmake")
set(VERSION "${LIBSOLV_MAJOR}.${LIBSOLV_MINOR}.${LIBSOLV_PATCH}")
set(LIBSOLV_FEATURE_CONDA 1)
set(LIBSOLV_FEATURE_MULTI_SEMANTICS 1)
configure_file("${_libsolv_source}/src/solvversion.h.in" "${_libsolv_include}/solvversion.h")

# One change for speed, which alters no answer (the rules are sorted afterwards): libsolv walks packages through a queue
# that it shifts, moving megabytes for each new entry; taken from its end instead, it costs nothing. Another release of
# libsolv may read differently: then it is used as it is.
set(_libsolv_patched "${CMAKE_BINARY_DIR}/libsolv/patched/rules.c")
file(READ "${_libsolv_source}/src/rules.c" _libsolv_rules)
string(REPLACE "n = queue_shift(&workq);" "n = queue_pop(&workq);" _libsolv_rules "${_libsolv_rules}")
file(CONFIGURE OUTPUT "${_libsolv_patched}" CONTENT "${_libsolv_rules}" @ONLY)

# One change of what it answers: variants stay candidates, as in the libsolv of conda and mamba
# (engine/solve/variant_policy.h). It is small enough to fit other releases; one that it does not fit is refused.
set(_libsolv_policy_patched "${CMAKE_BINARY_DIR}/libsolv/patched/policy.c")
file(READ "${_libsolv_source}/src/policy.c" _libsolv_policy)
string(REPLACE "#include \"policy.h\"" "#include \"policy.h\"\n#include \"variant_policy.h\"" _libsolv_policy "${_libsolv_policy}")
set(_libsolv_entry "\nprune_to_best_version(Pool *pool, Queue *plist)\n{\n  int i, j, r;\n  Solvable *s, *best;\n")
string(FIND "${_libsolv_policy}" "${_libsolv_entry}" _libsolv_place)
if(_libsolv_place EQUAL -1)
  message(FATAL_ERROR "src/policy.c of ${_libsolv_source} has no prune_to_best_version as in libsolv ${_libsolv_version}")
endif()
string(REPLACE "${_libsolv_entry}" "${_libsolv_entry}\n  if (taipan_keep_variants(pool, plist))\n    return;\n" _libsolv_policy "${_libsolv_policy}")
file(CONFIGURE OUTPUT "${_libsolv_policy_patched}" CONTENT "${_libsolv_policy}" @ONLY)

# And one that newer releases have themselves: no rules that prefer what is installed when several names provide a
# dependency. In conda mode no dependency has several names.
set(_libsolv_solver_patched "${CMAKE_BINARY_DIR}/libsolv/patched/solver.c")
file(READ "${_libsolv_source}/src/solver.c" _libsolv_solver)
string(REPLACE "  if (1)\n    solver_addchoicerules(solv);" "  if (pool->disttype != DISTTYPE_CONDA)\n    solver_addchoicerules(solv);" _libsolv_solver "${_libsolv_solver}")
file(CONFIGURE OUTPUT "${_libsolv_solver_patched}" CONTENT "${_libsolv_solver}" @ONLY)

include(CheckSymbolExists)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
check_symbol_exists(strchrnul string.h TAIPAN_HAVE_STRCHRNUL)
check_symbol_exists(fopencookie stdio.h TAIPAN_HAVE_FOPENCOOKIE)
check_symbol_exists(qsort_r stdlib.h TAIPAN_HAVE_QSORT_R)
unset(CMAKE_REQUIRED_DEFINITIONS)

# Everything of the library proper; the readers of other distributions' indexes (ext/) are not needed.
file(GLOB _libsolv_sources CONFIGURE_DEPENDS "${_libsolv_source}/src/*.c")
list(FILTER _libsolv_sources EXCLUDE REGEX "/(policy|qsort_r|rules|solver)\\.c$")
list(APPEND _libsolv_sources "${_libsolv_patched}" "${_libsolv_policy_patched}" "${_libsolv_solver_patched}")
add_library(taipan_libsolv STATIC ${_libsolv_sources})
add_library(libsolv::libsolv ALIAS taipan_libsolv)
target_include_directories(taipan_libsolv SYSTEM PUBLIC "${_libsolv_include}")
target_include_directories(taipan_libsolv PRIVATE "${_libsolv_source}/src" "${CMAKE_SOURCE_DIR}/engine/solve")
target_compile_definitions(taipan_libsolv
  PUBLIC ENABLE_CONDA=1 MULTI_SEMANTICS=1
  PRIVATE LIBSOLV_INTERNAL=1 _FILE_OFFSET_BITS=64
    $<$<BOOL:${TAIPAN_HAVE_STRCHRNUL}>:HAVE_STRCHRNUL=1>
    $<$<BOOL:${TAIPAN_HAVE_FOPENCOOKIE}>:HAVE_FOPENCOOKIE=1>
    $<$<BOOL:${TAIPAN_HAVE_QSORT_R}>:HAVE_QSORT_R=1>)
# Always optimised, and its warnings are not ours to mend. It hashes by unsigned shifts of signed ids and calls through
# untyped comparison functions, which the undefined-behaviour sanitizer would stop at; addresses stay checked.
target_compile_options(taipan_libsolv PRIVATE -O2 -fPIC -w)
if(TAIPAN_SANITIZER STREQUAL "address")
  target_compile_options(taipan_libsolv PRIVATE -fno-sanitize=undefined)
endif()
