"""Several commands at once on one cache: every result is right."""

import subprocess

from taipan_test import TaipanTest, binary_under_test, main


class ConcurrentTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for number in range(8):
            files = {f"share/p{number}/{i}.txt": f"{number} {i}\n" * 50 for i in range(60)}
            self.channel.add(f"p{number}", files=files, extension=".conda" if number % 2 else ".tar.bz2")
        self.channel.add("all", depends=[f"p{number}" for number in range(8)])
        self.channel.write_index()

    def start(self, prefix, server):
        return subprocess.Popen(
            [binary_under_test(), "create", "-y", "-p", prefix, "--override-channels", "-c", server.url, "all"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_eight_environments_from_an_empty_cache(self):
        server = self.serve(self.channel)
        running = [self.start(self.work / f"env{number}", server) for number in range(8)]
        for process in running:
            output = process.communicate(timeout=120)[0].decode()
            self.assertEqual(process.returncode, 0, output)
        for number in range(8):
            self.assert_installed("all-1.0-0", *(f"p{n}-1.0-0" for n in range(8)), prefix=self.work / f"env{number}")
            for n in range(8):
                self.assertEqual((self.work / f"env{number}/share/p{n}/7.txt").read_text(), f"{n} 7\n" * 50)
        self.assert_cache_sound(self.channel)
        fetched = [line for line in server.requests() if "repodata" not in line]
        self.assertEqual(len(fetched), len(set(fetched)), "a package was downloaded twice")

    def test_eight_times_the_same_environment_from_an_empty_cache(self):
        server = self.serve(self.channel)
        running = [self.start(self.prefix, server) for _ in range(8)]
        codes = []
        for process in running:
            output = process.communicate(timeout=120)[0].decode()
            codes.append(process.returncode)
            # Who had planned before another one made it has not been told to replace it.
            if process.returncode != 0:
                self.assertEqual(process.returncode, 1, output)
                self.assertIn("prefix already exists", output)
        self.assertIn(0, codes)
        self.assert_installed("all-1.0-0", *(f"p{n}-1.0-0" for n in range(8)))
        self.taipan("verify", "-p", self.prefix)
        self.assert_cache_sound(self.channel)
        self.assert_no_leftovers(self.work)
        fetched = sorted(line for line in server.requests() if "repodata" not in line)
        self.assertEqual(len(fetched), 9, fetched)


if __name__ == "__main__":
    main()
