"""Several questions in the engine at once: one thread a call, each with all models in one stream.

An engine that batches across calls keeps every row busy with a question a call.
One that runs calls one after another wants several questions in each.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from eval.progress import Pace
from eval.questions import Question
from medilite.cli.terminal import progress_line
from medilite.engine import Engine
from medilite.engine.protocol import collect
from medilite.errors import EngineError, QuestionError
from medilite.records import Answer, Decoding, Request, Step

_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's answers that came, and the others as (qid, model, reason)."""

    question: Question
    answers: tuple[Answer, ...]
    failures: tuple[tuple[str, str, str], ...]


Todo = Sequence[tuple[Question, Sequence[str]]]
"""Questions, each with the models that have to answer it."""


def ask_all(
    engine: Engine, todo: Todo, decoding: Decoding, seed: int, at_once: int, pace: Pace, together: int = 1
) -> Iterator[Answered]:
    """Yield each question's answers as it ends, `at_once` calls at a time; progress goes to stderr.

    A call asks `together` questions, which end together: more than one for an engine that answers one call at a time. A
    row that fails, or a question that the model has no room for, is among the failures. An engine that fails raises
    EngineError. Running calls are cancelled when the caller leaves.
    """
    tasks = (todo[start : start + together] for start in range(0, len(todo), together))
    taking = threading.Lock()
    results: queue.SimpleQueue[Answered | BaseException] = queue.SimpleQueue()
    leaving = threading.Event()

    def steps(requests: Sequence[Request]) -> Iterator[Step]:
        before = 0
        for step in engine.stream(requests):
            if leaving.is_set():
                return  # closes the engine's iterator, which frees its rows
            if not step.waiting:
                now = sum(row.tokens for row in step.rows)
                pace.generated(now - before)
                before = now
            yield step

    def work() -> None:
        while not leaving.is_set():
            with taking:
                task = next(tasks, None)
            if task is None:
                return
            try:
                for answered in _ask(task, decoding, seed, steps):
                    results.put(answered)
            except BaseException as error:
                results.put(error)
                return

    workers = [threading.Thread(target=work, name=f"eval-{i}", daemon=True) for i in range(min(at_once, len(todo)))]
    for worker in workers:
        worker.start()
    try:
        with progress_line() as say:
            for _ in todo:
                while True:
                    say(pace.line())
                    try:
                        result = results.get(timeout=_POLL_S)
                        break
                    except queue.Empty:
                        continue
                if isinstance(result, BaseException):
                    raise result
                yield result
    finally:
        leaving.set()
        for worker in workers:
            worker.join(timeout=60)


def _ask(
    task: Todo, decoding: Decoding, seed: int, stream: Callable[[Sequence[Request]], Iterator[Step]]
) -> list[Answered]:
    """Ask questions in one call."""
    of = [
        [Request(model, q.messages, decoding, seed, passage=q.passage or "") for model in models] for q, models in task
    ]
    requests = [request for each in of for request in each]
    try:
        answers = collect(requests, stream(requests))
    except QuestionError as error:
        if len(task) > 1:  # one of them: the others are asked without it
            return [answered for one in task for answered in _ask([one], decoding, seed, stream)]
        question = task[0][0]
        return [Answered(question, (), tuple((question.qid, request.model, str(error)) for request in requests))]
    if len(answers) != len(requests):
        raise EngineError("The engine ended without an answer. Run the command again: what is written stays.")
    taken = iter(answers)
    return [_sorted(question, [next(taken) for _ in each]) for (question, _), each in zip(task, of, strict=True)]


def _sorted(question: Question, answers: Sequence[Answer]) -> Answered:
    good = tuple(answer for answer in answers if answer.stopped in ("end", "length"))
    bad = tuple((question.qid, a.model, a.error or a.stopped) for a in answers if a not in good)
    return Answered(question, good, bad)
