"""`prefix_data_interoperability`: what pip installed makes way for a conda package of the same name."""

from taipan_test import TaipanTest, main

SITE = "lib/python3.11/site-packages"


class PipInteropTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("python", "3.11.0")
        self.channel.add("the-lib", "2.0", files={f"{SITE}/the_lib.py": "conda's\n"})
        self.channel.add("app", depends=["the-lib"])
        self.channel.add("broken", depends=["the-lib"], files={"bin/.broken-post-link.sh": "exit 1\n"})
        self.channel.write_index()
        self.begin()

    def begin(self):
        self.create("python")
        self.site = self.prefix / SITE
        self.outside = self.work / "outside.txt"
        self.outside.write_text("not of the environment\n")
        self.as_pip("The_Lib", "1.5", {"the_lib.py": "pip's\n", "the_lib/old, with comma.py": "x\n",
                                       "../../../bin/the-lib": "#!\n"})
        self.as_pip("unrelated", "3", {"unrelated.py": "x\n"})

    def as_pip(self, name, version, files):
        """Lays a wheel out as pip does."""
        info = f"{name}-{version}.dist-info"
        told = {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
                f"{info}/INSTALLER": "pip\n"}
        for path, text in (files | told).items():
            (self.site / path).resolve().parent.mkdir(parents=True, exist_ok=True)
            (self.site / path).write_text(text)
        rows = [f'"{path}",,' if "," in path else f"{path},sha256=x,1" for path in [*files, *told, f"{info}/RECORD"]]
        rows += [f"{self.outside},,", "../../../../outside.txt,,"]
        (self.site / info / "RECORD").write_text("\n".join(rows) + "\n")

    def listed(self):
        return {one["name"]: (one["version"], one["channel"] == "pypi")
                for one in self.taipan_json("list", "-p", self.prefix)}

    def test_nothing_happens_unasked(self):
        self.install("the-lib")
        self.assertIn("The_Lib-1.5.dist-info", [path.name for path in self.site.iterdir()])

    def test_the_one_of_that_name_goes(self):
        for name in ("CONDA_PREFIX_DATA_INTEROPERABILITY", "MAMBA_PIP_INTEROP_ENABLED"):
            with self.subTest(name):
                self.begin()
                said = self.install("app", env={name: "true"})
                self.assertRegex(said.stdout + said.stderr, r"the-lib 1\.5, which pip had installed")
                self.assertEqual((self.site / "the_lib.py").read_text(), "conda's\n")
                self.assertEqual(self.listed(), {"app": ("1.0", False), "python": ("3.11.0", False),
                                                 "the-lib": ("2.0", False), "unrelated": ("3", True)})
                for gone in ("The_Lib-1.5.dist-info", "the_lib", "../../../bin/the-lib"):
                    self.assertFalse((self.site / gone).exists(), gone)
                self.assertTrue(self.outside.exists())
                self.taipan("verify", "-p", self.prefix)

    def test_all_is_back_after_a_failure(self):
        before = sorted(path.relative_to(self.prefix) for path in self.prefix.rglob("*"))
        self.install("broken", env={"CONDA_PREFIX_DATA_INTEROPERABILITY": "true"}, code=1)
        after = sorted(path.relative_to(self.prefix) for path in self.prefix.rglob("*"))
        self.assertEqual(after, before)
        self.assertEqual((self.site / "the_lib.py").read_text(), "pip's\n")
        self.assertEqual(self.listed()["the-lib"], ("1.5", True))


if __name__ == "__main__":
    main()
