"""The documents do what they say: their commands run, their links lead somewhere, their tables match the code."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import medilite.__main__ as medilite
from medilite.errors import ConfigError
from medilite.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WHOLE = ("README.md", "CONTRIBUTING.md", "training.md", "evaluation.md", "command-line.md")
"""Documents whose every command is run here; api.md has a test of its own, the others need machines of their own."""

README = DOCUMENTS[0].read_text(encoding="utf-8")
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS if path.name in WHOLE)
PYTHON = ".venv/bin/python"


DOCTOR = re.findall(
    r"^\.venv/bin/python -m medilite doctor.*$", (ROOT / "docs/deploy.md").read_text(encoding="utf-8"), re.M
)


def commands() -> list[str]:
    """Return every command of the documents' sh blocks, comments left out."""
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def front_matter() -> dict[str, object]:
    return yaml.safe_load(README.split("---\n")[1])


def of(prefix: str) -> list[str]:
    return [command for command in commands() if command.startswith(prefix)]


def run(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the README with the Python of these tests, from the checkout's root."""
    words = [sys.executable if word == PYTHON else word for word in shlex.split(command)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=env or None)


def training_commands(*stages: str) -> list[str]:
    return [command for stage in stages for command in of(f"{PYTHON} -m training.{stage} ")]


# -- commands --------------------------------------------------------------------


def test_every_command_is_run_by_a_test():
    known = ("make ", f"{PYTHON} -m medilite ", f"{PYTHON} -m training.", f"{PYTHON} -m eval.", f"{PYTHON} -m bench.")
    assert commands()
    assert [command for command in commands() if not command.startswith(known)] == []


def test_the_two_commands_come_first():
    assert commands()[:2] == ["make app", "make test"]


@pytest.mark.parametrize("command", of("make "))
def test_make_knows_the_target(command):
    done = run(f"make --dry-run {command.removeprefix('make ')}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_make_data_takes_the_source():
    assert '--source "path/to/medquad.csv.gz"' in run("make --dry-run data SOURCE=path/to/medquad.csv.gz").stdout


@pytest.mark.parametrize("command", [*of(f"{PYTHON} -m eval."), *of(f"{PYTHON} -m bench.")])
def test_a_stage_of_evaluation_takes_the_options(command):
    module, *options = shlex.split(command)[2:]
    # A package is run by its __main__.
    package = (ROOT / module.replace(".", "/")).is_dir()
    assert importlib.import_module(f"{module}.__main__" if package else module).build_parser().parse_args(options)


@pytest.mark.parametrize("command", of(f"{PYTHON} -m medilite models"))
def test_models_runs(command):
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert "sft-r8-low" in done.stdout


@pytest.mark.model
@pytest.mark.parametrize("command", of(f"{PYTHON} -m medilite ask") + of(f"{PYTHON} -m medilite fetch"))
def test_ask_and_fetch_run(weights, command, capsys):
    """In this process, which has PyTorch already; `test_six_real_answers` starts one."""
    assert medilite.main(shlex.split(command)[3:]) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.model
@pytest.mark.parametrize("command", DOCTOR)
def test_doctor_runs(weights, command):
    done = run(command)
    # A machine may be short of memory or disk for a while; what is checked is that it says so, and nothing else.
    assert done.returncode in (0, 1), done.stderr
    assert "versions" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", training_commands("sft", "grpo", "dpo"))
def test_training_commands_start_the_run_they_name(command, monkeypatch, capsys):
    """The command for real up to where training would begin, hours of it; the trainers have tests of their own."""
    _, _, module, *arguments = shlex.split(command)
    started = []

    def job_of(run, *others):
        started.append(run.model)
        raise ConfigError("stopped by the test")

    monkeypatch.setattr("training.stage.job_of", job_of)
    monkeypatch.chdir(ROOT)
    assert importlib.import_module(module).main(arguments) == 2
    assert "stopped by the test" in capsys.readouterr().err
    assert started == [Path(arguments[-1]).stem.removeprefix("grpo-")]


@pytest.mark.parametrize("command", training_commands("card", "preferences"))
def test_cards_and_pairs_are_made_as_said(command, tmp_path):
    (tmp_path / "answers.jsonl").write_text(
        "".join(
            f'{{"question": "q", "model": "m{grade}", "text": "{"word " * 40}", "grade": {grade}, "closeness": 0.5, '
            '"key_term_recall": 0.5}\n'
            for grade in (6, 12)
        )
    )
    done = run(command.replace("runs/answers", f"{tmp_path}/answers").replace("data/preferences", f"{tmp_path}/pairs"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", training_commands("reproduce"))
def test_the_recipe_starts_with_what_it_is_told(command, monkeypatch, capsys, tmp_path):
    from training import reproduce

    started = []

    def recipe(recipe, only, source, jobs, launch):
        started.append(recipe.profile.name)
        raise ConfigError("stopped by the test")

    monkeypatch.setattr(reproduce, "reproduce", recipe)
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(command)[3:]
    code = reproduce.main([*arguments, "--runs", str(tmp_path)])
    assert (code, started) == ((0, []) if "--plan" in arguments else (2, [arguments[1]]))


def test_every_shipped_lite_configuration_is_named():
    shipped = {f"training/configs/lite/{path.name}" for path in (ROOT / "training/configs/lite").glob("*.yaml")}
    named = set(re.findall(r"--config (\S+)", "\n".join(commands())))
    assert named == shipped


@pytest.mark.slow
def test_data_are_prepared_as_said(tmp_path):
    """The README's command, on a table written for this test instead of the Hub's."""
    (command,) = [command for command in of(f"{PYTHON} -m training.prepare_medquad") if "--source hub" in command]
    table = tmp_path / "small.csv"
    rows = [f"What is disease {i}?,It is the disease with number {i}.,S,area {i % 3}" for i in range(60)]
    table.write_text("question,answer,source,focus_area\n" + "\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    done = run(command.replace("--source hub", f"--source {table}").replace("data/medquad", str(out)))
    assert done.returncode == 0, done.stderr
    assert {"train.jsonl", "val.jsonl", "test.jsonl", "manifest.json", "report.html"} <= {p.name for p in out.iterdir()}


# -- what it says ----------------------------------------------------------------


def test_links_lead_somewhere():
    missing = []
    for path in [*DOCUMENTS, ROOT / "CREDITS.md", ROOT / "CHANGELOG.md"]:
        text = path.read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
        missing += [f"{path.name}: {link}" for link in links if not (path.parent / link.split("#")[0]).exists()]
    assert missing == []


def test_paths_that_it_names_exist():
    named = set(re.findall(r"`((?:medilite|training|assets|tests|docs)/[\w./-]*)`", TEXT)) | {"app.py", ".ci/run"}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_front_matter_is_a_space():
    space = front_matter()
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {space["colorFrom"], space["colorTo"]} <= colours
    assert (space["sdk"], space["license"]) == ("gradio", "apache-2.0")
    assert (ROOT / str(space["app_file"])).is_file()
    assert space["python_version"] in ("3.11", "3.12")
    assert len(str(space["short_description"])) <= 60
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", name) for key in ("models", "datasets") for name in space[key])


def test_the_space_runs_the_gradio_that_is_required():
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"gradio=={front_matter()['sdk_version']}" in pins


FOLDERS = {"cache_dir": "~/.cache/medilite", "data_dir": "~/.local/share/medilite"}


def settings_table() -> str:
    rows = ["| variable | default | what |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = FOLDERS.get(name, field.default)
        shown = "" if default in (None, "") else f"`{int(default) if isinstance(default, bool) else default}`"
        if field.repr:  # the others are set by a Space, not by a person
            rows.append(f"| `{variable(name)}` | {shown} | {field.description} |")
    return "\n".join(rows)


def test_the_settings_table_is_that_of_the_code():
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert settings_table() in text, f"put this into docs/settings.md:\n\n{settings_table()}"


def test_the_default_folders_are_where_the_readme_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MEDILITE_CACHE_DIR", raising=False)
    for name, folder in FOLDERS.items():
        assert str(getattr(Settings(), name)) == folder.replace("~", str(tmp_path))
