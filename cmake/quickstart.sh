#!/bin/sh
# From a bare Debian 12 to a running Python environment, made from conda packages by taipan:
# packages -> build -> a channel of real packages -> served over HTTP -> `taipan create` -> run it.
#
#   sh cmake/quickstart.sh          as root, or with sudo; a second time it takes seconds
#
# Apart from Debian packages nothing is changed outside of build/.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
work=$top/build/quickstart
channel=$top/build/channel
taipan=$top/build/release/taipan
environment=$work/env
server=

now() { date +%s%N; }
stage_started=0
summary=
stage() {
    stage_name=$1
    stage_started=$(now)
    printf '\n== %s\n' "$stage_name"
}
stage_done() {
    seconds=$(( ($(now) - stage_started) / 100000000 ))
    summary="$summary$(printf '  %-40s %5d.%d s' "$stage_name" $((seconds / 10)) $((seconds % 10)))
"
}
stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || :
    wait "$server" 2>/dev/null || :
    server=
}
trap 'stop_server' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# Runs a command and shows it as one would type it.
show() {
    printf '  $'
    for word; do
        case $word in
            *[!A-Za-z0-9_./:=@%+,-]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$@"
}
# taipan with a home and a root prefix of its own: nobody's configuration is read, nobody's environments are listed.
own_taipan() {
    env -i PATH="$PATH" HOME="$work/home" MAMBA_ROOT_PREFIX="$work/root" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
        "$taipan" "$@"
}

mkdir -p "$work/home"

stage "Debian packages"
sh "$here/packages.sh" build channel server
stage_done

stage "Build (release)"
[ -x "$taipan" ] || echo "  The first time this takes some minutes; what goes on is in $work/build.log"
if ! (cd "$top" && cmake --preset release -Wno-dev && cmake --build --preset release --target taipan -j "$(nproc)") \
    >"$work/build.log" 2>&1; then
    tail -n 60 "$work/build.log" >&2
    echo "The build failed; all of it: $work/build.log" >&2
    exit 1
fi
echo "  $taipan ($(own_taipan --version))"
stage_done

stage "A channel of real packages"
[ -f "$channel/noarch/repodata.json" ] ||
    echo "  Debian packages are fetched and made into conda packages; log: $work/channel.log"
if ! /usr/bin/python3 "$top/tests/channel/build.py" "$channel" --cache "$top/build/debs" >"$work/channel.log" 2>&1; then
    tail -n 20 "$work/channel.log" >&2
    exit 1
fi
echo "  $(tail -n 1 "$work/channel.log")"
stage_done

# A web server on a free port of the loopback device, for as long as this script runs.
start_server() {
    nginx=/usr/sbin/nginx
    [ -x "$nginx" ] || nginx=$top/build/tools/usr/sbin/nginx
    user=
    [ "$(id -u)" -ne 0 ] || user="user root;"
    for _ in 1 2 3 4 5; do
        # The port of the last time if it is free: packages in the cache belong to the URL that they came from.
        port=$(/usr/bin/python3 - "$(cat "$work/port" 2>/dev/null || echo 0)" <<'PROBE'
import socket, sys
for port in (int(sys.argv[1]), 0):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(probe.getsockname()[1])
        break
PROBE
        )
        echo "$port" >"$work/port"
        cat >"$work/nginx.conf" <<CONFIGURATION
daemon off;
pid "$work/nginx.pid";
$user
worker_processes 1;
events { }
http {
    default_type application/octet-stream;
    sendfile on;
    access_log "$work/access.log";
    client_body_temp_path "$work/nginx-body";
    proxy_temp_path "$work/nginx-proxy";
    fastcgi_temp_path "$work/nginx-fastcgi";
    uwsgi_temp_path "$work/nginx-uwsgi";
    scgi_temp_path "$work/nginx-scgi";
    server { listen 127.0.0.1:$port; root "$channel"; }
}
CONFIGURATION
        "$nginx" -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf" 2>/dev/null &
        server=$!
        if /usr/bin/python3 - "$port" "$server" <<'PROBE'
import os, socket, sys, time
for _ in range(100):
    time.sleep(0.02)
    try:
        os.kill(int(sys.argv[2]), 0)
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=1).close()
        sys.exit(0)
    except ProcessLookupError:
        sys.exit(1)
    except OSError:
        pass
sys.exit(1)
PROBE
        then return 0; fi
        stop_server
        rm -f "$work/port"
    done
    echo "nginx does not start; see $work/nginx.log" >&2
    return 1
}

stage "taipan create, over HTTP"
rm -rf "$environment"
start_server
url=http://127.0.0.1:$port
echo "  $channel is served as $url"
taipan() { own_taipan "$@"; }
show taipan create -y -p "$environment" --override-channels -c "$url" python=3.11 requests pyyaml pygments
stage_done

stage "Run what was made"
show env -i "$environment/bin/python" -c \
    'import sys, ssl, sqlite3, requests, yaml; print("Python", sys.version.split()[0], "with", ssl.OPENSSL_VERSION)'
show env -i "$environment/bin/pygmentize" -V
show taipan run -p "$environment" python -V
stage_done

packages=$(find "$environment/conda-meta" -name '*.json' | wc -l)
files=$(find "$environment" ! -type d | wc -l)
cat <<END

== Done
taipan was built, a small conda channel was made out of Debian packages and served on this machine, and taipan made an
environment from it: $packages packages, $files files, in
  $environment
It was used without activation, by its own Python and by a console script. The web server is stopped again.

$summary
The same with conda-forge, by name:
  export PATH="$top/build/release:\$PATH"
  taipan create -n first -c conda-forge python=3.11 requests
  taipan run -n first python -c 'import requests; print(requests.__version__)'
To take all of this back: rm -rf "$top/build"
END
