"""`config`: with conda's flags and mamba's subcommands, on files that have comments in them."""

import json

from taipan_test import TaipanTest, main

SETTINGS = """\
# my settings
channels:
  - first   # the best
  # and a spare one
  - second
channel_priority: strict  # always
proxy_servers:
  http: http://proxy:1  # inside
remote_max_retries: "5"
"""


class ConfigTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.condarc = self.home / ".condarc"
        self.condarc.write_text(SETTINGS)

    def config(self, *arguments, **options):
        return self.taipan("config", *arguments, **options)

    def show(self, *keys):
        return self.taipan_json("config", "--show", *keys)

    def test_adding_keeps_comments(self):
        self.config("--add", "channels", "zero")
        self.config("--append", "channels", "last")
        self.assertEqual(self.condarc.read_text(),
                         SETTINGS.replace("  - first", "  - zero\n  - first").replace("  - second", "  - second\n  - last"))

    def test_setting_keeps_comments(self):
        self.config("--set", "channel_priority", "disabled", "--set", "proxy_servers.https", "http://q",
                    "--set", "always_yes", "yes", "--set", "env_prompt", "({name}) ")
        self.assertEqual(self.condarc.read_text(),
                         SETTINGS.replace("strict", "disabled").replace("inside", "inside\n  https: http://q")
                         + "always_yes: true\nenv_prompt: '({name}) '\n")

    def test_moving_and_removing_keep_comments(self):
        result = self.config("--append", "channels", "first")
        self.assertIn("already in 'channels' list, moving to the bottom", result.stderr)
        self.config("--remove", "channels", "second")
        self.config("--remove-key", "proxy_servers.http")
        self.config("--remove-key", "remote_max_retries")
        self.assertEqual(self.condarc.read_text(), "# my settings\nchannels:\n  - first   # the best\n"
                         "channel_priority: strict  # always\nproxy_servers: {}\n")

    def test_flow_style_is_written_anew_and_right(self):
        self.condarc.write_text("channels: [a, 'b']  # two\ncustom_channels: {x: http://x}\n")
        self.config("--add", "channels", "c")
        self.config("--set", "custom_channels.z", "http://z")
        self.config("--add", "custom_multichannels.m", "c")
        self.assertEqual(self.show("channels")["channels"], ["c", "a", "b"])
        self.assertEqual(sorted(self.show("custom_channels")["custom_channels"]),
                         ["pkgs/main", "pkgs/pro", "pkgs/r", "x", "z"])
        self.assertIn("custom_multichannels:\n  m:\n    - c\n", self.condarc.read_text())

    def test_a_link_to_the_file_stays_a_link(self):
        real = self.work / "dotfiles"
        self.condarc.rename(real)
        self.condarc.symlink_to(real)
        self.config("--set", "offline", "true")
        self.assertTrue(self.condarc.is_symlink())
        self.assertIn("offline: true", real.read_text())

    def test_what_cannot_be_done_is_refused_and_changes_nothing(self):
        for words, name, needle in (
                (("--set", "nokey", "1"), "CondaKeyError", "'nokey': unknown parameter"),
                (("--set", "channels", "x"), "CondaKeyError", "'channels': invalid parameter"),
                (("--set", "channel_priority", "high"), "CustomValidationError", "channel_priority"),
                (("--set", "remote_max_retries", "lots"), "CustomValidationError", "remote_max_retries"),
                (("--add", "offline", "x"), "CondaValueError", "not a known sequence parameter"),
                (("--remove", "channels", "nosuch"), "CondaKeyError", "not present in config"),
                (("--remove-key", "nokey"), "CondaKeyError", "undefined in config")):
            with self.subTest(words=words):
                self.assert_failed(self.config(*words, code=1), name, needle)
                error = json.loads(self.config(*words, "--json", code=1).stdout)
                self.assertEqual(error["exception_name"], name)
        self.config("--show", "nokey", code=2)
        self.config("--set", "offline", "true", "--add", "channels", "x", code=2)
        self.assertEqual(self.condarc.read_text(), SETTINGS)

    def test_get_shows_the_commands_that_would_write_the_file(self):
        self.assertEqual(self.config("--get").stdout,
                         "--set channel_priority strict\n--add channels 'second'   # lowest priority\n"
                         "--add channels 'first'   # highest priority\n--set proxy_servers.http http://proxy:1\n"
                         "--set remote_max_retries 5\n")
        answer = self.taipan_json("config", "--get", "channels", "nokey")
        self.assertEqual(answer, {"success": True, "rc_path": str(self.condarc),
                                  "warnings": ["Unknown key: 'nokey'"], "get": {"channels": ["first", "second"]}})

    def test_show_tells_what_holds(self):
        shown = self.show()
        self.assertEqual(shown["channels"], ["first", "second"])
        self.assertEqual(shown["remote_max_retries"], 5)
        self.assertIs(shown["always_yes"], None)
        self.assertEqual(shown["channel_alias"]["location"], "conda.anaconda.org")
        self.assertEqual(shown["envs_dirs"][0], str(self.root_prefix / "envs"))
        text = self.config("--show", "channels", "offline", env={"CONDA_OFFLINE": "1"}).stdout
        self.assertEqual(text, "channels:\n  - first\n  - second\noffline: True\n")

    def test_sources_tell_the_layers(self):
        (self.root_prefix).mkdir(parents=True, exist_ok=True)
        (self.root_prefix / ".condarc").write_text("offline: no\n")
        layers = self.taipan_json("config", "--show-sources", env={"CONDA_PINNED_PACKAGES": "a=1&b"})
        self.assertEqual(layers[str(self.root_prefix / ".condarc")], {"offline": False})
        self.assertEqual(layers[str(self.condarc)]["channels"], ["first", "second"])
        self.assertEqual(layers["envvars"]["pinned_packages"], ["a=1", "b"])
        self.assertEqual(layers["cmd_line"], {"json": True})
        text = self.config("--show-sources").stdout
        self.assertIn(f"==> {self.condarc} <==\n", text)

    def test_passwords_and_tokens_are_not_shown(self):
        self.condarc.write_text("channels:\n  - https://me:geheim@host/t/tk-1234567890-abc/x\n"
                                "proxy_servers:\n  http: http://me:geheim@proxy:1\n")
        for words in (("--show",), ("--show", "--json"), ("--show-sources",), ("--show-sources", "--json"),
                      ("--get",), ("--get", "--json"), ("list",), ("list", "--json"), ("get", "channels")):
            output = self.config(*words).stdout
            self.assertNotIn("geheim", output, words)
            self.assertNotIn("tk-1234567890", output, words)

    def test_other_files(self):
        self.create("alpha", channel=self.channel_of_one())
        self.config("--set", "offline", "true", "--prefix", self.prefix)
        self.config("--add", "channels", "x", "--env", env={"CONDA_PREFIX": str(self.prefix)})
        self.assertEqual((self.prefix / ".condarc").read_text(), "offline: true\nchannels:\n  - x\n")
        self.config("--set", "offline", "true", "--system")
        self.assertEqual((self.root_prefix / ".condarc").read_text(), "offline: true\n")
        self.config("--set", "offline", "true", "--file", self.work / "new/rc.yml")
        self.assertEqual((self.work / "new/rc.yml").read_text(), "offline: true\n")
        self.assertEqual(self.condarc.read_text(), SETTINGS)

    def channel_of_one(self):
        channel = self.tiny_channel()
        channel.add("alpha", noarch="generic")
        channel.write_index()
        return channel

    def test_wrong_settings_can_be_mended(self):
        self.condarc.write_text("offline: perhaps\n")
        self.assert_failed(self.config("--show", code=1), "offline")
        self.assert_failed(self.config("--validate", code=1), "offline")
        self.config("--set", "offline", "false")
        self.config("--validate")

    def test_description_of_every_key_is_yaml(self):
        described = self.config("--describe").stdout
        rc_file = self.work / "defaults.yml"
        rc_file.write_text("\n".join(line[2:] for line in described.splitlines() if not line.startswith("# #")))
        keys = self.taipan_json("config", "--file", rc_file, "--get")["get"]
        described_json = self.taipan_json("config", "--describe")
        self.assertLessEqual(set(keys), {key["name"] for key in described_json})
        for key in described_json:
            self.assertEqual(keys.get(key["name"]), key["default_value"], key["name"])
            self.assertTrue(key["description"].endswith("."), key["name"])
        self.config("--write-default", "--file", self.work / "default.yml")
        self.assertEqual((self.work / "default.yml").read_text(), described)
        self.config("--write-default", code=1)

    def test_subcommands_of_mamba(self):
        self.config("append", "channels", "x,z", "default_channels", "d")
        self.config("prepend", "channels", "a,b")
        self.config("set", "offline", "true")
        self.assertEqual(self.config("get", "channels").stdout,
                         "channels:\n  - a\n  - b\n  - first\n  - second\n  - x\n  - z\n")
        self.config("remove", "channels", "first")
        self.config("remove", "default_channels", "d")
        self.config("remove-key", "proxy_servers")
        text = self.config("list", "--sources").stdout
        self.assertIn("  - second  # '~/.condarc'\n", text)
        self.assertNotIn("proxy_servers", text)
        self.assertNotIn("default_channels", text)
        self.assertEqual(self.config("list", "offline", "-s", "--no-rc", env={"MAMBA_OFFLINE": "true"}).stdout,
                         "offline: true  # 'MAMBA_OFFLINE'\n")
        self.assertIn("~/.condarc", self.config("sources").stdout)
        self.assertEqual(self.config("get", "nokey", code=1).stdout, "")


if __name__ == "__main__":
    main()
