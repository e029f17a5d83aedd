"""A blind reading of answers: `python -m eval.reading sheets|join|agreement|marks`.

`sheets` writes what a reader gets from a run's answers: sheets without names,
the guide, and, for joining labels later, the key. `join` publishes two readers'
labels with the answers, by qid and without MedQuAD's text. `agreement` computes
how far the readers agree and how far each metric agrees with them. `marks`
computes how right the marks are that the app shows beside a source.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from eval.answers import read_answers
from eval.command import run_command, write_result
from eval.intervals import METHOD
from eval.metrics.answer import own_scores, question_scores, reference_scores
from eval.metrics.catalogue import METRICS
from eval.metrics.claimed import claim_scores
from eval.metrics.overlap import References
from eval.questions import Question, load_questions
from eval.reading import agreement as measuring
from eval.reading.labels import FOLDER, READERS, Read, folder_of, joined, load, read_labels, write
from eval.reading.marks import SEED, mark_rows, source_mark_rows
from eval.reading.sheets import entries, key_lines, read_key, sheet, sheet_sentences
from eval.run import CODE, DATA, RUNS, Run
from medilite.content import topic_similarities
from medilite.errors import DataError, WeightsError
from medilite.files import write_whole
from medilite.provenance import commit

A_SHEET = 60
SPLIT = "distinct/val"
MARKS = Path("docs/sources/marks.json")
WHO = "two language models that read the guide, the references and the answers without names; no person"


def sheets(options: argparse.Namespace) -> int:
    """Write sheets, guide and key."""
    answers = read_answers(Run(options.run).answers).answers
    by_key = {(answer.qid, answer.model): answer for answer in answers}
    qids = {answer.qid for answer in answers}
    if not answers:
        raise DataError(
            f"{Run(options.run).answers} has no answers. Make them: python -m eval.generate --run {options.run}"
        )
    questions = questions_of(qids, options)
    models = sorted({answer.model for answer in answers})
    some = entries(list(questions.values()), models)
    for number, start in enumerate(range(0, len(some), A_SHEET), 1):
        text = "\n".join(sheet(some[start : start + A_SHEET], questions, by_key))
        write_whole(options.out / f"sheet-{number}.md", text.encode())
    write_whole(options.out / "guide.md", Path(__file__).with_name("guide.md").read_bytes())
    write_whole(options.out / "key.jsonl", key_lines(some).encode())
    print(f"{len(some)} answers to {len(questions)} questions on sheets in {options.out}; key.jsonl is not for readers")
    return 0


def join(options: argparse.Namespace) -> int:
    """Publish two readers' labels."""
    some = read_key(options.sheets / "key.jsonl")
    texts = [path.read_text(encoding="utf-8") for path in sorted(options.sheets.glob("sheet-*.md"))]
    said = {name: own for text in texts for name, own in sheet_sentences(text).items()}
    answers = read_answers(Run(options.run).answers).answers
    readers = {
        reader: read_labels(options.sheets / f"labels-{reader}.jsonl", [entry.id for entry in some])
        for reader in READERS
    }
    read = joined(some, {(answer.qid, answer.model): answer for answer in answers}, said, readers)
    folder = folder_of(options.profile, options.split, options.out)
    write(folder, read, answers)
    print(f"{len(read)} answers with {len(readers)} readers' labels in {folder}")
    return 0


def agree(options: argparse.Namespace) -> int:
    """Compute and write agreement.json."""
    folder = folder_of(options.profile, options.split, options.out)
    read, answers = load(folder)
    questions = questions_of({one.qid for one in read}, options)
    scores = metric_values(read, answers, questions)
    better = {key: metric.better for key, metric in METRICS.items()}
    head, dirty = commit(CODE)
    pairs = [("grpo", "sft-r16-high"), ("grpo", "sft-r16-low"), ("grpo", "base")]
    models = {one.model for one in read}
    of = measuring.clusters([questions[qid] for qid in dict.fromkeys(one.qid for one in read)])
    result: dict[str, Any] = {
        "readers": WHO,
        "split": options.split,
        "intervals": METHOD,
        **measuring.agreement(read, of),
        "models": measuring.by_model(read, of),
        "differences": measuring.differences(read, [pair for pair in pairs if models.issuperset(pair)], of),
        "auc": measuring.auc_rows(read, scores, better, of),
        "marks": mark_rows(read, answers, questions),
        "commit": head,
        "commit_dirty": dirty,
    }
    write_whole(folder / "agreement.json", (json.dumps(result, indent=1, allow_nan=False) + "\n").encode())
    kappa = result["kappa"]
    said = "kappa not defined"
    if kappa["value"] is not None:
        said = f"kappa {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"
    print(f"{said}, {result['answers']} answers")
    for model, row in result["models"].items():
        good = row["right_or_partly"]
        shown = f"{good['value']:.1%} ({good['low']:.1%}–{good['high']:.1%})"
        print(f"  {model:14} right or partly {shown}, right {row['right']:.1%}")
    for row in result["auc"]:
        print(f"  AUC {row['metric']:28}{row['value']:.3f} ({row['low']:.3f}–{row['high']:.3f})  n {row['n']}")
    for row in result["marks"]:
        print(f"  {row}")
    return 0


