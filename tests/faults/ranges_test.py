"""A very large package over several connections: when one connection is the limit, and whatever the server thinks of it."""

import random
from concurrent.futures import ThreadPoolExecutor

from taipan_test import TaipanTest, file_sha256, main

import faulty_server as faults

SIZE, RATE = 28_000_000, 3_500_000


class RangesTest(TaipanTest):
    @classmethod
    def setUpClass(cls):
        cls.payload = random.Random(2).randbytes(SIZE)

    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.big = self.channel.add("big", files={"share/big.bin": self.payload})
        for number in range(6):
            self.channel.add(f"small{number}")
        self.channel.write_index()
        self.path = f"/*/{self.big.fn}"

    def make(self, fault, name="env"):
        """Creates an environment from a server of its own; returns the headers of the requests for the big package."""
        server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(server.close)
        if fault:
            server.fail(self.path, fault, always=True)
        prefix, cache = self.work / name, self.work / f"pkgs-{name}"
        self.create("big", *(f"small{n}" for n in range(6)), channel=server, prefix=prefix,
                    env={"CONDA_PKGS_DIRS": str(cache), "CONDA_FETCH_THREADS": "5"})
        self.assertEqual(file_sha256(prefix / "share/big.bin"), file_sha256(cache / "big-1.0-0/share/big.bin"))
        self.assertEqual(file_sha256(cache / self.big.fn), self.big.record["sha256"])
        self.assert_no_leftovers(cache)
        return server.requests(self.path)

    def test_never_when_one_connection_is_fast(self):
        self.assertEqual(len(self.make(None)), 1)

    def test_servers(self):
        slow = faults.limited(RATE)
        plain = faults.limited(RATE, {"ETag": None, "Last-Modified": None})
        weak = faults.limited(RATE, {"ETag": 'W/"1"', "Last-Modified": None})
        refusing = faults.limited(RATE, {"Accept-Ranges": "none"})
        cut = iter([True] * 2)      # so many answers are
        half = faults.limited(RATE, change=lambda body, code: body[:len(body) // 2] if code == 206 and next(cut, False)
                              else body)
        other = faults.limited(RATE, change=lambda body, code: bytes(len(body)) if code == 206 else body)
        # A file that changed: If-Range does not fit, and the answer is all of it.
        changed = faults.limited(RATE * 4, {"ETag": '"another"', "Last-Modified": None})
        cases = {
            "split": slow, "no-validators": plain, "weak-etag": weak, "says-no-ranges": refusing,
            "ignores-ranges": faults.by_range(slow, faults.ignores_range()),
            "wrong-range": faults.by_range(slow, faults.wrong_range()),
            "429": faults.by_range(slow, faults.status(429, {"Retry-After": "1"})),
            "500": faults.by_range(slow, faults.status(500)),
            "half-parts": half, "wrong-parts": other, "changed": faults.by_range(slow, changed),
            "reset-parts": faults.by_range(slow, faults.reset(0.01)),
        }
        with ThreadPoolExecutor(4) as pool:
            made = {name: pool.submit(self.make, fault, name) for name, fault in cases.items()}
        for name, done in made.items():
            with self.subTest(server=name):
                requests = done.result()
                parts = [headers for headers in requests if "Range" in headers]
                if name == "says-no-ranges":
                    self.assertEqual(len(requests), 1)
                else:
                    self.assertTrue(parts, "one connection was the limit, and no other one helped")
                if name in ("split", "no-validators", "weak-etag"):
                    self.assertEqual(len(requests) - len(parts), 1)
                    self.assertEqual(all("If-Range" in headers for headers in parts), name == "split")
                if name == "429":
                    self.assertLessEqual(len(parts), 3)


if __name__ == "__main__":
    main()
