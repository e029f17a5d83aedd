"""`python -m medilite …`, with a scripted engine and, where marked, the real one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from medilite import __version__
from medilite.__main__ import main
from medilite.cli.terminal import progress_line
from medilite.errors import WeightsUnavailableError
from medilite.models import load_profile
from medilite.safety import NOT_MEDICAL_ADVICE, emergency_notice
from tests.support.fakes import ScriptedEngine

ROOT = Path(__file__).resolve().parents[1]
IDS = ("base", "sft-r8-low", "sft-r8-high", "sft-r16-low", "sft-r16-high", "grpo")
QUESTION = "What helps against hay fever?"
EMERGENCY = "I have chest pain and my left arm is numb, what should I do?"


@pytest.fixture
def scripted(monkeypatch, lite):
    """Have `ask` talk to a scripted engine; return it, to be set up and looked at."""
    engine = ScriptedEngine(lite)
    monkeypatch.setattr("medilite.cli.ask.open_engine", lambda profile, settings: engine)
    return engine


def answers_of(capsys):
    return json.loads(capsys.readouterr().out)["answers"]


# -- ask ---------------------------------------------------------------------


def test_ask_json_has_the_documented_shape(scripted, capsys):
    assert main(["ask", QUESTION, "--json", "--max-new-tokens", "12", "--seed", "7"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["question"], printed["profile"], printed["seed"]) == (QUESTION, "lite", 7)
    assert [answer["model"] for answer in printed["answers"]] == list(IDS)
    for answer in printed["answers"]:
        assert {"model", "answer", "tokens", "stopped", "readability"} <= set(answer)
        assert (answer["tokens"], answer["stopped"], answer["error"]) == (12, "length", None)
        assert isinstance(answer["readability"]["flesch_kincaid_grade"], float)
        assert isinstance(answer["readability"]["flesch_reading_ease"], float)
    assert printed["decoding"]["max_new_tokens"] == 12
    assert printed["version"] == __version__


def test_ask_passes_every_setting_on(scripted):
    flags = ["--max-new-tokens=9", "--temperature=0.7", "--top-p=0.8", "--repetition-penalty=1.3", "--seed=5"]
    assert main(["ask", f"  {QUESTION}\x07 ", "--models", "grpo,base", *flags]) == 0
    (requests,) = scripted.requests
    assert [request.model for request in requests] == ["base", "grpo"]
    for request in requests:
        assert [(m.role, m.content) for m in request.messages] == [("user", QUESTION)]
        decoding = request.decoding
        assert (decoding.max_new_tokens, decoding.temperature, decoding.top_p) == (9, 0.7, 0.8)
        assert (decoding.repetition_penalty, request.seed) == (1.3, 5)


def test_ask_prints_a_section_for_each_model(scripted, capsys):
    scripted.scripts = {"base": "Rest and drink water.", "grpo": "See a doctor soon."}
    assert main(["ask", QUESTION, "--models", "base,grpo"]) == 0
    out, err = capsys.readouterr()
    assert NOT_MEDICAL_ADVICE in out
    assert out.index("== Base (base)") < out.index("Rest and drink water.") < out.index("== GRPO (grpo)")
    assert "grade" in out
    assert "reading ease" in out
    assert "Answering: token" in err
    assert "Rest and drink water." not in err


def test_an_emergency_comes_first(scripted, capsys):
    assert main(["ask", EMERGENCY]) == 0
    notice = emergency_notice(EMERGENCY)
    assert notice
    out = capsys.readouterr().out
    assert out.startswith(notice.title)
    assert out.index(notice.text) < out.index("== Base")
    main(["ask", EMERGENCY, "--json"])
    said = {"kind": notice.kind, "title": notice.title, "text": notice.text}
    assert json.loads(capsys.readouterr().out)["emergency"] == said
    main(["ask", QUESTION, "--json"])
    assert json.loads(capsys.readouterr().out)["emergency"] is None


def test_an_emergency_that_gets_no_answer_has_its_notice_in_the_error(scripted, capsys):
    notice = emergency_notice(EMERGENCY)
    for given in ([EMERGENCY * 50], [EMERGENCY, "--models", "gpro"]):
        assert main(["ask", *given]) == 2
        assert capsys.readouterr().err.startswith(f"error: {notice} ")


def test_control_sequences_in_an_answer_do_not_reach_the_terminal(scripted, capsys):
    scripted.scripts = {"base": "Red \x1b[31malert\x1b[0m \x07 now."}
    main(["ask", QUESTION, "--models", "base"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "alert" in out


def test_a_model_that_is_unavailable_leaves_the_others_alone(scripted, capsys):
    scripted.broken = {"grpo": "its adapter is missing"}
    assert main(["ask", QUESTION, "--json"]) == 0
    *others, grpo = answers_of(capsys)
    assert (grpo["model"], grpo["answer"], grpo["tokens"], grpo["readability"]) == ("grpo", None, None, None)
    assert grpo["stopped"] == "error"
    assert "its adapter is missing" in grpo["error"]
    assert all(answer["answer"] for answer in others)
    assert main(["ask", QUESTION]) == 0
    assert "GRPO (grpo) · no answer: " in capsys.readouterr().out


def test_exit_code_1_if_no_model_could_answer(scripted, capsys):
    scripted.broken = dict.fromkeys(IDS, "broken")
    assert main(["ask", QUESTION, "--json"]) == 1
    assert [answer["answer"] for answer in answers_of(capsys)] == [None] * 6
    assert main(["ask", QUESTION, "--models", "base"]) == 1


def test_an_answer_without_words_has_no_grade(scripted, capsys):
    scripted.scripts = {"base": "123 456"}
    assert main(["ask", QUESTION, "--models", "base", "--json"]) == 0
    (answer,) = answers_of(capsys)
    assert answer["readability"]["flesch_kincaid_grade"] is None
    assert main(["ask", QUESTION, "--models", "base"]) == 0
    assert "No grade" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ask", "   "], "no question"),
        (["ask", "?!"], "no question"),
        (["ask", "a" * 2001], "2,001"),
        (["ask", QUESTION, "--models", "sft-r8-hihg"], "Did you mean 'sft-r8-high'?"),
        (["ask", QUESTION, "--models", ","], "Unknown model"),
        (["ask", QUESTION, "--models", "base,sourced"], "it answers from a passage alone"),
        (["ask", QUESTION, "--temperature", "9"], "temperature=9.0"),
        (["ask", QUESTION, "--temperature", "nan"], "temperature=nan"),
        (["ask", QUESTION, "--max-new-tokens", "0"], "max_new_tokens=0"),
        (["ask", QUESTION, "--top-p", "0"], "top_p=0.0"),
        (["ask", QUESTION, "--repetition-penalty", "0.5"], "repetition_penalty=0.5"),
        (["ask", QUESTION, "--profile", "papr"], "Did you mean 'paper'?"),
        (["models", "--profile", "/nowhere/at-all.yaml"], "/nowhere/at-all.yaml"),
        (["fetch", "--profile", "lit"], "Did you mean 'lite'?"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(scripted, capsys, arguments, named):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert named in err
    assert "Traceback" not in err
    assert scripted.requests == []


@pytest.mark.parametrize("arguments", [["aks"], ["ask"], ["ask", QUESTION, "--seed", "x"], ["ask", "a", "b"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: python -m medilite" in capsys.readouterr().err


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "have models answer a question" in err


def test_a_bad_environment_variable_is_exit_code_2(scripted, capsys, monkeypatch):
    monkeypatch.setenv("MEDILITE_THREADS", "many")
    assert main(["ask", QUESTION]) == 2
    assert "MEDILITE_THREADS='many'" in capsys.readouterr().err


def test_weights_that_cannot_be_had_are_exit_code_2(scripted, capsys):
    scripted.load_error = WeightsUnavailableError("The weights are not in the cache.")
    assert main(["ask", QUESTION]) == 2
    assert "error: The weights are not in the cache." in capsys.readouterr().err


def test_the_question_comes_from_standard_input(scripted, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Was hilft gegen Fieber, Käthe?\n".encode())))
    assert main(["ask", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["question"] == "Was hilft gegen Fieber, Käthe?"


def test_standard_input_that_is_no_text_is_exit_code_2(scripted, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc\xff")))
    assert main(["ask", "-"]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_interrupting_is_exit_code_130_and_frees_the_engine(scripted, capsys, monkeypatch):
    stream = scripted.stream
    closed = []

    def interrupted(requests):
        steps = stream(requests)
        try:
            yield next(steps)
            raise KeyboardInterrupt
        finally:
            steps.close()
            closed.append(True)

    monkeypatch.setattr(scripted, "stream", interrupted)
    assert main(["ask", QUESTION]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert "Interrupted." in err
    assert closed == [True]


def test_json_survives_a_terminal_that_is_not_utf8(scripted, monkeypatch):
    scripted.scripts = {"base": "Fièvre"}
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert main(["ask", "Fièvre?", "--models", "base", "--json"]) == 0
    printed = json.loads(out.buffer.getvalue())
    assert (printed["question"], printed["answers"][0]["answer"].strip()) == ("Fièvre?", "Fièvre")


def test_text_survives_a_terminal_that_is_not_utf8(scripted, monkeypatch):
    scripted.scripts = {"base": "Fièvre"}
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert main(["ask", QUESTION, "--models", "base"]) == 0
    assert b"Fi\\xe8vre" in out.buffer.getvalue()


# -- models and fetch ----------------------------------------------------------


def profile_file(folder: Path, adapter: str = "adapters/sft", base: str = "base") -> Path:
    path = folder / "mine.yaml"
    path.write_text(
        f"name: mine\ntitle: Mine\nbase: {{source: folder, model: tiny, path: {base}, licence: MIT}}\nmodels:\n"
        '- {id: base, label: Base, colour: "#111111", colour_dark: "#eeeeee", about: The base.}\n'
        '- {id: sft, label: SFT, colour: "#222222", colour_dark: "#dddddd", about: Tuned., '
        f'adapter: "{adapter}"}}\n'
        '- {id: grpo, label: GRPO, colour: "#333333", colour_dark: "#cccccc", about: Then GRPO., '
        "adapter: adapters/grpo, stacked_on: sft}\n",
        encoding="utf-8",
    )
    return path


def write_files(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("{}", encoding="utf-8")


@pytest.fixture
def own_profile(tmp_path):
    """A profile with a base and two adapters, all of empty files: enough for `models`, which looks at files only."""
    write_files(tmp_path / "base", "config.json", "tokenizer.json", "model.safetensors")
    for name in ("sft", "grpo"):
        write_files(tmp_path / "adapters" / name, "adapter_config.json", "adapter_model.safetensors")
    record = {
        "rank": 8,
        "learning_rate": 4e-4,
        "steps": 1200,
        "test_loss": 2.25,
        "test_loss_interval": [2.0, 2.5],
        "base_test_loss": 2.5,
        "test_pairs": 300,
    }
    (tmp_path / "adapters" / "sft" / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return profile_file(tmp_path)


def models_json(capsys, *arguments):
    assert main(["models", "--json", *map(str, arguments)]) == 0
    printed = json.loads(capsys.readouterr().out)
    return printed, {model["id"]: model for model in printed["models"]}


def test_models_tells_what_is_here_and_how_it_was_trained(own_profile, capsys):
    printed, models = models_json(capsys, "--profile", own_profile)
    assert printed["profile"] == "mine"
    assert printed["base"]["folder"] == str(own_profile.parent / "base")
    assert [model["available"] for model in models.values()] == [True, True, True]
    assert models["sft"]["training"]["test_loss"] == 2.25
    assert models["grpo"]["training"] is None
    assert models["grpo"]["stacked_on"] == "sft"

    assert main(["models", "--profile", str(own_profile)]) == 0
    text = capsys.readouterr().out
    assert (
        "rank 8; learning rate 0.0004; 1,200 steps; test loss 2.250 (95 % interval 2.000 to 2.500, lower is better, "
        "base 2.500, n = 300 pairs)"
    ) in text
    assert "adapter: adapters/grpo, stacked on sft" in text
    assert text.count("ready") == 3


def test_models_tells_what_is_missing(own_profile, capsys):
    (own_profile.parent / "adapters" / "sft" / "adapter_model.safetensors").unlink()
    _, models = models_json(capsys, "--profile", own_profile)
    assert models["base"]["available"] is True
    # What lies beneath an adapter counts: grpo is stacked on sft.
    for name in ("sft", "grpo"):
        assert models[name]["available"] is False
        assert "adapter_model.safetensors" in models[name]["reason"]


def test_models_without_the_base(own_profile, capsys):
    (own_profile.parent / "base" / "config.json").unlink()
    printed, models = models_json(capsys, "--profile", own_profile)
    assert printed["base"]["folder"] is None
    assert {model["available"] for model in models.values()} == {False}
    assert main(["models", "--profile", str(own_profile)]) == 0
    assert "not fetched yet" in capsys.readouterr().out


def test_models_does_not_ask_the_hub(own_profile, capsys):
    profile_file(own_profile.parent, adapter="hub:somebody/something")
    _, models = models_json(capsys, "--profile", own_profile)
    assert models["sft"]["available"] is None
    assert models["grpo"]["available"] is None


def test_models_ignores_a_training_record_that_is_none(own_profile, capsys):
    (own_profile.parent / "adapters" / "sft" / "training.json").write_text("[1, 2", encoding="utf-8")
    _, models = models_json(capsys, "--profile", own_profile)
    assert models["sft"]["training"] is None


def test_models_of_the_shipped_profiles(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDILITE_CACHE_DIR", str(tmp_path))
    for name in ("lite", "paper"):
        _, models = models_json(capsys, "--profile", name)
        assert tuple(models) == (*IDS, *(spec.id for spec in load_profile(name).rewriters))


def test_fetch_tells_where_the_weights_are(own_profile, capsys):
    assert main(["fetch", "--profile", str(own_profile)]) == 0
    assert str(own_profile.parent / "base") in capsys.readouterr().out
    (own_profile.parent / "base" / "model.safetensors").unlink()
    assert main(["fetch", "--profile", str(own_profile)]) == 2
    assert "*.safetensors" in capsys.readouterr().err


# -- the edge ------------------------------------------------------------------


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def test_version():
    done = run("-m", "medilite", "--version")
    assert (done.returncode, done.stdout) == (0, f"medilite {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["models"]])
def test_what_needs_no_model_loads_no_torch(arguments):
    code = (
        "import sys\n"
        "from medilite.__main__ import main\n"
        "try:\n    code = main(sys.argv[1:])\n"
        "except SystemExit as left:\n    code = left.code\n"
        "heavy = {'torch', 'transformers', 'peft', 'gradio', 'pandas', 'textstat'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else code)\n"
    )
    done = run("-c", code, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_reader_that_leaves_is_no_traceback():
    shell = f"{sys.executable} -m medilite models --json | true"
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_rewrites_one_line_on_a_terminal_and_clears_it():
    out = Terminal()
    with progress_line(out) as say:
        say("one")
        say("one")
        say("two")
    assert out.getvalue() == "\r\x1b[2Kone\r\x1b[2Ktwo\r\x1b[2K"


def test_progress_elsewhere_is_a_line_now_and_then(monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 9.0, 9.0])
    monkeypatch.setattr("medilite.cli.terminal.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    with progress_line(out) as say:
        for message in ("one", "two", "three"):
            say(message)
    assert out.getvalue() == "one\nthree\n"


@pytest.mark.model
def test_six_real_answers(weights):
    done = run("-m", "medilite", "ask", QUESTION, "--json", "--max-new-tokens", "24")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert [answer["model"] for answer in answers] == list(IDS)
    for answer in answers:
        assert answer["error"] is None, answer
        assert len(answer["answer"].split()) > 5
        assert 1 <= answer["tokens"] <= 24
        assert answer["readability"]["flesch_kincaid_grade"] is not None
    assert len({answer["answer"] for answer in answers}) > 1, "six checkpoints that all say the same"


@pytest.mark.model
def test_models_finds_the_real_base(weights, capsys):
    printed, _ = models_json(capsys)
    assert printed["base"]["folder"] == str(weights)
