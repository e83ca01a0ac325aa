"""The recipe of a reproducible environment, as people type it, in a real interactive bash.

The channels have the packages of the recipe under their real names and versions; what is in them is made up: `python`
is a script that starts Debian's with the modules of the environment.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

from nginx import Nginx
from taipan_test import TaipanTest, binary_under_test, main, records
from terminal import Terminal
from tiny_channel import PLACEHOLDER, File, TinyChannel

PYTHON = f"""#!/bin/sh
PYTHONPATH={PLACEHOLDER}/lib/python3.8/site-packages PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$@"
"""
# Installs what the file lists by writing its name down.
PIP = """import os, sys
lines = [line.strip() for line in open(sys.argv[sys.argv.index("-r") + 1]) if line.strip()]
with open(os.path.join(os.path.dirname(__file__), "..", "installed-by-pip.txt"), "w") as file:
    print(*lines, sep="\\n", file=file)
"""
SITE = "lib/python3.8/site-packages"

DOCKERFILE = """
ENV MAMBA_ROOT_PREFIX={root}
COPY environment.yml app.py .
RUN taipan env create -y -f environment.yml && taipan clean -a -y
CMD ["taipan", "run", "-n", "new-dl-project", "python", "app.py"]
"""


def make_channels(folder):
    forge, torch = TinyChannel(folder / "conda-forge"), TinyChannel(folder / "pytorch")
    for version in ("3.8.20", "3.11.9"):
        forge.add("python", version, "h1_0_cpython", files={"bin/python": File(PYTHON, mode=0o755),
                                                           f"{SITE}/README.txt": "modules\n"})
    forge.add("pip", "24.0", "py_0", depends=["python"], files={f"{SITE}/pip/__init__.py": "", f"{SITE}/pip/__main__.py": PIP})
    forge.add("numpy", "1.24.4", "py38_0", depends=["python >=3.8,<3.9"],
              files={f"{SITE}/numpy.py": "__version__ = '1.24.4'\n"})
    forge.add("tqdm", "4.66.1", "py_0", depends=["python"], files={f"{SITE}/tqdm.py": "__version__ = '4.66.1'\n"})
    for version in ("10.2.89", "11.3.1"):
        forge.add("cudatoolkit", version, "h1_0", files={"lib/libcudart.so": f"cuda {version}\n"})
    for version, vision, audio, cuda in (("1.11.0", "0.12.0", "0.11.0", "10.2"), ("1.12.1", "0.13.1", "0.12.1", "10.2"),
                                         ("1.12.1", "0.13.1", "0.12.1", "11.3")):
        build = f"py3.8_cuda{cuda}_0"
        python = "python >=3.8,<3.9"
        torch.add("pytorch", version, build, depends=[python, f"cudatoolkit {cuda}.*", "numpy"],
                  files={f"{SITE}/torch.py": f"__version__ = '{version}'\ncuda = '{cuda}'\n"})
        if cuda == "10.2":
            torch.add("torchvision", vision, "py38_0", depends=[python, f"pytorch {version}"],
                      files={f"{SITE}/torchvision.py": f"__version__ = '{vision}'\n"})
            torch.add("torchaudio", audio, "py38_0", depends=[python, f"pytorch {version}"],
                      files={f"{SITE}/torchaudio.py": f"__version__ = '{audio}'\n"})
    forge.write_index()
    torch.write_index()


class RecipeTest(TaipanTest):
    def setUp(self):
        super().setUp()
        make_channels(self.work / "channels")
        (self.work / "nginx").mkdir()
        server = Nginx(self.work / "channels", self.work / "nginx")
        self.addCleanup(server.close)
        self.url = server.url
        (self.home / ".condarc").write_text(f"channel_alias: {self.url}\nchannels:\n  - conda-forge\n")
        (self.work / "bin").mkdir()
        (self.work / "bin/taipan").symlink_to(binary_under_test())
        self.project = self.work / "project"
        self.project.mkdir()
        self.environment["PATH"] = f"{self.work}/bin:/usr/bin:/bin"
        self.environment["PS1"] = ""
        (self.home / ".bashrc").write_text("PS1='\\u $ '\n")
        self.env = self.root_prefix / "envs/new-dl-project"

    def terminal(self):
        terminal = Terminal(["bash", "--noprofile", "-i"], self.environment, self.project)
        self.addCleanup(terminal.close)
        return terminal

    def typed(self, line, status=0, answers=()):
        """A line typed at the terminal of the test; its output."""
        code, output = self.bash.run(line, answers)
        self.assertEqual(code, status, f"$ {line}\n{output}")
        return output

    def test_word_for_word(self):
        self.bash = self.terminal()
        self.typed("taipan create -y -n new-dl-project python=3.8")
        self.typed("taipan init bash")
        self.bash = self.terminal()
        plain = self.bash.prompt()
        self.typed("taipan activate new-dl-project")
        self.assertEqual(self.bash.prompt(), "(new-dl-project) " + plain)
        self.assertIn(f"{self.env}/bin/python\n", self.typed("which python"))
        self.typed("taipan install -y pytorch torchvision torchaudio cudatoolkit=10.2 -c pytorch")
        self.assertIn("torch 1.12.1 10.2\n", self.typed("python -c 'import torch; print(\"torch\", torch.__version__, "
                                                        "torch.cuda)'"))
        self.check_exports()
        self.edit()
        self.typed("taipan deactivate")
        self.assertEqual(self.bash.prompt(), plain)
        self.typed("which python | grep new-dl-project", status=1)
        self.typed("taipan env remove -n new-dl-project", answers=[(r"\[[yY]/[nN]\]", "y")])
        self.assertFalse(self.env.exists())
        self.assertNotIn("new-dl-project", self.typed("taipan env list"))
        self.typed("taipan env create -f environment.yml")
        self.assertIn("new-dl-project", self.typed("taipan env list"))
        self.check_new_environment()
        self.check_dockerfile()

    def check_exports(self):
        full = self.typed("taipan env export")
        self.assertRegex(full, r"(?m)^name: new-dl-project\n")
        self.assertRegex(full, r"(?m)^channels:\n(  - conda-forge\n|  - pytorch\n){2}dependencies:\n")
        self.assertIn("\n  - pytorch=1.12.1=py3.8_cuda10.2_0\n", full)
        self.assertIn(f"\nprefix: {self.env}\n", full)
        for flag in ("--no-builds", "--no-build"):
            text = self.typed(f"taipan env export {flag}")
            self.assertIn("\n  - pytorch=1.12.1\n", text)
            self.assertIn("\n  - python=3.8.20\n", text)
        self.typed("taipan env export --from-history > environment.yml")
        text = (self.project / "environment.yml").read_text()
        lines = re.findall(r"(?m)^  - (.*)$", text)
        # As conda has it: the configured channels only, so that the recipe goes on with an editor.
        self.assertEqual(lines, ["conda-forge", "python=3.8", "pytorch", "torchvision", "torchaudio",
                                 "cudatoolkit=10.2"], text)

    def edit(self):
        """As in the recipe: versions, channels, a package of a named channel, pip, variables."""
        file = self.project / "environment.yml"
        text = file.read_text()
        text = re.sub(r"(?s)channels:\n.*dependencies:\n", "channels:\n  - pytorch\n  - conda-forge\ndependencies:\n",
                      text)
        head, dependencies = text.split("dependencies:\n")
        dependencies = dependencies.replace("  - pytorch\n", "  - pytorch::pytorch=1.11\n").replace(
            "  - torchvision\n", "  - torchvision=0.12\n").replace("  - torchaudio\n", "  - torchaudio=0.11\n")
        listed, _, prefix = dependencies.partition("prefix:")
        file.write_text(head + "dependencies:\n" + listed + "  - conda-forge::tqdm\n  - pip\n  - pip:\n"
                        "      - some-tool==1.2\nvariables:\n  PROJECT_MODE: \"it's on\"\nprefix:" + prefix)

    def check_new_environment(self):
        installed = {record["name"]: record["version"] for record in records(self.env)}
        self.assertEqual({name: installed.get(name) for name in ("pytorch", "torchvision", "torchaudio", "python",
                                                                 "cudatoolkit", "tqdm")},
                         {"pytorch": "1.11.0", "torchvision": "0.12.0", "torchaudio": "0.11.0", "python": "3.8.20",
                          "cudatoolkit": "10.2.89", "tqdm": "4.66.1"})
        self.assertEqual((self.env / SITE / "installed-by-pip.txt").read_text(), "some-tool==1.2\n")
        shown = self.typed("taipan run -n new-dl-project python -c 'import os, torch, tqdm; "
                           "print(torch.__version__, tqdm.__version__, os.environ[\"PROJECT_MODE\"])'")
        self.assertIn("1.11.0 4.66.1 it's on\n", shown)
        self.typed("taipan run -n new-dl-project python -c 'raise SystemExit(7)'", status=7)

    def check_dockerfile(self):
        """The shell steps of a Dockerfile, in a folder and with a home of their own."""
        (self.project / "app.py").write_text("import torch; print('app with torch', torch.__version__)\n")
        work, home = self.work / "image", self.work / "image-home"
        work.mkdir()
        home.mkdir()
        (home / ".condarc").write_text((self.home / ".condarc").read_text())
        environment = {"PATH": self.environment["PATH"], "HOME": str(home)}
        for line in DOCKERFILE.format(root=self.work / "image-root").strip().splitlines():
            word, _, rest = line.partition(" ")
            if word == "ENV":
                name, _, value = rest.partition("=")
                environment[name] = value
            elif word == "COPY":
                *names, target = rest.split()
                for name in names:
                    (work / target / name).write_bytes((self.project / name).read_bytes())
            else:
                command = ["/bin/sh", "-c", rest] if word == "RUN" else [part.strip('", ') for part in
                                                                        shlex.split(rest.strip("[]").replace(",", " "))]
                done = subprocess.run(command, env=environment, cwd=work, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        self.assertEqual(done.stdout, "app with torch 1.11.0\n")
        self.assertEqual([path.name for path in Path(self.work / "image-root/pkgs").glob("*.conda")], [])


if __name__ == "__main__":
    os.umask(0o022)
    main()
