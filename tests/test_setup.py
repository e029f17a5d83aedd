"""Set-up: the Makefile, the environment, the requirements, .ci/run."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import browser, install, postgres, system

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = {name: ROOT / f"requirements{name}.txt" for name in ("", "-train", "-dev")}


# -- scripts/install.py ----------------------------------------------------------


class Pip:
    """Stands in for pip: notes what it was called with, and answers as told."""

    def __init__(self, requires_dist=(), failing=()):
        self.calls = []
        self.requires_dist = list(requires_dist)
        self.failing = failing

    def __call__(self, arguments):
        self.calls.append(list(arguments))
        report = {"install": [{"metadata": {"name": "torch", "requires_dist": self.requires_dist}}]}
        code = int(any(word in arguments for word in self.failing))
        return subprocess.CompletedProcess(arguments, code, stdout=json.dumps(report))

    def installed(self):
        return [call for call in self.calls if "-r" in call]

    def from_cpu_index(self):
        return [call for call in self.calls if install.CPU_INDEX in call]


@pytest.fixture
def requirements(tmp_path):
    (tmp_path / "app.txt").write_text("# app\ntorch>=2.8,<2.14  # a range\ntorch-something==1\n", encoding="utf-8")
    (tmp_path / "dev.txt").write_text("-r app.txt\npytest\n", encoding="utf-8")
    return tmp_path / "dev.txt"


@pytest.fixture
def bare(monkeypatch):
    """A Linux machine without a GPU, and without torch."""
    monkeypatch.setattr(install, "_installed_torch", lambda: None)
    monkeypatch.setattr(install, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(install.platform, "system", lambda: "Linux")


CUDA = ("filelock", 'nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"')


def test_a_second_installation_does_nothing(requirements, tmp_path, bare):
    pip = Pip()
    assert install.install(requirements, tmp_path, pip) == 0
    assert len(pip.installed()) == 1
    calls = len(pip.calls)
    assert install.install(requirements, tmp_path, pip) == 0
    # What it includes was installed with it.
    assert install.install(tmp_path / "app.txt", tmp_path, pip) == 0
    assert len(pip.calls) == calls


@pytest.mark.parametrize("changed", ["dev.txt", "app.txt"])
def test_a_change_installs_anew(requirements, tmp_path, bare, changed):
    pip = Pip()
    install.install(requirements, tmp_path, pip)
    with (tmp_path / changed).open("a", encoding="utf-8") as file:
        file.write("numpy\n")
    install.install(requirements, tmp_path, pip)
    assert len(pip.installed()) == 2


def test_an_installation_that_failed_is_tried_again(requirements, tmp_path, bare):
    assert install.install(requirements, tmp_path, Pip(failing=["-r"])) == 1
    pip = Pip()
    assert install.install(requirements, tmp_path, pip) == 0
    assert len(pip.installed()) == 1


def test_an_interrupted_change_does_not_keep_the_old_stamp(requirements, tmp_path, bare):
    install.install(requirements, tmp_path, Pip())
    before = requirements.read_text(encoding="utf-8")
    requirements.write_text(before + "numpy\n", encoding="utf-8")
    install.install(requirements, tmp_path, Pip(failing=["-r"]))
    # Back to the first text, half of the second installed: what is there is unknown, so pip has to look.
    requirements.write_text(before, encoding="utf-8")
    pip = Pip()
    install.install(requirements, tmp_path, pip)
    assert len(pip.installed()) == 1


def test_without_a_gpu_cuda_builds_are_passed_over(requirements, tmp_path, bare):
    pip = Pip(requires_dist=CUDA)
    install.install(requirements, tmp_path, pip)
    (call,) = pip.from_cpu_index()
    assert call[-1] == "torch>=2.8,<2.14"
    assert pip.calls.index(call) < pip.calls.index(pip.installed()[0])


def test_an_index_that_offers_a_cpu_build_is_left_in_charge(requirements, tmp_path, bare):
    pip = Pip(requires_dist=["filelock", "networkx"])
    install.install(requirements, tmp_path, pip)
    assert pip.from_cpu_index() == []
    assert len(pip.installed()) == 1


def test_no_cpu_index_in_reach_is_no_failure(requirements, tmp_path, bare, capsys):
    pip = Pip(requires_dist=CUDA, failing=[install.CPU_INDEX])
    assert install.install(requirements, tmp_path, pip) == 0
    assert len(pip.installed()) == 1
    assert "going on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"), [("_installed_torch", "2.10.0"), ("has_nvidia_gpu", True), ("platform.system", "Darwin")]
)
def test_torch_is_left_alone_where_it_is_right_already(requirements, tmp_path, bare, monkeypatch, name, value):
    monkeypatch.setattr(f"scripts.install.{name}", lambda: value)
    pip = Pip(requires_dist=CUDA)
    install.install(requirements, tmp_path, pip)
    assert pip.from_cpu_index() == []


def test_pip_that_cannot_tell_is_no_failure(bare):
    def broken(arguments):
        return subprocess.CompletedProcess(arguments, 1, stdout="")

    assert install.wants_cpu_index("torch", broken) is False


def test_the_torch_line_is_found_where_it_stands():
    assert install.torch_requirement(install.included(REQUIREMENTS["-dev"])) == "torch>=2.8,<2.14"
    assert [file.name for file in install.included(REQUIREMENTS["-dev"])] == [
        "requirements-dev.txt",
        "requirements-train.txt",
        "requirements.txt",
    ]


# -- scripts/setup.sh ------------------------------------------------------------


def setup(path: Path | None, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    if path is not None:
        env["PATH"] = str(path)
    command = ["/bin/sh", str(ROOT / "scripts" / "setup.sh"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def bin_folder(tmp_path):
    """A PATH with the shell's own helpers and a python3 that is too old."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("dirname", "head"):
        (folder / tool).symlink_to(shutil.which(tool))
    program(folder / "python3", 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_no_fitting_python_is_a_message(tmp_path, bin_folder):
    done = setup(bin_folder, VENV=str(tmp_path / "venv"), PYTHON="")
    assert done.returncode == 1
    assert "No Python 3.11 or 3.12 was found (python3 here: Python 3.9.2)" in done.stderr
    assert "make app PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_named_python_that_does_not_fit_is_a_message(tmp_path, bin_folder):
    done = setup(bin_folder, VENV=str(tmp_path / "venv"), PYTHON="python3")
    assert done.returncode == 1
    assert "PYTHON=python3 can't be used" in done.stderr


def test_a_name_that_does_not_run_is_passed_over(tmp_path, bin_folder):
    program(bin_folder / "python3.12", 'echo "pyenv: python3.12: command not found" >&2; exit 127')
    # The one that fits says so, then shows that it was asked to make the environment.
    program(
        bin_folder / "python3.11",
        'case "$1" in -c) exit 0;; --version) echo Python 3.11.9;; *) echo "$@"; exit 3;; esac',
    )
    done = setup(bin_folder, VENV=str(tmp_path / "venv"), PYTHON="")
    assert "Making" in done.stdout
    assert "with Python 3.11.9" in done.stdout
    assert "-m venv --clear" in done.stdout
    assert done.returncode == 1
    assert "python3-venv" in done.stderr


def test_an_environment_of_another_python_is_left_alone(tmp_path, bin_folder):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    program(
        venv / "bin" / "python",
        'case "$2" in *version_info*) exit 1;; esac; [ "$1" = --version ] && echo Python 3.13.0; exit 0',
    )
    done = setup(bin_folder, VENV=str(venv), PYTHON="")
    assert done.returncode == 1
    assert "has Python 3.13.0" in done.stderr
    assert "make clean" in done.stderr


def test_an_environment_whose_pip_is_half_written_is_made_again(tmp_path, bin_folder):
    """Ctrl+C while ensurepip unpacks it: `import pip` succeeds, and ensurepip finds nothing to do."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    program(venv / "bin" / "python", 'case "$1 $2" in "-m pip") exit 1;; esac; exit 0')
    program(
        bin_folder / "python3.11",
        'case "$1" in -c) exit 0;; --version) echo Python 3.11.9;; *) echo "$@"; exit 3;; esac',
    )
    done = setup(bin_folder, VENV=str(venv), PYTHON="")
    assert f"-m venv --clear {venv}" in done.stdout


@pytest.mark.slow
def test_a_real_environment_is_made_once(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n", encoding="utf-8")
    variables = {"VENV": str(tmp_path / "venv"), "PYTHON": sys.executable}
    first = setup(None, str(empty), **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Making" in first.stdout
    again = setup(None, str(empty), **variables)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    # An environment whose Python has gone is made anew.
    (tmp_path / "venv" / "bin" / "python").unlink()
    third = setup(None, str(empty), **variables)
    assert third.returncode == 0, third.stdout + third.stderr
    assert "Making" in third.stdout


# -- scripts/browser.py ----------------------------------------------------------


def test_a_browser_that_does_not_run_is_passed_over(tmp_path, monkeypatch):
    program(tmp_path / "chromium", "exit 1")
    program(tmp_path / "google-chrome", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find_browser() == tmp_path / "google-chrome"


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_browser_is_a_failure_in_ci_alone(monkeypatch, capsys, ci, code):
    monkeypatch.setattr(browser, "install_browser", lambda: None)
    monkeypatch.setenv("CI", ci)
    assert browser.main() == code
    assert "apt install chromium" in capsys.readouterr().err


def test_a_browser_is_installed_by_apt_and_else_by_playwright(monkeypatch):
    commands = []
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    monkeypatch.setattr(system, "is_root", lambda: True)
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    for module in (browser, system):
        monkeypatch.setattr(module, "works", lambda command, **_: commands.append(" ".join(command)) or True)
    assert browser.install_browser() is None
    assert ["apt-get" in command for command in commands] == [True, True, True, True, False]
    assert " chromium-headless-shell " in commands[1]
    assert " chromium " in commands[3]
    assert commands[4].endswith("-m playwright install chromium")


@pytest.mark.parametrize("missing", ["postgres", "pool"])
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_database_or_pool_is_a_failure_in_ci_alone(monkeypatch, capsys, ci, code, missing):
    asked = []
    for name in ("postgres", "pool"):
        monkeypatch.setattr(postgres, f"find_{name}", lambda name=name: None if name == missing else "/usr/bin")
    monkeypatch.setattr(postgres, "apt_install", lambda *words: asked.append(words[1:]))
    monkeypatch.setenv("CI", ci)
    assert postgres.main() == code
    assert asked == [("postgresql", "pgbouncer")]
    package = {"postgres": "postgresql", "pool": "pgbouncer"}[missing]
    assert f"apt install {package}`" in capsys.readouterr().err


def test_nothing_is_installed_where_database_and_pool_are_there(monkeypatch):
    for name in ("find_postgres", "find_pool"):
        monkeypatch.setattr(postgres, name, lambda: "/usr/bin")
    monkeypatch.setattr(postgres, "apt_install", lambda *words: pytest.fail("installs"))
    assert postgres.main() == 0


# -- Makefile and .ci/run --------------------------------------------------------


def make(*arguments: str) -> str:
    """Return what make prints, whether or not these tests run under make themselves."""
    outer = ("MAKE", "MFLAGS", "PYTEST_ARGS", "VENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout


def plan(*targets: str) -> str:
    """Return what make would do, without doing it."""
    return make("--dry-run", *targets)


def test_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = set(re.search(r"^\.PHONY: (.+)$", makefile, re.M)[1].split())
    shown = make()
    assert set(re.findall(r"make ([a-z-]+) ", shown)) == declared - {
        "env-app",
        "env-train",
        "env-dev",
        "browser",
        "postgres",
        "ready",
    }


def test_make_app_needs_no_more_than_the_app_does():
    steps = plan("app")
    order = ["setup.sh requirements.txt", "-m medilite fetch", "app.py"]
    assert [steps.index(step) for step in order] == sorted(steps.index(step) for step in order)
    assert "requirements-train" not in steps
    assert "requirements-dev" not in steps


def test_make_test_runs_everything_once():
    steps = plan("test")
    assert "setup.sh requirements-dev.txt" in steps
    assert "scripts/browser.py" in steps
    assert "scripts/postgres.py" in steps
    (options,) = [line.split("-m pytest")[1] for line in steps.splitlines() if "-m pytest" in line]
    assert not re.search(r"-[mk]\b|--deselect|--ignore| tests", options), "no test is left out"


@pytest.mark.xdist_group("together")
def test_tests_of_one_group_stay_in_one_worker(request):
    """xdist goes by the group at the end of a test's id; with a pytest that it doesn't fit, ids stay as they are."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("no workers")
    assert request.node.nodeid.endswith("@together")


def test_make_space_takes_a_path_with_a_space():
    steps = plan("space", "SPACE=my space").splitlines()
    assert [step for step in steps if "my space" in step and '"my space' not in step] == []
    assert 'rm -rf "my space/env"' in steps
    assert 'VENV="my space/env" sh scripts/setup.sh requirements.txt' in steps


def test_make_check_is_lint_types_and_fast_tests():
    steps = plan("check")
    for command in ("ruff check .", "ruff format --check .", "-m mypy", "not model and not browser and not slow"):
        assert command in steps
    assert "browser.py" not in steps


def test_ci_runs_what_check_and_test_run():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    targets = re.findall(r"^make ([\w-]+)", script, re.M)
    # pytest's closing line has to be the last.
    assert targets[-1] == "test"
    done = {line.strip() for line in plan(*targets).splitlines()}
    missing = [line for line in plan("check").splitlines() if line.strip() not in done and "-m pytest" not in line]
    assert missing == []


# -- requirements ----------------------------------------------------------------


def declared(file: Path) -> set[str]:
    lines = [line for path in install.included(file) for line in path.read_text(encoding="utf-8").splitlines()]
    names = [re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines]
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


def third_party(*rooms: str) -> dict[str, str]:
    """Return every distribution that files in `rooms` import, with one of the files that do."""
    distributions = importlib.metadata.packages_distributions()
    own = {"app", "medilite", "training", "eval", "bench", "scripts", "tests"}
    used = {}
    for room in rooms:
        for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
            if not path.is_file():
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                for top in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - own:
                    for distribution in distributions.get(top, [top])[:1]:
                        used[re.sub(r"[-_.]+", "-", distribution).lower()] = str(path.relative_to(ROOT))
    return used


@pytest.mark.parametrize(
    ("file", "rooms"),
    [("", ("app.py", "medilite")), ("-train", ("training", "eval", "bench")), ("-dev", ("tests", "scripts"))],
)
def test_every_import_is_declared_where_it_is_installed(file, rooms):
    used = third_party(*rooms)
    assert used
    # What bench.speed alone needs has a file of its own: it says what to install where that is absent.
    bench = set(declared(ROOT / "requirements-bench.txt")) if "eval" in rooms else set()
    # ZeroGPU's own package, which such a Space brings along and nobody else needs.
    bench.add("spaces")
    # Peers of bench.speed that run in environments of their own (`bench/speed/own_environment.py`).
    bench |= {"openvino", "openvino-genai", "onnxruntime-genai"} if "bench" in rooms else set()
    assert {name: path for name, path in used.items() if name not in {*declared(REQUIREMENTS[file]), *bench}} == {}


def test_the_torch_line_is_a_range():
    # A pin would replace a GPU Space's own build; no upper bound would take one that the libraries don't know.
    assert "torch>=2.8,<2.14" in REQUIREMENTS[""].read_text(encoding="utf-8").splitlines()
