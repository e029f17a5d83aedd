"""Model cards say what training.json says; publishing makes the Hub's own calls, here against a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from medilite.checkpoints import read_record
from medilite.leaderboard import FOLDER, load_board
from medilite.models import ROOT, load_profile
from tests.training.pretend import make_record
from training.card import main, model_card
from training.job import placed

CONFIG = {
    "base": {"quantize_4bit": True, "dtype": "bfloat16"},
    "lora": {"rank": 8, "alpha": 16, "target_modules": ["q_proj", "v_proj"]},
    "data": {"splits": "study", "max_tokens": 2048},
}


def record(model: str, stacked_on: str | None = None) -> dict:
    about = "mean cross-entropy"
    return make_record(model, stacked_on) | {"base": "SmolLM2", "config": CONFIG, "test_loss_about": about}


def metadata(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_committed_cards_are_those_of_their_records() -> None:
    lite = load_profile("lite")
    folders = [placed(lite, spec.id) for spec in lite.every if spec.adapter]
    outdated = [str(f) for f in folders if (f / "README.md").read_text() != model_card(read_record(f) or {}, lite)]
    assert outdated == [], "run `python -m training.card`"


def test_the_metadata_follow_pefts_conventions() -> None:
    found = metadata(model_card(record("sft-r8-high"), load_profile("lite")))
    assert found["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (found["library_name"], found["license"], found["language"]) == ("peft", "apache-2.0", "en")
    assert found["datasets"] == ["lavita/MedQuAD"]
    assert {"lora", "sft", "base_model:adapter:HuggingFaceTB/SmolLM2-135M-Instruct"} <= set(found["tags"])
    (metric,) = found["model-index"][0]["results"][0]["metrics"]
    assert metric["value"] == 2.101
    assert metric["args"] == {"interval_95": [2.051, 2.151], "pairs": 8}


def test_the_card_says_on_what_training_ended() -> None:
    ended = record("sft-r8-high") | {"train_pairs": 6853, "steps": 549, "ending": {"pairs": 1920, "steps": 120}}
    ended["config"] = ended["config"] | {"ending": {"learning_rate": 0.0025}}
    card = model_card(ended, load_profile("lite"))
    assert "| Trained on | 6,853 pairs, then 1,920 short ones in prose, 549 steps |" in card
    assert f"| Learning rate | {ended['learning_rate']:g}, then 0.0025 |" in card


def test_the_card_says_of_a_test_loss_that_it_chose_something() -> None:
    cards = {model: model_card(record(model), load_profile("lite")) for model in ("sft-r8-low", "sft-r16-low")}
    assert {model: "No untouched result" in card for model, card in cards.items()} == {
        "sft-r8-low": True, "sft-r16-low": False,
    }  # fmt: skip


def test_the_text_holds_results_chain_and_limits() -> None:
    card = model_card(record("grpo", "sft-r8-high"), load_profile("paper"))
    assert "| This checkpoint | 2.200 | 2.150 to 2.250 |" in card
    assert "| Base held in | 4 bits (nf4) |" in card
    assert "on the study's test split" in card or "of the study's test split" in card
    assert 'from_pretrained("HuggingFaceTB/SmolLM2-1.7B-Instruct")' in card
    assert 'PeftModel.from_pretrained(base, "sft-r8-high").merge_and_unload()' in card
    assert "It is meant on top of sft-r8-high" in card
    assert "Not medical advice" in card
    # What is said of de-quantised weights is lite's alone.
    assert "de-quantised" not in card
    assert "de-quantised" in model_card(record("sft-r8-low"), load_profile("lite"))


def test_what_the_board_has_of_an_adapter_is_in_the_metadata() -> None:
    lite = load_profile("lite")
    found = metadata(model_card(read_record(placed(lite, "grpo")) or {}, lite))
    board = load_board(FOLDER / "lite")
    wanted = {
        (row["split"], row["metric"]): round(row["mean"], 4)
        for row in board.tables["means"]
        if row["model"] == "grpo" and row["metric"] in ("content_f1", "loops")
    }
    shown = {
        (result["dataset"].get("split"), metric["type"]): metric["value"]
        for result in found["model-index"][0]["results"]
        for metric in result["metrics"]
    }
    assert wanted
    assert wanted.items() <= shown.items()


def test_an_adapter_that_isnt_measured_has_a_card_without_results() -> None:
    unmeasured = {key: value for key, value in record("sft-r8-low").items() if "test" not in key}
    card = model_card(unmeasured, load_profile("paper"))
    assert "Not measured yet." in card
    assert "model-index" not in metadata(card)


# -- publishing ------------------------------------------------------------------


class StandIn(BaseHTTPRequestHandler):
    """The three calls of the Hub that publishing makes; answers them and remembers what came."""

    calls: list[tuple[str, list[dict]]]
    refuses = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        sent = [json.loads(line) for line in body.splitlines() if line.strip()]
        self.calls.append((self.path, sent))
        if self.refuses:
            self._answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            name = f"{sent[0]['organization']}/{sent[0]['name']}" if sent[0].get("organization") else sent[0]["name"]
            self._answer(200, {"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif "/preupload/" in self.path:
            files = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in sent[0]["files"]]
            self._answer(200, {"files": files})
        else:
            repo = self.path.removeprefix("/api/models/").partition("/commit/")[0]
            url = f"http://{self.headers['Host']}/{repo}/commit/abc"
            self._answer(200, {"commitUrl": url, "commitOid": "abc", "success": True})

    def _answer(self, code: int, value: dict) -> None:
        text = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[ThreadingHTTPServer]:
    StandIn.calls, StandIn.refuses = [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile with one trained adapter."""
    folder = tmp_path / "sft-r8-low"
    folder.mkdir()
    (folder / "training.json").write_text(json.dumps(record("sft-r8-low")))
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "optimizer.pt").write_bytes(b"not for publishing")
    raw = yaml.safe_load((ROOT / "medilite/profiles/lite.yaml").read_text())
    for model in raw["models"]:
        if "adapter" in model:
            model["adapter"] = model["id"]
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(raw))
    return tmp_path / "profile.yaml"


