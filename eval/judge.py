"""A language model's scores for answers: `python -m eval.judge [--split SET/SPLIT] [--models id,id] [--yes]`.

Every answer of a run gets four scores from 1 to 10: correctness, helpfulness,
harmfulness (10 is worst), efficiency. With `--consistency N` the first N
questions are asked again with the criteria in the other order, which measures
the judge itself; with `--pairwise A,B` two models' answers are compared, each
order once.

A run says what it would ask and cost, and asks once `--yes` is given. Every reply is written to the run's
judgments.jsonl as it comes (eval.judging.store has its format); what is there is never asked again, so a run that was
killed, or whose keys have reached a limit, resumes with the same command. Exit codes: 0 all judged (or only the plan
was wanted), 1 something is left, 2 an error that a user can fix.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from eval.answers import read_answers
from eval.command import add_run, chosen, run_command, run_of
from eval.judging.asking import Outcome, Stop, judge, to_ask
from eval.judging.asks import Ask, by_question, pair_asks, score_asks
from eval.judging.client import GROQ_MODEL, GROQ_URL, MAX_NEW_TOKENS, JudgeClient, ReplyFormat
from eval.judging.keys import VARIABLE, KeyRing, split_keys
from eval.judging.plan import Plan, plan_lines
from eval.judging.store import Store, read_judgments
from eval.judging.summary import verdicts
from eval.judging.tables import pair_lines, score_lines
from eval.questions import SPLIT_NAMES, evaluated_splits, fingerprint_of, load_questions
from eval.run import DATA, Run
from medilite.cli.terminal import positive_int, progress_line, say
from medilite.errors import DataError, SettingsError
from medilite.settings import Settings

EXIT_LEFT = 1
NO_KEY = "no-key"
"""Sent to a server that wants none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be judged."""

    run: Run
    data: Path
    split: str
    models: tuple[str, ...]
    limit: int | None
    pair: tuple[str, str] | None
    consistency: int


def run(options: argparse.Namespace) -> int:
    """Carry out the command line; 1 if something could not be judged."""
    settings, profile = chosen(options)
    wanted = Wanted(
        run=run_of(options, profile),
        data=options.data,
        split=options.split or evaluated_splits(profile)[0],
        models=tuple(spec.id for spec in profile.select(options.models)),
        limit=options.limit,
        pair=(profile.get(options.pairwise[0]).id, profile.get(options.pairwise[1]).id) if options.pairwise else None,
        consistency=options.consistency,
    )
    keys = keys_for(options.base_url, settings)
    stop = Stop()
    ring = KeyRing(keys or [NO_KEY], max_wait_s=options.max_wait * 60, sleep=stop.sleep)
    client = JudgeClient(
        ring,
        base_url=options.base_url,
        model=options.model,
        reply_format=options.reply,
        max_new_tokens=options.max_new_tokens,
        timeout_s=options.timeout,
        sleep=stop.sleep,
        on_note=say,
    )
    fingerprint = fingerprint_of(wanted.data, [wanted.split])
    asks = asks_of(wanted, client, fingerprint)

    path = wanted.run.folder / "judgments.jsonl"
    with closing(client), Store(path, fingerprint, say) as store:
        plan = Plan(asks, to_ask(asks, store))
        for line in plan_lines(plan, client.model, client.base_url, len(keys), options.price):
            say(line)
        outcome = Outcome()
        if plan.groups and not options.yes:
            say("Nothing was asked. Give --yes as well to ask.")
        elif plan.groups:
            if not keys and client.base_url == GROQ_URL:
                raise SettingsError(
                    f"There is no API key: set {VARIABLE} to one, or to several separated by commas "
                    "(https://console.groq.com/keys), or name another server with --base-url. "
                    "Scores, comparisons and the leaderboard do without a judge."
                )
            total = len(plan.groups)
            with progress_line() as show:
                outcome = judge(
                    plan.groups,
                    store,
                    client,
                    fingerprint,
                    stop=stop,
                    workers=options.workers,
                    on_progress=lambda done: show(f"{done:,} of {total:,} asks"),
                )

    found = verdicts(asks, read_judgments(path))
    about = f"judged by {client.model} on {wanted.split}"
    for line in pair_lines(found, about) if wanted.pair else score_lines(found, wanted.models, about):
        print(line)
    return report(outcome)


def keys_for(base_url: str, settings: Settings) -> list[str]:
    """Return the API keys of the environment that a server may see: a key of Groq's is for Groq alone."""
    keys = split_keys(settings.judge_keys.get_secret_value()) if settings.judge_keys else []
    return keys if base_url == GROQ_URL else [key for key in keys if not key.startswith("gsk_")]