def marks(options: argparse.Namespace) -> int:
    """Compute how right the app's marks of sentences are, and write it to a file."""
    read, answers = load(FOLDER / options.profile)
    found = source_mark_rows(read, answers, questions_of({one.qid for one in read}, options))
    head, dirty = commit(CODE)
    about = {
        "readers": WHO,
        "split": options.split,
        "answers": len(read),
        "halves_seed": SEED,
        "interval": "95 %, Wilson",
    }
    whose = {"by_both": "right by both readers", "by_one": "right by one at least", "recall": "of all such sentences"}
    lines = [
        f"{part}, {verdict}, {said}: {of['hits']} of {of['n']}, {of['share']:.2f} ({of['low']:.2f} to {of['high']:.2f})"
        for part, rows in found.items()
        for verdict, row in rows.items()
        for key, said in whose.items()
        if (of := row[key])["n"]
    ]
    write_result({**about, "commit": head, "commit_dirty": dirty, "marks": found}, "\n".join(lines), options.out)
    return 0


def questions_of(qids: Set[str], options: argparse.Namespace) -> dict[str, Question]:
    """Return these questions of the split by qid, in its order. Raises DataError where it hasn't all of them."""
    questions = {q.qid: q for q in load_questions(options.data, options.split) if q.qid in qids}
    if strange := sorted(qids - questions.keys()):
        raise DataError(
            f"{options.split} lacks {len(strange)} of the {len(qids)} questions that were answered, among them "
            f"{strange[0]}. Give the --split that they are of."
        )
    return questions


def metric_values(read: Sequence[Read], answers: Any, questions: dict[str, Question]) -> dict[str, list[float | None]]:
    """Return every metric's value of every answer that was read."""
    rows: list[dict[str, float | None]] = []
    for one in read:
        answer, question = answers[one.qid, one.model], questions[one.qid]
        prepared = References(question.references)
        rows.append(
            own_scores(answer.text, answer.tokens, answer.stopped)
            | question_scores(question.text, answer.text)
            | reference_scores(question.text, question.references, prepared, answer.text)
            | claim_scores(question.text, question.references, answer.text)
        )
    try:
        texts = [answers[one.qid, one.model].text for one in read]
        similar = topic_similarities(texts, [questions[one.qid].references for one in read])
        rows = [{**row, "topic_similarity": value} for row, value in zip(rows, similar, strict=True)]
    except WeightsError as error:
        print(f"without topic similarity: {error}", file=sys.stderr)
    return {key: [row.get(key) for row in rows] for key in METRICS if any(row.get(key) is not None for row in rows)}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.reading", description="Have answers read blind.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in (("sheets", sheets), ("join", join), ("agreement", agree), ("marks", marks)):
        command = commands.add_parser(name, help=(function.__doc__ or "").rstrip("."))
        command.set_defaults(function=function)
        command.add_argument("--data", type=Path, default=DATA, help="(default: %(default)s)")
        command.add_argument("--split", default=SPLIT, help="of the questions (default: %(default)s)")
        command.add_argument("--run", type=Path, default=RUNS / "reading", help="the answers (default: %(default)s)")
        command.add_argument("--profile", default="lite", help="(default: %(default)s)")
        if name == "join":
            command.add_argument("--sheets", type=Path, required=True, help="folder of sheets, key and labels")
        default = {"sheets": RUNS / "reading" / "sheets", "marks": MARKS}.get(name, FOLDER)
        command.add_argument("--out", type=Path, default=default, help="(default: %(default)s)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    return int(options.function(options))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when it is done, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
