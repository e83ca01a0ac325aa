#!/bin/sh
# The Debian 12 packages that taipan needs, by role, and how they are installed.
#
#   sh cmake/packages.sh ROLE...          install what is missing (as root, or with sudo)
#   sh cmake/packages.sh --list ROLE...   only print the names
#
# Roles: build    compiler and libraries
#        test     test frameworks
#        channel  what tests/channel needs to make conda packages
#        server   nginx, to serve channels with (see unpack_nginx)
# When nothing is missing, apt is not started at all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")

build="g++ cmake ninja-build pkg-config dpkg-dev ca-certificates python3
    libboost1.81-dev libcurl4-openssl-dev libzstd-dev libarchive-dev libtbb-dev libspdlog-dev libfmt-dev libssl-dev
    libsimdjson-dev libxxhash-dev libyaml-cpp-dev libcli11-dev zlib1g-dev libbz2-dev"
# Shells are for tests/cli/shell_*: what the command writes is read by each of them.
# xfsprogs, btrfs-progs and mount are for tests/faults/devices_test.py, which runs where root may mount; faketime is for
# what must not depend on the day.
test="catch2 libbenchmark-dev zsh fish dash tcsh ksh93u+m xfsprogs btrfs-progs e2fsprogs mount faketime"
channel="conda-package-handling python3-zstandard"
if [ -f "$top/tests/channel/apt-packages.txt" ]; then
    channel="$channel $(sed 's/#.*//' "$top/tests/channel/apt-packages.txt")"
fi
# For tests/faults/system_call_test.py, which lets system calls fail.
test="$test strace"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "Installing packages needs root: run this as root, or install sudo." >&2
        return 1
    fi
}

# Runs a command with its output in a log that is shown only when it fails.
logged() {
    mkdir -p "$top/build"
    "$@" >"$top/build/packages.log" 2>&1 </dev/null || { cat "$top/build/packages.log" >&2; return 1; }
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

update() {
    echo "Updating the package lists ..."
    logged as_root apt-get -o DPkg::Lock::Timeout=600 update
}

install() {
    logged as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        install -y -q --no-install-recommends "$@"
}

# Installing nginx would start a web server on port 80 of this machine, now and at every boot; so unless it is there
# already, Debian's package is only unpacked, below build/.
unpack_nginx() {
    [ ! -x /usr/sbin/nginx ] && [ ! -x "$top/build/tools/usr/sbin/nginx" ] || return 0
    echo "Unpacking nginx into build/tools (it is not installed as a service) ..."
    mkdir -p "$top/build/tools"
    (
        cd "$top/build/tools"
        rm -f nginx_*.deb
        logged apt-get download nginx || { update && logged apt-get download nginx; }
        dpkg -x nginx_*.deb .
        rm -f nginx_*.deb
    )
}

list_only=false
[ "${1:-}" != --list ] || { list_only=true; shift; }
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

wanted=
serve=false
for role; do
    case $role in
        build) wanted="$wanted $build" ;;
        test) wanted="$wanted $test" ;;
        channel) wanted="$wanted $channel" ;;
        server) serve=true ;;
        *) echo "$0: unknown role '$role' (build, test, channel, server)" >&2; exit 2 ;;
    esac
done
if $list_only; then
    # shellcheck disable=SC2086  # a list of words
    printf '%s\n' $wanted
    exit
fi

missing=
for package in $wanted; do
    case "$missing " in *" $package "*) continue ;; esac
    is_installed "$package" || missing="$missing $package"
done
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # a list of words
    set -- $missing
    echo "Installing $# Debian packages: $*"
    # Old or empty package lists show as unknown names or as files that the mirror no longer has.
    if ! apt-cache show "$@" >/dev/null 2>&1 || ! install "$@"; then
        update
        install "$@"
    fi
fi
if $serve; then unpack_nginx; fi
