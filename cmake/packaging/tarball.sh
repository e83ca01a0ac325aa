#!/bin/sh
# A tarball with a program that needs nothing of the machine it runs on, not even a C library:
#
#   sh cmake/packaging/tarball.sh BUILD-DIRECTORY VERSION
#
# makes BUILD-DIRECTORY/taipan-VERSION-linux-MACHINE.tar.gz. Its files and their times depend on the sources only.
set -eu
[ $# -eq 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$(dirname "$here")")
build=$1 version=$2
name=taipan-$version-linux-$(uname -m)
jobs=${TAIPAN_JOBS:-$(nproc)}

sh "$here/static_libraries.sh" "$build/static"
cmake -S "$top" --preset release -B "$build/tarball" -DTAIPAN_STATIC="$build/static" >"$build/tarball.log" 2>&1 || {
    cat "$build/tarball.log" >&2
    exit 1
}
cmake --build "$build/tarball" -j "$jobs" --target taipan manual completions
rm -rf "${build:?}/$name"
cmake --install "$build/tarball" --prefix "$build/$name" --strip >"$build/tarball.log"
tar -C "$build" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" --mode=u+rwX,go=rX \
    -cf "$build/$name.tar" "$name"
gzip -9nf "$build/$name.tar"
rm -rf "${build:?}/$name"
echo "$build/$name.tar.gz"
