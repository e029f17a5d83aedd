"""How often the ends of sentences are right: `python -m eval.sentences`.

`eval/sentences.jsonl` holds 1,207 places in MedQuAD's answers where a sentence
might end (a stop, a question mark, a colon, a dash before an item), read one by
one by a language model (the one that wrote the rules), as offsets: MedQuAD's own
text is not committed. By set: "development" (628 places) was read before the
rules were finished, "reported" (579 places of other answers) after they were, and
no rule has changed what they say of it. In each, "random" are all places of
passages drawn at random; the other kinds were drawn because they are hard.

What was decided: a list's introduction and each of its items are sentences, a
colon before running text ends nothing, a reference to the literature is one
sentence. Headings that run into the text without any mark can't be found by
anyone and are not among the places.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.command import run_command, write_result
from medilite.arena.ratings import wilson
from medilite.data import SPLITS, load_split
from medilite.errors import DataError
from medilite.files import split_lines
from medilite.readability.normal import normalise_with_origins, running_sentences

LABELS = Path(__file__).with_name("sentences.jsonl")
DATA = Path("data/medquad")

Ends = Callable[[str], set[int]]
"""Returns the index of each sentence's last character."""


def our_ends(text: str) -> set[int]:
    """Return where MediLite's sentences end: the index of each last character."""
    running, origins = normalise_with_origins(text)
    return {origins[found.start() + len(found[0].rstrip()) - 1] for found in running_sentences(running)}


def textstat_ends(text: str) -> set[int]:
    """Return where textstat 0.7.13 ends a sentence."""
    return {found.start() + len(found[0].rstrip()) - 1 for found in re.finditer(r"\b[^.!?]+[.!?]*", text)}


def library_ends(name: str) -> Ends | None:
    """Return the ends by a library that splits sentences, None if it isn't installed (none is a requirement)."""
    try:
        module = importlib.import_module("syntok.segmenter" if name == "syntok" else name)
    except ImportError:
        return None
    if name == "pysbd":
        segment = module.Segmenter(language="en", clean=False, char_span=True).segment
        return lambda text: {found.end - 1 - (len(found.sent) - len(found.sent.rstrip())) for found in segment(text)}
    if name == "blingfire":
        return lambda text: {end - 1 for _, end in module.text_to_sentences_and_offsets(text)[1]}
    if name == "syntok":
        return lambda text: {
            sentence[-1].offset + len(sentence[-1].value) - 1 for part in module.analyze(text) for sentence in part
        }
    return lambda text: _placed(text, module.segment("en", text))


def _placed(text: str, sentences: Iterable[str]) -> set[int]:
    at, ends = 0, set()
    for sentence in map(str.strip, sentences):
        if sentence and (start := text.find(sentence, at)) >= 0:
            at = start + len(sentence)
            ends.add(at - 1)
    return ends


def judged(ends: Ends, answers: Mapping[str, str], labels: Iterable[Mapping[str, Any]], lists: bool) -> dict[str, Any]:
    """Return how often `ends` agrees with the labels, and precision, recall and F1 of the ends.

    Without `lists`, places before an item's dash are left out, which no library here treats as an end.
    """
    counts: Counter[tuple[bool, bool]] = Counter()
    for label in labels:
        text = answers[label["qid"]]
        found = ends(text)
        for expected, places in ((True, label["ends"]), (False, label["other"])):
            for place in places:
                if lists or not re.match(r"\s+[-*•]\s", text[place:]):
                    counts[_ends_at(text, place, found), expected] += 1
    right, n = counts[True, True] + counts[False, False], counts.total()
    both, said, true = counts[True, True], counts[True, False], counts[False, True]
    interval = wilson(right, n)
    if interval is None:
        raise DataError(
            "None of the answers that were read is in the data: prepare MedQuAD with training.prepare_medquad."
        )
    return {
        "n": n,
        "right": right,
        "share": right / n,
        "low": interval.low,
        "high": interval.high,
        "precision": both / (both + said),
        "recall": both / (both + true),
        "f1": 2 * both / (2 * both + said + true),
    }


def _ends_at(text: str, place: int, found: set[int]) -> bool:
    """Return whether an end is at the marks before `place` or at the dash behind it."""
    first, last = place, place
    while first and text[first - 1] in ".!?\"')]’”:":
        first -= 1
    while last < len(text) and text[last] in " -*•\t":
        last += 1
    return any(first - (first < place or last > place) <= end < max(last, place + 1) for end in found)


def load_labels() -> list[dict[str, Any]]:
    """Return the committed labels."""
    return [json.loads(line) for line in split_lines(LABELS.read_bytes())[0]]


def load_answers(data: Path, labels: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the answers that the labels are of, by qid; only those whose text is the one that was read."""
    answers = {example.qid: example.answer for split in SPLITS for example in load_split(data, split)}
    return {
        label["qid"]: answers[label["qid"]]
        for label in labels
        if hashlib.sha256(answers.get(label["qid"], "").encode()).hexdigest().startswith(label["sha256"])
    }


def compare(data: Path) -> dict[str, Any]:
    """Return every splitter's agreement with the labels, by set."""
    labels = load_labels()
    answers = load_answers(data, labels)
    labels = [label for label in labels if label["qid"] in answers]
    ways: dict[str, Ends | None] = {"medilite": our_ends, "textstat": textstat_ends}
    ways |= {name: library_ends(name) for name in ("pysbd", "sentencex", "blingfire", "syntok")}
    return {
        chosen: {
            name: {
                part: judged(ends, answers, [label for label in labels if label["set"] == chosen], part == "all")
                for part in ("all", "without lists")
            }
            for name, ends in ways.items()
            if ends
        }
        for chosen in ("reported", "development")
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; see the module."""
    parser = argparse.ArgumentParser(prog="python -m eval.sentences", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="prepared MedQuAD (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there as well")
    return run_command(parser, _run, arguments)


def _run(options: argparse.Namespace) -> int:
    result = compare(options.data)
    lines = [
        "| set | places | splitter | right | of | share (95 %) | F1 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for chosen, ways in result.items():
        for name, parts in ways.items():
            for part, found in parts.items():
                lines.append(
                    f"| {chosen} | {part} | {name} | {found['right']} | {found['n']} | {found['share']:.1%} "
                    f"({found['low']:.1%} to {found['high']:.1%}) | {found['f1']:.3f} |"
                )
    write_result(result, "\n".join(lines), options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
