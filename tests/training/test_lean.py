"""The lean loops compute what TRL's and transformers' do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from medilite.errors import TrainingError
from training.lean.products import FrozenLinear, freeze_in_bfloat16
from training.lean.tokens import even_batches, micro_batches, token_log_probs


def tiny_llama(seed: int = 0) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=128, tie_word_embeddings=True, pad_token_id=0,
        )
    )  # fmt: skip


def test_micro_batches_hold_every_row_once_and_stay_under_the_limit() -> None:
    lengths = [5, 100, 7, 30, 31, 250]
    groups = list(micro_batches(lengths, 100))
    assert groups == [[0, 2, 3, 4], [1], [5]]
    assert list(micro_batches([], 100)) == []
    assert even_batches(lengths, 2) == [[5], [1, 4, 3, 2, 0]]
    assert even_batches([3, 9], 4) == [[1], [0]]


def test_a_frozen_product_is_the_rounded_product_both_ways() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(16, 8, bias=False)
    frozen = FrozenLinear.of(linear)
    x = torch.randn(3, 5, 16, requires_grad=True)
    product = frozen(x)
    assert product.dtype == torch.float32
    torch.testing.assert_close(product, linear(x), rtol=0.02, atol=0.02)
    gradient = torch.randn(3, 5, 8)
    (found,) = torch.autograd.grad(product, x, gradient)
    torch.testing.assert_close(found, gradient @ linear.weight, rtol=0.02, atol=0.02)
    assert not frozen.weight.requires_grad


def test_freezing_takes_every_product_and_leaves_the_embedding_in_float32() -> None:
    model = tiny_llama()
    ids = torch.randint(1, 300, (2, 9))
    before = model(input_ids=ids).logits
    freeze_in_bfloat16(model)
    kinds = {type(m) for m in model.modules() if isinstance(m, nn.Linear)}
    assert kinds == {FrozenLinear}
    assert model.model.embed_tokens.weight.dtype == torch.float32
    torch.testing.assert_close(model(input_ids=ids).logits, before, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_log_probabilities_entropies_and_gradients_are_those_of_a_whole_softmax(temperature: float) -> None:
    model = tiny_llama()
    ids = torch.randint(1, 300, (3, 40))
    scored = torch.rand(3, 40) < 0.4
    scored[:, 0] = False
    scored[1, 20:] = False
    weights = torch.randn(int(scored.sum()))

    found, entropies = token_log_probs(model, [*ids], [*scored], temperature, entropy=True)
    (found * weights).sum().backward()
    gradient = model.model.layers[0].self_attn.q_proj.weight.grad.clone()
    model.zero_grad()

    whole = F.log_softmax(model(input_ids=ids).logits[:, :-1] / temperature, -1)
    expected = whole.gather(2, ids[:, 1:, None])[..., 0][scored[:, 1:]]
    (expected * weights).sum().backward()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(entropies, -(whole.exp() * whole).sum(-1)[scored[:, 1:]], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(gradient, model.model.layers[0].self_attn.q_proj.weight.grad, rtol=1e-3, atol=1e-6)


def adapted_llama(targets: list[str], dropout: float = 0.0) -> Any:
    """Return a tiny Llama with a PEFT adapter that is more than nothing."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules=targets, task_type="CAUSAL_LM")
    model = get_peft_model(tiny_llama(), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    return model


STUDY = ["q_proj", "v_proj"]
EVERY = [*STUDY, "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def rows_of(*lengths: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return made-up rows and which of their tokens are scored."""
    generator = torch.Generator().manual_seed(5)
    rows = [torch.randint(1, 300, (length,), generator=generator) for length in lengths]
    return rows, [torch.arange(length) > length // 3 for length in lengths]


@pytest.mark.parametrize("targets", [STUDY, EVERY, ["down_proj"]])
def test_layers_by_hand_have_the_values_and_gradients_of_transformers(
    targets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.lean import attention, llama

    monkeypatch.setattr(attention, "CHUNK", 16)
    model = adapted_llama(targets)
    rows, scored = rows_of(40, 7, 16, 33)
    weights = torch.randn(sum(int(row.sum()) for row in scored))
    found = {}
    for way in ("by hand", "transformers"):
        if way == "transformers":
            llama._BODIES[model.get_base_model()] = llama._Padded(model.get_base_model())
        log_probs, _ = token_log_probs(model, rows, scored)
        (log_probs * weights).sum().backward()
        found[way] = log_probs.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}
        model.zero_grad()
        if way == "by hand":
            assert isinstance(llama._BODIES[model.get_base_model()], llama._Body)
    (values, gradients), (expected, expected_gradients) = found.values()
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    assert len(gradients) == 2 * 2 * len(targets)
    for name, gradient in expected_gradients.items():
        assert gradient.abs().max() > 1e-3
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-3, atol=1e-5)


def test_dropout_drops_on_the_way_back_what_it_dropped_on_the_way_there() -> None:
    model = adapted_llama(EVERY, dropout=0.4)
    rows, scored = rows_of(30, 21)

    def value() -> torch.Tensor:
        torch.manual_seed(8)
        return token_log_probs(model, rows, scored)[0].mean()

    value().backward()
    parameters = [p for p in model.parameters() if p.requires_grad]
    directions = [torch.randn_like(p) for p in parameters]
    slope = sum(float((p.grad * d).sum()) for p, d in zip(parameters, directions, strict=True))
    ends = []
    with torch.no_grad():
        for step in (1e-3, -2e-3):
            for p, d in zip(parameters, directions, strict=True):
                p += step * d
            ends.append(value().item())
        for p, d in zip(parameters, directions, strict=True):
            p += 1e-3 * d
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=0.02)
    dropped = value().item()
    model.eval()
    assert abs(value().item() - dropped) > 1e-3
    with model.disable_adapter():
        without = value()
    assert not without.requires_grad
    assert without.item() == pytest.approx(token_log_probs(tiny_llama(), rows, scored)[0].mean().item(), abs=1e-5)


def test_adapters_that_were_merged_and_weights_that_were_moved_count_as_they_are() -> None:
    model = adapted_llama(EVERY)
    rows, scored = rows_of(20, 9)

    def values() -> torch.Tensor:
        with torch.no_grad():
            return token_log_probs(model, rows, scored)[0]

    before = values()
    model.merge_adapter()
    torch.testing.assert_close(values(), before, rtol=1e-4, atol=1e-4)
    model.unmerge_adapter()
    torch.testing.assert_close(values(), before, rtol=1e-4, atol=1e-4)
    for module in model.modules():
        if type(module) is nn.Linear:
            module.weight.data = module.weight.data.clone()
    model.get_base_model().model.layers[1].self_attn.k_proj.base_layer.weight.data.zero_()
    changed = values()
    assert (changed - before).abs().max() > 1e-3
    torch.testing.assert_close(values(), changed)


def test_threads_side_by_side_give_the_gradients_of_one_after_another() -> None:
    from training.lean.llama import dropout_seeds
    from training.lean.sft import _Part, _side_by_side

    model = adapted_llama(EVERY, dropout=0.3).train()
    causal, threads = model.get_base_model(), torch.get_num_threads()
    torch.manual_seed(4)
    parts = [_Part(*rows_of(*lengths), dropout_seeds(causal)) for lengths in ((9, 12), (20,), (30, 31), (60,))]
    torch.manual_seed(4)
    # As many draws, one for each dropout of each layer, as when each was drawn on its own.
    assert [seed for part in parts for seed in part.seeds] == [int(torch.randint(2**31, ())) for _ in range(4 * 14)]

    losses, gradients = [], []
    for way in ("in turn", "at once", "at once again"):
        model.zero_grad()
        if way == "in turn":
            shares = [part.loss(model) / 99 for part in parts]
            for share in shares:
                share.backward()
            losses.append(torch.stack(shares).sum().item())
        else:
            losses.append(_side_by_side(model, parts, 99, 2).item())
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad})
    assert torch.get_num_threads() == threads
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-7)
        assert torch.equal(gradients[1][name], gradients[2][name])


