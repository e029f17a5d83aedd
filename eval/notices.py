"""Recall and false alarms of the self-harm notice: `python -m eval.notices --lexicon FILE --messages FILE`.

Recall is measured on published phrasings that no rule was written for:

- the Suicide Risk Lexicon 1.0 (Low et al. 2024; Apache-2.0), the file
  suicide_risk_lexicon_validated_24-08-02T21-27-35.json of
  github.com/danielmlow/construct-tracker: the phrases of three words and more of
  its constructs on passive and active ideation and on self-injury;
- the list of critical messages of github.com/The-Alphabet-Cartel/ash-thrash
  (GPL-3.0, so it is not committed here), critical_high_priority.json.

Of each, the half whose SHA-256 is odd was read while the first rules were written (`read`). The other half was closed
until those rules were measured; then half of it was opened, and the rules of safety/indirect.py were written
(`opened`). Nobody has read what is still closed (`closed`): only its recall holds for new phrasings. False alarms are
counted on MedQuAD's distinct questions, and what fires is printed, so that one can see what it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from eval.command import run_command, write_result
from medilite.arena.ratings import wilson
from medilite.data import load_split
from medilite.safety import emergency_notice

Part = Literal["read", "opened", "closed"]

CONSTRUCTS = ("Passive suicidal ideation", "Active suicidal ideation & suicidal planning", "Direct self-injury")


def part_of(phrase: str) -> Part:
    """Return whether a phrase was read before the rules, was opened for the later ones, or is closed still."""
    if _is_odd(phrase):
        return "read"
    return "opened" if _is_odd(f"2 {phrase}") else "closed"


def _is_odd(text: str) -> bool:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2 == 1


def lexicon_phrases(file: Path) -> list[str]:
    """Return the lexicon's phrases of three words and more, each once."""
    constructs = json.loads(file.read_text("utf-8"))
    return sorted({token for name in CONSTRUCTS for token in constructs[name]["tokens"] if len(token.split()) > 2})


def messages(file: Path) -> list[str]:
    """Return every "message" of a file of nested objects, each once."""
    return sorted(set(_messages(json.loads(file.read_text("utf-8")))))


def _messages(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            yield value["message"]
        for part in value.values():
            yield from _messages(part)
    elif isinstance(value, list):
        for part in value:
            yield from _messages(part)


def found(texts: list[str]) -> list[str]:
    """Return the texts that get the notice on self-harm."""
    return [text for text in texts if (notice := emergency_notice(text)) and notice.kind == "self-harm"]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; see the module."""
    parser = argparse.ArgumentParser(prog="python -m eval.notices", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--lexicon", type=Path, required=True, metavar="FILE")
    parser.add_argument("--messages", type=Path, required=True, metavar="FILE")
    parser.add_argument("--data", type=Path, default=Path("data/medquad"), help="prepared MedQuAD")
    return run_command(parser, _run, arguments)


def _run(options: argparse.Namespace) -> int:
    everything = [*lexicon_phrases(options.lexicon), *messages(options.messages)]
    parts = {part: [phrase for phrase in everything if part_of(phrase) == part] for part in get_args(Part)}
    questions = sorted({row.question for name in ("train", "val", "test") for row in load_split(options.data, name)})
    hits, alarms = {part: found(phrases) for part, phrases in parts.items()}, found(questions)
    counted = [(f"recall, {part}", len(hits[part]), len(phrases)) for part, phrases in parts.items()]
    lines = []
    for what, some, whole in (*counted, ("notices on MedQuAD's questions", len(alarms), len(questions))):
        interval = wilson(some, whole)
        share = f"{interval.value:.2%} ({interval.low:.2%} to {interval.high:.2%})" if interval else "none"
        lines.append(f"{what}: {some} of {whole}, {share}")
    recall = {part: [len(hits[part]), len(phrases)] for part, phrases in parts.items()}
    write_result({"recall": recall, "alarms": alarms}, "\n".join([*lines, *alarms]), None)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
