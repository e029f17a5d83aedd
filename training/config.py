"""One typed YAML file per training run; an unknown key is an error that names the nearest one."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from medilite.errors import ConfigError, suggestion
from medilite.files import read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class BaseConfig(_Strict):
    """The base that is trained on: its profile, and its numeric format."""

    profile: str = "lite"
    quantize_4bit: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"
    # The frozen products alone, with `loop: lean`: auto is bfloat16 where the machine multiplies it natively.
    products: Literal["float32", "bfloat16", "auto"] = "float32"


class LoraConfig(_Strict):
    """The adapter's shape (PEFT's LoraConfig)."""

    rank: Annotated[int, Field(ge=1, le=256)]
    alpha: Annotated[int, Field(ge=1)] = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    target_modules: tuple[str, ...] = ("q_proj", "v_proj")


class DataConfig(_Strict):
    """Which pairs are used, how many, and how long they may be, in tokens of the whole conversation."""

    dir: Path = Path("data/medquad")
    splits: Literal["study", "distinct", "clean"] = "distinct"
    train_pairs: Annotated[int, Field(ge=1)] | None = None
    val_pairs: Annotated[int, Field(ge=1)] | None = None
    test_pairs: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=32)] = 2048
    # Longer training pairs: cut loses the end, and with it the sign that the answer ends; drop leaves the pair out.
    # Validation and test pairs are always cut, so that all losses are of the same pairs.
    long_pairs: Literal["cut", "drop"] = "cut"
    # GRPO's prompts and validation questions have the passage to answer from, which takes the references' place.
    passages: bool = False


class OptimConfig(_Strict):
    """Optimiser, schedule and batches (transformers' TrainingArguments)."""

    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[float, Field(gt=0)] = 5
    batch_size: Annotated[int, Field(ge=1)] = 4
    accumulation_steps: Annotated[int, Field(ge=1)] = 8
    warmup_steps: Annotated[int, Field(ge=0)] = 50
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    # warmup_stable_decay holds the rate and lets it fall linearly to 0 over the last decay_share of the steps: the
    # steps before are the same for shorter and longer runs.
    schedule: Literal["linear", "cosine", "constant", "warmup_stable_decay"] = "linear"
    decay_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    # Ends the run and its schedule after this many pairs; resumes from checkpoints of the whole run.
    stop_at_pairs: Annotated[int, Field(ge=1)] | None = None
    group_by_length: bool = True
    # Activations are computed again on the way back: slower, in less memory, the same numbers.
    gradient_checkpointing: bool = False
    eval_every: Annotated[int, Field(ge=1)] = 100
    # SFT alone: evaluates at these numbers of pairs and at the end, not every eval_every steps. Points of a curve.
    eval_at_pairs: tuple[Annotated[int, Field(ge=1)], ...] = ()
    save_every: Annotated[int, Field(ge=1)] = 100
    # The adapter of each save stays, in float16, in saves/ of the adapter's folder, for the Lab's *While it learned*.
    keep_saves: bool = False

    @property
    def pairs_a_step(self) -> int:
        """Pairs that one step of the optimiser sees."""
        return self.batch_size * self.accumulation_steps

    def steps(self, pairs: int) -> int:
        """Return the number of steps of a run on `pairs` pairs."""
        if self.stop_at_pairs:
            return ceil(self.stop_at_pairs / self.pairs_a_step)
        return ceil(self.epochs * ceil(pairs / self.pairs_a_step))

    def decay_steps(self, pairs: int) -> int:
        """Return over how many of the last steps the rate falls, if it is held before."""
        return max(1, round(self.decay_share * self.steps(pairs)))

    @model_validator(mode="after")
    def _stops_on_its_own_schedule(self) -> OptimConfig:
        if self.stop_at_pairs and self.schedule != "warmup_stable_decay":
            raise ValueError(
                f"stop_at_pairs needs schedule: warmup_stable_decay (got {self.schedule!r}): with another, the steps "
                "so far are not those of a shorter run"
            )
        return self


def _evaluates_by_steps(optim: OptimConfig) -> None:
    """Raise ValueError for points of a curve, which SFT alone acts on."""
    if optim.eval_at_pairs:
        raise ValueError("optim.eval_at_pairs is for SFT alone: give optim.eval_every here")


def _saves_what_it_evaluates(optim: OptimConfig) -> None:
    """Raise ValueError if a step is evaluated and not saved, for the best by validation loss is the run's adapter."""
    if not optim.eval_at_pairs and optim.eval_every != optim.save_every:
        raise ValueError(
            f"optim.eval_every ({optim.eval_every}) and optim.save_every ({optim.save_every}) have to be the same, so "
            "that the step with the lowest validation loss is one that is saved"
        )


class TrackingConfig(_Strict):
    """Where a run's curves are sent while it trains, besides its record: nowhere, or to Trackio.

    Trackio keeps them on this machine unless `space` names a Hugging Face Space
    ("owner/name"), which is made if need be, private if `private` says so.
    """

    to: Literal["none", "trackio"] = "none"
    project: str | None = None
    space: str | None = None
    private: bool | None = None

    @model_validator(mode="after")
    def _space_is_trackios(self) -> TrackingConfig:
        if self.space and self.to == "none":
            raise ValueError(f"space {self.space!r} is Trackio's: set to: trackio, or leave it out")
        return self


class EndingConfig(_Strict):
    """A second stage of fine-tuning, on short answers in prose alone, from the trained adapter on.

    A small model's greedy answers loop in lists and where they get long; this shows it, last of all, how answers end.
    The rate falls linearly to 0. `max_tokens` is of the whole conversation; pairs are drawn by the run's seed.
    """

    pairs: Annotated[int, Field(ge=1)]
    max_tokens: Annotated[int, Field(ge=32)]
    learning_rate: Annotated[float, Field(gt=0)]
    warmup_steps: Annotated[int, Field(ge=0)] = 3


class SFTRun(_Strict):
    """One supervised fine-tuning run."""

    model: str
    seed: int = 42
    loss_on: Literal["answer", "conversation"] = "conversation"
    # trl: the trainer as it is; lean: training/lean, the same losses in less time.
    loop: Literal["trl", "lean"] = "trl"
    base: BaseConfig = BaseConfig()
    lora: LoraConfig
    data: DataConfig = DataConfig()
    optim: OptimConfig
    ending: EndingConfig | None = None
    tracking: TrackingConfig = TrackingConfig()

    @model_validator(mode="after")
    def _saves_are_of_one_stage(self) -> SFTRun:
        if self.ending and self.optim.keep_saves:
            raise ValueError("keep_saves can't be used with an ending: saves are numbered within one stage")
        return self

    @model_validator(mode="after")
    def _can_keep_its_best(self) -> SFTRun:
        _saves_what_it_evaluates(self.optim)
        return self


class GenerationConfig(_Strict):
    """How GRPO's completions are sampled."""

    num_generations: Annotated[int, Field(ge=2)] = 4
    max_new_tokens: Annotated[int, Field(ge=8)] = 256
    temperature: Annotated[float, Field(gt=0)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    repetition_penalty: Annotated[float, Field(ge=1)] = 1.0
    use_vllm: bool = False


Weight = Annotated[float, Field(ge=0)]


class RewardsConfig(_Strict):
    """Weights of the rewards (`training.rewards`; 0 leaves one out), and bounds of two of them.

    `ease_enough` is the Flesch reading ease from which readability earns no more,
    `length_low` and `length_high` are in words. The default is the study's: its
    two rewards, equal weight.
    """

    readability: Weight = 1.0
    length: Weight = 1.0
    sentences: Weight = 0.0
    jargon: Weight = 0.0
    closeness: Weight = 0.0
    key_terms: Weight = 0.0
    f1: Weight = 0.0
    precision: Weight = 0.0
    supported: Weight = 0.0
    repetition: Weight = 0.0
    echo: Weight = 0.0
    ending: Weight = 0.0
    copied: Weight = 0.0
    grounded: Weight = 0.0
    ease_enough: Annotated[float, Field(gt=0, le=100)] = 100.0
    length_low: Annotated[int, Field(ge=1)] = 30
    # The study's report says 300, its script passes 3,000; the report's value is the default.
    length_high: Annotated[int, Field(ge=1)] = 300

    @property
    def weights(self) -> dict[str, float]:
        """The weights by the rewards' names."""
        return {name: value for name, value in self if name not in ("ease_enough", "length_low", "length_high")}

    @model_validator(mode="after")
    def _something_is_rewarded(self) -> RewardsConfig:
        if not any(self.weights.values()):
            raise ValueError("every weight is 0: give at least one reward a weight above 0")
        return self


class GRPORun(_Strict):
    """One GRPO run on top of an SFT adapter, or without `stacked_on` on the base itself."""

    model: str = "grpo"
    stacked_on: str | None = None
    seed: int = 42
    # trl: the trainer as it is; lean: training/lean, the same losses in less time.
    loop: Literal["trl", "lean"] = "trl"
    base: BaseConfig = BaseConfig()
    lora: LoraConfig
    data: DataConfig = DataConfig()
    optim: OptimConfig
    tracking: TrackingConfig = TrackingConfig()
    generation: GenerationConfig = GenerationConfig()
    rewards: RewardsConfig = RewardsConfig()
    loss_type: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = "dapo"
    kl_beta: Annotated[float, Field(ge=0)] = 0.2
    # group: every completion, by how far its reward is from its prompt's mean. best: rejection sampling, the best of
    # each prompt alone, as if it were a reference.
    learn_from: Literal["group", "best"] = "group"

    @model_validator(mode="after")
    def _rejection_sampling_is_leans(self) -> GRPORun:
        if self.learn_from == "best" and self.loop != "lean":
            raise ValueError("learn_from: best needs loop: lean (got 'trl'): TRL learns from whole groups alone")
        return self

    @model_validator(mode="after")
    def _evaluates_by_steps(self) -> GRPORun:
        _evaluates_by_steps(self.optim)
        return self

    @model_validator(mode="after")
    def _steps_are_of_whole_groups(self) -> GRPORun:
        step, group = self.optim.pairs_a_step, self.generation.num_generations
        if step % group:
            raise ValueError(
                f"optim.batch_size times optim.accumulation_steps ({step}) has to be a multiple of "
                f"generation.num_generations ({group}): a step learns from whole groups"
            )
        return self


class DPORun(_Strict):
    """One DPO run on preference pairs, on top of any model.

    `data` is what its test losses are measured on; its `train_pairs` and
    `val_pairs` count preference pairs to train on and to choose the best
    checkpoint by, and `max_tokens` bounds each of their conversations.
    """

    model: str = "dpo"
    stacked_on: str
    seed: int = 42
    preferences: Path = Path("data/preferences.jsonl")
    beta: Annotated[float, Field(gt=0)] = 0.1
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust", "apo_zero", "apo_down"] = "sigmoid"
    base: BaseConfig = BaseConfig()
    lora: LoraConfig
    data: DataConfig = DataConfig()
    optim: OptimConfig
    tracking: TrackingConfig = TrackingConfig()

    @model_validator(mode="after")
    def _can_keep_its_best(self) -> DPORun:
        _evaluates_by_steps(self.optim)
        _saves_what_it_evaluates(self.optim)
        return self


AnyRun = SFTRun | GRPORun | DPORun
Run = TypeVar("Run", bound=_Strict)
StageRun = TypeVar("StageRun", bound=AnyRun)


KINDS: dict[str, type[AnyRun]] = {"sft": SFTRun, "grpo": GRPORun, "dpo": DPORun}
"""The stages, which the names of configuration files begin with ("sft-r8-low.yaml")."""


def load_run(path: Path) -> AnyRun:
    """Return the run that a YAML file describes, its stage taken from the file's name; raises ConfigError."""
    stage = path.stem.partition("-")[0]
    if stage not in KINDS:
        raise ConfigError(
            f"Configuration {path}: its name has to begin with the stage that it is for ({', '.join(KINDS)}), "
            f"as in {next(iter(KINDS))}-mine.yaml.{suggestion(stage, KINDS)}"
        )
    return load_config(path, KINDS[stage])


def load_config(path: Path, kind: type[Run]) -> Run:
    """Return the run that a YAML file describes; raises ConfigError naming file, key, value and remedy."""
    raw = read_yaml(path, f"Configuration {path}", ConfigError)
    if not isinstance(raw, dict):
        raise ConfigError(f"Configuration {path} has to hold keys and values, not {type(raw).__name__}.")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"Configuration {path}: " + "; ".join(_explain(e, kind) for e in error.errors())) from error


def _explain(error: Any, kind: type[BaseModel]) -> str:
    """Turn one of pydantic's errors into a sentence; an unknown key names the near one at its level."""
    if not error["loc"]:  # a rule about several keys: its sentence names them
        return str(error["msg"]).removeprefix("Value error, ")
    *parents, key = error["loc"]
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg']} (got {error.get('input')!r})"
    level: type[BaseModel] = kind
    for parent in parents:
        annotation: Any = level.model_fields[str(parent)].annotation
        level = next((one for one in get_args(annotation) if one is not type(None)), annotation)  # X, or X | None
    near = suggestion(str(key), level.model_fields)
    return f"unknown key {where!r}." + (near or f" Known here: {', '.join(level.model_fields)}.")
