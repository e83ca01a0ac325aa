#!/bin/sh
# Installs what is missing, builds taipan with its tests (preset `dev`), and runs every test. The exit code is ctest's.
#
#   sh cmake/test.sh [ARGUMENTS FOR CTEST...]     for example: sh cmake/test.sh -R '^cli\.'
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
jobs=$(nproc)

sh cmake/packages.sh build test channel server
cmake --preset dev
cmake --build --preset dev -j "$jobs"

result=0
ctest --preset dev -j "$jobs" --output-junit "$PWD/build/dev/tests.xml" "$@" || result=$?

# The closing line, from ctest's own report.
count() { sed -n "s/^[[:space:]]*$1=\"\([0-9]*\)\".*/\1/p" build/dev/tests.xml | head -n 1; }
tests=$(count tests) failures=$(count failures) disabled=$(count disabled) skipped=$(count skipped)
echo "$((${tests:-0} - ${failures:-0} - ${disabled:-0} - ${skipped:-0})) passed, ${failures:-0} failed"
exit "$result"
