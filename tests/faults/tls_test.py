"""TLS, HTTP/2, client certificates and proxies, against nginx and a small proxy of our own."""

import http.client
import http.server
import select
import socket
import subprocess
import threading
from urllib.parse import urlsplit

from nginx import Nginx, free_port
from shards import write_shards
from taipan_test import SUBDIR, TaipanTest, main

LISTEN = """
    }}
    log_format connections '$connection $server_protocol $request_uri';
    server {{
        listen 127.0.0.1:{port} ssl{http2};
        access_log "{folder}/connections.log" connections;
        ssl_certificate "{folder}/server.pem";
        ssl_certificate_key "{folder}/server.key";
        {client}
        root "{root}";
"""
CLIENT = 'ssl_client_certificate "{folder}/ca.pem"; ssl_verify_client on;'


def openssl(folder, *words):
    subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """A CA, and a server and a client that it vouches for."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")


class Tunnels:
    """A proxy for TLS, which counts its connections."""

    def __init__(self, test):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(handler):
                self.count += 1
                host, port = handler.path.split(":")
                with socket.create_connection((host, int(port))) as server:
                    handler.send_response(200)
                    handler.end_headers()
                    pair = [handler.connection, server]
                    while True:
                        for ready in select.select(pair, [], [])[0]:
                            data = ready.recv(65536)
                            if not data:
                                return
                            pair[ready is pair[0]].sendall(data)

            def log_message(self, *_):
                pass

        self.count = 0
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        test.addCleanup(thread.join)
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)


class TlsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for number in range(20):
            self.channel.add(f"p{number}")
        self.channel.write_index()
        self.names = [f"p{number}" for number in range(20)]
        make_certificates(self.work)
        self.ca = str(self.work / "ca.pem")

    def serve_tls(self, client="", http2=True):
        port = free_port()
        extra = LISTEN.format(port=port, folder=self.work, root=self.channel.folder, http2=" http2" if http2 else "",
                              client=client.format(folder=self.work))
        self.server = Nginx(self.channel.folder, self.work / "nginx", extra)
        self.addCleanup(self.server.close)
        return f"https://127.0.0.1:{port}"

    def test_unknown_authorities_are_refused(self):
        url = self.serve_tls()
        result = self.create("p0", channel=url, code=1, env={"CONDA_REMOTE_MAX_RETRIES": "0"})
        self.assert_failed(result, "certificate", url, "SSL_CERT_FILE or --cacert-path")
        self.create("p0", "-k", channel=url)
        self.assert_installed("p0-1.0-0")

    def test_authorities_can_be_named(self):
        url = self.serve_tls()
        for words, environment in ((["--ssl-verify", self.ca], {}), ([], {"SSL_CERT_FILE": self.ca}),
                                   ([], {"REQUESTS_CA_BUNDLE": self.ca}), ([], {"CONDA_SSL_VERIFY": self.ca})):
            with self.subTest(words=words, environment=environment):
                self.create("p0", *words, channel=url, env=environment)
                self.taipan("env", "remove", "-y", "-p", self.prefix)
                self.taipan("clean", "-y", "--all")
        self.create("p0", channel=url, code=1,
                    env={"SSL_CERT_FILE": self.ca, "CONDA_SSL_VERIFY": str(self.work / "server.key"),
                         "CONDA_REMOTE_MAX_RETRIES": "0"})

    def test_http2_over_few_connections(self):
        url = self.serve_tls()
        self.create(*self.names, channel=url, env={"SSL_CERT_FILE": self.ca})
        requests = self.requests(".conda")
        self.assertEqual(len(requests), 20)
        self.assertEqual({protocol for _, protocol, _ in requests}, {"HTTP/2.0"})

    def requests(self, what):
        """(connection, protocol, path) of each"""
        lines = (self.work / "connections.log").read_text().splitlines()
        return [tuple(line.split()) for line in lines if what in line]

    def test_shards(self):
        """They are spread over the connections that the index came over, also where one could carry all of them."""
        for subdir in (SUBDIR, "noarch"):
            write_shards(self.channel.folder / subdir)
        for http2 in (True, False):
            with self.subTest(http2=http2):
                # Slowly, so that they are under way at the same time.
                url = self.serve_tls("location ~ /shards/ {{ limit_rate 200; }}", http2=http2)
                self.create("--dry-run", *self.names, channel=url, env={"SSL_CERT_FILE": self.ca})
                shards = self.requests("/shards/")
                self.assertEqual(len({path for _, _, path in shards}), 20)
                self.assertEqual(len(shards), 20)
                self.assertGreater(len({connection for connection, _, _ in shards}), 4)
                if http2:
                    self.assertLessEqual(len({connection for connection, _, _ in self.requests("/")}), 12)
                self.server.close()
                (self.work / "connections.log").unlink()
                self.taipan("clean", "-y", "--all")

    def test_shards_through_a_proxy(self):
        """It passes each connection on by itself, and is not asked for many."""
        for subdir in (SUBDIR, "noarch"):
            write_shards(self.channel.folder / subdir)
        proxy = Tunnels(self)
        for words, environment in (([], {"https_proxy": proxy.url}), ([], {"ALL_PROXY": proxy.url}), (["configured"], {})):
            with self.subTest(words=words, environment=environment):
                if words:
                    (self.home / ".condarc").write_text(f"proxy_servers:\n  https: {proxy.url}\n")
                proxy.count = 0
                self.create("--dry-run", *self.names, channel=self.serve_tls(), env=environment | {"SSL_CERT_FILE": self.ca})
                self.assertEqual(len(self.requests("/shards/")), 20)
                self.assertGreater(proxy.count, 0)
                self.assertLessEqual(proxy.count, 3)
                self.server.close()
                (self.work / "connections.log").unlink()
                self.taipan("clean", "-y", "--all")

    def test_client_certificates(self):
        url = self.serve_tls(CLIENT)
        environment = {"SSL_CERT_FILE": self.ca, "CONDA_REMOTE_MAX_RETRIES": "0"}
        result = self.create("p0", channel=url, code=1, env=environment)
        self.assert_failed(result, url)
        self.create("p0", channel=url, env=environment | {
            "CONDA_CLIENT_SSL_CERT": str(self.work / "client.pem"),
            "CONDA_CLIENT_SSL_CERT_KEY": str(self.work / "client.key")})


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes GET requests on and remembers who asked for what."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        target = urlsplit(self.path)
        connection = http.client.HTTPConnection(target.netloc)
        connection.request("GET", target.path)
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ProxyTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app")
        self.channel.write_index()
        self.server = self.serve(self.channel)
        self.proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        self.proxy.seen = []
        thread = threading.Thread(target=self.proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.proxy.server_close)
        self.addCleanup(self.proxy.shutdown)
        self.url = f"127.0.0.1:{self.proxy.server_address[1]}"

    def assert_used(self):
        paths = [path for path, _ in self.proxy.seen]
        self.assertTrue(any(path.endswith("app-1.0-0.conda") for path in paths), paths)
        self.assertTrue(any("repodata" in path for path in paths), paths)

    def test_configured(self):
        (self.home / ".condarc").write_text(f"proxy_servers:\n  http: http://me:pr0xy-pa55@{self.url}\n")
        result = self.create("app", "-v", "-v", channel=self.server)
        self.assert_used()
        self.assertTrue(self.proxy.seen[0][1].startswith("Basic "))
        self.assertNotIn("pr0xy-pa55", result.stdout + result.stderr)

    def test_of_the_environment(self):
        self.create("app", channel=self.server, env={"http_proxy": f"http://{self.url}"})
        self.assert_used()

    def test_no_proxy(self):
        self.create("app", channel=self.server, env={"http_proxy": f"http://{self.url}", "no_proxy": "127.0.0.1"})
        self.assertEqual(self.proxy.seen, [])

    def test_a_proxy_that_is_not_there(self):
        (self.home / ".condarc").write_text("proxy_servers:\n  http: http://me:pr0xy-pa55@127.0.0.1:9\n")
        result = self.create("app", channel=self.server, code=1, env={"CONDA_REMOTE_MAX_RETRIES": "0"})
        self.assert_failed(result, "proxy")
        self.assertNotIn("pr0xy-pa55", result.stderr)


if __name__ == "__main__":
    main()
