"""A board in the formats of other harnesses: `python -m eval.export --to inspect|harness [--out runs/export]`.

`inspect` writes one log a model as Inspect (AISI) reads and shows it; `harness`
writes samples and results as lm-evaluation-harness lays them out. Answers,
scores, intervals, settings and provenance are the board's own. MedQuAD's text is
in neither unless prepared data is there (`--data`), and is not this project's to
publish. A score that is null is left out, as both formats know no null; so are
the measures of reading of an answer that loops, which the board's means leave
out (catalogue.WITHOUT_LOOPS).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.command import run_command
from eval.metrics.catalogue import WITHOUT_LOOPS
from eval.questions import load_questions
from eval.run import DATA
from medilite.errors import DataError
from medilite.files import write_whole
from medilite.leaderboard import FOLDER, Board, load_board

SKIPPED = ("qid", "model", "answer")
_STOPS = {"end": "stop", "length": "max_tokens"}


@dataclass(frozen=True, slots=True)
class Source:
    """A board's split; `texts` has question and references by qid, if prepared data is there."""

    board: Board
    split: str
    scores: Mapping[str, list[Any]]
    answers: Mapping[tuple[str, str], Mapping[str, Any]]
    texts: Mapping[str, tuple[str, tuple[str, ...]]]

    @classmethod
    def read(cls, board: Board, split: str | None, data: Path | None) -> Source:
        """Read a split of a board, its first by default; raises DataError where there is none of that name."""
        scores = board.scores()
        split = split or next(iter(scores), "")
        if split not in scores:
            raise DataError(f"The board has no split {split!r}: it has {', '.join(scores)}.")
        texts = {}
        if data is not None and data.is_dir():
            texts = {q.qid: (q.text, tuple(q.references)) for q in load_questions(data, split)}
        answers = {(row["qid"], row["model"]): row for row in board.answers()}
        return cls(board, split, scores[split], answers, texts)

    @property
    def models(self) -> list[str]:
        """The models' ids."""
        return [spec["id"] for spec in self.board.about["models"]]

    @property
    def metrics(self) -> list[str]:
        """The scores' names."""
        return [name for name in self.scores if name not in SKIPPED]

    def rows(self, model: str) -> list[tuple[str, Mapping[str, Any], dict[str, float]]]:
        """Return (qid, answer, scores that there are) of a model, in the board's order."""
        found = []
        for place, (qid, own) in enumerate(zip(self.scores["qid"], self.scores["model"], strict=True)):
            if own == model and (qid, model) in self.answers:
                values = {name: self.scores[name][place] for name in self.metrics}
                if values.get("loops") == 1:
                    # As in the board's means: who takes the samples' gets the same.
                    values |= dict.fromkeys(WITHOUT_LOOPS)
                # BLEU's counts are lists, not scores.
                known = {name: float(v) for name, v in values.items() if v is not None and not isinstance(v, list)}
                found.append((qid, self.answers[qid, model], known))
        return found

    def means(self, model: str) -> dict[str, Mapping[str, Any]]:
        """Return the board's row of each metric of a model."""
        rows = self.board.tables["means"]
        return {row["metric"]: row for row in rows if (row["split"], row["model"]) == (self.split, model)}

    def question(self, qid: str) -> str:
        """Return a question's text, or how to find it."""
        return self.texts[qid][0] if qid in self.texts else f"MedQuAD question {qid} (its text is not in this file)"

    def references(self, qid: str) -> list[str]:
        """Return a question's references, none without data."""
        return list(self.texts[qid][1]) if qid in self.texts else []


def inspect_log(source: Source, model: str, now: datetime) -> dict[str, Any]:
    """Return a model's log in the format of Inspect's EvalLog, version 2."""
    about, provenance = source.board.about, source.board.about["provenance"]
    rows = source.rows(model)
    samples = [
        {
            "id": qid, "epoch": 1, "input": source.question(qid), "target": source.references(qid),
            "messages": [],
            "output": {
                "model": f"medilite/{model}",
                "choices": [{
                    "message": {"role": "assistant", "content": answer["text"], "source": "generate"},
                    "stop_reason": _STOPS[answer["stopped"]],
                }],
                "completion": answer["text"],
            },
            "scores": {name: {"value": value} for name, value in known.items()},
            "metadata": {"tokens": answer["tokens"]},
        }
        for qid, answer, known in rows
    ]  # fmt: skip
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": _name("eval", source.split, model), "run_id": _name("run", source.split), "created": _time(now),
            "task": f"medilite/{source.split}", "task_id": _name("task", source.split), "task_version": 0,
            "model": f"medilite/{model}", "config": {"epochs": 1},
            "dataset": {
                "name": f"MedQuAD, {source.split}", "samples": len(samples), "sample_ids": [row[0] for row in rows],
                "shuffled": False,
            },
            "metadata": {"profile": about["profile"], "title": about["title"], "provenance": provenance},
        },
        "results": {
            "total_samples": len(samples), "completed_samples": len(samples),
            "scores": [_inspect_score(name, row) for name, row in source.means(model).items()],
        },
        "samples": samples,
    }  # fmt: skip


