"""Channels that want to know who asks, and channels with mirrors; what was secret is found nowhere afterwards."""

import base64
import json
import os
import shutil
import subprocess
from urllib.parse import quote

from taipan_test import Done, TaipanTest, binary_under_test, main

import faulty_server as faults

TOKEN, PASSWORD = "tk-5ecret-0f-7he-te57", "pa55word-0f-7he-te57"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def wants(header, value):
    """A server that answers 401 without exactly this header."""
    def fault(handler):
        if handler.headers.get(header) == value:
            return handler.answer()
        return faults.send(handler, 401, b"who are you?\n")
    return fault


class AuthTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", noarch="generic")
        self.channel.add("app", depends=["lib"])
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.host = self.server.url.removeprefix("http://")
        self.files = [f"--timings={self.work}/page.html", f"--trace={self.work}/trace.json"]
        self.output = ""

    def make(self, url, code=0, **options):
        for arguments in (["app", "-v", "-v", *self.files], ["app", "--json", "--dry-run"]):
            result = self.create(*arguments, channel=url, code=code, **options)
            self.output += result.stdout + result.stderr
        self.output += self.taipan("list", "-p", self.prefix, "--json", code=None).stdout
        if code == 0:
            self.assert_installed("app-1.0-0", "lib-1.0-0")

    def assert_secret_kept(self, *but_in):
        """Neither output nor any file that was written has a secret in it, encoded or not."""
        secrets = [TOKEN, PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), basic("me", PASSWORD)[6:]]
        texts = {"output": self.output}
        for directory, _, files in os.walk(self.work):
            if not directory.startswith(str(self.channel.folder)):
                for name in files:
                    path = os.path.join(directory, name)
                    texts[path] = open(path, "rb").read().decode("latin-1") + name
        for place, text in texts.items():
            if place not in map(str, but_in):
                for secret in secrets:
                    self.assertNotIn(secret, text, place)

    def serve_below_token(self):
        (self.channel.folder / "t" / TOKEN).mkdir(parents=True)
        for subdir in ("linux-64", "noarch"):
            shutil.move(self.channel.folder / subdir, self.channel.folder / "t" / TOKEN / subdir)

    def test_token_in_the_url(self):
        self.serve_below_token()
        self.make(f"{self.server.url}/t/{TOKEN}")
        self.assert_secret_kept()

    def test_password_in_the_url(self):
        self.server.fail("*", wants("Authorization", basic("me", PASSWORD)), always=True)
        self.make(f"http://me:{quote(PASSWORD)}@{self.host}")
        self.assert_secret_kept()

    def test_wrong_password(self):
        self.server.fail("*", wants("Authorization", "nothing"), always=True)
        self.make(f"http://me:{PASSWORD}@{self.host}", code=1)
        self.assertIn("401", self.output)
        self.assert_secret_kept()

    def test_netrc(self):
        netrc = self.home / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
        self.server.fail("*", wants("Authorization", basic("me", PASSWORD)), always=True)
        self.make(self.server)
        moved = netrc.rename(self.work / "elsewhere.netrc")
        self.make(self.server, env={"NETRC": str(moved)})
        self.assert_secret_kept(moved)

    def login(self, *arguments, secret):
        done = self.taipan_with_input(["auth", "login", *arguments], secret + "\n")
        self.assertIn("Successfully", done.stdout)
        self.output += done.stdout + done.stderr
        file = self.home / ".mamba/auth/authentication.json"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        return file

    def taipan_with_input(self, arguments, text):
        done = subprocess.run([binary_under_test(), *arguments], input=text, env=self.environment, cwd=self.work,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Done(arguments, done.returncode, done.stdout, done.stderr)

    def test_login_with_password_and_logout(self):
        self.server.fail("*", wants("Authorization", basic("me", PASSWORD)), always=True)
        file = self.login(self.server.url, "-u", "me", "--password-stdin", secret=PASSWORD)
        self.assertEqual(json.loads(file.read_text()),
                         {self.host: {"type": "BasicHTTPAuthentication", "user": "me",
                                      "password": base64.b64encode(PASSWORD.encode()).decode()}})
        self.make(self.server)
        self.assert_secret_kept(file)
        self.assertIn("Logged out from", self.taipan("auth", "logout", self.host).stdout)
        self.assertEqual(json.loads(file.read_text()), {})
        self.assertIn("not logged in", self.taipan("auth", "logout", self.host).stdout)
        self.taipan("env", "remove", "-y", "-p", self.prefix)
        self.taipan("clean", "-y", "--all")
        self.create("app", channel=self.server, code=1)

    def test_bearer(self):
        self.server.fail("*", wants("Authorization", f"Bearer {TOKEN}"), always=True)
        file = self.login(self.host, "--bearer-stdin", secret=TOKEN)
        self.make(self.server)
        self.assert_secret_kept(file)

    def test_bearer_is_kept_from_other_hosts(self):
        other = faults.FaultyServer(self.channel.folder)
        self.addCleanup(other.close)
        self.login(self.host, "--bearer-stdin", secret=TOKEN)
        self.server.fail("/*/app-*", faults.redirect(f"{other.url}/linux-64/app-1.0-0.conda".replace("127.0.0.1", "localhost")))
        self.make(self.server)
        self.assertTrue(other.requests())
        self.assertFalse([headers for headers in other.requests() if "Authorization" in headers])

    def test_token_of_a_login(self):
        self.serve_below_token()
        file = self.login(self.host, "--token-stdin", secret=TOKEN)
        self.make(self.server)
        self.assert_secret_kept(file)

    def test_tokens_of_anaconda_client(self):
        self.serve_below_token()
        for folder in (".config/binstar", ".continuum/anaconda-client/tokens"):
            with self.subTest(folder=folder):
                file = self.home / folder / (quote(self.server.url, safe="") + ".token")
                file.parent.mkdir(parents=True)
                file.write_text(TOKEN + "\n")
                self.make(self.server)
                self.assert_secret_kept(file)
                file.unlink()

    def test_rattlers_file(self):
        self.server.fail("*", wants("Authorization", f"Bearer {TOKEN}"), always=True)
        file = self.work / "rattler.json"
        file.write_text(json.dumps({self.host: {"BearerToken": TOKEN}}))
        self.make(self.server, env={"RATTLER_AUTH_FILE": str(file)})
        self.assert_secret_kept(file)

    def test_a_damaged_login_file(self):
        file = self.home / ".mamba/auth/authentication.json"
        file.parent.mkdir(parents=True)
        file.write_text('{"%s": {"type": "CondaToken", "token": "%s"' % (self.host, TOKEN))
        self.make(self.server)      # asked without it
        self.assertIn(str(file), self.output)
        self.assert_secret_kept(file)


class MirrorsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.names = [f"p{number}" for number in range(12)]
        for name in self.names:
            self.channel.add(name, files={f"share/{name}": os.urandom(300_000)})
        self.channel.write_index()
        self.mirrors = [faults.FaultyServer(self.channel.folder) for _ in range(2)]
        for mirror in self.mirrors:
            self.addCleanup(mirror.close)
        (self.home / ".condarc").write_text(json.dumps({
            "mirrored_channels": {"mirrored": [mirror.url for mirror in self.mirrors]}}))

    def make(self):
        self.create(*self.names, channel="mirrored", env={"CONDA_FETCH_THREADS": "2"})
        self.assert_installed(*(f"{name}-1.0-0" for name in self.names))
        self.assertEqual({record["channel"] for record in map(self.record, self.names)},
                         {"https://conda.anaconda.org/mirrored/linux-64"})

    def test_a_mirror_that_is_down(self):
        self.mirrors[0].close()
        self.make()

    def test_a_mirror_that_lacks_packages(self):
        self.mirrors[0].fail("/*.conda", faults.status(404), always=True)
        self.make()
        # After the first answers of that kind it is asked no more.
        self.assertLess(len(self.mirrors[0].requests("/*.conda")), len(self.names))

    def test_a_mirror_that_breaks_off(self):
        self.mirrors[0].fail("/*.conda", faults.truncated(), always=True)
        self.make()

    def test_the_faster_mirror_gets_the_work(self):
        self.mirrors[0].fail("/*.conda", faults.limited(500_000), always=True)
        self.make()
        slow, fast = (len(mirror.requests("/*.conda")) for mirror in self.mirrors)
        self.assertLess(slow, fast)

    def test_credentials_of_a_mirror(self):
        self.mirrors[0].fail("*", wants("Authorization", basic("me", PASSWORD)), always=True)
        self.mirrors[1].close()
        url = self.mirrors[0].url.replace("http://", f"http://me:{PASSWORD}@")
        (self.home / ".condarc").write_text(json.dumps({"mirrored_channels": {"mirrored": [url]}}))
        self.make()


if __name__ == "__main__":
    main()
