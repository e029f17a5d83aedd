"""`python -m medilite ask`: have models answer one question."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from medilite import __version__
from medilite.answer_record import answer_record
from medilite.cli.terminal import Say, chosen, load_line, print_json, progress_line
from medilite.engine import open_engine
from medilite.engine.protocol import collect
from medilite.errors import EngineError, QuestionError
from medilite.models import ModelSpec, Profile
from medilite.prompts import clean_question, clean_text, question_messages
from medilite.readability import grade_word, measure, warm_up
from medilite.records import Answer, Decoding, Request, Step
from medilite.safety import NOT_MEDICAL_ADVICE, emergency_notice, noticed
from medilite.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Print every chosen model's answer, as text or JSON; return 1 if none could answer."""
    settings, profile = chosen(options)
    asked = _question_text(options.question)
    with noticed(asked):
        return _answer(clean_question(asked, settings.max_question_chars), profile, settings, options)


def _answer(question: str, profile: Profile, settings: Settings, options: argparse.Namespace) -> int:
    decoding = Decoding(options.max_new_tokens, options.temperature, options.top_p, options.repetition_penalty)
    specs = profile.select(options.models)
    requests = [Request(spec.id, question_messages(question), decoding, options.seed) for spec in specs]
    # Each answer says why its model is unavailable; a log line would only disturb the progress.
    logging.getLogger("medilite.engine").setLevel(logging.ERROR)
    with progress_line() as say:
        engine = open_engine(profile, settings)
        engine.load(lambda progress: say(load_line(progress)))
        answers = collect(requests, _watched(engine.stream(requests), decoding, say))
    if len(answers) != len(requests):
        raise EngineError("The engine ended without an answer. Try again; if it stays so, this is a bug.")
    if options.json:
        print_json(record(question, profile, decoding, options.seed, answers))
    else:
        print("\n".join(_as_text(question, specs, answers)))
    return 0 if any(answer.stopped != "error" for answer in answers) else 1


def record(question: str, profile: Profile, decoding: Decoding, seed: int, answers: Iterable[Answer]) -> dict[str, Any]:
    """Return what `--json` prints.

    An answer that failed before its first word has None for text, tokens and readability; one that broke off keeps
    what was written and has no scores. Both say why under `error`.
    """
    notice = emergency_notice(question)
    return {
        "question": question,
        "profile": profile.name,
        "answers": [_answer_record(answer) for answer in answers],
        "decoding": dataclasses.asdict(decoding),
        "seed": seed,
        "notice": NOT_MEDICAL_ADVICE,
        "emergency": dataclasses.asdict(notice) if notice else None,
        "version": __version__,
    }


def _answer_record(answer: Answer) -> dict[str, Any]:
    if answer.stopped == "error":
        # An answer that failed midway is kept and not scored: it is incomplete.
        return {**answer_record(answer, None), "tokens": answer.tokens if answer.text else None}
    return answer_record(answer, measure(answer.text))


def _question_text(argument: str) -> str:
    if argument != "-":
        return argument
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise QuestionError(f"The question on standard input is not UTF-8 text (byte {error.start}).") from error


def _watched(steps: Iterator[Step], decoding: Decoding, say: Say) -> Iterator[Step]:
    """Pass the engine's steps on and show their progress; frees the engine's rows if it is closed early."""
    # The scores' dictionary takes a second or two to load: in parallel to the answers, after the first token.
    beside = threading.Thread(target=_load_scores, name="medilite-scores", daemon=True)
    try:
        for step in steps:
            if step.waiting:
                say(f"Waiting: {step.waiting} ahead")
            else:
                writing = sum(row.stopped is None for row in step.rows)
                tokens = max((row.tokens for row in step.rows), default=0)
                say(f"Answering: token {tokens} of at most {decoding.max_new_tokens}, models still writing: {writing}")
                if tokens and not beside.ident:
                    beside.start()
            yield step
    finally:
        if close := getattr(steps, "close", None):
            close()


def _load_scores() -> None:
    # Scoring the answers raises the same error, which is reported there.
    with contextlib.suppress(Exception):
        warm_up()


def _as_text(question: str, specs: Sequence[ModelSpec], answers: Sequence[Answer]) -> Iterator[str]:
    if notice := emergency_notice(question):
        yield f"{notice.title}\n{notice.text}\n"
    yield f"{NOT_MEDICAL_ADVICE}\nA grade says how easily an answer reads, not whether it is right.\n"
    for spec, answer in zip(specs, answers, strict=True):
        yield f"== {spec.label} ({spec.id}) · {_summary(answer)}\n"
        if answer.text.strip():
            # An answer is data: a control sequence in it could control the terminal.
            yield f"{clean_text(answer.text).strip()}\n"


def _summary(answer: Answer) -> str:
    if answer.stopped == "error":
        why = clean_text(answer.error or "it failed")
        return f"broke off after {answer.tokens:,} tokens: {why}" if answer.text.strip() else f"no answer: {why}"
    scores = measure(answer.text)
    if scores.is_foreign:
        return f"not English, so without a grade · {answer.tokens:,} tokens"
    parts = [grade_word(scores.flesch_kincaid_grade)]
    if scores.flesch_kincaid_grade is not None:
        parts[0] += f" (Flesch–Kincaid {scores.flesch_kincaid_grade:.1f})"
    if scores.flesch_reading_ease is not None:
        parts.append(f"reading ease {scores.flesch_reading_ease:.0f}")
    parts += [f"{scores.words:,} words", f"{answer.tokens:,} tokens"]
    if answer.stopped == "length":
        parts.append("cut at the token limit")
    return " · ".join(parts)
