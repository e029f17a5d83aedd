"""The rows of many calls in one running batch, which they join and leave between steps: the int8 engine's way.

A step puts one token of every decoding row through the layers and, beside them, a piece of the prompts still in
prefill. All of it is one call of the compiled forward pass, so a piece costs what its tokens cost. The rows of a call
start decoding together, once the prompt of each is read, and stay in step. A row's result is the same to the last bit
whichever rows share its steps and however its prompt is cut.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from medilite.engine.detokenize import IncrementalText
from medilite.engine.local.calls import Call
from medilite.engine.local.divergence import bits_apart
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.memory import USUAL_POSITIONS
from medilite.engine.local.pages import pages_for
from medilite.engine.local.prefixes import Prefixes, shared_whole
from medilite.engine.local.sampling import SeedNoise, SlotSampler
from medilite.engine.native.arrays import Tokens
from medilite.engine.native.choose import likelihoods
from medilite.errors import EngineError
from medilite.records import Request, RowStep, TokenScore

READ_ALONE = 256
"""Prompt tokens of a step in which no row decodes."""

READ_BESIDE = 64
"""Prompt tokens of a step in which rows decode: it takes about as long as a step of 64 more rows."""

KEPT_SHARE = 1 / 3
"""Share of the pages that the prefixes of visitors who are not being answered may hold."""


@dataclass(eq=False, slots=True)
class _Row:
    """One request that has not stopped: `tokens` are its prompt and what it wrote, the first `filled` in its pages.

    It is in prefill until its prompt and those of the rows that began with it are read; then it decodes.
    """

    number: int
    slot: int
    model: int
    request: Request
    tokens: list[int]
    prompt: int
    filled: int
    pages: list[int]
    text: IncrementalText
    writing: bool = False
    scores: tuple[TokenScore, ...] = ()
    running: _Running | None = None

    @property
    def scoring(self) -> bool:
        """Whether its tokens are an answer that is scored, from `prompt` on, instead of written."""
        return self.request.scored is not None

    @property
    def unread(self) -> int:
        """How many tokens have to go through the layers before the next one is known."""
        return len(self.tokens) - self.filled


@dataclass(eq=False, slots=True)
class _Running:
    """A call in the batch: its rows' latest steps, the numbers of those that wait for a slot, and its living rows."""

    call: Call
    steps: list[RowStep]
    pending: list[int]
    rows: list[_Row] = field(default_factory=list)

    @property
    def reading(self) -> list[_Row]:
        """Rows whose prompts are not read yet."""
        return [row for row in self.rows if not row.writing]


