"""A web server that misbehaves on request.

Problem: what the command does when a server is slow, wrong or gone must be shown with real sockets.

Approach: a threaded HTTP/1.1 server of a folder, with keep-alive, ETag, Range and If-Range as nginx has them, and a
list of faults per path. Each request takes the next fault of its path; when the list is empty the answer is a good
one. A fault is a function that gets the request handler and writes the answer, or the connection's end, itself.
"""

import email.utils
import fnmatch
import hashlib
import http.server
import os
import re
import socket
import struct
import sys
import threading
import time
import traceback
from pathlib import Path
from urllib.parse import unquote


class FaultyServer:
    """Serves `root` on a free loopback port until close()."""

    def __init__(self, root):
        self.root = Path(root)
        self.log = []               # (method, path, headers) of every request, in order of arrival
        self.closing = threading.Event()
        self._faults = []           # [pattern, list of faults, repeat]
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = self._ignore_lost_clients
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, pattern, *faults, always=False):
        """Answers requests for paths like `pattern` with these faults in turn; with `always` the last one stays."""
        with self._lock:
            self._faults.append([pattern, list(faults), always])

    def take_fault(self, path):
        with self._lock:
            for pattern, faults, always in self._faults:
                if faults and fnmatch.fnmatch(path, pattern):
                    return faults[0] if always and len(faults) == 1 else faults.pop(0)
        return None

    def requests(self, pattern="*", method="GET"):
        """The headers of each request whose path is like `pattern`."""
        return [headers for verb, path, headers in list(self.log) if verb == method and fnmatch.fnmatch(path, pattern)]

    @staticmethod
    def _ignore_lost_clients(_request, _address):
        """A client that hangs up is none of our business; anything else is a mistake in a fault."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def do_GET(self):
        path = unquote(self.path.split("?")[0])
        self.owner.log.append((self.command, path, dict(self.headers)))
        fault = self.owner.take_fault(path)
        try:
            if fault:
                fault(self)
            else:
                self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, *_):
        pass

    def content(self):
        """The bytes of the file that was asked for, or None."""
        path = unquote(self.path.split("?")[0]).lstrip("/")
        file = self.owner.root / path
        return file.read_bytes() if file.is_file() and ".." not in path.split("/") else None

    def validators(self, data):
        stat = os.stat(self.owner.root / unquote(self.path.split("?")[0]).lstrip("/"))
        return {"ETag": '"%s"' % hashlib.md5(data).hexdigest()[:16],
                "Last-Modified": email.utils.formatdate(stat.st_mtime, usegmt=True), "Accept-Ranges": "bytes"}

    def begin(self, code, headers, length):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self):
        """A good answer: 200, 206, 304, 404 or 416."""
        data = self.content()
        if data is None:
            return send(self, 404, b"not here\n")
        headers = self.validators(data)
        if self.headers.get("If-None-Match") == headers["ETag"]:
            self.begin(304, headers, None)
            return None
        code, first, last = self.range(len(data), headers)
        if code == 416:
            return send(self, 416, b"", {"Content-Range": f"bytes */{len(data)}"})
        if code == 206:
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self.begin(code, headers, last + 1 - first)
        if self.command == "GET":
            self.wfile.write(data[first:last + 1])
        return None

    def range(self, size, headers):
        """(status, first, last) as Range and If-Range ask for."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not asked or condition not in (None, headers["ETag"], headers["Last-Modified"]):
            return 200, 0, size - 1
        first = int(asked[1])
        if first >= size:
            return 416, 0, 0
        return 206, first, min(int(asked[2]), size - 1) if asked[2] else size - 1

    def hang_up(self, reset=False):
        """Ends the connection: orderly, or with a TCP reset."""
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # rfile and wfile hold the socket open; detaching closes it for good, and with it sends the reset.
            os.close(self.connection.detach())


def send(handler, code, body, headers=None):
    handler.begin(code, headers or {}, len(body))
    if handler.command == "GET":
        handler.wfile.write(body)


def status(code, headers=None, body=b"refused by the test\n"):
    """An error status with a small body."""
    return lambda handler: send(handler, code, body, headers)


def redirect(location, code=302):
    return lambda handler: send(handler, code, b"", {"Location": location})


