"""Answers on this machine: one base in memory, every model of the profile in one batch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.engine.loading import LoadOnce
from medilite.engine.local.calls import Call
from medilite.engine.local.scheduler import Runner, Scheduler
from medilite.engine.protocol import Availability, Occupancy
from medilite.engine.validate import check_context, check_plain, checked
from medilite.engine.wording import Wording
from medilite.errors import EngineError, ModelUnavailableError
from medilite.machine import usable_cpus
from medilite.models import ModelSpec, Profile
from medilite.processor import computed_in, lacking
from medilite.progress import LoadProgress, ProgressCallback
from medilite.prompts import answer_ids, opening_ids, prompt_ids
from medilite.records import Decoding, Message, Request, Step
from medilite.settings import Settings
from medilite.weights import ensure_adapter, ensure_base

if TYPE_CHECKING:
    from medilite.engine.local.adapters import Adapter
    from medilite.engine.local.batch import Batch

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    llama: Any
    tokenizer: Any
    stop_ids: frozenset[int]
    scheduler: Scheduler
    availability: dict[str, Availability]
    wording: Wording
    exact_rows: bool
    """Whether rows are exact to the last bit, so that calls share one batch: the engine with compiled code."""


class LocalEngine:
    """The engine on this machine's CPU or GPU; see protocol.Engine for what each method promises.

    With `endless` an answer runs to its limit, past end tokens: for measuring
    only.
    """

    def __init__(self, profile: Profile, settings: Settings, *, endless: bool = False) -> None:
        self._profile, self._settings, self._endless = profile, settings, endless
        self._bringing = threading.Lock()
        self._once = LoadOnce(self._load_all, "Waiting to load the model", "The model could not be loaded")

    def load(self, on_progress: ProgressCallback | None = None) -> None:
        """Fetch and load everything; blocks until that is done, or raises WeightsError."""
        self._once.get(on_progress)

    def progress(self) -> LoadProgress:
        """Return the loading progress."""
        return self._once.progress

    def availability(self) -> Mapping[str, Availability]:
        """Return, by model id, whether each model can answer."""
        return dict(self._once.get().availability)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the prompt's length in tokens."""
        return len(prompt_ids(self._once.get().tokenizer, messages))

    def context_length(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        return self._once.get().llama.shape.context

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        """Yield steps until every request has stopped."""
        requests = [self._between(request) for request in checked(self._profile, requests)]
        loaded = self._once.get()
        if not loaded.exact_rows:
            check_plain(requests, "an engine that computes in floating point", strengths=True)
        # Most calls ask one thing of all models.
        asked = {messages: prompt_ids(loaded.tokenizer, messages) for messages in {r.messages for r in requests}}
        answers = [_answer_ids(loaded, request) for request in requests]
        whole = [[*asked[r.messages], *r.begun, *answer] for r, answer in zip(requests, answers, strict=True)]
        for request, ids in zip(requests, whole, strict=True):
            check_context(request, len(ids), loaded.llama.shape.context)
        slots = loaded.scheduler.occupancy().slots
        if requests[0].divergence and slots is not None and len(requests) > slots:
            raise EngineError(
                f"{len(requests)} models can't be compared at once: the engine has {slots} slots. Compare fewer, or set"
                f" MEDILITE_SLOTS={len(requests)}."
            )
        errors = [self._why_unavailable(loaded, request) for request in requests]
        prompts = [None if error else ids for error, ids in zip(errors, whole, strict=True)]
        # One array for all models that answer one question from one passage.
        sourced = {(r.passage, r.messages[-1].content) for r in requests if r.passage}
        shifts = {key: loaded.wording.shifts(*key) for key in sourced}
        rows = [shifts.get((r.passage, r.messages[-1].content)) for r in requests] if shifts else ()
        yield from self._answer(loaded, Call(requests, prompts, errors, [len(answer) for answer in answers], rows))

    def _why_unavailable(self, loaded: _Loaded, request: Request) -> str | None:
        models = (request.model, *([request.other] if request.other else []))
        # An adapter that was brought is not among them: it was read before it got its name.
        states = [loaded.availability[model] for model in models if model in loaded.availability]
        return next((state.reason for state in states if state.reason), None)

    def _between(self, request: Request) -> Request:
        """Return the request with `other` where its strength needs it, without both where it means one model.

        Raises EngineError if the base alone is asked for in a strength.
        """
        if request.scored is not None:
            request = replace(request, decoding=Decoding(max_new_tokens=1))
        if request.strength == 1:
            return replace(request, other="") if request.other else request
        other = request.other
        if not other:
            chain = self._profile.chain(request.model)
            if not chain:
                raise EngineError(
                    f"{request.model} has no adapter, so strength={request.strength:g} means nothing: name `other`."
                )
            base = self._profile.base_model
            other = chain[-1].stacked_on or (base.id if base else "")
        if other and (request.strength == 0 or other == request.model):
            return replace(request, model=other, other="", strength=1.0)
        return replace(request, other=other)

    def occupancy(self) -> Occupancy | None:
        """Return how many calls wait and how many answers are being written."""
        loaded = self._once.loaded
        return loaded.scheduler.occupancy() if loaded else None

    def bring(self, spec: ModelSpec) -> None:
        """Add an adapter while answers are running; see protocol.TakesAdapters."""
        from medilite.engine.local.adapters import read_adapter

        loaded = self._once.get()
        if not loaded.exact_rows:
            raise EngineError(
                "An engine that computes in floating point can't add adapters. Use MEDILITE_PRECISION=int8"
                " or int4, on a CPU."
            )
        if spec.stacked_on and (why := loaded.availability[spec.stacked_on].reason):
            raise ModelUnavailableError(f"{spec.label} can't be stacked on {spec.stacked_on}: {why}")
        own = read_adapter(ensure_adapter(self._profile, spec), loaded.llama.shape, spec.label)
        with self._bringing:  # or one of two that come at once is lost
            loaded.llama.bank.add(spec.id, spec.stacked_on, own)
            self._profile = self._profile.model_copy(update={"models": (*self._profile.models, spec)})

    def let_go(self, model: str) -> None:
        """Forget an adapter that was brought."""
        loaded = self._once.loaded
        with self._bringing:
            if loaded and loaded.llama.bank.remove(model):
                kept = tuple(spec for spec in self._profile.models if spec.id != model)
                self._profile = self._profile.model_copy(update={"models": kept})

    def close(self) -> None:
        """Stop within one step and free everything; running calls get EngineError.

        The engine can be loaded again after it.
        """
        loaded = self._once.let_go()
        if loaded is not None:
            loaded.scheduler.close()
            if hasattr(loaded.llama, "close"):
                loaded.llama.close()

    def _answer(self, loaded: _Loaded, call: Call) -> Iterator[Step]:
        """Yield the steps of a call that has been checked."""
        return loaded.scheduler.stream(call)

    def _load_all(self, report: ProgressCallback) -> _Loaded:
        report(LoadProgress("Looking for the weights", 0.0))
        folder = ensure_base(self._profile, self._settings, report)
        report(LoadProgress("Starting the engine", None))
        import torch

        from medilite.engine.local.adapters import read_adapter
        from medilite.engine.shape import LlamaShape
        from medilite.engine.tokenizer import BaseTokenizer

        # PyTorch knows the machine's processors, and not a container's limit.
        torch.set_num_threads(self._settings.threads or min(torch.get_num_threads(), usable_cpus()))
        tokenizer = BaseTokenizer(folder)
        shape = LlamaShape.read(folder)
        chains: dict[str, list[Adapter]] = {}
        availability: dict[str, Availability] = {}
        read: dict[str, Adapter] = {}
        for spec in self._profile.every:
            report(LoadProgress(f"Loading {spec.label}", None))
            try:
                for link in self._profile.chain(spec.id):
                    if link.id not in read:
                        read[link.id] = read_adapter(ensure_adapter(self._profile, link, report), shape, link.id)
                chains[spec.id] = [read[link.id] for link in self._profile.chain(spec.id)]
                availability[spec.id] = Availability(True)
            except ModelUnavailableError as error:
                availability[spec.id] = Availability(False, str(error))
                log.warning("%s", error)
        report(LoadProgress("Loading the base", None))
        # Any control token ends an answer: after one, what follows is no part of it.
        control = (i for i, token in tokenizer.added_tokens_decoder.items() if token.special)
        stop_ids = frozenset(() if self._endless else control)
        in_floats = (numbers := computed_in(self._settings)) in ("float32", "bfloat16")
        if numbers == "float32" != self._settings.precision:
            log.warning("%s, which int8 needs: answers come in float32, slower.", lacking())
        if not in_floats:
            llama, runner = self._int8(folder, chains, tokenizer, stop_ids, report)
        else:
            llama, runner = self._floats(folder, chains, tokenizer, stop_ids)
        wording = Wording(tokenizer, shape.vocabulary)
        return _Loaded(llama, tokenizer, stop_ids, Scheduler(runner), availability, wording, not in_floats)

    def _floats(
        self, folder: Path, chains: dict[str, list[Adapter]], tokenizer: Any, stop_ids: frozenset[int]
    ) -> tuple[Any, Runner]:
        """Return the model in floating point, and the runner that takes calls one after another."""
        from medilite.engine.local.batch import OneByOne

        llama, begin = float_batches(folder, chains, tokenizer, stop_ids)
        return llama, OneByOne(begin)

    def _int8(
        self, folder: Path, chains: dict[str, list[Adapter]], tokenizer: Any, stop_ids: frozenset[int],
        report: ProgressCallback,
    ) -> tuple[Any, Runner]:  # fmt: skip
        """Return the model in int8 and the batch that calls join and leave as they come."""
        import torch

        from medilite.engine.local.int8_llama import Int8Llama
        from medilite.engine.local.memory import usual_slots
        from medilite.engine.local.running import RunningBatch

        keep_in = self._settings.cache_dir.expanduser() / "int8"
        bits = 4 if self._settings.precision == "int4" else 8

        def making(share: float) -> None:
            report(LoadProgress(f"Packing the base into {bits} bits for this CPU (once)", share))

        llama = Int8Llama(folder, chains, torch.get_num_threads(), keep_in, bits, making)
        report(LoadProgress("Compiling for this CPU (once)", None))
        llama.warm_up()
        slots = self._settings.slots or usual_slots(llama.shape)
        batch = RunningBatch(llama, tokenizer, stop_ids, slots, chains, opening_ids(tokenizer))
        return llama, batch


def _answer_ids(loaded: _Loaded, request: Request) -> list[int]:
    """Return the tokens of an answer that is scored, none where one is written; raises EngineError for odd ones."""
    given, known = request.scored, loaded.llama.shape.vocabulary
    for token in (*request.begun, *(given if isinstance(given, tuple) else ())):
        if not 0 <= token < known:
            raise EngineError(f"Token {token} can't be used: the model knows those from 0 to {known - 1:,}.")
    if given is None:
        return []
    return answer_ids(loaded.tokenizer, given) if isinstance(given, str) else list(given)


def float_batches(
    folder: Path, chains: dict[str, list[Adapter]], tokenizer: Any, stop_ids: frozenset[int]
) -> tuple[Any, Callable[[Call], Batch]]:
    """Return the model in floating point, on a GPU where there is one, and what makes a batch of a call."""
    import torch

    from medilite.engine.local.adapters import AdapterBank
    from medilite.engine.local.batch import Batch
    from medilite.engine.local.llama import Llama

    on_gpu = torch.cuda.is_available()
    device, dtype = (torch.device("cuda"), torch.bfloat16) if on_gpu else (torch.device("cpu"), torch.float32)
    llama = Llama(folder, device, dtype)
    bank = AdapterBank(llama.shape, chains, device, dtype)
    return llama, lambda call: Batch(llama, bank, tokenizer, stop_ids, call)
