"""An adapter that somebody brings: what is taken, and a sentence for everything else, with nothing kept."""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest

from medilite.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from medilite.errors import ModelUnavailableError
from medilite.lab import own_adapter
from medilite.lab.own_adapter import COLOURS, MOST_AT_ONCE, OWN, Brought, allowed, folder_of, look_at
from medilite.models import ROOT
from medilite.settings import load_settings

GRPO = ROOT / "assets/adapters/lite/grpo"
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the committed GRPO adapter, with changes to its settings."""

    def make(**changes: object) -> Path:
        folder = tmp_path / "copy"
        folder.mkdir(exist_ok=True)
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            shutil.copy(GRPO / name, folder / name)
        config = json.loads((folder / CONFIG_FILE).read_text()) | changes
        (folder / CONFIG_FILE).write_text(json.dumps(config))
        return folder

    return make


def test_a_plain_adapter_is_looked_at_without_being_loaded(copy, lite):
    facts = look_at(copy(), lite)
    assert (facts.rank, facts.base) == (8, "SmolLM2-135M-Instruct")
    assert facts.size == (GRPO / WEIGHTS_FILE).stat().st_size


@pytest.mark.parametrize(
    "base", ["HuggingFaceTB/SmolLM2-135M-Instruct", "/home/me/weights", "../base/", "C:\\models\\base", ""]
)
def test_its_base_may_be_named_in_many_ways(copy, lite, base):
    look_at(copy(base_model_name_or_path=base), lite)


@pytest.mark.parametrize("base", ["HuggingFaceTB/SmolLM2-360M-Instruct", "meta-llama/Llama-3.2-1B", "gpt2"])
def test_another_base_is_refused_by_its_name(copy, lite, base):
    with pytest.raises(ModelUnavailableError, match=f"trained on '{base}'"):
        look_at(copy(base_model_name_or_path=base), lite)


@pytest.mark.parametrize("rank", [512, 65, True, "8", None])
def test_a_rank_that_cannot_be_is_refused(copy, lite, rank):
    with pytest.raises(ModelUnavailableError, match="rank is"):
        look_at(copy(r=rank), lite)


def test_a_rank_that_its_tensors_have_counts_whatever_its_settings_say(copy, lite):
    folder = copy()
    header = {"x.lora_A.weight": {"dtype": "F32", "shape": [512, 1], "data_offsets": [0, 2048]}}
    _write(folder / WEIGHTS_FILE, header, 2048)
    with pytest.raises(ModelUnavailableError, match="rank is 512"):
        look_at(folder, lite)


def _write(path: Path, header: object, data: int, length: int | None = None) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * data)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: (f / "model.py").write_text("print()"), "holds code (model.py)"),
        (lambda f: (f / WEIGHTS_FILE).rename(f / "adapter_model.bin"), "adapter_model.bin is pickled"),
        (lambda f: (f / WEIGHTS_FILE).unlink(), "adapter_model.safetensors is missing"),
        (lambda f: (f / CONFIG_FILE).unlink(), "adapter_config.json is missing"),
        (lambda f: (f / CONFIG_FILE).write_text("[]"), "can't be read"),
        (lambda f: (f / CONFIG_FILE).write_text("{"), "can't be read"),
        (lambda f: (f / WEIGHTS_FILE).write_bytes((GRPO / WEIGHTS_FILE).read_bytes()[:-9]), "cut off"),
        (lambda f: (f / WEIGHTS_FILE).write_bytes(b"PK\x03\x04"), "no whole safetensors file"),
        (lambda f: _write(f / WEIGHTS_FILE, {}, 0, length=2**60), "header is longer"),
        (lambda f: _write(f / WEIGHTS_FILE, {"x": 3}, 0), "no whole safetensors file"),
        (lambda f: _write(f / WEIGHTS_FILE, [], 0), "no whole safetensors file"),
        (lambda f: (f / CONFIG_FILE).write_text("[" * 100_000), "can't be read (RecursionError)"),
        (
            lambda f: _write(f / WEIGHTS_FILE, {"x": {"shape": ["512"], "data_offsets": [0, 0]}}, 0),
            "no whole safetensors",
        ),
        (
            lambda f: _write(f / WEIGHTS_FILE, {"x": {"shape": [1.5], "data_offsets": [0, 0]}}, 0),
            "no whole safetensors",
        ),
        (
            lambda f: (f / WEIGHTS_FILE).open("r+b").truncate(65 * 2**20),
            "adapter_model.safetensors is 65 MB; at most 64 MB",
        ),
        (
            lambda f: _write(f / WEIGHTS_FILE, {"__metadata__": {"x": "x" * 2**19}}, 0),
            "header of its adapter_model.safetensors is 513 kB; at most 512 kB",
        ),
        (
            lambda f: (f / CONFIG_FILE).write_text('{"r": 8}'.ljust(2**18 + 1)),
            "adapter_config.json is 257 kB; at most 256 kB",
        ),
        (
            lambda f: (f / CONFIG_FILE).open("r+b").truncate(65 * 2**20),
            "adapter_config.json is 65 MB; at most 256 kB",
        ),
    ],
)
def test_whatever_is_wrong_with_the_files_is_a_sentence(copy, lite, change, why):
    folder = copy()
    change(folder)
    with pytest.raises(ModelUnavailableError) as found:
        look_at(folder, lite)
    assert why in str(found.value)


def test_a_space_takes_none_unless_it_is_told_to_and_never_a_folder(copy):
    folder = str(copy())
    here, there = load_settings(), load_settings(host="0.0.0.0")
    assert allowed(here)
    assert not allowed(there)
    assert not allowed(load_settings(SPACE_ID="me/space"))
    assert not allowed(load_settings(own_adapters=False))
    with folder_of(folder, here) as found:
        assert found == Path(folder)
    with pytest.raises(ModelUnavailableError, match="MEDILITE_OWN_ADAPTERS=true"), folder_of(folder, there):
        pass
    told = load_settings(host="0.0.0.0", own_adapters=True)
    for named in (folder, "/etc", "~", "~nosuchuser", "../..", "me/adapter", f"me/adapter@{SHA[:12]}"):
        with pytest.raises(ModelUnavailableError, match="Folders can't be named here"), folder_of(named, told):
            pass


@pytest.mark.parametrize(
    "told",
    [
        {"MEDILITE_HOST": "127.0.0.1", "MEDILITE_TRUSTED_PROXIES": "127.0.0.1"},
        {"GRADIO_SERVER_NAME": "0.0.0.0"},
    ],
)
def test_others_reach_it_through_a_proxy_and_by_gradio_s_own_setting(copy, monkeypatch, told):
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert not allowed(load_settings())
    with (
        pytest.raises(ModelUnavailableError, match="Folders can't be named here"),
        folder_of(str(copy()), load_settings(own_adapters=True)),
    ):
        pass


def test_no_proxy_is_no_others():
    assert allowed(load_settings(trusted_proxies="0"))


@pytest.mark.parametrize(
    ("named", "why"),
    [("", "No adapter is named"), ("/nowhere/at/all", "no folder"), ("~nosuchuser", "no folder"),
     ("/" + "x" * 300, "no folder"), ("me/adapter", "owner/name@sha"),
     ("me/adapter@main", "owner/name@sha")],
)  # fmt: skip
def test_what_names_nothing_is_refused(named, why):
    with pytest.raises(ModelUnavailableError, match=why), folder_of(named, load_settings()):
        pass


# --- the Hub ------------------------------------------------------------------------------


class FakeHub(ThreadingHTTPServer):
    """Serves one model repository; `breaks` has a download break off in the middle, `sizes` lies about sizes."""

    files: dict[str, bytes]
    breaks = False
    sizes: dict[str, int]


class Answers(BaseHTTPRequestHandler):
    server: FakeHub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/api/models/me/adapter"):
            siblings = [
                {"rfilename": name, "size": self.server.sizes.get(name, len(data))}
                for name, data in self.server.files.items()
            ]
            return self._send(json.dumps({"id": "me/adapter", "sha": SHA, "siblings": siblings}).encode())
        name = path.rpartition("/")[2]
        if not path.startswith(f"/me/adapter/resolve/{SHA}/") or name not in self.server.files:
            self.send_error(404)
            return None
        return self._send(self.server.files[name], self.server.breaks and name == WEIGHTS_FILE)

    def _send(self, data: bytes, breaks: bool = False) -> None:
        self.send_response(200)
        for key, value in {"Content-Length": str(len(data)), "ETag": '"x"', "X-Repo-Commit": SHA}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[: len(data) // 2] if breaks else data)
        if breaks:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # The Hub's client waits a second before it tries again, five times.
    monkeypatch.setattr(huggingface_hub.file_download, "time", SimpleNamespace(sleep=lambda _: None))
    server = FakeHub(("127.0.0.1", 0), Answers)
    server.files = {name: (GRPO / name).read_bytes() for name in (CONFIG_FILE, WEIGHTS_FILE, "README.md")}
    server.sizes = {}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetched(hub: FakeHub, named: str = f"me/adapter@{SHA}") -> list[str]:
    with folder_of(named, load_settings(), f"http://127.0.0.1:{hub.server_port}") as folder:
        assert (folder / WEIGHTS_FILE).read_bytes() == (GRPO / WEIGHTS_FILE).read_bytes()
        return sorted(path.name for path in folder.iterdir() if path.is_file())


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("medilite-adapter")]


def test_the_two_files_come_from_the_hub_and_go_again(hub, tmp_path):
    assert fetched(hub) == [CONFIG_FILE, WEIGHTS_FILE]
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda hub: setattr(hub, "breaks", True), "can't be downloaded .* nothing was kept"),
        (lambda hub: hub.sizes.update({WEIGHTS_FILE: 2**40}), f"{WEIGHTS_FILE} is .* at most 64 MB"),
        (lambda hub: hub.sizes.update({CONFIG_FILE: 2**20}), f"{CONFIG_FILE} is 1 MB; at most 256 kB"),
        (lambda hub: hub.files.update({"modeling.py": b"import os"}), r"holds code \(modeling.py\)"),
        (lambda hub: hub.files.update({"adapter_model.bin": hub.files.pop(WEIGHTS_FILE)}), "is pickled"),
    ],
)
def test_what_goes_wrong_with_the_hub_is_a_sentence_and_nothing_is_kept(hub, tmp_path, change, why):
    change(hub)
    with pytest.raises(ModelUnavailableError, match=why):
        fetched(hub)
    assert left(tmp_path) == []


def test_a_repository_that_is_not_there_is_a_sentence(hub, tmp_path):
    with pytest.raises(ModelUnavailableError, match="Check that it is public"):
        fetched(hub, f"me/other@{SHA}")
    assert left(tmp_path) == []


# --- kept ---------------------------------------------------------------------------------


class Takes:
    def __init__(self) -> None:
        self.have: list[str] = []
        self.counts: list[int] = []

    def bring(self, spec) -> None:
        self.have.append(spec.id)
        self.counts.append(len(self.have))

    def let_go(self, model: str) -> None:
        self.have.remove(model)


def test_one_visitors_next_adapter_replaces_the_last_and_the_oldest_makes_room(copy, lite):
    engine, where = Takes(), str(copy())
    brought = Brought(engine, lite, load_settings())
    first, _ = brought.bring(where, "  My   one ", "Violet", "sft-r16-high")
    assert (first.label, first.colour, first.stacked_on) == ("My one", COLOURS["Violet"][0], "sft-r16-high")
    second, _ = brought.bring(where, "", "no colour", "base", first.id)
    assert (second.label, second.stacked_on) == ("My adapter", None)
    assert engine.have == [second.id]
    assert second.id.startswith(OWN)
    others = [brought.bring(where, "x", "Teal", "base")[0].id for _ in range(MOST_AT_ONCE - 1)]
    brought.get(second.id)
    last, _ = brought.bring(where, "x", "Teal", "base")
    assert engine.have == [second.id, *others[1:], last.id]
    with pytest.raises(ModelUnavailableError, match="bring it again"):
        brought.get(others[0])


def test_adapters_are_taken_in_one_at_a_time_so_that_no_more_than_eight_stay(copy, lite, monkeypatch):
    engine, where, inside, most = Takes(), str(copy()), [], []

    @contextmanager
    def slow(*args) -> Iterator[Path]:
        with folder_of(*args) as folder:
            inside.append(folder)
            most.append(len(inside))
            time.sleep(0.02)
            yield folder
            inside.pop()

    monkeypatch.setattr(own_adapter, "folder_of", slow)
    brought = Brought(engine, lite, load_settings())
    with ThreadPoolExecutor(MOST_AT_ONCE + 2) as pool:
        found = [pool.submit(brought.bring, where, "x", "Teal", "base") for _ in range(MOST_AT_ONCE + 2)]
        assert all(one.result()[0].adapter for one in found)
    assert max(most) == 1
    assert max(engine.counts) == MOST_AT_ONCE + 1, "the oldest goes once the next is there"
    assert len(engine.have) == MOST_AT_ONCE


def test_one_that_waits_too_long_for_others_is_a_sentence_and_one_that_fails_holds_nobody_up(copy, lite, monkeypatch):
    monkeypatch.setattr(own_adapter, "_WAIT_S", 0.01)
    brought = Brought(Takes(), lite, load_settings())
    with brought._turn(), pytest.raises(ModelUnavailableError, match="try again in a minute"):
        brought.bring(str(copy()), "x", "Teal", "base")
    with pytest.raises(ModelUnavailableError, match="no folder"):
        brought.bring("/nowhere/at/all", "x", "Teal", "base")
    brought.bring(str(copy()), "x", "Teal", "base")