def asks_of(wanted: Wanted, client: JudgeClient, fingerprint: str) -> list[Ask]:
    """Return every ask that the answers of a run make; raises DataError where they can't be judged."""
    file = read_answers(wanted.run.answers)
    if not file.answers:
        raise DataError(f"{wanted.run.answers} holds no answers. Make them first: python -m eval.generate")
    if file.dropped:
        say(file.dropped)
    foreign = {answer.setup.data for answer in file.answers} - {fingerprint}
    if foreign:
        raise DataError(
            f"{wanted.run.answers} answers other data (fingerprint {foreign.pop()[:12]}…) than {wanted.data} holds "
            f"({fingerprint[:12]}…): its references would not fit. Give the data that was answered with --data."
        )
    questions = load_questions(wanted.data, wanted.split, wanted.limit)
    answers = by_question(file.answers)
    if wanted.pair:
        return list(pair_asks(questions, answers, *wanted.pair, wanted.split, client.body))
    again = questions[: wanted.consistency]
    return [
        *score_asks(questions, answers, wanted.models, wanted.split, "forward", client.body),
        *score_asks(again, answers, wanted.models, wanted.split, "reversed", client.body),
    ]


def report(outcome: Outcome) -> int:
    """Report what is left and why; return the exit code."""
    reasons: dict[str, int] = {}
    for _, reason in outcome.left:
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:5]:
        say(f"not judged: {count:,} ({reason})")
    if outcome.ended is not None:
        say(f"ended early: {outcome.ended}")
    return EXIT_LEFT if outcome.left or outcome.ended else 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.judge", description="Have a language model judge answers.")
    add_run(parser)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument(
        "--split", choices=SPLIT_NAMES, metavar="SET/SPLIT", help="(default: the first that eval.generate answers)"
    )
    parser.add_argument("--models", default="all", metavar="all|id,id", help="whose answers (default: all)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="only the first N questions (the study: 700)")
    parser.add_argument("--pairwise", type=_pair, metavar="A,B", help="compare two models' answers, each order once")
    parser.add_argument(
        "--consistency",
        type=positive_int,
        default=0,
        metavar="N",
        help="ask the first N questions again with the criteria in the other order",
    )
    parser.add_argument("--yes", action="store_true", help="ask; without it, only what would be asked is printed")

    server = parser.add_argument_group("judge")
    server.add_argument("--model", default=GROQ_MODEL, metavar="NAME", help="(default: %(default)s, as in the study)")
    server.add_argument(
        "--base-url", default=GROQ_URL, metavar="URL", help="any OpenAI-compatible server (default: Groq's)"
    )
    server.add_argument(
        "--reply",
        choices=get_args(ReplyFormat),
        default="object",
        help="the reply's format: a JSON object, this form of object (llama.cpp, vLLM), or nothing",
    )
    server.add_argument("--max-new-tokens", type=positive_int, default=MAX_NEW_TOKENS, metavar="N")
    server.add_argument("--workers", type=positive_int, default=4, metavar="K", help="asks at once (default: 4)")
    server.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds for a reply (default: 60)")
    server.add_argument(
        "--max-wait", type=float, default=15.0, metavar="MIN", help="longest wait for a key, in minutes (default: 15)"
    )
    server.add_argument(
        "--price", type=float, nargs=2, metavar=("READ", "WRITE"), help="dollars a million tokens, for the estimate"
    )
    return parser


def _pair(text: str) -> tuple[str, str]:
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or names[0] == names[1] or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} names no two models: write it as grpo,sft-r8-high")
    return names[0], names[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see the module's docstring for the exit codes."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
