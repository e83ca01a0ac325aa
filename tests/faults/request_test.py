"""Requests that cannot be fulfilled: what is wrong is said in words that help."""

from taipan_test import TaipanTest, main, tree


class RequestTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", "1.0")
        self.channel.add("lib", "2.0")
        self.channel.add("old-app", depends=["lib <2"])
        self.channel.add("new-app", depends=["lib >=2"])
        self.channel.add("broken-app", depends=["nowhere-to-be-found >=3"])
        self.channel.add("python", "3.11.2")
        self.channel.write_index()

    def assert_refused(self, specs, *needles, code=1):
        result = self.create(*specs, code=code)
        self.assert_failed(result, *needles)
        self.assert_no_environment()
        self.assert_cache_sound(self.channel)
        return result

    def test_unknown_package(self):
        self.assert_refused(["no-such-thing"], "no-such-thing", self.channel.folder.as_uri())

    def test_unknown_version(self):
        self.assert_refused(["lib=7"], "lib", "7")

    def test_conflicts_are_explained(self):
        result = self.assert_refused(["old-app", "new-app"], "old-app", "new-app", "lib")
        self.assertRegex(result.stderr, r"lib\s*<2|<2")
        self.assertRegex(result.stderr, r"lib\s*>=2|>=2")

    def test_a_dependency_that_nobody_has(self):
        self.assert_refused(["broken-app"], "broken-app", "nowhere-to-be-found")

    def test_specs_that_cannot_be_read(self):
        for spec in ("lib>>1", "lib[version=", "=1.0", "lib=1.0=0=extra", "lib ==", ""):
            with self.subTest(spec=spec):
                result = self.create(spec, code=None)
                self.assertIn(result.code, (1, 2), str(result))
                self.assertIn(spec, result.stderr)
                self.assert_no_environment()

    def test_an_existing_environment_is_not_touched(self):
        self.create("lib=1.0", "old-app")
        before = list(tree(self.prefix))
        for specs in (["new-app", "old-app"], ["no-such-thing"], ["broken-app"]):
            with self.subTest(specs=specs):
                self.assert_failed(self.install(*specs, code=1), specs[0])
                self.assertEqual(list(tree(self.prefix)), before)

    def test_wrong_words_on_the_command_line(self):
        for arguments in (["create", "--no-such-flag"], ["no-such-command"], ["create", "-n", "a", "-p", "/b", "lib"],
                          ["create", "lib"], ["run"], ["env", "no-such-command"], []):
            with self.subTest(arguments=arguments):
                result = self.taipan(*arguments, code=None)
                self.assertIn(result.code, (1, 2), str(result))
                self.assertTrue(result.stderr.strip(), str(result))
        self.assertEqual(self.taipan("create", "--no-such-flag", code=None).code, 2)


if __name__ == "__main__":
    main()
