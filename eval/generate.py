"""Answers of any models on any split: `python -m eval.generate [--profile NAME] [--split SET/SPLIT] [--models id,id]`.

All models of a question go through the engine together, several questions at once. Each question's answers are appended
to the run's answers file as it ends, so a run that was killed resumes where it stopped. Decoding is the study's:
greedy, at most 256 new tokens, no penalty.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.answers import AnswerWriter, SavedAnswer, Setup, check_fits
from eval.command import add_run, chosen, run_command, run_of
from eval.committed import take_over
from eval.progress import Pace
from eval.questions import Question, evaluated_splits, fingerprint_of, load_questions, sampled, text_hash
from eval.run import CODE, DATA, PACKAGES, Run
from eval.workers import Answered, ask_all
from medilite import __version__
from medilite.cli.terminal import positive_int, say
from medilite.engine import Engine, open_engine
from medilite.errors import ModelUnavailableError
from medilite.models import Profile
from medilite.provenance import adapter_sha256, base_name, commit, device_name, precision_name, versions
from medilite.records import Answer, Decoding
from medilite.settings import Settings

STUDY_DECODING = Decoding(max_new_tokens=256)
"""As the study: at most 256 new tokens; greedy, so that an answer depends on the checkpoint and not on chance."""

SEED = 42
AT_ONCE = 16
"""Questions running at once. Six models make 96 rows of them, twice as many as an engine writes at once (48).

