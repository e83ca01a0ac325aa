"""`install --revision N`: the packages of an earlier state, as `list --revisions` counts them."""

import shutil

from taipan_test import TaipanTest, main, tree


class RevisionTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1", "2"):
            self.channel.add("lib", version, files={"share/lib": f"lib {version}"})
        self.channel.add("app", depends=["lib"])
        self.channel.add("extra")
        self.channel.write_index()
        self.create("lib=1")
        self.first = self.packages()
        self.install("lib=2", "app")
        self.second = self.packages()
        self.install("extra")

    def packages(self):
        return [p["dist_name"] for p in self.taipan_json("list", "-p", self.prefix)]

    def files(self):
        return [item for item in tree(self.prefix) if not item[0].startswith("conda-meta")]

    def revert(self, number, **options):
        return self.taipan("install", "-y", "-p", self.prefix, *self.channel_arguments(None), "--revision", number,
                           **options)

    def test_back_and_forth(self):
        self.revert(0)
        self.assertEqual(self.packages(), self.first)
        self.assertEqual((self.prefix / "share/lib").read_text(), "lib 1")
        self.revert(1)
        self.assertEqual(self.packages(), self.second)
        self.assertIn("rev 4", self.taipan("list", "-p", self.prefix, "--revisions").stdout)
        self.taipan("verify", "-p", self.prefix)
        self.assertIn("already", self.revert(1).stdout)

    def test_packages_come_from_the_channel_when_the_cache_is_gone(self):
        shutil.rmtree(self.cache)
        self.revert(0)
        self.assertEqual(self.packages(), self.first)

    def test_what_cannot_be_had_is_an_error_and_changes_nothing(self):
        before = list(tree(self.prefix))
        self.assert_failed(self.revert(17, code=1), "17")
        shutil.rmtree(self.cache)
        self.channel.packages = [p for p in self.channel.packages if p.dist != "lib-1-0"]
        self.channel.write_index()
        self.assert_failed(self.revert(0, code=1), "lib-1-0")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_specs_beside_a_revision_make_no_sense(self):
        self.taipan("install", "-y", "-p", self.prefix, "--revision", "0", "lib", code=2)


if __name__ == "__main__":
    main()
