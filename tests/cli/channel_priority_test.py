"""Which of several channels a package comes from."""

from taipan_test import TaipanTest, main


class ChannelPriorityTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = self.tiny_channel("first"), self.tiny_channel("second")
        self.first.add("lib", "1.0")
        self.second.add("lib", "2.0")
        self.second.add("app", depends=["lib >=2"])
        self.second.add("only", noarch="generic")
        for channel in (self.first, self.second):
            channel.write_index()

    def both(self, *specs, prefix=None, **options):
        return self.taipan("create", "-y", "-p", prefix or self.prefix, "--override-channels",
                           "-c", self.first.folder.as_uri(), "-c", self.second.folder.as_uri(), *specs, **options)

    def test_the_first_channel_wins_over_the_higher_version(self):
        self.both("lib", "only")
        self.assert_installed("lib-1.0-0", "only-1.0-0")
        self.assertEqual(self.record("lib")["url"], self.channel_url(self.first, "lib-1.0-0.conda"))
        self.assertEqual(self.record("only")["channel"], self.second.folder.as_uri() + "/noarch")

    def channel_url(self, channel, fn):
        return next(p.path.as_uri() for p in channel.packages if p.fn == fn)

    def test_flexible_falls_back_where_the_first_cannot_do(self):
        self.both("app")
        self.assert_installed("app-1.0-0", "lib-2.0-0")

    def test_strict_does_not(self):
        result = self.both("app", env={"CONDA_CHANNEL_PRIORITY": "strict"}, code=1)
        self.assert_failed(result, "lib")
        self.assert_no_environment()

    def test_disabled_takes_the_highest_version(self):
        self.both("lib", env={"CONDA_CHANNEL_PRIORITY": "disabled"})
        self.assert_installed("lib-2.0-0")

    def test_a_spec_may_name_its_channel(self):
        self.both(f"{self.second.folder.as_uri()}::lib")
        self.assert_installed("lib-2.0-0")

    def test_configured_channels_are_used_and_overridden(self):
        (self.home / ".condarc").write_text(f"channels:\n  - {self.second.folder.as_uri()}\n")
        self.taipan("create", "-y", "-p", self.prefix, "lib")
        self.assert_installed("lib-2.0-0")
        other = self.work / "other"
        self.taipan("create", "-y", "-p", other, "-c", self.first.folder.as_uri(), "lib", "only")
        self.assert_installed("lib-1.0-0", "only-1.0-0", prefix=other)
        result = self.taipan("create", "-y", "-p", self.work / "third", "--override-channels", "-c",
                             self.first.folder.as_uri(), "only", code=1)
        self.assert_failed(result, "only")

    def test_without_any_channel_the_message_says_so(self):
        result = self.taipan("create", "-y", "-p", self.prefix, "lib", code=1)
        self.assert_failed(result, "NoChannelsConfiguredError", "-c")
        result = self.taipan("create", "-y", "-p", self.prefix, "--override-channels", "lib", code=2)
        self.assertIn("--channel", result.stderr)
        self.assert_no_environment()


if __name__ == "__main__":
    main()
