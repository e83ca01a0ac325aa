"""Packages that do not arrive, or not as they should: retried where that helps, else one message and no traces."""

import random
import time

import faulty_server as faults
from nginx import free_port
from taipan_test import TaipanTest, main, tree

SOON = {"CONDA_REMOTE_READ_TIMEOUT_SECS": "1", "CONDA_REMOTE_CONNECT_TIMEOUT_SECS": "2",
        "CONDA_REMOTE_MAX_RETRIES": "1"}


class DownloadTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("good")
        payload = random.Random(1).randbytes(1_000_000)     # does not get smaller by compression
        self.package = self.channel.add("app", depends=["good"], files={"share/app.bin": payload})
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.path = f"/*/{self.package.fn}"
        self.package_url = f"{self.server.url}/{self.package.path.parent.name}/{self.package.fn}"

    def make(self, **options):
        return self.create("app", channel=self.server, **options)

    def assert_made(self):
        self.assert_installed("app-1.0-0", "good-1.0-0")
        self.assertEqual((self.prefix / "share/app.bin").stat().st_size,
                         (self.cache / "app-1.0-0/share/app.bin").stat().st_size)
        self.assert_cache_sound(self.channel)

    def assert_given_up(self, *needles, **options):
        """The command fails with a message about the package, and leaves neither environment nor broken entries."""
        result = self.make(code=1, **options)
        self.assert_failed(result, self.package.fn, *needles)
        self.assert_no_environment()
        self.assertFalse((self.cache / self.package.fn).exists())
        self.assertFalse((self.cache / self.package.dist).exists())
        self.assert_cache_sound(self.channel)
        # What went wrong is over: nothing that was left behind stands in the way.
        self.server._faults.clear()
        self.make()
        self.assert_made()
        return result

    # ---- what must be survived

    def test_a_server_error_is_tried_again(self):
        self.server.fail(self.path, faults.status(500))
        self.make()
        self.assert_made()
        self.assertEqual(len(self.server.requests(self.path)), 2)

    def test_retry_after_is_respected(self):
        for code in (429, 503):
            with self.subTest(code=code):
                self.server.fail(self.path, faults.status(code, {"Retry-After": "2"}))
                started = time.monotonic()
                self.make()
                self.assertGreaterEqual(time.monotonic() - started, 2)
                self.assert_made()
                self.taipan("env", "remove", "-y", "-p", self.prefix)
                self.taipan("clean", "-y", "--all", "--force-pkgs-dirs")

    def test_a_truncated_body_is_resumed(self):
        self.server.fail(self.path, faults.truncated())
        self.make()
        self.assert_made()
        second = self.server.requests(self.path)[1]
        self.assertRegex(second.get("Range", ""), r"^bytes=[1-9]\d*-$")
        self.assertIn("If-Range", second)

    def test_a_server_without_ranges_starts_over(self):
        self.server.fail(self.path, faults.truncated(), faults.ignores_range())
        self.make()
        self.assert_made()

    def test_a_wrong_range_is_not_glued_on(self):
        self.server.fail(self.path, faults.truncated(), faults.wrong_range())
        self.make()
        self.assert_made()

    def test_a_file_that_changed_meanwhile_is_not_glued_together(self):
        """If-Range fails since the file on the server is another one: the answer is 200 and everything."""
        def other_file(handler):
            data = handler.content()
            headers = {"ETag": '"of-something-else"'}
            handler.begin(200, headers, len(data))
            handler.wfile.write(data[::-1][:len(data) // 2])
            handler.hang_up()
        self.server.fail(self.path, other_file)
        self.make()
        self.assert_made()

    def test_connection_resets_are_tried_again(self):
        self.server.fail(self.path, faults.reset(keep=None), faults.reset(keep=0.5))
        self.make()
        self.assert_made()

    def test_redirects_are_followed(self):
        self.server.fail(self.path, faults.redirect(f"/elsewhere/{self.package.fn}"))
        (self.channel.folder / "elsewhere").mkdir()
        (self.channel.folder / "elsewhere" / self.package.fn).write_bytes(self.package.path.read_bytes())
        self.make()
        self.assert_made()
        self.assertEqual(self.record("app")["url"], self.package_url)

    def test_slow_but_steady_is_no_failure(self):
        self.server.fail(self.path, faults.drip(seconds=3))
        self.make(env=SOON)
        self.assert_made()

    def test_a_stalled_transfer_is_tried_again(self):
        self.server.fail(self.path, faults.stall())
        started = time.monotonic()
        self.make(env=SOON)
        self.assertLess(time.monotonic() - started, 20)
        self.assert_made()

    def test_one_wrong_answer_after_a_resume_starts_over(self):
        """A resumed file with the wrong hash is fetched once more from the start."""
        def wrong_head(handler):
            data = handler.content()
            handler.begin(200, handler.validators(data), len(data))
            handler.wfile.write(b"\0" * (len(data) // 2))
            handler.hang_up()
        self.server.fail(self.path, wrong_head)
        self.make()
        self.assert_made()

    # ---- what must fail

    def test_404(self):
        self.server.fail(self.path, faults.status(404), always=True)
        self.assert_given_up("404", self.package_url)

    def test_403(self):
        self.server.fail(self.path, faults.status(403), always=True)
        self.assert_given_up("403", self.package_url)

    def test_500_again_and_again(self):
        self.server.fail(self.path, faults.status(500), always=True)
        self.assert_given_up("500", self.package_url)

    def test_bodies_that_are_always_truncated(self):
        self.server.fail(self.path, faults.truncated(0.4), always=True)
        self.assert_given_up(self.package_url, env=SOON)

    def test_truncation_without_a_length(self):
        self.server.fail(self.path, faults.truncated_without_length(), always=True)
        self.assert_given_up(self.package_url)

    def test_wrong_bytes_of_the_right_size(self):
        self.server.fail(self.path, faults.wrong_bytes(), always=True)
        self.assert_given_up(self.package_url, self.package.record["sha256"])

    def test_more_bytes_than_there_should_be(self):
        self.server.fail(self.path, faults.too_long(), always=True)
        self.assert_given_up(self.package_url)

    def test_connections_that_are_always_reset(self):
        self.server.fail(self.path, faults.reset(), always=True)
        self.assert_given_up(self.package_url, env=SOON)

    def test_stalls(self):
        for fault in (faults.stall(), faults.silent()):
            with self.subTest(fault=fault):
                self.server.fail(self.path, fault, always=True)
                started = time.monotonic()
                result = self.make(code=1, env=SOON)
                self.assertLess(time.monotonic() - started, 30)
                self.assert_failed(result, self.package_url)
                self.assert_no_environment()
                self.assert_cache_sound(self.channel)
                self.server._faults.clear()

    def test_redirects_in_a_circle(self):
        self.server.fail(self.path, faults.redirect(self.package_url), always=True)
        self.assert_given_up(self.package_url)

    def test_redirect_to_another_scheme(self):
        """A server must not be able to point us at files of this machine."""
        self.server.fail(self.path, faults.redirect(self.package.path.as_uri()), always=True)
        self.assert_given_up(self.package_url)

    def test_no_http_at_all(self):
        self.server.fail(self.path, faults.garbage(), always=True)
        self.assert_given_up(self.package_url, env=SOON)

    def test_server_down(self):
        url = f"http://127.0.0.1:{free_port()}"
        result = self.create("app", channel=url, code=1, env=SOON)
        self.assert_failed(result, url)
        self.assert_no_environment()
        self.assert_cache_sound()

    def test_unknown_host(self):
        result = self.create("app", channel="http://no-such-host.invalid/channel", code=1, env=SOON)
        self.assert_failed(result, "no-such-host.invalid")
        self.assert_no_environment()

    def test_server_goes_down_between_index_and_packages(self):
        self.server.fail("/*.conda", faults.reset(keep=None), always=True)
        result = self.make(code=1, env=SOON)
        self.assert_failed(result, self.server.url, ".conda")
        self.assert_no_environment()
        self.assert_cache_sound(self.channel)

    def test_an_existing_environment_is_not_touched(self):
        self.create("good", channel=self.server)
        before = list(tree(self.prefix))
        for fault, needle in ((faults.status(404), "404"), (faults.truncated(), self.package_url),
                              (faults.wrong_bytes(), self.package_url)):
            with self.subTest(needle=needle):
                self.server.fail(self.path, fault, always=True)
                result = self.install("app", channel=self.server, code=1, env=SOON)
                self.assert_failed(result, self.package.fn, needle)
                self.assertEqual(list(tree(self.prefix)), before)
                self.assert_cache_sound(self.channel)
                self.server._faults.clear()

    def test_a_damaged_file_channel(self):
        """The same checks hold without a server."""
        data = bytearray(self.package.path.read_bytes())
        data[len(data) // 2] ^= 1
        self.package.path.write_bytes(data)
        result = self.create("app", code=1)
        self.assert_failed(result, self.package.fn, self.package.record["sha256"])
        self.assert_no_environment()
        self.package.path.unlink()
        result = self.create("app", code=1)
        self.assert_failed(result, self.package.fn)
        self.assert_no_environment()
        self.assert_cache_sound(self.channel)


if __name__ == "__main__":
    main()
