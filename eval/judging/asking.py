"""The loop: ask what is not yet in the store, several at a time, and write every reply down at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from eval.judging.asks import Ask
from eval.judging.client import JudgeClient, NotJudged, Reply
from eval.judging.prompt import once_more
from eval.judging.store import Judgment, Store
from eval.judging.verdicts import VerdictError, read_preference, read_scores
from medilite.errors import JudgeError, MediLiteError

OUTAGES = 3
"""This many asks in a row without a reply end the run: the server is gone, and all asks would fail."""


@dataclass
class Outcome:
    """The outcome of a run: asks without a reply and why, and what ended it early (None: nothing)."""

    left: list[tuple[Ask, str]] = field(default_factory=list)
    ended: MediLiteError | None = None


class Stopped(Exception):
    """The run is ending; waiting threads stop."""


class Stop:
    """Ends all waiting at once when a run ends."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """End the run."""
        self._event.set()

    def sleep(self, seconds: float) -> None:
        """Wait; raises Stopped if the run ends meanwhile."""
        if self._event.wait(seconds):
            raise Stopped


def to_ask(asks: Iterable[Ask], store: Store) -> list[list[Ask]]:
    """Return the asks that are not settled yet, those of one key together: each group costs one judgment at most."""
    groups: dict[str, list[Ask]] = {}
    for ask in asks:
        if not store.holds(ask):
            groups.setdefault(ask.key, []).append(ask)
    return list(groups.values())


def judge(
    groups: Sequence[Sequence[Ask]],
    store: Store,
    client: JudgeClient,
    data: str,
    *,
    stop: Stop,
    workers: int = 1,
    on_progress: Callable[[int], object] = lambda done: None,
) -> Outcome:
    """Have every group judged; `on_progress` gets the number of groups that are through.

    Ends early, with the reason, when the server takes no more asks. Interrupted
    (Ctrl+C), it writes the replies that are on their way, then raises the
    interrupt.
    """
    outcome, lock = Outcome(), threading.Lock()
    waiting = iter(groups)
    in_a_row = done = 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            running: dict[Future[None], Sequence[Ask]] = {}
            while True:
                while len(running) < workers and outcome.ended is None and (group := next(waiting, None)):
                    running[pool.submit(_settle, group, store, client, data, lock)] = group
                if not running:
                    return outcome
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    group = running.pop(future)
                    done += 1
                    on_progress(done)
                    try:
                        future.result()
                        in_a_row = 0
                    except NotJudged as error:
                        outcome.left += [(ask, str(error)) for ask in group]
                        in_a_row = in_a_row + 1 if error.outage else 0
                        if in_a_row >= OUTAGES and outcome.ended is None:
                            outcome.ended = JudgeError(f"The judge's server failed {in_a_row} asks in a row: {error}")
                            stop.set()
                    except MediLiteError as error:
                        outcome.ended = outcome.ended or error
                        stop.set()
                    except Stopped:
                        pass
        except BaseException:
            stop.set()
            raise


def _settle(group: Sequence[Ask], store: Store, client: JudgeClient, data: str, lock: threading.Lock) -> None:
    """Get the judgment of one key, going on from what the store has of it, and write it under every ask's name."""
    ask = group[0]
    with lock:
        latest = store.latest(ask.key)
    while latest is None or not latest.final:
        attempt = 1 if latest is None else latest.attempt + 1
        asked_at = datetime.now(UTC).isoformat(timespec="seconds")
        reply = client.ask(ask.subject.kind, ask.messages if attempt == 1 else once_more(ask.messages))
        latest = _judgment(ask, reply, attempt, asked_at, client, data)
        with lock:
            store.append(latest)
    with lock:
        others = [one for one in group if not store.holds(one)]
        store.append(*(latest.model_copy(update={**_named(one), "copied": True}) for one in others))


def _judgment(ask: Ask, reply: Reply, attempt: int, asked_at: str, client: JudgeClient, data: str) -> Judgment:
    read: dict[str, Any] = {"scores": None, "better": None, "problem": None}
    try:
        if ask.subject.kind == "scores":
            read["scores"] = read_scores(reply.raw).model_dump()
        else:
            better = read_preference(reply.raw).better
            shown = ("model", "versus") if ask.subject.order == "forward" else ("versus", "model")
            read["better"] = better if better == "tie" else shown[("first", "second").index(better)]
    except VerdictError as error:
        read["problem"] = str(error)
    return Judgment(
        **_named(ask),
        **read,
        attempt=attempt,
        raw=reply.raw,
        key=ask.key,
        copied=False,
        prompt=ask.prompt,
        judge=client.model,
        server=client.base_url,
        data=data,
        asked_at=asked_at,
        duration_s=round(reply.duration_s, 3),
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
    )


def _named(ask: Ask) -> dict[str, Any]:
    subject = ask.subject
    return {
        "kind": subject.kind,
        "split": subject.split,
        "qid": subject.qid,
        "model": subject.model,
        "versus": subject.versus,
        "order": subject.order,
        "answers": ask.answers,
    }
