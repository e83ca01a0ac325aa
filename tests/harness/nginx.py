"""A real web server for the good cases: nginx in the foreground, on a free port of the loopback device."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONFIG = """\
daemon off;
worker_processes 1;
pid "{work}/nginx.pid";
error_log "{work}/error.log";
{user}
events {{ worker_connections 256; }}
http {{
    default_type application/octet-stream;
    access_log "{work}/access.log";
    client_body_temp_path "{work}/body";
    proxy_temp_path "{work}/proxy";
    fastcgi_temp_path "{work}/fastcgi";
    uwsgi_temp_path "{work}/uwsgi";
    scgi_temp_path "{work}/scgi";
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        root "{root}";
        {extra}
    }}
}}
"""


def nginx_binary():
    """The installed nginx, or the one that cmake/packages.sh unpacked into build/tools."""
    unpacked = Path(__file__).resolve().parents[2] / "build/tools/usr/sbin/nginx"
    for candidate in (shutil.which("nginx"), "/usr/sbin/nginx", str(unpacked)):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise RuntimeError("nginx is missing: run `sh cmake/packages.sh server`")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """Serves a folder until close(). `requests()` tells what was asked for."""

    def __init__(self, root, work, extra=""):
        self.work = Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.markers = 0
        # Another process may take the port between the probe and the start: then try again.
        for _ in range(5):
            self.port = free_port()
            user = "user root;" if os.getuid() == 0 else ""
            config = CONFIG.format(work=self.work, port=self.port, root=root, extra=extra, user=user)
            (self.work / "nginx.conf").write_text(config)
            self.process = subprocess.Popen(
                [nginx_binary(), "-p", self.work, "-e", self.work / "error.log", "-c", self.work / "nginx.conf"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self._answers():
                return
        raise RuntimeError("nginx does not start:\n" + (self.work / "error.log").read_text())

    def _answers(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                # The one who answered may be the process that took our port.
                time.sleep(0.02)
                return self.process.poll() is None
        self.close()
        return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        """The lines of the access log so far, in the "combined" format."""
        # nginx logs a request after the answer has left; what was logged before a request of our own is complete.
        self.markers += 1
        marker = f"/.log-marker-{self.markers} "
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", marker.strip())
        connection.getresponse().read()
        connection.close()
        deadline = time.monotonic() + 10
        while marker not in (text := (self.work / "access.log").read_text()) and time.monotonic() < deadline:
            time.sleep(0.005)
        return [line for line in text.splitlines() if "/.log-marker-" not in line]

    def requests(self):
        """Request lines so far, such as `GET /noarch/repodata.json.zst HTTP/1.1`."""
        return [line.split('"')[1] for line in self.log()]

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
