"""`python -m medilite votes prepare`: have every model answer the project's questions, for votes without waiting.

Each finished batch is appended to a file at once, so a stopped run
resumes. The result is one compressed file and its provenance beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite import __version__
from medilite.arena.bank import ANSWERS_FILE, PROVENANCE_FILE, bank_folder, check_answer
from medilite.arena.contestants import contestants
from medilite.arena.records import Contestant
from medilite.cli.terminal import Say, chosen, load_line, progress_line
from medilite.engine import Engine, open_engine
from medilite.engine.protocol import collect
from medilite.errors import DataError, EngineError
from medilite.models import Profile
from medilite.prompts import question_messages
from medilite.provenance import commit, device_name, precision_name, versions
from medilite.questions import QUESTIONS_FILE, Question, read_questions
from medilite.readability import measure
from medilite.records import Answer, Decoding, Request

log = logging.getLogger(__name__)

CODE = ("medilite", "assets")
PACKAGES = ("torch", "transformers")
PARTIAL_FILE = "answers.partial.jsonl"
FEWEST_SEEDS = 2
"""With one answer a model, a vote would depend on luck as much as on the model."""


@dataclass(frozen=True)
class Plan:
    """What is asked: every question with every seed, of every contestant."""

    profile: Profile
    contestants: Mapping[str, Contestant]
    questions: Sequence[Question]
    seeds: Sequence[int]
    decoding: Decoding
    precision: str | None
    """Numbers that the engine computes in; None if model servers compute, which don't say."""
    name: str = ""
    """The name of a deployment's own bank; empty for the repository's."""

    def header(self) -> dict[str, Any]:
        """Return the first line of a partial file: what all of its answers have in common."""
        hashes = {model: contestant.sha256 for model, contestant in self.contestants.items()}
        return {
            "profile": self.profile.name,
            "decoding": dataclasses.asdict(self.decoding),
            "precision": self.precision,
            "contestants": hashes,
            # Seeds of a bank of one's own are drawn, so an earlier run's have to be kept.
            **({"name": self.name, "seeds": list(self.seeds)} if self.name else {}),
        }

    def places(self) -> Iterator[tuple[Question, int, str]]:
        """Yield every (question, seed, model), those of one question together."""
        for question in self.questions:
            for seed in self.seeds:
                for model in self.contestants:
                    yield question, seed, model


def run(options: argparse.Namespace) -> int:
    """Make the file of ready-made answers; return 1 if a model failed on a question (the next run asks it again)."""
    settings, profile = chosen(options)
    out = Path(options.out).expanduser() if options.out else bank_folder(profile)
    plan = make_plan(profile, options, None if settings.engine == "remote" else precision_name(settings))
    logging.getLogger("medilite.engine").setLevel(logging.ERROR)
    started = time.monotonic()
    with progress_line() as say:
        engine = open_engine(profile, settings)
        engine.load(lambda progress: say(load_line(progress)))
        answers, failed = prepare(engine, plan, out, options.batch, say)
    if failed:
        print(f"{failed} answers failed; what is there is kept in {out / PARTIAL_FILE}. Run the command again.")
        return 1
    write_bank(plan, answers, out, time.monotonic() - started)
    print(f"{len(answers):,} answers to {len(plan.questions):,} questions are in {out / ANSWERS_FILE}")
    return 0


def make_plan(profile: Profile, options: argparse.Namespace, precision: str | None) -> Plan:
    """Return what the options ask for. Raises DataError if a model is missing or a number is too small."""
    for name, number in (("--limit", options.limit), ("--batch", options.batch)):
        if number is not None and number < 1:
            raise DataError(f"{name} {number} can't be used: give 1 or more.")
    questions = read_questions(Path(options.questions)) if options.questions else read_questions(QUESTIONS_FILE)
    try:
        seeds = tuple(dict.fromkeys(int(seed) for seed in options.seeds.split(",")))
    except ValueError as error:
        raise DataError(f"--seeds {options.seeds!r} can't be used: give whole numbers, as in 0,1.") from error
    if len(seeds) < FEWEST_SEEDS:
        raise DataError(f"--seeds {options.seeds!r} can't be used: give at least {FEWEST_SEEDS} different seeds.")
    here = contestants(profile)
    wanted = [spec.id for spec in profile.select(options.models)]
    if missing := [model for model in wanted if model not in here]:
        raise DataError(
            f"No adapter is here for {', '.join(missing)}. Train it (docs/training.md), or leave it out with --models."
        )
    decoding = Decoding(options.max_new_tokens, options.temperature, options.top_p, options.repetition_penalty)
    chosen_contestants = {model: here[model] for model in wanted}
    return Plan(profile, chosen_contestants, questions[: options.limit], seeds, decoding, precision)


