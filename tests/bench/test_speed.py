"""The speed benchmark: what is asked, what is timed, what is made of it, and that peers run in their processes."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from bench.speed import __main__ as command
from bench.speed import peers, plot, report
from bench.speed.lora_gguf import interleaved, write_lora
from bench.speed.runs import Measured, measure
from bench.speed.worker import Worker
from bench.speed.workloads import WORKLOADS, Ask, Prompt, Visitor, Workload, choose, question_texts, visitors_of
from medilite.errors import ConfigError, EngineError

PROMPTS = [Prompt(f"question {i}", (1, 2, i)) for i in range(5)]


def test_every_run_asks_something_else_and_every_peer_the_same() -> None:
    workload = Workload("w", "", visitors=2, models=6, new_tokens=9, apart_s=0.5)
    first, second = (visitors_of(workload, run, ("base", "grpo"), PROMPTS) for run in (0, 1))
    assert [[ask.model for ask in visitor.asks] for visitor in first] == [["base", "grpo"]] * 2
    assert [visitor.arrives_s for visitor in first] == [0, 0.5]
    questions = [visitor.asks[0].prompt.question for visitor in (*first, *second)]
    assert questions == ["question 0", "question 1", "question 2", "question 3"]
    assert visitors_of(workload, 1, ("base", "grpo"), PROMPTS) == second
    (alone,) = visitors_of(Workload("w", "", models=1), 7, ("base", "grpo"), PROMPTS)
    assert [(ask.model, ask.prompt.question, ask.new_tokens) for ask in alone.asks] == [("grpo", "question 2", 128)]


def test_long_prompts_are_questions_one_after_another() -> None:
    workload = Workload("w", "", question_tokens=5)
    assert question_texts(workload, ["a", "b", "c"], {"a": 2, "b": 1, "c": 3}) == ["a b c", "b c a", "c a"]
    assert question_texts(Workload("w", ""), ["a", "b"], {}) == ["a", "b"]


def test_workloads_and_peers_are_chosen_by_name() -> None:
    assert choose("all") == WORKLOADS
    assert [w.name for w in choose("visitors-8, one-model")] == ["one-model", "visitors-8"]
    with pytest.raises(ConfigError, match="Did you mean 'six-models'"):
        choose("six-model")
    assert [p.name for p in peers.choose(None, ())] == [
        "int8", "transformers", "peft", "llamacpp", "llamacpp-q4_0", "llamacpp-q8_0",
    ]  # fmt: skip
    assert [p.name for p in peers.choose("all", {"vllm"})][-1] == "vllm"
    assert "before" in [p.name for p in peers.choose(None, {"before"})]
    with pytest.raises(ConfigError, match="Did you mean 'llamacpp'"):
        peers.choose("llamacp", ())
    for name, option in (("vllm", "--vllm URL"), ("before", "--before COMMIT")):
        with pytest.raises(ConfigError, match=option):
            peers.choose(name, ())


def test_a_peer_that_is_not_installed_is_named_with_the_command() -> None:
    absent = peers.Peer("x", "X", ("json", "no_such_module"), "pip install x")
    assert peers.why_absent(absent) == "no_such_module is not installed: pip install x"
    assert peers.why_absent(peers.PEERS[0]) is None


class Clockwork:
    """Gives one token a hundredth of a second to every ask, two at once at the end."""

    def answer(self, asks, told) -> None:
        for count in (1, 1, 2):
            time.sleep(0.01)
            for number in range(len(asks)):
                told(number, count)


def visitor(arrives_s: float, tokens: int = 4, asks: int = 2) -> Visitor:
    return Visitor(arrives_s, tuple(Ask("m", PROMPTS[0], tokens) for _ in range(asks)))


def test_a_run_counts_from_each_visitors_coming() -> None:
    found = measure(Clockwork(), [visitor(0), visitor(0.2)])
    assert found.tokens == 16
    assert found.seconds >= 0.23
    assert found.tokens_per_s == found.tokens / found.seconds
    assert len(found.first_s) == 4
    assert min(found.first_s) >= 0.01
    assert max(found.first_s) < 0.2, "the second visitor's time begins when they come"
    # Three gaps a row: one of a hundredth, and one of a hundredth that two tokens share.
    assert len(found.gaps_s) == 4 * 3
    assert sum(found.gaps_s) >= 4 * 0.02


def test_answers_that_are_not_whole_are_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="m gave 4 tokens of 5"):
        measure(Clockwork(), [visitor(0, tokens=5)])

    class Broken:
        def answer(self, asks, told) -> None:
            raise ValueError("no")

    with pytest.raises(RuntimeError, match="ValueError: no"):
        measure(Broken(), [visitor(0)])


def test_numbers_carry_their_spread() -> None:
    runs = [(Measured(100, s, [s / 10], [0.01, 0.03]), 5_000_000 * n) for n, s in enumerate((1.0, 2.0, 4.0), 1)]
    found = report.of_peer(runs)
    assert found["tokens_per_s"] == {"median": 50, "min": 25, "max": 100, "of": [100, 50, 25]}
    assert found["first_token_ms"] == {"median": pytest.approx(200), "p95": pytest.approx(380), "n": 3}
    assert found["between_tokens_ms"]["n"] == 6
    assert found["memory_mb"] == 15
    assert found["memory_after_mb"] == [5, 10, 15]
    over = report.ratio([100, 50, 40, 90], [50, 25, 10, 30])
    assert (over["median"], over["min"], over["max"]) == (2.5, 2, 4)
    assert over["mean"] == pytest.approx(48**0.25)
    assert over["low"] < over["mean"] < over["high"]
    assert report.ratio([3], [1])["low"] is None


def test_the_table_has_a_line_a_peer_and_says_who_was_left_out() -> None:
    runs = [(Measured(100, s, [0.1], []), None) for s in (1.0, 2.0)]
    numbers = report.with_ratios({"int8": report.of_peer(runs), "peft": report.of_peer(runs)}, "int8")
    assert "ours_over_it" not in numbers["int8"]
    text = report.table(
        {
            "workloads": {"six-models": {"about": "one visitor, six models", "new_tokens": 128, "peers": numbers}},
            "peers": {"int8": "MediLite, int8", "peft": "PEFT"},
            "left_out": {"llama.cpp": "xllamacpp is not installed: pip install it"},
        }
    )
    assert "| MediLite, int8 | 75 (50 to 100) | 100 / 100 | none | unknown |  | 2 |" in text
    assert "| PEFT | 75 (50 to 100) | 100 / 100 | none | unknown | 1.00" in text
    assert text.endswith("Left out: llama.cpp: xllamacpp is not installed: pip install it")


def test_a_workload_is_told_over_the_first() -> None:
    alone = [(Measured(100, s, [0.1, 0.3], []), 9_000_000) for s in (1.0, 2.0)]
    many = [(Measured(800, s, [0.4] * 20, []), n) for s, n in ((4.0, 9_000_000), (2.0, 8_000_000))]
    peers_of = {name: {"peers": {"int8": report.of_peer(runs)}} for name, runs in (("alone", alone), ("many", many))}
    found = report.with_first(peers_of, "int8")
    assert "over_first" not in found["alone"]
    over = found["many"]["over_first"]
    # 200 over 100 and 400 over 50 tokens a second: 2 and 8 times, 4 by the geometric mean.
    assert (over["workload"], over["tokens_per_s"]["mean"]) == ("alone", pytest.approx(4))
    assert over["first_token"] == pytest.approx(0.4 / 0.2)
    assert "over_first" not in report.with_first(peers_of, "")["many"]
    described = {name: {"about": name, "new_tokens": 1, **one} for name, one in found.items()}
    text = report.table({"workloads": described, "peers": {"int8": "Ours"}, "left_out": {}})
    assert "| 9 (9 to 8) |" in text
    assert "times the tokens/s of alone; the p95 of the first token is 2.00 times its median there." in text


def result_of(runs_of: dict[str, list[tuple[Measured, int | None]]]) -> dict[str, Any]:
    numbers = report.with_ratios({name: report.of_peer(runs) for name, runs in runs_of.items()}, "int8")
    return {
        "workloads": {"one": {"about": "one <visitor>", "new_tokens": 128, "peers": numbers}},
        "peers": {"int8": "MediLite, int8", "peft": "PEFT & others"}, "left_out": {}, "threads": 2,
        "base": "Base (a file)", "commit": "0123456789abcdef", "commit_dirty": False,
        "versions": {"torch": "2", "numpy": "2"},
    }  # fmt: skip


def test_a_picture_says_what_the_numbers_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = ([(Measured(100, s, [0.1], []), None) for s in each] for each in ((1.0, 1.1), (4.0, 4.2)))
    file, drawn = tmp_path / "speed.json", tmp_path / "speed.svg"
    file.write_text(json.dumps(result_of({"int8": ours, "peft": theirs})))
    assert plot.main([str(file), str(drawn)]) == 0
    root = ElementTree.fromstring(drawn.read_text(encoding="utf-8"))
    said = root.attrib["aria-label"]
    (bar,) = plot.bars_of(json.loads(file.read_text()))
    assert bar.mean == pytest.approx((4 * 4.2 / 1.1) ** 0.5)
    assert said == f"one <visitor>: {bar.mean:.1f} times PEFT & others ({bar.low:.1f} to {bar.high:.1f})"
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"one <visitor>", "PEFT & others", f"{bar.mean:.1f}×"} <= set(words)
    assert any("n = 2 runs" in word and "commit 0123456789" in word for word in words)
    # Without a peer, or from a single run, there is nothing to draw.
    for nothing in (result_of({"int8": ours}), result_of({"int8": ours[:1], "peft": theirs[:1]}), [], {"a": 1}):
        file.write_text(json.dumps(nothing))
        assert plot.main([str(file), str(drawn)]) == 2
    assert "is no result of bench.speed" in capsys.readouterr().err


def test_a_head_is_turned_as_llama_cpp_rotates_it() -> None:
    """Number i of a head and number i + D/2 become neighbours, head by head."""
    rows = np.arange(2 * 6)[:, None]
    assert interleaved(rows, 2)[:, 0].tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]


def test_an_adapter_as_gguf_is_the_same_product(tmp_path: Path) -> None:
    import gguf
    import torch

    from medilite.engine.local.adapters import Adapter

    class Shape:
        heads, kv_heads = 3, 1

    generator = torch.Generator().manual_seed(0)
    pairs = {
        (layer, module): (torch.randn(4, 32, generator=generator), torch.randn(out, 4, generator=generator))
        for layer in range(2)
        for module, out in (("q", 96), ("v", 32), ("down", 48))
    }
    write_lora(Adapter(pairs), Shape, tmp_path / "lora.gguf")
    read = gguf.GGUFReader(tmp_path / "lora.gguf")
    tensors = {tensor.name: tensor.data for tensor in read.tensors}
    alpha = float(read.fields["adapter.lora.alpha"].parts[-1][0])
    for name, module in (("attn_q", "q"), ("attn_v", "v"), ("ffn_down", "down")):
        a, b = (tensors[f"blk.1.{name}.weight.lora_{half}"] for half in "ab")
        product = alpha / a.shape[0] * b @ a
        expected = (pairs[1, module][1] @ pairs[1, module][0]).numpy()
        np.testing.assert_allclose(product, interleaved(expected, 3) if module == "q" else expected, rtol=1e-5)


def test_a_process_that_can_not_load_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "no.yaml"
    broken.write_text("name: x\n")
    worker = Worker("int8", str(broken), 1, 1, 10, None, None, tmp_path / "log")
    with pytest.raises(EngineError, match=r"int8 can't be measured: ProfileError: .*What it printed is in"), worker:
        pass
    worker.__exit__()


def tiny_profile(folder: Path, weights: Path) -> Path:
    """Write a base of two random layers with the real tokenizer, and two adapters, one on the other."""
    import shutil

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152, hidden_size=128, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=2048, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "base")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(weights / name, folder / "base")
    for name in ("low", "high"):
        lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
        get_peft_model(LlamaForCausalLM(config), lora).save_pretrained(folder / name)
    colours = {"colour": "#000000", "colour_dark": "#ffffff", "about": "for tests"}
    path = folder / "tiny.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "tiny", "title": "Tiny",
                "base": {"source": "folder", "model": "tiny", "path": str(folder / "base")},
                "models": [
                    {"id": "base", "label": "Base", **colours},
                    {"id": "low", "label": "Low", "adapter": str(folder / "low"), **colours},
                    {"id": "high", "label": "High", "adapter": str(folder / "high"), "stacked_on": "low", **colours},
                ],
            }
        )
    )  # fmt: skip
    return path


@pytest.mark.slow
@pytest.mark.model
def test_peers_take_turns_and_all_give_what_was_asked_for(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tiny_profile(tmp_path, weights)
    small = (Workload("six-models", "small", new_tokens=6), Workload("visitors-2", "small", visitors=2, new_tokens=500))
    monkeypatch.setattr("bench.speed.workloads.WORKLOADS", small)
    monkeypatch.setattr(command, "SETTLE_S", 0.0)
    out = tmp_path / "speed.json"
    arguments = ["--profile", str(profile), "--peers", "int8,peft,llamacpp,llamacpp-q4_0", "--runs", "2"]
    assert command.main([*arguments, "--threads", "1", "--tokens", "6", "--json", str(out)]) == 0
    said = capsys.readouterr()
    result = json.loads(out.read_text())
    # llama.cpp reads a base that has no GGUF file once it is written as one.
    q4_0 = ["llamacpp-q4_0"] if importlib.util.find_spec("xllamacpp") else []
    assert result["memory"]["gb_per_s"]["min"] > 0.1
    for workload in small:
        numbers = result["workloads"][workload.name]["peers"]
        assert list(numbers) == ["int8", "peft", *q4_0]
        for one in numbers.values():
            assert one["runs"] == 2
            assert one["tokens_per_s"]["min"] > 0
            assert one["first_token_ms"]["n"] == 2 * 3 * workload.visitors
            assert one["memory_mb"] > 50
            assert len(one["memory_after_mb"]) == 2
    assert result["workloads"]["visitors-2"]["over_first"]["workload"] == "six-models"
    # llama.cpp is left out with the reason: the package is absent, or the base has no GGUF file.
    assert any("llama.cpp" in title for title in result["left_out"])
    assert "Left out: llama.cpp" in said.out
    assert "### visitors-2" in said.out
    assert "torch" in result["versions"]
    assert "Loading MediLite, int8" in said.err


def test_a_base_as_gguf_is_the_same_weights_in_the_format_asked_for(tmp_path: Path) -> None:
    import gguf

    from bench.speed.base_gguf import write_base
    from tests.engine.small import HIDDEN
    from tests.engine.small import write_base as write_small

    folder = write_small(tmp_path / "small")
    words = gguf.GGUFWriter(tmp_path / "words.gguf", "llama")
    words.add_tokenizer_model("gpt2")
    words.add_token_list(["a", "b", "é"])
    words.add_bos_token_id(1)
    words.write_header_to_file()
    words.write_kv_data_to_file()
    words.close()
    write_base(folder, tmp_path / "words.gguf", "Q4_0", tmp_path / "base.gguf")
    read = gguf.GGUFReader(tmp_path / "base.gguf")
    fields = {name: field.contents() for name, field in read.fields.items()}
    assert fields["tokenizer.ggml.tokens"] == ["a", "b", "é"]
    assert (fields["llama.embedding_length"], fields["llama.attention.head_count_kv"]) == (HIDDEN, 1)
    tensors = {tensor.name: tensor for tensor in read.tensors}
    assert len(tensors) == 2 + 9 * 2
    forms = {name: tensor.tensor_type.name for name, tensor in tensors.items()}
    assert (forms["token_embd.weight"], forms["blk.1.ffn_down.weight"], forms["output_norm.weight"]) == (
        "Q8_0", "Q4_0", "F32",
    )  # fmt: skip
    from medilite.engine.local.llama import read_tensors

    take = read_tensors(folder)
    for name, module, heads in (("attn_k", "self_attn.k_proj", 1), ("ffn_up", "mlp.up_proj", 0)):
        tensor = tensors[f"blk.1.{name}.weight"]
        weights = take(f"model.layers.1.{module}.weight").float().numpy()
        expected = interleaved(weights, heads) if heads else weights
        found = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        # Q4_0 has 16 levels from the number of the greatest size; a step is an eighth of it.
        assert np.abs(found - expected).max() <= np.abs(expected).max() / 8
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_the_share_of_the_memorys_speed_is_bytes_over_a_steps_time() -> None:
    one_row = report.of_peer([(Measured(100, 1.0, [0.1], [0.004, 0.005, 0.005]), None)])
    found = report.of_memory(one_row, 100_000_000, [30e9, 40e9, 50e9])
    assert found["gb_per_s"] == {"median": 40, "min": 30, "max": 50}
    assert found["share"] == pytest.approx(20 / 40)
    assert "share" not in report.of_memory({}, 100_000_000, [30e9])
    assert "share" not in report.of_memory(one_row, None, [30e9])


@pytest.mark.model
@pytest.mark.slow
def test_a_random_model_of_a_given_shape_answers(weights: Path, tmp_path: Path) -> None:
    from bench.speed.study_size import write
    from bench.speed.worker import Worker

    profile = write(tmp_path, "tiny", weights)
    worker = Worker("int4", str(profile), 1, 6, 40, None, None, tmp_path / "log")
    with worker:
        measured, _ = worker.run([Visitor(0.0, tuple(Ask(m, PROMPTS[0], 3) for m in ("base", "sft-r16-high", "grpo")))])
        assert measured.tokens == 9
        assert worker.bytes_a_step == 2 * 20 * (128 * (128 + 2 * 64 + 128 + 3 * 256)) // 32 + 38 * 128 * 49152 // 32


def test_memory_is_read_faster_than_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.speed import memory

    monkeypatch.setattr(memory, "SIZE", 1 << 22)
    assert 1e8 < memory.Memory(2).bytes_per_s(2) < 1e13
