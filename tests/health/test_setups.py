"""Broken set-ups: wherever `ask` or the app would fail, the doctor fails too and names what is wrong."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import app
from medilite import questions
from medilite.__main__ import main
from medilite.arena.store import Store
from medilite.errors import StoreError
from medilite.health import checks
from medilite.readability import dictionary, scores
from tests.engine.small import HEADS, HIDDEN, KV, LAYERS, write_base
from tests.support.model_servers import free_port
from tests.support.small_tokenizer import write_tokenizer
from tests.test_cli import profile_file


@dataclass
class Setup:
    """A set-up in order, to be broken: a small base with two adapters, and what the environment says."""

    root: Path
    patch: pytest.MonkeyPatch
    held: list[socket.socket] = field(default_factory=list)

    @property
    def base(self) -> Path:
        return self.root / "base"

    @property
    def sft(self) -> Path:
        return self.root / "adapters" / "sft"

    @property
    def votes(self) -> Path:
        return self.root / "data" / "votes.db"

    def say(self, **settings: object) -> None:
        for name, value in settings.items():
            self.patch.setenv(f"MEDILITE_{name.upper()}", str(value))

    def to_gradio(self, address: str) -> None:
        self.patch.setenv("GRADIO_SERVER_NAME", address)
        self.say(port=0)

    def file(self) -> Path:
        """Return a file's path, under which nobody, root included, can make a folder."""
        path = self.root / "file"
        path.write_text("no folder", encoding="utf-8")
        return path

    def with_votes(self) -> Path:
        store = Store(self.votes)
        _ = store.secret
        store.database.close()
        return self.votes


def spoiled(setup: Setup, name: str, content: bytes | None = None) -> None:
    """Exchange a file of the set-up, or remove it."""
    path = setup.root / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def changed(setup: Setup, name: str, **values: object) -> None:
    path = setup.root / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


def cut(setup: Setup, name: str) -> None:
    path = setup.root / name
    path.write_bytes(path.read_bytes()[:-100])


def taken_port(setup: Setup) -> None:
    setup.held.append(socket.create_server(("127.0.0.1", 0)))
    setup.say(port=setup.held[0].getsockname()[1])


def nobody(setup: Setup) -> None:
    """Make the user one of a container: a number without a name or a home."""
    import pwd

    def unknown(_: object) -> object:
        raise KeyError("getpwuid(): uid not found: 54321")

    setup.patch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "MEDILITE_DATA_DIR", "MEDILITE_CACHE_DIR"):
        setup.patch.delenv(name, raising=False)


def newer_votes(setup: Setup) -> None:
    with closing(sqlite3.connect(setup.with_votes())) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def no_table(setup: Setup) -> None:
    with closing(sqlite3.connect(setup.with_votes())) as connection, connection:
        connection.execute("DROP TABLE meta")


def no_questions(setup: Setup) -> None:
    path = setup.root / "questions.jsonl"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    setup.patch.setattr(questions, "QUESTIONS_FILE", path)
    questions.load_questions.cache_clear()


def no_place_for_words(setup: Setup) -> None:
    """Neither cache nor temporary folder can be written: there is no dictionary to count syllables by."""
    setup.say(cache_dir=setup.file() / "cache")
    setup.patch.setattr(dictionary.tempfile, "tempdir", str(setup.file()))
    setup.patch.setattr(dictionary, "_module", None)
    scores._measure_cached.cache_clear()


def other_width(setup: Setup) -> None:
    file = setup.sft / "adapter_model.safetensors"
    save_file({name: tensor.repeat(2, 2) for name, tensor in load_file(file).items()}, file)


def not_a_number(setup: Setup) -> None:
    file = setup.sft / "adapter_model.safetensors"
    save_file({name: tensor * float("nan") for name, tensor in load_file(file).items()}, file)


