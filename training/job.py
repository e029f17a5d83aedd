"""One run: what it starts from, the folders of its checkpoints and adapter, and whether it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from medilite.checkpoints import WEIGHTS_FILE, read_record
from medilite.data import FOLDERS, data_fingerprint
from medilite.errors import ModelUnavailableError
from medilite.models import ROOT, Profile, load_profile
from medilite.settings import load_settings
from medilite.weights import ensure_adapter
from training.config import AnyRun
from training.inputs import Inputs, base_identity, digest, training_inputs, why_unfinished
from training.pairs import DRAW_SEED


@dataclass(frozen=True)
class Job:
    """A run and everything it needs that can be known without loading a library or a model.

    `data` is the fingerprint of the splits, `parents` are the folders of the adapters under the new one, lowest first,
    and `work_dir` belongs to these inputs alone: a run never resumes from checkpoints of other data or another
    configuration, which are still there if these are used again.
    """

    run: AnyRun
    profile: Profile
    data_dir: Path
    data: str
    base: str
    parents: tuple[Path, ...]
    inputs: Inputs
    runs: Path
    work_dir: Path
    out: Path

    @classmethod
    def of(
        cls,
        run: AnyRun,
        data_dir: Path | None = None,
        runs: Path = Path("runs"),
        adapters: Path | None = None,
        out: Path | None = None,
        data: str | None = None,
    ) -> Job:
        """Collect everything; raises DataError, WeightsError or ModelUnavailableError if something is missing.

        Adapters are read from and written to `adapters`/MODEL; without it they are read from the profile's folders and
        written to `placed`'s folder. For a plan without the splits `data` is their fingerprint.
        """
        profile, settings = load_profile(run.base.profile, with_absent=True), load_settings()
        data_dir = data_dir or run.data.dir
        data, base = data or data_fingerprint(data_dir, run.data.splits), base_identity(profile, settings)
        stacked_on = getattr(run, "stacked_on", None)
        chain = profile.chain(stacked_on) if stacked_on else ()
        parents = tuple(_in(adapters, spec.id) if adapters else ensure_adapter(profile, spec) for spec in chain)
        inputs = training_inputs(run, base, data, parents)
        runs = runs / profile.name
        return cls(
            run=run,
            profile=profile,
            data_dir=data_dir,
            data=data,
            base=base,
            parents=parents,
            inputs=inputs,
            runs=runs,
            work_dir=runs / run.model / digest(inputs),
            out=out or (adapters / run.model if adapters else placed(profile, run.model)),
        )

    @property
    def splits(self) -> Path:
        """The folder of the set of splits that the run uses."""
        return self.data_dir / FOLDERS[self.run.data.splits]

    @property
    def whole_run_dir(self) -> Path:
        """The folder of checkpoints of the same run without an early stop."""
        whole = self.run.model_copy(update={"optim": self.run.optim.model_copy(update={"stop_at_pairs": None})})
        return self.work_dir.parent / digest(training_inputs(whole, self.base, self.data, self.parents))

    @property
    def before_ending(self) -> Job:
        """The first stage of a run with an ending: its adapter is beside its checkpoints."""
        run = self.run.model_copy(update={"ending": None})
        inputs = training_inputs(run, self.base, self.data, self.parents)
        work_dir = self.work_dir.parent / digest(inputs)
        return replace(self, run=run, inputs=inputs, work_dir=work_dir, out=work_dir / "adapter")

    def why_untrained(self) -> str | None:
        """Return why the adapter has to be trained, in words; None if it is trained."""
        return why_unfinished(self.out, self.inputs, self.run)

    def why_unmeasured(self) -> str | None:
        """Return why the test losses have to be measured, in words; None if they are in the record.

        Losses are of answers without a passage, which says nothing of a model that answers from one.
        """
        if self.run.data.passages:
            return None
        record = read_record(self.out) or {}
        if "test_loss" not in record:
            return "not measured yet"
        return None if record.get("tested_on") == self.test_key else "measured on other pairs"

    def why_unfinished(self) -> str | None:
        """Return what is left to do, and why, in words; None if the adapter is there and measured."""
        if why := self.why_untrained():
            return f"to be trained ({why})"
        why = self.why_unmeasured()
        return f"test losses to be measured ({why})" if why else None

    @property
    def test_key(self) -> str:
        """A digest of what the test losses are measured on; they are measured again when it changes."""
        data = self.run.data
        draw = None if data.test_pairs is None else [data.test_pairs, DRAW_SEED]
        form = [self.base, self.run.base.quantize_4bit, self.run.base.dtype, self.run.base.products]
        return digest([self.data, data.splits, data.max_tokens, draw, form])


def _in(adapters: Path, model: str) -> Path:
    if not (adapters / model / WEIGHTS_FILE).is_file():
        raise ModelUnavailableError(
            f"{model}: no adapter in {adapters / model}, so nothing can be stacked on it. Train it first."
        )
    return adapters / model


def placed(profile: Profile, model: str) -> Path:
    """Return the folder of a finished adapter: the profile's folder for it, or assets/adapters/PROFILE/MODEL."""
    if (spec := profile.find(model)) and spec.adapter is not None:
        where = profile.adapter_path(spec)
        if isinstance(where, Path):
            return where
    return ROOT / "assets" / "adapters" / profile.name / model
