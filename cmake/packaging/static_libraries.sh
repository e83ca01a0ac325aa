#!/bin/sh
# Builds those libraries as archives that Debian has as shared ones only, from Debian's sources with Debian's patches:
#
#   sh cmake/packaging/static_libraries.sh DIRECTORY
#
# leaves DIRECTORY/lib/*.a, to be given to CMake as TAIPAN_STATIC. Headers are those of the installed -dev packages, which
# have the same versions. A library that is there already is not built again. curl resolves names by c-ares: what glibc
# has for that loads plugins of the machine, which a static program must not.
set -eu
[ $# -eq 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
top=$(cd "$1" && pwd)
jobs=${TAIPAN_JOBS:-$(nproc)}

# Runs a command with its output in a log that is shown only when it fails.
logged() {
    "$@" >"$top/build.log" 2>&1 </dev/null || { tail -n 50 "$top/build.log" >&2; return 1; }
}

# apt with a state of its own, in which the machine's sources are there as source packages.
apt() {
    if [ ! -f "$top/apt/apt.conf" ]; then
        mkdir -p "$top/apt/parts" "$top/apt/lists/partial" "$top/apt/cache/archives/partial"
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb\(-src\)\{0,1\}[ \t]/deb-src /p' | grep -v cdrom: >"$top/apt/parts/machine.list" || true
        for sources in /etc/apt/sources.list.d/*.sources; do
            [ ! -f "$sources" ] || sed 's/^Types:.*/Types: deb-src/' "$sources" >"$top/apt/parts/${sources##*/}"
        done
        cat >"$top/apt/apt.conf.new" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb-src::Contents-dsc;
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$top/apt/parts";
Dir::State::Lists "$top/apt/lists";
Dir::Cache "$top/apt/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
END
        mv "$top/apt/apt.conf.new" "$top/apt/apt.conf"
        # A third-party source without source packages makes this fail in part: what counts is what is found after.
        logged apt-get -qq -c "$top/apt/apt.conf" update || true
    fi
    apt-get -qq -c "$top/apt/apt.conf" "$@"
}

# source PACKAGE: its patched sources, in $top/source/PACKAGE.
source_of() {
    [ ! -d "$top/source/$1" ] || return 0
    echo "Fetching the sources of $1"
    rm -rf "$top/fetch"
    mkdir -p "$top/fetch" "$top/source"
    (cd "$top/fetch" && logged apt source "$1")
    mv "$top/fetch/$1"-*/ "$top/source/$1"
}

# library PACKAGE ARCHIVE CMAKE-OPTION...: lib/ARCHIVE
library() {
    package=$1 archive=$2
    shift 2
    [ ! -f "$top/lib/$archive" ] || return 0
    source_of "$package"
    echo "Building $archive"
    logged cmake -G Ninja -S "$top/source/$package" -B "$top/build/$package" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_INSTALL_PREFIX="$top/installed" \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$top/installed" "$@"
    logged cmake --build "$top/build/$package" -j "$jobs"
    logged cmake --install "$top/build/$package"
    mkdir -p "$top/lib"
    cp "$top/installed/lib/$archive" "$top/lib/$archive.new"
    mv "$top/lib/$archive.new" "$top/lib/$archive"
}

library c-ares libcares.a -DCARES_STATIC=ON -DCARES_SHARED=OFF -DCARES_BUILD_TOOLS=OFF -DCARES_BUILD_TESTS=OFF
library nghttp2 libnghttp2.a -DENABLE_LIB_ONLY=ON -DENABLE_STATIC_LIB=ON -DENABLE_SHARED_LIB=OFF
library fmtlib libfmt.a -DFMT_TEST=OFF -DFMT_DOC=OFF
library simdjson libsimdjson.a -DSIMDJSON_DEVELOPER_MODE=OFF
library onetbb libtbb.a -DTBB_TEST=OFF -DTBB_STRICT=OFF -DTBB_DISABLE_HWLOC_AUTOMATIC_SEARCH=ON -DTBBMALLOC_BUILD=OFF
library curl libcurl.a -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DENABLE_ARES=ON \
    -DCARES_INCLUDE_DIR="$top/installed/include" -DCARES_LIBRARY="$top/lib/libcares.a" \
    -DUSE_NGHTTP2=ON -DNGHTTP2_INCLUDE_DIR="$top/installed/include" -DNGHTTP2_LIBRARY="$top/lib/libnghttp2.a" \
    -DCMAKE_C_FLAGS="-DNGHTTP2_STATICLIB -DCARES_STATICLIB" \
    -DCURL_USE_OPENSSL=ON -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt -DCURL_CA_PATH=none \
    -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBPSL=OFF -DUSE_LIBIDN2=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF \
    -DCURL_DISABLE_LDAP=ON -DCURL_DISABLE_LDAPS=ON -DCURL_DISABLE_DICT=ON -DCURL_DISABLE_TELNET=ON \
    -DCURL_DISABLE_TFTP=ON -DCURL_DISABLE_POP3=ON -DCURL_DISABLE_IMAP=ON -DCURL_DISABLE_SMTP=ON \
    -DCURL_DISABLE_GOPHER=ON -DCURL_DISABLE_RTSP=ON -DCURL_DISABLE_SMB=ON -DCURL_DISABLE_MQTT=ON -DHTTP_ONLY=OFF
ls "$top/lib"