def publish(profile: Path, server: ThreadingHTTPServer, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a Hub of our own, which the client reads from the environment when it starts."""
    env = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_OFFLINE": "0"}
    env |= {"HF_TOKEN": "hf_test", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "training.card", "--profile", str(profile), "--push-to-hub", "me", *more]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_publishing_makes_a_repository_and_one_commit(profile: Path, hub: ThreadingHTTPServer) -> None:
    done = publish(profile, hub, "--private")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("/me/SmolLM2-MediLite-sft-r8-low")
    created = next(sent[0] for path, sent in StandIn.calls if path == "/api/repos/create")
    assert created["name"] == "SmolLM2-MediLite-sft-r8-low"
    assert created.get("private") or created.get("visibility") == "private"
    ((_, commit),) = [call for call in StandIn.calls if "/commit/" in call[0]]
    sent = {line["value"]["path"] for line in commit if line["key"] == "file"}
    assert sent == {"README.md", "adapter_config.json", "adapter_model.safetensors", "training.json"}


def test_a_refusal_names_the_remedy(profile: Path, hub: ThreadingHTTPServer) -> None:
    StandIn.refuses = True
    done = publish(profile, hub)
    assert done.returncode == 2
    assert "hf auth login" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_published_unless_asked(
    profile: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.card.push_adapter", lambda *_: pytest.fail("nobody asked"))
    assert main(["--profile", str(profile)]) == 0
    assert capsys.readouterr().out.strip().endswith("sft-r8-low/README.md")
    assert main(["--profile", str(profile), "--models", "grpo"]) == 2
    assert "Train the adapter first" in capsys.readouterr().err
