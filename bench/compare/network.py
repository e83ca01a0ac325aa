"""A web server for the channel, and the way to it: loopback, a link, or a link with a limit for each connection.

`LOOPBACK` needs no privileges. `LINK` and `LIMITED` are made by wire.py and need root. Everything ends with close(), and
also when this program is killed.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

LOOPBACK, LINK, LIMITED = "loopback", "link", "limited"
NETWORKS = (LOOPBACK, LINK, LIMITED)
PR_SET_PDEATHSIG = 1

NGINX = """\
daemon off;
worker_processes 2;
pid "{work}/nginx.pid";
error_log "{work}/error.log";
{user}
events {{ worker_connections 1024; }}
http {{
    default_type application/octet-stream;
    access_log {log};
    client_body_temp_path "{work}/body";
    proxy_temp_path "{work}/proxy";
    fastcgi_temp_path "{work}/fastcgi";
    uwsgi_temp_path "{work}/uwsgi";
    scgi_temp_path "{work}/scgi";
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    server {{
        listen {address}:{port}{tls};
        root "{root}";
        location /large/ {{ alias "{large}/"; }}
        {limit}
    }}
}}
"""

TLS = ' ssl{}; ssl_protocols TLSv1.2 TLSv1.3; http2_max_concurrent_streams 128; ssl_certificate "{}"; ssl_certificate_key "{}"'


@dataclasses.dataclass(frozen=True)
class LinkSettings:
    megabits: float = 1000
    round_trip: float = 20  # milliseconds
    limit: float = 8        # megabytes a second for each connection, of the limited network


class Network:
    """A served channel: `url`, and `enter`, the words before a command that shall use this network. With a certificate
    (a file, and that of its key) it is served over TLS, by HTTP/2 unless that is switched off; `requests()` needs `log`."""

    def __init__(self, kind, root, large, work, settings, certificate=None, log=False, http2=True):
        self.kind, self.enter, self._wire = kind, [], None
        self._certificate, self._log, self._http2 = certificate, log, http2
        self._work = pathlib.Path(work)
        self._work.mkdir(parents=True)
        address, server = "127.0.0.1", []
        try:
            if kind != LOOPBACK:
                ends = self._start_wire(settings)
                address, server = ends["address"], ["nsenter", f"--net={ends['server']}"]
                self.enter = [shutil.which("nsenter"), f"--net={ends['client']}"]
            self._start_nginx(address, server, root, large, settings.limit if kind == LIMITED else None)
        except BaseException:
            self.close()
            raise

    def _start_wire(self, settings):
        if os.getuid() != 0:
            raise RuntimeError(f"the network '{self.kind}' needs root: it is made of network namespaces")
        script = pathlib.Path(__file__).with_name("wire.py")
        self._wire = subprocess.Popen(
            [sys.executable, "-S", "-E", script, "--rate", str(settings.megabits), "--delay", str(settings.round_trip / 2)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self._wire.stdout.readline()
        if not line:
            raise RuntimeError("wire.py did not start; has the kernel TUN devices and network namespaces?")
        return json.loads(line)

    def _start_nginx(self, address, enter, root, large, limit):
        binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if binary is None:
            raise RuntimeError("nginx is missing: run `sh cmake/packages.sh server`")
        port = free_port() if not enter else 8080
        (self._work / "nginx.conf").write_text(NGINX.format(
            work=self._work, root=root, large=large, address=address, port=port,
            user="user root;" if os.getuid() == 0 else "", log=f'"{self._log_file}"' if self._log else "off",
            tls=TLS.format(" http2" if self._http2 else "", *self._certificate) if self._certificate else "",
            limit=f"limit_rate {int(limit * 1e6)};" if limit else ""))
        self._nginx = subprocess.Popen(
            [*enter, binary, "-p", self._work, "-e", self._work / "error.log", "-c", self._work / "nginx.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.url = f"{'https' if self._certificate else 'http'}://{address}:{port}"
        self._wait_for_answer()

    def _wait_for_answer(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._nginx.poll() is None:
            probe = [*self.enter, shutil.which("curl"), "-sSk", "-o", "/dev/null", self.url + "/"]
            if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.02)
        log = self._work / "error.log"
        raise RuntimeError("nginx does not start:\n" + (log.read_text() if log.exists() else ""))

    @property
    def _log_file(self):
        return self._work / "access.log"

    def requests(self):
        """The paths that were asked for since the last time."""
        text = self._log_file.read_text()
        os.truncate(self._log_file, 0)
        return [line.split('"')[1].split(" ")[1] for line in text.splitlines()]

    def close(self):
        for process in (getattr(self, "_nginx", None), self._wire):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