def truncated(keep=0.5):
    """Promises the whole body, sends a part, and closes the connection."""
    def fault(handler):
        data = handler.content()
        handler.begin(200, handler.validators(data), len(data))
        handler.wfile.write(data[:int(len(data) * keep)])
        handler.hang_up()
    return fault


def truncated_without_length(keep=0.5):
    """Sends a part and closes, and never said how much there would be: only the index can tell."""
    def fault(handler):
        data = handler.content()
        handler.begin(200, {"Connection": "close"}, None)
        handler.wfile.write(data[:int(len(data) * keep)])
        handler.hang_up()
    return fault


def reset(keep=0.3):
    """Sends a part, then resets the connection (keep=None: before any answer)."""
    def fault(handler):
        data = handler.content()
        if keep is not None:
            handler.begin(200, handler.validators(data), len(data))
            handler.wfile.write(data[:int(len(data) * keep)])
            handler.wfile.flush()
            time.sleep(0.05)
        handler.hang_up(reset=True)
    return fault


def stall(keep=0.3):
    """Sends a part and then nothing more, with the connection open, until the server is closed."""
    def fault(handler):
        data = handler.content()
        handler.begin(200, handler.validators(data), len(data))
        handler.wfile.write(data[:int(len(data) * keep)])
        handler.wfile.flush()
        handler.owner.closing.wait(120)
        handler.close_connection = True
    return fault


def silent():
    """Takes the request and never answers."""
    def fault(handler):
        handler.owner.closing.wait(120)
        handler.close_connection = True
    return fault


def drip(seconds, pieces=20):
    """Sends everything, in small pieces spread over that time: slow, but always going on."""
    def fault(handler):
        data = handler.content()
        handler.begin(200, handler.validators(data), len(data))
        step = max(1, len(data) // pieces)
        for start in range(0, len(data), step):
            handler.wfile.write(data[start:start + step])
            handler.wfile.flush()
            time.sleep(seconds / pieces)
    return fault


def limited(rate, headers=(), change=None):
    """A good answer at so many bytes a second, as a server sends it that limits each connection.

    `headers` replaces validators (None: leaves one out); `change` maps what would be sent to what is sent.
    """
    def fault(handler):
        data = handler.content()
        known = {name: value for name, value in (handler.validators(data) | dict(headers)).items() if value is not None}
        code, first, last = handler.range(len(data), {"ETag": None, "Last-Modified": None} | known)
        if code == 206:
            known["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        body = data[first:last + 1]
        if change:
            body = change(body, code)
        handler.begin(code, known, last + 1 - first)
        step = max(1, int(rate / 25))
        began = time.monotonic()
        for start in range(0, len(body), step):
            handler.wfile.write(body[start:start + step])
            time.sleep(max(0, began + (start + step) / rate - time.monotonic()))
        if len(body) < last + 1 - first:
            handler.hang_up()
    return fault


def by_range(whole, part):
    """One fault for requests of everything, another one for requests of a part (None: a good answer)."""
    def fault(handler):
        chosen = part if "Range" in handler.headers else whole
        return chosen(handler) if chosen else handler.answer()
    return fault


def wrong_bytes():
    """The right number of bytes, one of them wrong."""
    def fault(handler):
        data = bytearray(handler.content())
        data[len(data) // 2] ^= 0xFF
        handler.begin(200, handler.validators(bytes(data)), len(data))
        handler.wfile.write(data)
    return fault


def too_long(extra=1000):
    """The right bytes, and more behind them."""
    def fault(handler):
        data = handler.content() + b"x" * extra
        handler.begin(200, handler.validators(data), len(data))
        handler.wfile.write(data)
    return fault


def wrong_range():
    """Answers 206, but with another part than was asked for."""
    def fault(handler):
        data = handler.content()
        part = data[:len(data) // 4]
        headers = handler.validators(data) | {"Content-Range": f"bytes 0-{len(part) - 1}/{len(data)}"}
        handler.begin(206, headers, len(part))
        handler.wfile.write(part)
    return fault


def ignores_range():
    """Answers a Range request with 200 and everything, as servers without ranges do."""
    def fault(handler):
        data = handler.content()
        handler.begin(200, {}, len(data))
        handler.wfile.write(data)
    return fault


def garbage():
    """No HTTP at all."""
    def fault(handler):
        handler.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
        handler.hang_up()
    return fault
