"""--reproducible and SOURCE_DATE_EPOCH: the same packages, the same tree, whoever makes it, when, where and how."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from taipan_test import RealChannelTest, TaipanTest, binary_under_test, file_sha256, main, records
from tiny_channel import PLACEHOLDER, TIMESTAMP, File, Link

EPOCH = 1600000000


def tree_digest(prefix):
    """One digest of all that an image layer would hold: paths, modes, times in full, content, links."""
    digest = hashlib.sha256()
    for line in tree_lines(prefix):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def tree_lines(prefix):
    paths = [""]
    for directory, directories, files in os.walk(prefix):
        paths += [os.path.relpath(os.path.join(directory, name), prefix) for name in directories + files]
    for path in sorted(paths):
        full = os.path.join(prefix, path) if path else str(prefix)
        status = os.lstat(full)
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(full)
        else:
            content = "" if stat.S_ISDIR(status.st_mode) else file_sha256(full)
        yield f"{path} {status.st_mode:o} {status.st_mtime_ns} {content}"


class ReproducibleTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        tool = File(f"#!{PLACEHOLDER}/bin/sh\necho tool\n", mode=0o775)
        script = File('echo done > "$PREFIX/share/linked"\n', mode=0o755)
        self.channel.add("tool", files={
            "bin/tool": tool, "lib/link": Link("alone"), "lib/alone": File("alone", mode=0o664),
            "share/private": File("x", mode=0o600), "bin/.tool-post-link.sh": script})
        self.channel.add("other", files={"share/other": "y"}, record={"timestamp": (TIMESTAMP + 5) * 1000})
        self.channel.write_index()

    def build(self, *arguments, umask=0o22, **options):
        """Makes the environment at the same place anew, and returns its lines."""
        shutil.rmtree(self.prefix, ignore_errors=True)
        words = [binary_under_test(), "create", "-y", "-p", str(self.prefix), *self.channel_arguments(None), "tool",
                 "other", *arguments]
        done = subprocess.run(words, env=self.environment | options.pop("env", {}), stdin=subprocess.DEVNULL,
                              capture_output=True, umask=umask, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return list(tree_lines(self.prefix))

    def test_modes_times_and_caches_make_no_difference(self):
        first = self.build("--reproducible")
        self.assertEqual(self.build("--reproducible"), first, "cached")
        self.assertEqual(self.build("--reproducible", "--direct"), first, "direct")
        self.assertEqual(self.build("--reproducible", "--copy"), first, "copied")
        self.assertEqual(self.build("--reproducible", umask=0o77), first, "another umask")
        shutil.rmtree(self.cache)
        self.assertEqual(self.build("--reproducible", umask=0o2), first, "a cache made with another umask")
        self.build()  # of which files are shared now
        self.assertEqual(self.build("--reproducible"), first, "after an ordinary one")
        self.taipan("verify", "-p", self.prefix)

    def test_the_moment_is_that_of_the_newest_package(self):
        self.build("--reproducible")
        self.assertEqual(os.stat(self.prefix / "share").st_mtime, TIMESTAMP + 5)
        self.assertEqual(os.lstat(self.prefix / "lib/link").st_mtime, TIMESTAMP + 5)
        history = (self.prefix / "conda-meta/history").read_text()
        self.assertIn(time.strftime("==> %Y-%m-%d %H:%M:%S <==", time.gmtime(TIMESTAMP + 5)), history)
        self.assertNotIn(str(self.prefix), history)
        self.assertEqual(float((self.prefix / "conda-meta/created_at").read_text()), TIMESTAMP + 5)

    def test_the_moment_is_that_of_the_variable(self):
        first = self.build(env={"SOURCE_DATE_EPOCH": str(EPOCH)})
        self.assertEqual(os.stat(self.prefix / "share").st_mtime, EPOCH)
        for record in records(self.prefix):
            self.assertEqual(record["extracted_package_dir"] + record["package_tarball_full_path"], "")
        self.assertFalse((self.home / ".conda/environments.txt").exists())
        self.assertEqual(self.build("--direct", env={"SOURCE_DATE_EPOCH": str(EPOCH)}), first)
        result = self.create("tool", env={"SOURCE_DATE_EPOCH": "soon"}, prefix=self.work / "never", code=1)
        self.assert_failed(result, "SOURCE_DATE_EPOCH")

    def test_the_cache_and_other_environments_stay_as_they_are(self):
        self.create("tool", prefix=self.work / "before")
        before = list(tree_lines(self.work / "before"))
        self.build(umask=0o77, env={"SOURCE_DATE_EPOCH": str(EPOCH)})
        self.assertEqual(list(tree_lines(self.work / "before")), before)

    def test_what_is_added_later_is_reproducible_too(self):
        trees = []
        for direct in ([], ["--direct"]):
            shutil.rmtree(self.prefix, ignore_errors=True)
            environment = {"SOURCE_DATE_EPOCH": str(EPOCH)}
            self.create("other", *direct, env=environment)
            self.install("tool", *direct, env=environment)
            trees.append([line for line in tree_lines(self.prefix) if not line.startswith("share/linked")])
        self.assertEqual(*trees)


class ReproducibleBytecodeTest(RealChannelTest):
    def lock(self, *packages, channel=None):
        lock = self.work / "lock.txt"
        plan = self.taipan_json("create", "-p", self.prefix, "--dry-run", *self.channel_arguments(channel), *packages)
        urls = [f"{p['base_url']}/{p['platform']}/{p['dist_name']}" for p in plan["actions"]["LINK"]]
        known = {r["url"].rsplit(".conda", 1)[0].rsplit(".tar.bz2", 1)[0]: r["url"] for r in plan["actions"]["FETCH"]}
        lock.write_text("@EXPLICIT\n" + "".join(known[url] + "\n" for url in urls))
        return lock

    def test_neither_the_day_nor_the_machine_makes_a_difference(self):
        """The tree, and the layers of an image, of one lock: made by another user, on another host, on another day, with
        another umask, from another cache, on one core."""
        # Without a server, since timers of the kernel go by the real clock; where anybody can read.
        lock = self.lock("python", "idna", "bzip2", channel=self.real_channel.as_uri())
        channel = self.work / "channel"
        for url in lock.read_text().split()[1:]:
            source = Path(unquote(urlsplit(url).path))
            target = channel / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        lock.write_text(lock.read_text().replace(self.real_channel.as_uri(), channel.as_uri()))
        place = self.work / "place"
        place.mkdir()
        lock.chmod(0o644)
        self.work.chmod(0o755)
        prefix, image = place / "env", place / "image"
        before, after = ["faketime", "2020-02-29 12:00:00"], ["faketime", "2037-01-01 00:00:00"]
        one_core = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        ways = {"here": ([], {}, []), "long ago, on one core": (before, {"umask": 0o77}, one_core)}
        if os.geteuid() == 0:
            somebody = {"user": 54321, "group": 54321, "extra_groups": [], "umask": 0o2}
            host = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
            ways["in the future, another user"] = (after, somebody, [])
            ways["another host"] = ([], {}, host)
        trees, images = {}, {}
        for number, (name, (clock, options, wrapper)) in enumerate(ways.items()):
            cache = self.work / f"cache-{'x' * number}"
            cache.mkdir()
            for folder in (place, cache):
                os.chown(folder, options.get("user", os.geteuid()), options.get("group", os.getegid()))
            environment = self.environment | {"HOME": str(place), "CONDA_PKGS_DIRS": str(cache),
                                              "MAMBA_ROOT_PREFIX": str(place / "root"), "TMPDIR": str(cache),
                                              "NO_FAKE_STAT": "1", "FAKE_UTIME": "0"}  # times of files are real
            for words in (["create", "-y", "-p", prefix, "--reproducible", *(["--direct"] if number % 2 else [])],
                          ["image", "-o", image]):
                done = subprocess.run([*wrapper, *clock, binary_under_test(), *map(str, words), "-f", lock],
                                      env=environment, capture_output=True, stdin=subprocess.DEVNULL, cwd=place,
                                      timeout=120, **options)
                self.assertEqual(done.returncode, 0, f"{name}: {done.stderr.decode()}")
            trees[name] = list(tree_lines(prefix))
            images[name] = sorted(os.listdir(image / "blobs/sha256"))
            shutil.rmtree(prefix)
            shutil.rmtree(image)
        for name in ways:
            self.assertEqual(sorted(set(trees[name]) ^ set(trees["here"])), [], name)
            self.assertEqual(images[name], images["here"], name)
        self.assertTrue(any(line.split()[0].endswith(".pyc") for line in trees["here"]))

    def test_cores_and_the_cache_of_bytecode_make_no_difference(self):
        lock = self.lock("python", "jinja2")
        digests = {}
        for name, arguments in {"cached": [], "direct, one core": ["--direct"], "bytecode from the cache": []}.items():
            shutil.rmtree(self.prefix, ignore_errors=True)
            one_core = (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) if "one" in name else None
            done = subprocess.run([binary_under_test(), "create", "-y", "-p", self.prefix, "-f", lock, "--reproducible",
                                   *arguments], env=self.environment, capture_output=True, preexec_fn=one_core)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            digests[name] = list(tree_lines(self.prefix))
        for name, lines in digests.items():
            self.assertEqual(sorted(set(lines) ^ set(digests["cached"])), [], name)
        paths = json.dumps(records(self.prefix))
        self.assertIn("pyc_file", paths)
        self.assertNotIn(str(self.cache), paths)
        self.taipan("verify", "-p", self.prefix)


if __name__ == "__main__":
    main()