def prepare(engine: Engine, plan: Plan, out: Path, batch: int, say: Say) -> tuple[list[dict[str, Any]], int]:
    """Return every answer of the plan, and how many failed; what is in the partial file already is not asked again."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / PARTIAL_FILE
    done = _resume(path, plan)
    places = list(plan.places())
    missing = [place for place in places if _key(*place) not in done]
    failed, began = 0, time.monotonic()
    with path.open("a", encoding="utf-8") as file:
        for start in range(0, len(missing), batch):
            part = missing[start : start + batch]
            say(_where(len(missing), start, began))
            requests = [Request(m, question_messages(q.question), plan.decoding, seed) for q, seed, m in part]
            answers = collect(requests, engine.stream(requests))
            if len(answers) != len(requests):
                raise EngineError("The engine ended without an answer. Run the command again: it resumes from here.")
            for (question, seed, _), answer in zip(part, answers, strict=True):
                if answer.stopped == "error":
                    failed += 1
                    log.error("%s, seed %d, %s: %s", question.id, seed, answer.model, answer.error)
                    continue
                record = _record(question, seed, answer, plan.contestants[answer.model])
                done[question.id, seed, answer.model] = record
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    return [done[_key(*place)] for place in places if _key(*place) in done], failed


def write_bank(plan: Plan, answers: Sequence[Mapping[str, Any]], out: Path, duration_s: float) -> None:
    """Write the compressed answers and their provenance; the same answers give the same bytes.

    Raises DataError, and leaves the bank that is there, if an answer of the plan is missing.
    """
    if len(answers) != (planned := sum(1 for _ in plan.places())):
        raise DataError(f"{len(answers):,} of {planned:,} answers are there, so {out} was left as it is. Run it again.")
    lines = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
    data = gzip.compress(lines.encode(), compresslevel=9, mtime=0)
    head, dirty = commit(CODE)
    provenance = {
        **plan.header(),
        "base": plan.profile.base.model_dump(),
        "questions": len(plan.questions),
        "seeds": list(plan.seeds),
        "answers": len(answers),
        "answers_sha256": hashlib.sha256(data).hexdigest(),
        "commit": head,
        "commit_dirty": dirty,
        "versions": {"medilite": __version__, **versions(PACKAGES)},
        "hardware": device_name(),
        "duration_s": round(duration_s, 1),
    }
    _replace(out / PROVENANCE_FILE, (json.dumps(provenance, indent=2) + "\n").encode())
    _replace(out / ANSWERS_FILE, data)
    (out / PARTIAL_FILE).unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that readers see either the old or the new one, whole."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(path)


def _key(question: Question, seed: int, model: str) -> tuple[str, int, str]:
    return question.id, seed, model


def _record(question: Question, seed: int, answer: Answer, contestant: Contestant) -> dict[str, Any]:
    scores = measure(answer.text)
    return {
        "question_id": question.id, "question": question.question, "model": answer.model,
        "contestant": contestant.sha256, "seed": seed, "text": answer.text, "tokens": answer.tokens,
        "stopped": answer.stopped, "words": scores.words, "grade": scores.flesch_kincaid_grade,
    }  # fmt: skip


def _resume(path: Path, plan: Plan) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Return the answers of an earlier run; an incomplete last line is removed.

    Raises DataError for a file of other settings.
    """
    header = json.dumps(plan.header(), ensure_ascii=False) + "\n"
    if not path.exists():
        path.write_text(header, encoding="utf-8")
        return {}
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if not whole:
        path.write_text(header, encoding="utf-8")
        return {}
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    # Not splitlines(): an answer may hold a Unicode line separator, at which it would break too.
    first, *lines = whole.decode("utf-8").split("\n")[:-1]
    if first + "\n" != header:
        raise DataError(
            f"{path} was begun with other models or other settings. Finish it with those, or remove it to "
            "start from scratch."
        )
    done = {}
    for number, line in enumerate(lines, 2):
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{where}: not valid JSON ({error}). Remove the line.") from error
        check_answer(record, where)
        done[record["question_id"], record["seed"], record["model"]] = record
    texts = {question.id: question.question for question in plan.questions}
    return {key: record for key, record in done.items() if texts.get(key[0]) == record["question"]}


def _where(total: int, done: int, began: float) -> str:
    if not done:
        return f"Answering: 0 of {total:,}"
    left_s = (time.monotonic() - began) / done * (total - done)
    return f"Answering: {done:,} of {total:,}, about {left_s / 60:.0f} min left"
