"""`--json`: exactly one document on stdout, with conda's keys, in success and in failure."""

from taipan_test import TaipanTest, main


class JsonTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib")
        self.channel.add("lib", "2.0")
        self.channel.add("app", depends=["lib"])
        self.channel.write_index()

    def act(self, command, *arguments, **options):
        channel = self.channel_arguments(None) if command in ("create", "install") else []
        return self.taipan_json(command, "-y", "-p", self.prefix, *channel, *arguments, **options)

    def test_create_tells_what_was_done(self):
        result = self.act("create", "app")
        self.assertIs(result["success"], True)
        self.assertEqual(result["prefix"], str(self.prefix))
        self.assertEqual(result["actions"]["PREFIX"], str(self.prefix))
        self.assertEqual([p["dist_name"] for p in result["actions"]["LINK"]], ["lib-2.0-0", "app-1.0-0"])
        self.assertEqual(result["actions"]["LINK"][0]["base_url"], self.channel.folder.as_uri())
        for key in ("build_number", "build_string", "channel", "name", "platform", "version"):
            self.assertIn(key, result["actions"]["LINK"][0])
        self.assertEqual(sorted(p["fn"] for p in result["actions"]["FETCH"]), ["app-1.0-0.conda", "lib-2.0-0.conda"])

    def test_install_and_remove(self):
        self.act("create", "lib=1.0")
        result = self.act("install", "lib=2.0")
        self.assertEqual([p["dist_name"] for p in result["actions"]["LINK"]], ["lib-2.0-0"])
        self.assertEqual([p["dist_name"] for p in result["actions"]["UNLINK"]], ["lib-1.0-0"])
        again = self.act("install", "lib=2.0")
        self.assertIs(again["success"], True)
        self.assertIn("message", again)
        self.assertNotIn("actions", again)
        gone = self.act("remove", "lib")
        self.assertEqual([p["dist_name"] for p in gone["actions"]["UNLINK"]], ["lib-2.0-0"])

    def test_dry_run_says_so(self):
        result = self.act("create", "--dry-run", "app")
        self.assertIs(result["dry_run"], True)
        self.assertEqual(len(result["actions"]["LINK"]), 2)
        self.assert_no_environment()

    def test_looking(self):
        self.act("create", "app")
        self.assertEqual([p["name"] for p in self.taipan_json("list", "-p", self.prefix)], ["app", "lib"])
        self.assertEqual(self.taipan_json("env", "list")["envs"], [str(self.prefix)])
        self.assertEqual(self.taipan_json("info")["pkgs_dirs"], [str(self.cache)])
        exported = self.taipan_json("env", "export", "-p", self.prefix)
        self.assertEqual(exported["dependencies"], ["app=1.0=0", "lib=2.0=0"])
        self.assertIsInstance(self.taipan_json("clean", "--all", "--dry-run"), dict)

    def test_errors_are_documents_too(self):
        for arguments, name in ((["create", "nosuch"], "PackagesNotFound"), (["create", "app", "lib=0.1"], "")):
            error = self.act(*arguments, code=1)
            self.assertIn(name, error["exception_name"])
            self.assertIn(error["exception_name"], error["exception_type"])
            self.assertTrue(error["message"])
            self.assertIn(error["message"].split("\n")[0], error["error"])
            self.assert_no_environment()
        error = self.taipan_json("list", "-p", self.work / "missing", code=1)
        self.assertEqual(error["exception_name"], "EnvironmentLocationNotFound")
        self.assertIn(str(self.work / "missing"), error["message"])

    def test_names_and_facts_of_errors_are_conda_s(self):
        self.act("create", "app")
        error = self.act("update", *self.channel_arguments(None), "nosuch", code=1)
        self.assertEqual((error["exception_name"], error["package_name"]), ("PackageNotInstalledError", "nosuch"))
        error = self.taipan_json("env", "create", "-f", "/nonexistent.yml", code=1)
        self.assertEqual((error["exception_name"], error["filename"]), ("EnvironmentFileNotFound", "/nonexistent.yml"))
        self.assertTrue(error["error"].startswith("EnvironmentFileNotFound: '/nonexistent.yml' file not found"))
        closed = ["--override-channels", "-c", "http://127.0.0.1:9/x", "lib"]
        error = self.taipan_json("create", "-y", "-p", self.work / "other", *closed, code=1,
                                 env={"CONDA_REMOTE_MAX_RETRIES": "0"})
        self.assertEqual((error["exception_name"], error["status_code"], error["reason"]),
                         ("CondaHTTPError", "000", "CONNECTION FAILED"))
        self.assertIn("HTTP 000 CONNECTION FAILED for url <http://127.0.0.1:9/x/", error["message"])
        self.assertTrue(error["url"].startswith("http://127.0.0.1:9/x/"))
        error = self.act("install", "nosuch", code=1)
        self.assertIn("not available from current channels:\n\n  - nosuch", error["message"])

    def test_messages_of_scripts_do_not_disturb(self):
        from tiny_channel import File
        script = 'echo speaking; echo "read this" >> "$PREFIX/.messages.txt"\n'
        self.channel.add("talker", files={"bin/.talker-post-link.sh": File(script, mode=0o755)})
        self.channel.write_index()
        self.assertIs(self.act("create", "talker")["success"], True)


if __name__ == "__main__":
    main()