class RunningBatch:
    """All calls that are being answered, in at most `slots` rows: a `scheduler.Runner`.

    Pages for `slots` rows of USUAL_POSITIONS are reserved, and at least as many as one row of the whole context needs.
    `opening` are the tokens that every conversation begins with; they are read once, here.
    """

    def __init__(
        self,
        llama: Int8Llama,
        tokenizer: Any,
        stop_ids: frozenset[int],
        slots: int,
        models: Iterable[str],
        opening: Sequence[int] = (),
    ) -> None:
        self._llama, self._tokenizer, self._stop_ids = llama, tokenizer, stop_ids
        self._slots, self._free_slots = slots, list(range(slots))
        shape = llama.shape
        models = list(models)
        # One more than a row of the whole context, for the page that it copies its beginning from.
        usual = max(slots * pages_for(min(USUAL_POSITIONS, shape.context)), pages_for(shape.context) + 1)
        self._pool = llama.pool
        self._pool.reserve(usual + len(models) * pages_for(len(opening)))
        self._prefixes = Prefixes(self._pool, int(usual * KEPT_SHARE))
        self._edition = llama.bank.edition
        self._sampler = SlotSampler(slots, shape.vocabulary, shape.context)
        self._tables = np.zeros((slots, pages_for(shape.context)), np.int32)
        self._logits = np.empty((slots, shape.vocabulary), np.float32)
        self._scored: np.ndarray | None = None  # logits of answers that are scored, while there are any
        self._calls: list[_Running] = []
        self._texts: dict[int, str] = {}
        if opening:
            places = [llama.bank.place(model) for model in models]
            self._read_opening([place for place in places if place is not None], list(opening))

    # -- the scheduler's side --------------------------------------------------------

    def join(self, call: Call) -> bool:
        """Take the call in if there is room for all its rows.

        A call that is larger than the whole batch joins when it is alone; its rows then begin as slots get free. Raises
        EngineError for one whose rows are compared: those that begin later would be left out of the comparison.
        """
        if any(running.pending for running in self._calls):
            return False
        running = _Running(call, call.beginnings(), [i for i, p in enumerate(call.prompts) if p is not None])
        alone = not any(other.rows for other in self._calls)
        self._forget_old_adapters()
        if not self._fits(running):
            if not alone:
                return False
            if call.requests[0].divergence:
                raise EngineError(
                    f"{len(running.pending)} models can't be compared at once: question and answer are too long for the"
                    " engine's memory. Ask a shorter question, compare fewer, or set MEDILITE_SLOTS to more than"
                    f" {self._slots}."
                )
        self._calls.append(running)
        self._begin_pending(running)
        return True

    def step(self) -> list[tuple[Call, tuple[RowStep, ...]]]:
        """Advance every decoding row by one token, and read a piece of the prompts of the others."""
        for running in self._calls:
            running.steps = [RowStep("", step.tokens, step.stopped, step.error) for step in running.steps]
            if running.pending:
                self._begin_pending(running)
        self._advance()
        self._end_scored()
        return [(running.call, tuple(running.steps)) for running in self._calls]

    def drop(self, call: Call) -> None:
        """Free the slots and pages of a call's rows; their prefixes are kept for their visitor."""
        for running in [running for running in self._calls if running.call is call]:
            self._calls.remove(running)
            for row in list(running.rows):
                self._free(running, row)

    def tidy(self) -> None:
        """Drop prefixes that have been kept for long."""
        self._prefixes.tidy()

    def occupied(self) -> tuple[int, int | None]:
        """Return (slots that rows have, all slots)."""
        return self._slots - len(self._free_slots), self._slots

    @property
    def free_slots(self) -> int:
        """Slots that no row has."""
        return len(self._free_slots)

    # -- rows come and go ------------------------------------------------------------

    def _fits(self, running: _Running) -> bool:
        """Return whether all pending rows of a call can begin now, dropping prefixes of others if need be."""
        if len(running.pending) > len(self._free_slots):
            return False
        if not self._llama.bank.has_room_for((self._asked(running, n)[0] for n in running.pending), self._busy()):
            return False
        shared: list[int] = []
        needed = 0
        for number in running.pending:
            request, prompt = self._asked(running, number)
            found, pages = self._prefixes.find(request.visitor, self._place(request), self._before(running, number))
            needed += pages_for(len(prompt) + request.decoding.max_new_tokens) - shared_whole(found)
            shared += pages
        self._pool.share(shared)  # so that making room does not drop these
        try:
            return self._prefixes.make_room(needed)
        finally:
            self._pool.give_back(shared)

    def _begin_pending(self, running: _Running) -> None:
        """Begin as many rows as fit."""
        # Rows that begin now stay in step, so those of one seed share its noise; later ones get their own.
        noise: dict[tuple[int, int], SeedNoise] = {}
        while running.pending and self._free_slots and self._begin(running, running.pending[0], noise):
            running.pending.pop(0)

    def _begin(self, running: _Running, number: int, noise: dict[tuple[int, int], SeedNoise]) -> bool:
        request, prompt = self._asked(running, number)
        model = self._place(request)
        found, kept = self._prefixes.find(request.visitor, model, self._before(running, number))
        whole = shared_whole(found)
        needed = pages_for(len(prompt) + request.decoding.max_new_tokens) - whole
        self._pool.share(kept)
        if not self._prefixes.make_room(needed):
            self._pool.give_back(kept)
            return False
        own = self._pool.take(needed)
        if len(kept) > whole:
            # The last page is not full, and the row will write to it: it gets a copy.
            self._pool.copy(kept[whole], own[0])
            self._pool.give_back(kept[whole:])
        pages = [*kept[:whole], *own]
        slot = heapq.heappop(self._free_slots)
        row = _Row(
            number,
            slot,
            model,
            request,
            list(prompt),
            len(self._before(running, number)),
            found,
            pages,
            IncrementalText(self._tokenizer, request.begun),
            running=running,
        )
        # From here on dropping the call releases slot and pages, should the rest fail.
        running.rows.append(row)
        self._tables[slot, : len(pages)] = pages
        key = (request.seed, len(request.begun))
        if request.decoding.temperature and key not in noise:
            noise[key] = SeedNoise(request.seed, self._llama.shape.vocabulary)
        shifts = running.call.shifts[number] if running.call.shifts else None
        self._sampler.put(slot, request.decoding, prompt, noise.get(key), len(request.begun), shifts)
        return True

    def _asked(self, running: _Running, number: int) -> tuple[Request, list[int]]:
        prompt = running.call.prompts[number]
        assert prompt is not None
        return running.call.requests[number], prompt

    def _before(self, running: _Running, number: int) -> list[int]:
        """Return what comes before the answer."""
        prompt, scored = self._asked(running, number)[1], running.call.scored
        return prompt[: len(prompt) - scored[number]] if scored else prompt

    def _place(self, request: Request) -> int:
        """Return the place of a request's model in the bank; mixes, and models that were brought, get one on demand."""
        if request.strength == 1 and (place := self._llama.bank.place(request.model)) is not None:
            return place
        place, replaced = self._llama.bank.between(request.other, request.model, request.strength, self._busy())
        if replaced:
            self._prefixes.forget(place)
        return place

    def _busy(self) -> set[int]:
        """Return the places in the bank that rows use."""
        return {row.model for running in self._calls for row in running.rows}

    def _free(self, running: _Running, row: _Row) -> None:
        running.rows.remove(row)
        heapq.heappush(self._free_slots, row.slot)
        try:
            if self._edition == self._llama.bank.edition:
                self._prefixes.keep(row.request.visitor, row.model, row.tokens[: row.filled], row.pages)
        finally:
            self._pool.give_back(row.pages)

    def _forget_old_adapters(self) -> None:
        if self._edition != self._llama.bank.edition:
            self._prefixes.clear()
            self._edition = self._llama.bank.edition

    def _end_scored(self) -> None:
        """End the rows whose answers are scored to the end."""
        for running in self._calls:
            for row in [row for row in running.rows if row.scoring and row.unread == 1]:
                running.steps[row.number] = RowStep("", len(row.scores), "end", scores=row.scores)
                self._free(running, row)
        if not any(row.scoring for running in self._calls for row in running.rows):
            self._scored = None

    # -- a step ----------------------------------------------------------------------

    def _advance(self) -> None:
        """Put the step's tokens through the layers and give each decoding row its next token."""
        writing = any(row.writing for running in self._calls for row in running.rows)
        pieces = self._read(READ_BESIDE if writing else READ_ALONE)
        writers = [(running, row) for running in self._calls for row in running.rows if row.writing]
        parts = [(row, row.unread) for _, row in writers]
        if parts or pieces:
            self._compute([*parts, *pieces], len(parts))
        if not writers:
            return
        slots = np.array([row.slot for _, row in writers], np.int32)
        asking = [place for place, (_, row) in enumerate(writers) if row.request.alternatives is not None]
        # Choosing works on the logits in place.
        raw = self._logits[asking] if asking else None
        chosen = self._sampler.choose(self._logits[: len(writers)], slots)
        for place, ((running, row), token) in enumerate(zip(writers, chosen.tolist(), strict=True)):
            scores: tuple[TokenScore, ...] = ()
            if raw is not None and place in asking and token >= 0:
                scores = self._scores(raw[[asking.index(place)]], [token], row.request.alternatives or 0)
            self._take(running, row, token, scores)

    def _read(self, budget: int) -> list[tuple[_Row, int]]:
        """Start decoding rows whose prefill ends with this step; return pieces of other prompts: (row, tokens).

        The rows that have waited longest get half of the budget, however much they have to read; the rest goes to those
        that have least, so that a short question doesn't wait for a long conversation.
        """
        groups = [rows for running in self._calls if (rows := running.reading)]
        first, others = groups[:1], sorted(groups[1:], key=_unread)
        pieces: list[tuple[_Row, int]] = []
        for rows in [*first, *others]:
            allowed = -(-budget // 2) if others and rows in first else budget
            # A group's last tokens count as decoding, which no budget limits.
            if not rows[0].scoring and (left := _unread(rows)) <= max(allowed, len(rows)):
                for row in rows:
                    row.writing = True
                budget = max(budget - left, 0)
                continue
            taken = _pieces(rows, allowed)
            pieces += taken
            budget = max(budget - sum(piece for _, piece in taken), 0)
        return pieces

    def _compute(self, parts: Sequence[tuple[_Row, int]], wanted: int) -> None:
        """Put the next tokens of rows through the layers; logits are those after the first `wanted` parts."""
        counts = np.array([count for _, count in parts])
        ends = np.cumsum(counts)
        rows = np.repeat(np.array([row.slot for row, _ in parts], np.int32), counts)
        ids = [row.tokens[row.filled : row.filled + count] for row, count in parts]
        starts = np.array([row.filled for row, _ in parts])
        tokens = Tokens(
            np.array([token for some in ids for token in some], np.int32),
            (np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)).astype(np.int32),
            rows,
            np.repeat(np.array([row.model for row, _ in parts], np.int32), counts),
            self._tables,
            (ends[:wanted] - 1).astype(np.int32),
        )
        scored = [(row, start, count) for (row, count), start in zip(parts, ends - counts, strict=True) if row.scoring]
        if scored:
            self._compute_scores(tokens, wanted, scored)
        else:
            self._llama.run(tokens, self._logits[:wanted])
        for row, count in parts:
            row.filled += count

    def _compute_scores(self, tokens: Tokens, wanted: int, scored: Sequence[tuple[_Row, int, int]]) -> None:
        """The same where some rows, (row, its first token of the step, how many), have their answers scored."""
        # After the last token before the answer comes the answer's first, and so on.
        places = [
            np.arange(start + max(row.prompt - 1 - row.filled, 0), start + count, dtype=np.int32)
            for row, start, count in scored
        ]
        lines = wanted + sum(map(len, places))
        if self._scored is None or len(self._scored) < lines:
            self._scored = np.empty((lines, self._logits.shape[1]), np.float32)
        logits = self._scored[:lines]
        self._llama.run(tokens._replace(wanted=np.concatenate([tokens.wanted, *places])), logits)
        self._logits[:wanted] = logits[:wanted]
        first = wanted
        compared: dict[int, list[tuple[_Row, int, tuple[TokenScore, ...]]]] = {}
        for (row, start, _), at in zip(scored, places, strict=True):
            following = [row.tokens[row.filled + place - start + 1] for place in at.tolist()]
            found = self._scores(logits[first : first + len(at)], following, row.request.alternatives or 0)
            if row.request.divergence:
                compared.setdefault(id(row.running), []).append((row, first, found))
            else:
                row.scores += found
            first += len(at)
        for rows in compared.values():
            self._compare(rows, logits)

    def _compare(self, rows: Sequence[tuple[_Row, int, tuple[TokenScore, ...]]], logits: np.ndarray) -> None:
        """Give a call's rows, (row, its first line of the logits, scores), their scores and how far apart they are."""
        running = rows[0][0].running
        assert running is not None
        apart = [
            bits_apart(np.stack([logits[first + place] for _, first, _ in rows])) for place in range(len(rows[0][2]))
        ]
        for one, (row, _, scores) in enumerate(rows):
            compared = []
            for score, bits in zip(scores, apart, strict=True):
                of_requests: list[float | None] = [None] * len(running.steps)
                for other, (their, _, _) in enumerate(rows):
                    of_requests[their.number] = bits[one][other]
                compared.append(replace(score, bits=(*of_requests, bits[one][-1])))
            row.scores += tuple(compared)

    def _scores(self, logits: np.ndarray, tokens: Sequence[int], alternatives: int) -> tuple[TokenScore, ...]:
        """Return how likely tokens were, given the logits (tokens, vocabulary) at their places."""
        best, logs = (
            np.zeros((len(tokens), alternatives), np.int32),
            np.zeros((len(tokens), 1 + alternatives), np.float32),
        )
        likelihoods(np.ascontiguousarray(logits), np.array(tokens, np.int32), best, logs)
        return tuple(
            TokenScore(
                token, self._text_of(token), own,
                tuple((self._text_of(other), log) for other, log in zip(others, rest, strict=True)),
            )
            for token, others, (own, *rest) in zip(tokens, best.tolist(), logs.tolist(), strict=True)
        )  # fmt: skip

    def _text_of(self, token: int) -> str:
        # Every token scored has a dozen alternatives, mostly of the same few hundred.
        if token not in self._texts:
            self._texts[token] = str(self._tokenizer.decode([token], skip_special_tokens=False))
        return self._texts[token]

    def _take(self, running: _Running, row: _Row, token: int, scores: tuple[TokenScore, ...] = ()) -> None:
        """Give a row its next token or end it; a failure ends this row alone."""
        try:
            step = replace(self._next(row, token), scores=scores)
        except Exception as error:  # a tokenizer may raise anything, and the others continue
            step = RowStep("", len(row.tokens) - row.prompt, "error", f"the answer can't be read ({error})")
        running.steps[row.number] = step
        if step.stopped:
            self._free(running, row)

    def _next(self, row: _Row, token: int) -> RowStep:
        written = len(row.tokens) - row.prompt
        if token < 0:
            return RowStep(row.text.rest(), written, "error", "the model's output was not a number")
        if token in self._stop_ids:
            return RowStep(row.text.rest(), written, "end", ids=(token,))
        row.tokens.append(token)
        written += 1
        text = row.text.add(token)
        if written < row.request.decoding.max_new_tokens:
            return RowStep(text, written, ids=(token,))
        return RowStep(text + row.text.rest(), written, "length", ids=(token,))

    def _read_opening(self, models: Sequence[int], opening: list[int]) -> None:
        """Read the beginning of every conversation with each model and keep it for all visitors."""
        each = pages_for(len(opening))
        request = Request("", ())
        for first in range(0, len(models), len(self._free_slots)):
            rows = []
            for slot, model in enumerate(models[first : first + len(self._free_slots)]):
                pages = self._pool.take(each)
                self._tables[slot, :each] = pages
                rows.append(_Row(0, slot, model, request, opening, 0, 0, pages, IncrementalText(self._tokenizer)))
            self._compute([(row, len(opening)) for row in rows], 0)
            for row in rows:
                self._prefixes.keep_for_everybody(row.model, opening, row.pages)
                self._pool.give_back(row.pages)


def _pieces(rows: Sequence[_Row], allowed: int) -> list[tuple[_Row, int]]:
    """Return what rows of a call read in a step that doesn't end their prompts: (row, tokens), `allowed` in all.

    Rows that are compared read their answer in step, a token each at least.
    """
    if rows[0].request.divergence:
        behind = [row for row in rows if row.filled < row.prompt - 1]
        if not behind:
            piece = min(rows[0].unread - 1, max(allowed // len(rows), 1))
            return [(row, piece) for row in rows]
        lefts = [(row, row.prompt - 1 - row.filled) for row in behind]
    else:
        # The last token is held back: rows start decoding together.
        lefts = [(row, row.unread - 1) for row in rows]
    pieces = []
    for row, left in lefts:
        if (piece := min(left, allowed)) > 0:
            pieces.append((row, piece))
            allowed -= piece
    return pieces


def _unread(rows: Sequence[_Row]) -> int:
    """Return how many tokens rows have to read before they decode."""
    return sum(row.unread for row in rows)
