"""What an installed environment may and may not change into: conda's rules and the options that bend them."""

from taipan_test import SUBDIR, TaipanTest, main


class SolveOptionsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1.0", "2.0", "3.0"):
            self.channel.add("lib", version)
            self.channel.add("openssl", version)
        self.channel.add("app", "1.0", depends=["lib", "openssl"])
        self.channel.add("app", "2.0", depends=["lib >=2", "openssl"])
        self.channel.add("tool", "1.0")
        self.channel.add("gpu", "1.0", depends=["__cuda >=12"])
        self.channel.write_index()

    def versions(self, command, *arguments, **options):
        """name -> version of what would be installed afterwards."""
        document = self.taipan_json(command, "-y", "--dry-run", "-p", self.prefix,
                                    *self.channel_arguments(self.channel), *arguments, **options)
        after = {r["name"]: r["version"] for r in self.taipan_json("list", "-p", self.prefix)}
        for package in document.get("actions", {}).get("UNLINK", []):
            after.pop(package["name"])
        return after | {p["name"]: p["version"] for p in document.get("actions", {}).get("LINK", [])}

    def configure(self, text):
        (self.home / ".condarc").write_text(text)

    def test_what_is_always_updated(self):
        self.create("app=1.0", "lib=1.0", "openssl=1.0")
        old = {"app": "1.0", "lib": "1.0", "openssl": "1.0"}
        # Also though openssl=1.0 was requested once: conda says aggressive.
        self.assertEqual(self.versions("install", "tool"), old | {"tool": "1.0", "openssl": "3.0"})
        self.assertEqual(self.versions("install", "tool", "--freeze-installed"), old | {"tool": "1.0"})
        self.configure("aggressive_update_packages: []\n")
        self.assertEqual(self.versions("install", "tool"), old | {"tool": "1.0"})

    def test_how_much_an_update_takes_along(self):
        self.configure("aggressive_update_packages: []\n")
        self.create("app=1.0", "lib=2.0", "tool")
        history = self.prefix / "conda-meta/history"
        history.write_text(history.read_text().replace("'lib=2.0', ", "").replace("'app=1.0'", "'app'"))
        now = {"app": "1.0", "lib": "2.0", "openssl": "3.0", "tool": "1.0"}
        self.assertEqual(self.versions("update", "app"), now | {"app": "2.0"})
        self.assertEqual(self.versions("update", "app", "--update-deps"), now | {"app": "2.0", "lib": "3.0"})
        self.assertEqual(self.versions("update", "--all"), now | {"app": "2.0", "lib": "3.0"})
        self.assertEqual(self.versions("install", "gpu", "--update-all", env={"CONDA_OVERRIDE_CUDA": "12.4"}),
                         now | {"app": "2.0", "lib": "3.0", "gpu": "1.0"})
        self.assertEqual(self.versions("install", "app"), now | {"app": "2.0"})
        self.assertEqual(self.versions("install", "-S", "app"), now)
        self.assertEqual(self.versions("install", "-S", "app=2"), now | {"app": "2.0"})

    def test_virtual_packages_can_be_configured(self):
        self.assertIn("__cuda", self.taipan("create", "--dry-run", "-p", self.prefix, "--json",
                                            *self.channel_arguments(self.channel), "gpu", code=1).json["message"])
        self.configure("override_virtual_packages:\n  cuda: '12.1'\n")
        self.create("gpu")
        self.assert_installed("gpu-1.0-0")
        self.taipan("create", "--dry-run", "-p", self.work / "other", *self.channel_arguments(self.channel), "gpu",
                    env={"CONDA_OVERRIDE_CUDA": "11.8"}, code=1)

    def test_packages_can_be_forbidden(self):
        self.configure("disallowed_packages:\n  - lib>=3\n")
        done = self.create("app", code=1)
        self.assert_failed(done, "DisallowedPackageError", f"{SUBDIR}::lib-3.0-0", "disallowed_packages")
        self.assert_no_environment()
        self.create("app", "lib<3")

    def test_pins(self):
        self.create("app=1.0", "lib=1.0")
        (self.prefix / "conda-meta/pinned").write_text("# not further\nlib <3\n\nopenssl\n")
        self.configure("pinned_packages:\n  - tool <1\n")
        self.assertEqual(self.versions("update", "--all", "lib")["lib"], "2.0")
        self.assertEqual(self.versions("update", "--all", "--no-pin", "lib")["lib"], "3.0")
        for arguments in (["lib=3"], ["tool"]):
            done = self.taipan("install", "-y", "-p", self.prefix, *self.channel_arguments(self.channel), *arguments,
                               code=1)
            self.assertIn("excluded by the pin", done.stderr)
        self.taipan("install", "-y", "-p", self.prefix, *self.channel_arguments(self.channel), "tool", "--no-pin")


if __name__ == "__main__":
    main()
