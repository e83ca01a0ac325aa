"""A large package is extracted while it arrives; whatever happens to the download, the result is that of the whole."""

import random
import time

import faulty_server as faults
from taipan_test import TaipanTest, main

SIZE = 12_000_000
PART = 0.6


class EarlyExtractionTest(TaipanTest):
    extension = ".conda"

    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        data = random.Random(2)
        self.files = {f"share/{i}.bin": data.randbytes(SIZE // 12) for i in range(12)}
        self.package = self.channel.add("big", files=self.files, extension=self.extension)
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.path = f"/*/{self.package.fn}"
        self.seen = []

    def staged(self):
        """Files that are there although the package is not."""
        return [path for path in self.cache.glob(".taipan-big-*/share/*") if path.stat().st_size > 0]

    def slowly(self, then):
        """Sends a part over some time, waits until something of it was extracted, and goes on with `then`."""
        def fault(handler):
            body = handler.content()
            handler.begin(200, handler.validators(body), len(body))
            end = int(len(body) * PART)
            for start in range(0, end, 500_000):
                handler.wfile.write(body[start:min(start + 500_000, end)])
                time.sleep(0.03)
            deadline = time.monotonic() + 20
            while not self.staged() and time.monotonic() < deadline:
                time.sleep(0.02)
            self.seen.append(len(self.staged()))
            then(handler, body, end)
        return fault

    def assert_made(self):
        self.assert_installed("big-1.0-0")
        for name, content in self.files.items():
            self.assertEqual((self.prefix / name).read_bytes(), content)
        self.assertEqual(list(self.cache.glob(".taipan-big-*")), [])
        self.assert_cache_sound(self.channel)

    def test_extracted_before_the_end(self):
        self.server.fail(self.path, self.slowly(lambda handler, body, end: handler.wfile.write(body[end:])))
        self.create("big", channel=self.server)
        self.assertGreater(self.seen[0], 0)
        self.assert_made()

    def test_cut_and_resumed(self):
        self.server.fail(self.path, self.slowly(lambda handler, body, end: handler.hang_up()))
        self.create("big", channel=self.server)
        self.assertGreater(self.seen[0], 0)
        self.assert_made()

    def test_cut_and_started_over(self):
        self.server.fail(self.path, self.slowly(lambda handler, body, end: handler.hang_up()), faults.ignores_range())
        self.create("big", channel=self.server)
        self.assert_made()

    def test_wrong_bytes_at_the_end(self):
        def spoil(handler, body, end):
            handler.wfile.write(body[end:-1000] + bytes(byte ^ 1 for byte in body[-1000:]))
        self.server.fail(self.path, self.slowly(spoil), always=True)
        result = self.create("big", channel=self.server, code=1)
        self.assert_failed(result, self.package.fn, "sha256")
        self.assert_no_environment()
        self.assertFalse((self.cache / self.package.dist).exists())
        self.assertEqual(list(self.cache.glob(".taipan-big-*")), [])


class EarlyExtractionOfTarTest(EarlyExtractionTest):
    extension = ".tar.bz2"


if __name__ == "__main__":
    main()