def test_weights_do_not_depend_on_where_their_scores_lie_in_memory() -> None:
    import numpy as np

    from training.lean.kernels import softmax

    for keys in (16, 19, 24, 29):
        numbers, kept, found = np.random.default_rng(0).standard_normal((2, keys)).astype(np.float32), [], set()
        for n in range(500):
            scores = numbers.copy()
            softmax(scores, 1, keys - 1, 0.3)
            found.add(scores.tobytes())
            # What is kept, of many sizes, moves what is made next.
            kept += [scores, np.empty(8 * (n % 32), np.uint8)]
        assert len(found) == 1


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings")
def test_an_adapter_of_the_head_is_refused() -> None:
    with pytest.raises(TrainingError, match="loop: trl"):
        token_log_probs(adapted_llama(["lm_head"]), *rows_of(9))


def sft_trainer(kind: type, folder: Path, steps: int) -> Any:
    """Return a trainer on pairs of unlike lengths, two batches a step."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import GPT2Tokenizer
    from trl import SFTConfig

    generator = torch.Generator().manual_seed(3)
    rows = []
    for length in (10, 60, 25, 90, 12, 40, 33, 7):
        ids = torch.randint(1, 300, (length,), generator=generator).tolist()
        rows.append({"input_ids": ids, "labels": [-100] * 4 + ids[4:]})
    return kind(
        model=tiny_llama(),
        args=SFTConfig(
            output_dir=str(folder), max_steps=steps, per_device_train_batch_size=4, gradient_accumulation_steps=2,
            learning_rate=0.05, max_length=None, report_to="none", use_cpu=True, disable_tqdm=True, seed=1, bf16=False,
            gradient_checkpointing=False, save_strategy="no", logging_steps=1,
        ),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(rows),
        processing_class=GPT2Tokenizer(vocab={"<pad>": 0}, merges=[], pad_token="<pad>", eos_token="<pad>"),
        peft_config=LoraConfig(r=4, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
    )  # fmt: skip


@pytest.mark.slow
def test_lean_steps_give_the_adapter_that_trl_gives(tmp_path: Path) -> None:
    from trl import SFTTrainer

    from training.lean.sft import LeanSFTTrainer

    trained = {}
    for kind in (SFTTrainer, LeanSFTTrainer):
        trainer = sft_trainer(kind, tmp_path / kind.__name__, steps=3)
        trainer.train()
        weights = {name: p.detach().clone() for name, p in trainer.model.named_parameters() if p.requires_grad}
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        trained[kind] = weights, losses, trainer.evaluate()["eval_loss"]
    (stock, stock_losses, stock_eval), (lean, lean_losses, lean_eval) = trained.values()
    assert lean_losses == pytest.approx(stock_losses, rel=1e-4)
    assert len(set(stock_losses)) == 3
    assert lean_eval == pytest.approx(stock_eval, rel=1e-3)
    for name, tensor in stock.items():
        torch.testing.assert_close(lean[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.model
def test_lean_grpo_scores_and_samples_as_trl_and_the_engine_do(
    tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    from trl import GRPOTrainer

    from medilite.engine.local.adapters import Adapter
    from medilite.engine.local.engine import LocalEngine
    from medilite.engine.protocol import collect
    from medilite.models import load_profile
    from medilite.prompts import prompt_ids
    from medilite.records import Decoding, Message, Request
    from medilite.settings import load_settings
    from training.base_model import load_base, load_tokenizer
    from training.config import GenerationConfig, GRPORun
    from training.grpo import trainer_arguments
    from training.lean.grpo import LeanGRPOTrainer
    from training.lean.sampler import PolicySampler, live_adapter
    from training.stage import peft_config

    profile = load_profile(str(tiny_profile))
    folder = tiny_profile.parent / "base"
    tokenizer = load_tokenizer(folder)
    run = GRPORun.model_validate(
        {
            "stacked_on": "base",
            "lora": {"rank": 4, "dropout": 0.0},
            "optim": {"learning_rate": 0.01, "batch_size": 4, "accumulation_steps": 1},
            "generation": {"num_generations": 2, "max_new_tokens": 8, "temperature": 0.9},
        }
    )
    from datasets import Dataset

    conversation = [Message("user", "What helps against gout?")]
    trainer = LeanGRPOTrainer(
        model=load_base(folder, run.base),
        reward_funcs=[lambda completions, **_: [0.0] * len(completions)],
        args=trainer_arguments(run, [1.0], tmp_path),
        train_dataset=Dataset.from_list([{"prompt": [dataclasses.asdict(conversation[0])]}]),
        processing_class=tokenizer,
        peft_config=peft_config(run.lora),
    )
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.5)

    ids = torch.randint(3, 1000, (4, 14))
    mask = torch.ones_like(ids)
    mask[0, :3] = mask[2, :5] = 0
    mask[1, 10:] = mask[3, 13:] = 0
    ids[mask == 0] = tokenizer.pad_token_id
    ours = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, 6, compute_entropy=True)
    theirs = GRPOTrainer._get_per_token_logps_and_entropies(trainer, trainer.model, ids, mask, 6, compute_entropy=True)
    real = mask[:, -6:].bool()
    for found, expected in zip(ours[:2], theirs[:2], strict=True):
        torch.testing.assert_close(found[real], expected[real], rtol=1e-4, atol=1e-4)

    # The last completion of each prompt is rewarded; rejection sampling learns from it alone.
    trainer.rollout_func = PolicySampler(folder, [], tokenizer, run.generation, torch.float32)
    trainer.reward_funcs = [lambda completions, **_: [float(i) for i, _ in enumerate(completions)]]
    asked = [{"prompt": [dataclasses.asdict(conversation[0])]}] * 4
    for trainer.best_alone, expected in ((False, [-0.7, 0.7] * 2), (True, [0.0, 1.0] * 2)):
        batch = trainer._generate_and_score_completions(asked)
        torch.testing.assert_close(batch["advantages"], torch.tensor(expected), rtol=0, atol=0.05)

    # Near temperature 0 a draw is the likeliest token: the same tokens as the engine's greedy ones.
    generation = GenerationConfig(max_new_tokens=8, temperature=1e-5)
    sampler = PolicySampler(folder, [], tokenizer, generation, torch.float32)
    prompt = prompt_ids(tokenizer, conversation)
    of_base, of_policy = (
        sampler.sample(policy, [prompt, prompt], sampler._decoding, 1)
        for policy in (Adapter({}), live_adapter(trainer.model))
    )
    assert of_base[0] == of_base[1]
    assert of_base != of_policy
    engine = LocalEngine(profile, load_settings(precision="float32"))
    (answer,) = collect(
        requests := [Request("base", tuple(conversation), Decoding(max_new_tokens=8))], engine.stream(requests)
    )
    assert tokenizer.decode(of_base[0], skip_special_tokens=True) == answer.text
    rollout = sampler([[{"role": "user", "content": "What helps against gout?"}]], trainer)
    assert rollout["prompt_ids"] == [prompt]
    assert rollout["completion_ids"] == of_policy[:1]


def test_the_best_of_each_group_is_one_or_none() -> None:
    from training.lean.grpo import best_of_each

    advantages = torch.tensor([0.2, -1.0, 0.8, 0.8, 0.0, 0.0, 0.0, 0.0, -3.0, -1.0, -2.0, -2.5])
    assert best_of_each(advantages, 4).tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0]


def test_draws_follow_the_probabilities_and_hang_on_nothing_but_seed_and_row() -> None:
    from training.lean.draws import Draws

    probabilities = torch.tensor([0.5, 0.3, 0.0, 0.2])
    logits = probabilities.log().expand(20_000, 4)
    chosen = Draws(1.0, 7, 20_000).choose(logits)
    shares = torch.bincount(chosen, minlength=4) / 20_000
    # Four standard errors of a share at n = 20,000 are at most 0.014.
    torch.testing.assert_close(shares, probabilities, rtol=0, atol=0.014)
    sharper = torch.bincount(Draws(0.5, 7, 20_000).choose(logits), minlength=4) / 20_000
    torch.testing.assert_close(sharper, torch.tensor([25, 9, 0, 4]) / 38, rtol=0, atol=0.014)

    whole, alone = Draws(1.0, 3, 6), Draws(1.0, 3, 6)
    alone.keep([1, 4])
    for _ in range(5):
        assert whole.choose(logits[:6])[[1, 4]].tolist() == alone.choose(logits[:2]).tolist()


def test_draws_say_where_logits_are_not_finite() -> None:
    from training.lean.draws import Draws

    logits = torch.tensor([[1.0, 2.0, 0.5], [1.0, float("nan"), 0.0], [float("-inf"), 0.0, float("-inf")]])
    for temperature in (0.0, 1e-6):
        assert Draws(temperature, 1, 3).choose(logits).tolist() == [1, -1, 1]


@pytest.mark.slow
@pytest.mark.model
def test_on_a_cpu_grpo_samples_what_the_int8_engine_says() -> None:
    from medilite.engine.local.adapters import read_adapter
    from medilite.engine.local.engine import LocalEngine
    from medilite.engine.local.int8_llama import Int8Llama
    from medilite.engine.protocol import collect
    from medilite.models import load_profile
    from medilite.prompts import prompt_ids
    from medilite.records import Decoding, Message, Request
    from medilite.settings import Settings, load_settings
    from medilite.weights import ensure_adapter, ensure_base
    from training.base_model import load_tokenizer
    from training.config import GenerationConfig
    from training.lean.sampler import PolicySampler

    profile, settings = load_profile("lite"), load_settings()
    folder = ensure_base(profile, settings)
    tokenizer = load_tokenizer(folder)
    parent, policy = (ensure_adapter(profile, spec) for spec in profile.chain("grpo"))
    sampler = PolicySampler(folder, [parent], tokenizer, GenerationConfig(max_new_tokens=12, temperature=1e-5))
    assert isinstance(sampler._llama, Int8Llama)

    questions = ["What helps against gout?", "What is asthma?"]
    prompts = [prompt_ids(tokenizer, [Message("user", question)]) for question in questions]
    adapter = read_adapter(policy, sampler._llama.shape, "grpo")
    decoding, seed = sampler._decoding, 1
    sampler.sample(
        read_adapter(parent, sampler._llama.shape, "another policy, to be replaced"), prompts, decoding, seed
    )
    found = sampler.sample(adapter, prompts, decoding, seed)

    engine = LocalEngine(profile, Settings(**{**settings.model_dump(), "precision": "int8"}))
    requests = [Request("grpo", (Message("user", q),), Decoding(max_new_tokens=12)) for q in questions]
    answers = collect(requests, engine.stream(requests))
    assert [tokenizer.decode(ids, skip_special_tokens=True) for ids in found] == [answer.text for answer in answers]


@pytest.mark.slow
@pytest.mark.model
def test_loops_are_timed_on_the_same_pairs(
    tiny_profile: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    import yaml

    from training.speed import main

    config = tmp_path / "run.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "model": "sft-r8-high",
                "loop": "lean",
                "base": {"profile": str(tiny_profile)},
                "lora": {"rank": 8},
                "data": {"max_tokens": 64},
                "optim": {"learning_rate": 0.01},
            }
        )
    )
    told = ["--config", str(config), "--data", str(tiny_data), "--rounds", "2", "--batch-size", "4"]
    assert main([*told, "--json", str(tmp_path / "speed.json")]) == 0
    result = json.loads((tmp_path / "speed.json").read_text())
    assert result["rounds"] == 2
    for ratio in (result["ratio"]["trl"], result["cpu_ratio"]["trl"]):
        assert 0 < ratio["min"] <= ratio["median"] <= ratio["max"]
    # The same pairs, in float32 in both: another batch in one of them would show here.
    assert result["largest_relative_difference"]["loss"]["lean"] < 1e-4
    assert result["largest_relative_difference"]["gradient"]["lean"] < 1e-3
    assert "n = 2 batches" in capsys.readouterr().out

    assert main([*told, "--before", "no such commit"]) == 2
    assert "no such commit" in capsys.readouterr().err