BROKEN: dict[str, tuple[Callable[[Setup], object], str]] = {
    # values that no setting takes
    "a precision that there is not": (lambda s: s.say(precision="int7"), "MEDILITE_PRECISION"),
    "no threads": (lambda s: s.say(threads=0), "MEDILITE_THREADS"),
    "a port beyond all ports": (lambda s: s.say(port=99999), "MEDILITE_PORT"),
    "a prefix without a slash": (lambda s: s.say(prefix="medilite"), "MEDILITE_PREFIX"),
    "a password not percent-encoded": (lambda s: s.say(votes_url="postgresql://u:p@s#s@h/d"), "percent-encoded"),
    "a database of another kind": (lambda s: s.say(votes_url="mysql://u:p@h/d"), "MEDILITE_VOTES_URL"),
    "a limit in words": (lambda s: s.say(answers_per_visitor="often"), "MEDILITE_ANSWERS_PER_VISITOR"),
    "a limit of none": (lambda s: s.say(events_per_address="0/minute"), "MEDILITE_EVENTS_PER_ADDRESS"),
    "a proxy by its name": (lambda s: s.say(trusted_proxies="proxy.local"), "MEDILITE_TRUSTED_PROXIES"),
    "an address of no machine": (lambda s: s.say(host="999.1.1.1", port=0), "MEDILITE_HOST"),
    "another machine's address": (lambda s: s.say(host="192.0.2.1", port=0), "MEDILITE_HOST"),
    "another machine's address as Gradio's": (lambda s: s.to_gradio("192.0.2.1"), "192.0.2.1"),
    "a port that another program has": (taken_port, "MEDILITE_PORT"),
    "no servers for the remote engine": (lambda s: s.say(engine="remote"), "MEDILITE_SERVERS"),
    "a server that is not there": (
        lambda s: s.say(engine="remote", servers=f"http://127.0.0.1:{free_port()}", server_connect_s=0.5), "127.0.0.1",
    ),
    "a profile that there is not": (lambda s: s.say(profile="lit"), "lite"),
    "a profile that is no YAML": (lambda s: spoiled(s, "mine.yaml", b"{"), "mine.yaml"),
    "a profile in another encoding": (
        lambda s: spoiled(s, "mine.yaml", (s.root / "mine.yaml").read_text().encode("utf-16")), "UTF-8",
    ),
    "a profile nested without end": (lambda s: spoiled(s, "mine.yaml", b"[" * 5000), "nested"),
    "votes in a home of nobody": (lambda s: s.say(data_dir="~nosuchuser/votes"), "MEDILITE_DATA_DIR"),
    "a key that no header takes": (lambda s: s.say(engine="remote", server_key="k\u00e9y"), "MEDILITE_SERVER_KEY"),
    "a mirror without a token": (lambda s: s.say(mirror="owner/votes"), "HF_TOKEN"),
    "a library that is not there": (lambda s: s.say(sources=s.root / "nowhere"), "nowhere"),
    "example questions that are none": (no_questions, "questions.jsonl"),
    # users and folders
    "a user without a name or a home": (nobody, "HOME"),
    "votes in a folder that can't be made": (lambda s: s.say(data_dir=s.file() / "data"), "MEDILITE_DATA_DIR"),
    "nowhere to put the dictionary": (no_place_for_words, "MEDILITE_CACHE_DIR"),
    # the base
    "weights of a folder that there is not": (lambda s: s.say(weights=s.root / "nowhere"), "nowhere"),
    "a base without weights": (lambda s: spoiled(s, "base/model.safetensors"), "safetensors"),
    "weights cut off": (lambda s: cut(s, "base/model.safetensors"), "model.safetensors"),
    "a base without a tokenizer": (lambda s: spoiled(s, "base/tokenizer.json"), "tokenizer.json"),
    "a tokenizer that is none": (lambda s: spoiled(s, "base/tokenizer.json", b"{}"), "tokenizer"),
    "a base of another architecture": (lambda s: changed(s, "base/config.json", model_type="gpt2"), "gpt2"),
    "a configuration that is no JSON": (lambda s: spoiled(s, "base/config.json", b"{"), "config.json"),
    "a base of another width": (lambda s: changed(s, "base/config.json", hidden_size=320), "base"),
    "no chat template": (lambda s: changed(s, "base/tokenizer_config.json", chat_template=None), "chat template"),
    # adapters
    "an adapter without weights": (lambda s: spoiled(s, "adapters/sft/adapter_model.safetensors"), "sft"),
    "an adapter cut off": (lambda s: cut(s, "adapters/sft/adapter_model.safetensors"), "sft"),
    "an adapter without its rank": (lambda s: spoiled(s, "adapters/sft/adapter_config.json", b"[]"), "sft"),
    "an adapter of another kind": (lambda s: changed(s, "adapters/sft/adapter_config.json", use_dora=True), "sft"),
    "an adapter for another base": (other_width, "sft"),
    "an adapter of no numbers": (not_a_number, "sft"),
    # votes
    "votes that are no database": (lambda s: (s.votes.parent.mkdir(), s.votes.write_bytes(b"no " * 999)), "votes.db"),
    "votes of a later version": (newer_votes, "votes.db"),
    "votes whose tables are gone": (no_table, "votes.db"),
    "votes that are a folder": (lambda s: s.votes.mkdir(parents=True), "votes.db"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The folder of a profile in order."""
    root = tmp_path_factory.mktemp("whole")
    write_tokenizer(root / "base")
    template = json.loads((root / "base" / "tokenizer_config.json").read_text())
    write_base(root / "base")
    (root / "base" / "tokenizer_config.json").write_text(json.dumps(template))
    for name in ("sft", "grpo"):
        write_lora(root / "adapters" / name)
    profile_file(root)
    return root


def write_lora(folder: Path) -> None:
    """Write a PEFT folder on q and v of the small base."""
    generator = torch.Generator().manual_seed(3)
    at = "base_model.model.model.layers.{}.self_attn.{}_proj.lora_{}.weight"
    tensors = {}
    for layer in range(LAYERS):
        for module, out in (("q", HEADS * 64), ("v", KV * 64)):
            tensors[at.format(layer, module, "A")] = torch.randn(4, HIDDEN, generator=generator)
            tensors[at.format(layer, module, "B")] = torch.randn(out, 4, generator=generator)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture
def setup(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    made = Setup(tmp_path, monkeypatch)
    made.say(profile=tmp_path / "mine.yaml", data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", port=0)
    monkeypatch.setattr(checks, "available_bytes", lambda: 8 << 30)
    yield made
    for held in made.held:
        held.close()
    scores._measure_cached.cache_clear()
    questions.load_questions.cache_clear()


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """Return whether the doctor finds all in order, and what it says of what isn't."""
    code = main(["doctor", "--json"])
    out, err = capsys.readouterr()
    found = json.loads(out)["checks"] if out else []
    return code == 0, " ".join([err, *(one["message"] for one in found if one["state"] == "failed")])


def asks() -> bool:
    """Ask every model for a few words; return whether all answered and were measured."""
    answers: list[dict] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medilite.cli.ask.print_json", lambda record: answers.extend(record["answers"]))
        code = main(["ask", "What is asthma?", "--max-new-tokens", "12", "--json"])
    return code == 0 and all(answer["error"] is None for answer in answers)


def opens() -> bool:
    """Start the app as `python app.py` does, and stop it once the page is served; return whether all of it works."""
    from medilite.ui.page import app as page_app

    serve, works = page_app.serve, []

    def serve_once(page, profile, settings):
        try:
            serve(page, profile, settings, block=False)
            while page.shelf.state.kind == "preparing":
                time.sleep(0.01)
            works.append(page.shelf.state.kind != "missing")
            works.append(settings.mirror is None or settings.is_mirrored)
            try:
                works.append(bool(page.votes.store.secret))
            except StoreError:
                works.append(False)
        finally:
            page.close(verbose=False)
            page.drain.finish()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_app, "serve", serve_once)
        patch.setattr("medilite.logs.set_up_logging", lambda settings: None)
        patch.setattr("medilite.ui.page.loading.start_loading", lambda engine, then=None: None)
        return app.main() == 0 and all(works)


def test_a_set_up_in_order_answers_opens_and_is_found_in_order(setup, capsys):
    assert asks()
    assert opens()
    capsys.readouterr()
    healthy, said = doctor(capsys)
    assert healthy, said


@pytest.mark.parametrize("broken", BROKEN)
def test_the_doctor_fails_wherever_ask_or_the_app_would(broken, setup, capsys):
    spoil, named = BROKEN[broken]
    spoil(setup)
    healthy, said = doctor(capsys)
    # The app is started only where `ask` answers: a broken model is no reason for it not to open.
    assert not (asks() and opens()), "this set-up is not broken"
    assert not healthy
    assert named in said