def _inspect_score(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    parts = {key: row[key] for key in ("mean", "low", "high", "median", "n", "of") if row.get(key) is not None}
    metrics = {key: {"name": key, "value": value} for key, value in parts.items()}
    return {"name": name, "scorer": name, "metrics": metrics}


def harness_files(source: Source, model: str, now: datetime) -> dict[str, str]:
    """Return a model's files by name, as lm-evaluation-harness writes them: results and samples of one task."""
    about = source.board.about
    task, stamp = f"medilite_{source.split.replace('/', '_')}", now.strftime("%Y-%m-%dT%H-%M-%S.%f")
    samples = []
    for number, (qid, answer, known) in enumerate(source.rows(model)):
        question, references = source.question(qid), source.references(qid)
        doc = {"qid": qid, "question": question, "references": references}
        target = "\n\n".join(references)
        samples.append({
            "doc_id": number, "doc": doc, "target": target, "arguments": {"gen_args_0": {"arg_0": question}},
            "resps": [[answer["text"]]], "filtered_resps": [answer["text"]], "filter": "none",
            "metrics": list(known), "doc_hash": _hash(json.dumps(doc)), "prompt_hash": _hash(question),
            "target_hash": _hash(target), **known,
        })  # fmt: skip
    means = source.means(model)
    results: dict[str, Any] = {"name": task, "alias": task, "sample_len": len(samples)}
    for name, row in means.items():
        if row["mean"] is not None:
            results[f"{name},none"] = row["mean"]
            # Half of the 95 % interval over 1.96: the board has intervals of a bootstrap over clusters, not errors.
            between = row.get("low") is not None
            results[f"{name}_stderr,none"] = (row["high"] - row["low"]) / 3.92 if between else "N/A"
    # Easier is not better: for measures of reading no direction is called better.
    better = {one["key"]: one.get("better") for one in about["metrics"] if one["key"] not in WITHOUT_LOOPS}
    whole = {
        "results": {task: results}, "group_subtasks": {task: []},
        "configs": {task: {"task": task, "output_type": "generate_until"}},
        "versions": {task: 0}, "n-shot": {task: 0},
        "higher_is_better": {task: {name: better.get(name) == "higher" for name in means if better.get(name)}},
        "n-samples": {task: {"original": len(samples), "effective": len(samples)}},
        "config": {"model": "medilite", "model_args": f"profile={about['profile']},model={model}"},
        "git_hash": about["provenance"]["commit"]["id"], "date": now.timestamp(), "model_name": model,
        "model_name_sanitized": model, "provenance": about["provenance"],
    }  # fmt: skip
    lines = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples)
    return {
        f"{model}/results_{stamp}.json": json.dumps(whole, ensure_ascii=False, indent=2) + "\n",
        f"{model}/samples_{task}_{stamp}.jsonl": lines,
    }


def export(source: Source, to: str, out: Path, now: datetime) -> list[Path]:
    """Write every model's files below a folder; return their paths."""
    written = []
    for model in source.models:
        if to == "inspect":
            name = f"{now.strftime('%Y-%m-%dT%H-%M-%S')}_medilite-{source.split.replace('/', '-')}_{model}.json"
            files = {name: json.dumps(inspect_log(source, model, now), ensure_ascii=False) + "\n"}
        else:
            files = harness_files(source, model, now)
        for name, text in files.items():
            path = out / name
            write_whole(path, text.encode("utf-8"))
            written.append(path)
    return written


def _name(*parts: str) -> str:
    return _hash("/".join(parts))[:22]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _time(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.export", description="Export a board for other harnesses.")
    parser.add_argument("--to", choices=("inspect", "harness"), required=True, help="whose format")
    parser.add_argument("--board", type=Path, default=FOLDER / "lite", metavar="FOLDER", help="(default: %(default)s)")
    parser.add_argument("--split", metavar="SET/SPLIT", help="(default: the board's first)")
    parser.add_argument("--data", type=Path, default=DATA, help="prepared splits, for texts (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/export"), metavar="FOLDER", help="(default: %(default)s)"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    source = Source.read(load_board(options.board), options.split, options.data)
    for path in export(source, options.to, options.out, datetime.now(UTC)):
        print(path)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return run_command(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