A question's place is free for the next only once its longest answer ends, so with 8 an engine that
batches across calls would have 31 to 43 rows to write, with 16 it has 48 (worked out from lengths, not timed).
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked for; `at_once` calls of `together` questions run at once."""

    profile: Profile
    data: Path
    splits: tuple[str, ...]
    models: tuple[str, ...]
    run: Run
    decoding: Decoding = STUDY_DECODING
    seed: int = SEED
    at_once: int = AT_ONCE
    together: int = 1
    limit: int | None = None
    sample: int | None = None
    board: Path | None = None


def generate(
    plan: Plan, settings: Settings, engine: Engine, questions: Sequence[Question] | None = None
) -> tuple[int, int]:
    """Generate what the run still lacks; return how many answers it has and how many failed.

    `questions`, of the plan's splits, replace those that the plan names. Raises
    DataError where data or answers file can't be used, WeightsError where the
    base can't be had, ModelUnavailableError where no model can answer.
    """
    questions = questions_of(plan) if questions is None else questions
    fingerprint = fingerprint_of(plan.data, plan.splits)
    setup = Setup(
        profile=plan.profile.name,
        base=base_name(plan.profile, settings.weights),
        data=fingerprint,
        decoding=plan.decoding,
        seed=plan.seed,
        precision=precision_name(settings),
    )
    with AnswerWriter(plan.run.answers, say) as writer:
        adapters = available(engine, plan)
        check_fits(plan.run.answers, writer.existing, setup, adapters)
        done = {(answer.qid, answer.model) for answer in writer.existing.answers}
        if plan.board:
            wanted_here = [(q.qid, m) for q in questions for m in adapters if (q.qid, m) not in done]
            done |= from_board(plan, plan.board, setup, adapters, wanted_here, writer)
        todo = [(q, missing) for q in questions if (missing := [m for m in adapters if (q.qid, m) not in done])]
        wanted = sum(len(missing) for _, missing in todo)
        total = len(questions) * len(adapters)
        say(
            f"{len(questions):,} questions, {len(adapters)} models: "
            f"{total - wanted:,} answers are there, {wanted:,} to do"
        )
        if not todo:
            return total, 0

        sessions = plan.run.sessions()
        session = start_session(plan, adapters)
        pace = Pace(wanted)
        failed: list[tuple[str, str, str]] = []
        head = session["commit"]
        for answered in ask_all(engine, todo, plan.decoding, plan.seed, plan.at_once, pace, plan.together):
            saved = [as_saved(answered, answer, setup, adapters, head) for answer in answered.answers]
            writer.append(saved)
            pace.count(len(saved) + len(answered.failures), sum(answer.tokens for answer in saved))
            failed += answered.failures
            plan.run.write_sessions([*sessions, {**session, **pace.as_record()}])
        say(pace.summary())
    for qid, model, reason in failed[:10]:
        say(f"no answer: {model}, {qid}: {reason}")
    return total - len(failed), len(failed)


def from_board(
    plan: Plan,
    folder: Path,
    setup: Setup,
    adapters: dict[str, str | None],
    wanted: list[tuple[str, str]],
    writer: AnswerWriter,
) -> set[tuple[str, str]]:
    """Append what a committed board has of the wanted answers; return the (qid, model) of these."""
    found = take_over(folder, setup, adapters, wanted)
    if found.answers:
        plan.run.write_sessions([*found.sessions, *plan.run.sessions()])
        writer.append(found.answers)
    others = ", ".join(found.other_adapters)
    say(
        f"{len(found.answers):,} answers taken over from {folder}"
        + (f"; to be answered again, by other adapters: {others}" if others else "")
    )
    return {(answer.qid, answer.model) for answer in found.answers}


def questions_of(plan: Plan) -> list[Question]:
    """Return the questions of all splits, each once; the same qid in two splits is one question."""
    found: dict[str, Question] = {}
    for split in plan.splits:
        questions = load_questions(plan.data, split, plan.limit)
        for question in questions if plan.sample is None else sampled(questions, plan.sample, SEED):
            found.setdefault(question.qid, question)
    return list(found.values())


def available(engine: Engine, plan: Plan) -> dict[str, str | None]:
    """Return, by model that can answer, the hash of its adapters; the others are named, with the reason."""
    engine.load()
    states = engine.availability()
    adapters = {model: adapter_sha256(plan.profile, model) for model in plan.models if states[model].available}
    for model in plan.models:
        if model not in adapters:
            say(f"{model} can't answer: {states[model].reason}")
    if not adapters:
        raise ModelUnavailableError("None of the models can answer; the reasons are above.")
    return adapters


def start_session(plan: Plan, adapters: dict[str, str | None]) -> dict[str, Any]:
    """Return the record of this start of the run, before it has done anything."""
    head, dirty = commit(CODE)
    return {
        "splits": list(plan.splits),
        "models": list(adapters),
        "at_once": plan.at_once,
        "commit": head,
        "commit_dirty": dirty,
        "versions": versions(PACKAGES),
        # An engine that runs elsewhere leaves torch unloaded, and this machine's processor says nothing of it.
        "device": device_name() if "torch" in sys.modules else None,
    }


def as_saved(
    answered: Answered, answer: Answer, setup: Setup, adapters: dict[str, str | None], head: str | None
) -> SavedAnswer:
    """Return an engine's answer as a line of the file."""
    question = answered.question
    return SavedAnswer(
        qid=question.qid,
        question=text_hash(question.asked),
        model=answer.model,
        text=answer.text,
        tokens=answer.tokens,
        stopped=answer.stopped,
        setup=setup,
        adapter=adapters[answer.model],
        commit=head,
        version=__version__,
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.generate", description="Have models answer whole splits.")
    add_run(parser)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument(
        "--split",
        action="append",
        metavar="SET/SPLIT",
        help="split to answer; may be given several times (default: those of the adapters' training data)",
    )
    parser.add_argument("--models", default="all", metavar="all|id,id", help="which models answer (default: all)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="only the first N questions of each split")
    parser.add_argument(
        "--sample",
        type=positive_int,
        metavar="N",
        help=f"N questions of each split, drawn at random (seed {SEED}) and spread over the kinds of question",
    )
    parser.add_argument(
        "--at-once",
        type=positive_int,
        default=AT_ONCE,
        metavar="K",
        help="questions in the engine at once (default: %(default)s)",
    )
    parser.add_argument(
        "--from-board",
        type=Path,
        metavar="FOLDER",
        help="take over a committed board's answers where the adapter is unchanged (assets/leaderboard/PROFILE)",
    )
    decoding = STUDY_DECODING
    parser.add_argument(
        "--max-new-tokens", type=int, default=decoding.max_new_tokens, metavar="N", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--temperature", type=float, default=decoding.temperature, metavar="T", help="0 is greedy (default)"
    )
    parser.add_argument("--top-p", type=float, default=decoding.top_p, metavar="P", help="(default: %(default)g)")
    parser.add_argument(
        "--repetition-penalty", type=float, default=decoding.repetition_penalty, metavar="R", help="1 is none (default)"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="(default: %(default)s)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line; 1 if an answer failed."""
    settings, profile = chosen(options)
    plan = Plan(
        profile=profile,
        data=options.data,
        splits=tuple(options.split or evaluated_splits(profile)),
        models=tuple(spec.id for spec in profile.select(options.models)),
        run=run_of(options, profile),
        decoding=Decoding(options.max_new_tokens, options.temperature, options.top_p, options.repetition_penalty),
        seed=options.seed,
        at_once=options.at_once,
        limit=options.limit,
        sample=options.sample,
        board=options.from_board,
    )
    answers, failed = generate(plan, settings, open_engine(profile, settings))
    print(f"{answers:,} answers in {plan.run.answers}" + (f"; {failed:,} failed, ask again" if failed else ""))
    return 1 if failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when every answer is there, 1 if some failed, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
