"""The GitHub action and the GitLab template of tests/ci: their shell steps, run here against a real channel.

What GitHub and GitLab do themselves is played by the test: expressions are put in, the cache is a folder.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from taipan_test import RealChannelTest, binary_under_test, main
from verify import verify_environment

CI = Path(__file__).resolve().parents[1] / "ci"


def steps_of(text):
    """The steps of an action: dicts with `name`, `id`, `if`, `uses`, `env`, `with`, `run` as far as they are there."""
    steps = []
    for part in re.split(r"(?m)^    - (?=name: )", text.split("\n  steps:\n", 1)[1])[1:]:
        step, lines = {"env": {}, "with": {}}, part.splitlines()
        block = inner = None
        for line in lines:
            if match := re.match(r"(?:      )?([a-z-]+):(?: (.*))?$", line):
                key, value = match.groups()
                if value == "|":
                    block = key
                    step[key] = ""
                elif value:
                    step[key] = value
                else:
                    block = key
            elif block in ("env", "with") and (match := re.match(r"        ([\w-]+): (.*)$", line)):
                inner = match[1]
                step[block][inner] = match[2].removeprefix("|")
            elif block == "with":
                step[block][inner] += line.strip() + "\n"
            elif block == "run":
                step["run"] += line[8:] + "\n"
        steps.append(step)
    return steps


def block_of(text, key):
    """The lines of a literal block below `key:` that is a list with one item."""
    body = re.search(rf"(?m)^  {key}:\n    - \|\n((?:      .*\n|\n)+)", text)[1]
    return "".join(line[6:] + "\n" for line in body.splitlines())


class CiTest(RealChannelTest):
    def setUp(self):
        super().setUp()
        tools = self.work / "tools"
        tools.mkdir()
        (tools / "taipan").symlink_to(binary_under_test())
        self.environment["PATH"] = f"{tools}:{self.environment['PATH']}"
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"  # environments stay as they were made
        del self.environment["CONDA_PKGS_DIRS"]
        self.checkout = self.work / "checkout"
        self.checkout.mkdir()
        self.kept = self.work / "kept"
        self.kept.mkdir()
        self.write_file("python=3.11", "idna")

    def write_file(self, *dependencies):
        lines = "".join(f"  - {dependency}\n" for dependency in dependencies)
        (self.checkout / "environment.yml").write_text(
            f"channels:\n  - {self.server.url}\n  - nodefaults\ndependencies:\n{lines}")

    def downloads(self):
        return [line for line in self.server.requests() if re.search(r"\.(conda|tar\.bz2)\b", line)]

    def bash(self, script, environment, code=0):
        done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script], cwd=self.checkout,
                              env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode != 0, code != 0, f"{script}\n{done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stdout + done.stderr

    # ---- GitHub

    def github_job(self, fails=False, **inputs):
        """One job on a machine of its own. Returns what later steps see, and what was said. One that `fails` does so
        where it makes the environment."""
        machine = Path(self.work / f"machine{len(list(self.work.glob('machine*')))}")
        (machine / "temp").mkdir(parents=True)
        environment = self.environment | {"HOME": str(machine), "RUNNER_TEMP": str(machine / "temp"),
                                          "MAMBA_ROOT_PREFIX": str(machine / "root")}
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"):
            environment[name] = str(machine / name)
            (machine / name).touch()
        text = (CI / "github/action.yml").read_text()
        facts = {f"inputs.{k}": v for k, v in {"file": "environment.yml", "prefix": "", "key-prefix": "",
                                               "key-suffix": "", "save": "true", **inputs}.items()}
        said = ""
        for step in steps_of(text):
            if "if" in step and not self.condition(step["if"], facts):
                continue
            values = {k: self.expand(v, facts) for k, v in (step["env"] | step["with"]).items()}
            if "uses" in step:
                self.github_cache(step["uses"], step.get("id"), values, facts)
                continue
            if fails and step["name"] == "Make the environment":
                return environment, said + self.bash(step["run"], environment | values, code=1)
            said += self.bash(step["run"], environment | values)
            pairs = dict(line.split("=", 1) for line in (machine / "GITHUB_OUTPUT").read_text().splitlines())
            facts |= {f"steps.{step.get('id')}.outputs.{k}": v for k, v in pairs.items()}
            environment |= dict(line.split("=", 1) for line in (machine / "GITHUB_ENV").read_text().splitlines())
        environment["PATH"] = (machine / "GITHUB_PATH").read_text().strip() + ":" + environment["PATH"]
        return environment, said

    @staticmethod
    def expand(text, facts):
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda match: facts.get(match[1], ""), text).strip('"')

    def condition(self, text, facts):
        for term in text.split(" && "):
            name, operator, value = re.fullmatch(r"(\S+) (==|!=) '(.*)'", term).groups()
            if (facts.get(name, "") == value) != (operator == "=="):
                return False
        return True

    def github_cache(self, action, step_id, values, facts):
        """actions/cache: by the whole key, else by the newest of those that begin so."""
        pack = Path(values["path"])
        if "/save@" in action:
            shutil.copy(pack, self.kept / values["key"])
            return
        found = [self.kept / values["key"]] if (self.kept / values["key"]).exists() else []
        for start in values["restore-keys"].split():
            found += sorted(self.kept.glob(start + "*"), key=lambda path: -path.stat().st_mtime_ns)
        if found:
            shutil.copy(found[0], pack)
            facts[f"steps.{step_id}.outputs.cache-hit"] = "true" if found[0].name == values["key"] else ""

    def test_github_jobs_share_packages(self):
        environment, _ = self.github_job()
        first = len(self.downloads())
        self.assertGreater(first, 5)
        version = self.bash("python -c 'import idna; print(idna.__version__)'", environment)
        self.assertRegex(version, r"^\d")
        self.assertEqual(verify_environment(environment["CONDA_PREFIX"]), [])
        self.assertEqual(len(list(self.kept.iterdir())), 1)
        # Again, on a new machine: all is there, no server is asked, and nothing new is kept.
        asked = len(self.server.requests())
        environment, _ = self.github_job()
        self.assertEqual(len(self.server.requests()), asked)
        self.assertEqual(len(list(self.kept.iterdir())), 1)
        self.assertEqual(verify_environment(environment["CONDA_PREFIX"]), [])
        # The file changes: the old pack helps, and another one is kept.
        self.write_file("python=3.11", "idna", "certifi")
        self.github_job()
        self.assertLess(len(self.downloads()) - first, 5)
        self.assertGreater(len(self.downloads()), first)
        self.assertEqual(len(list(self.kept.iterdir())), 2)

    def test_another_week(self):
        """The channels are asked again, and what the former week has kept is not fetched again."""
        self.github_job(**{"key-suffix": "2026-01"})
        first = len(self.downloads())
        asked = len(self.server.requests())
        environment, _ = self.github_job(**{"key-suffix": "2026-02"})
        self.assertGreater(len(self.server.requests()), asked)
        self.assertEqual(len(self.downloads()), first)
        self.assertEqual(len(list(self.kept.iterdir())), 2)
        self.assertEqual(verify_environment(environment["CONDA_PREFIX"]), [])

    def test_a_damaged_pack_costs_time_only(self):
        self.github_job()
        first = len(self.downloads())
        pack = next(self.kept.iterdir())
        pack.write_bytes(pack.read_bytes()[:-1000])
        environment, said = self.github_job()
        self.assertIn("::warning::", said)
        self.assertEqual(len(self.downloads()), 2 * first)
        self.assertEqual(verify_environment(environment["CONDA_PREFIX"]), [])

    def test_without_the_channels_what_was_kept_must_do(self):
        channel = self.tiny_channel()
        for name, depends in {"app": ["lib"], "lib": [], "more": []}.items():
            channel.add(name, depends=depends)
        channel.write_index()
        self.server = self.serve(channel)
        self.write_file("app")
        self.github_job()
        self.write_file("app", "more")
        self.server.close()
        # Another file, of which something is missing: that is said by name.
        _, said = self.github_job(fails=True)
        self.assertIn("more-1.0-0.conda", said)
        self.assertIn("offline", said)
        # Another file, of which all is there.
        self.write_file("lib")
        environment, said = self.github_job()
        self.assertIn("::warning::not all channels", said)
        self.assert_installed("lib-1.0-0", prefix=environment["CONDA_PREFIX"])
        # The same file.
        self.write_file("app")
        environment, said = self.github_job()
        self.assertNotIn("::warning::", said)
        self.assert_installed("app-1.0-0", "lib-1.0-0", prefix=environment["CONDA_PREFIX"])

    # ---- GitLab

    def gitlab_job(self):
        """One job in a new container, whose kept folder is restored and saved."""
        container = Path(self.work / f"container{len(list(self.work.glob('container*')))}")
        container.mkdir()
        text = (CI / "gitlab.yml").read_text()
        environment = self.environment | {"HOME": str(container), "CI_PROJECT_DIR": str(self.checkout)}
        for name, value in re.findall(r"(?m)^    ([A-Z_]+): (.*)$", text):
            environment[name] = value.replace("$CI_PROJECT_DIR", str(self.checkout))
        shutil.rmtree(self.checkout / ".taipan", ignore_errors=True)
        shutil.copytree(self.kept, self.checkout / ".taipan/kept")
        self.bash(block_of(text, "before_script") + "python -c 'import idna'\n", environment)
        self.bash(block_of(text, "after_script"), environment)
        shutil.rmtree(self.kept)
        shutil.copytree(self.checkout / ".taipan/kept", self.kept)
        self.assertEqual(verify_environment(environment["TAIPAN_PREFIX"]), [])

    def test_gitlab_jobs_share_packages(self):
        self.gitlab_job()
        first = len(self.downloads())
        asked = len(self.server.requests())
        names = os.listdir(self.kept)
        self.assertEqual(len(names), 1)
        self.gitlab_job()
        self.assertEqual(len(self.server.requests()), asked)
        self.assertEqual(os.listdir(self.kept), names)
        self.write_file("python=3.11", "idna", "certifi")
        self.gitlab_job()
        self.assertLess(len(self.downloads()) - first, 5)
        self.assertEqual(len(os.listdir(self.kept)), 1)
        self.assertNotEqual(os.listdir(self.kept), names)


if __name__ == "__main__":
    main()
