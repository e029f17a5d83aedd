"""Compare a model server's greedy answers with those of the local engine's float32 path, token by token.

    .venv/bin/python scripts/vllm_check.py --servers http://127.0.0.1:8000 --local runs/vllm/local.jsonl

All models answer the first N of the project's own questions, through both
engines as the app uses them. Tokens are those of the two texts by the base's
tokenizer. Two shares, each with its n:

- places: of all places of the longer of two answers, those at which both have
  the same token. After the first difference two texts go their own ways, so one
  rounding of a tie can cost half an answer.
- whole answers that are the same.

It also shows that answers stream and that closing the iterator ends them at
the server, by vLLM's own count of running requests where it has one (/metrics).
Local answers are kept in `--local`, so that they need not be made again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from medilite.engine import Engine, open_engine
from medilite.engine.protocol import collect
from medilite.errors import EngineError, MediLiteError
from medilite.models import Profile, load_profile
from medilite.prompts import question_messages
from medilite.questions import load_questions
from medilite.records import Decoding, Request
from medilite.settings import Settings, load_settings

_CANCEL_S = 60.0


def agreement(pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> dict[str, int]:
    """Return counts over pairs of token lists: places and those alike, answers and those alike.

    >>> agreement([([1, 2, 3], [1, 2, 4]), ([5], [5, 6])])
    {'places': 5, 'same_places': 3, 'answers': 2, 'same_answers': 0}
    """
    found = {"places": 0, "same_places": 0, "answers": 0, "same_answers": 0}
    for one, other in pairs:
        found["places"] += max(len(one), len(other))
        found["same_places"] += sum(a == b for a, b in zip(one, other, strict=False))
        found["answers"] += 1
        found["same_answers"] += list(one) == list(other)
    return found


def answer_all(engine: Engine, profile: Profile, questions: Sequence[str], decoding: Decoding) -> list[dict[str, Any]]:
    """Return what every model answers to every question; raises EngineError if one fails."""
    found = []
    for number, question in enumerate(questions):
        requests = [Request(model, question_messages(question), decoding) for model in profile.ids]
        for answer in collect(requests, engine.stream(requests)):
            if answer.stopped not in ("end", "length"):
                raise EngineError(f"{answer.model} did not answer: {answer.error}")
            found.append({"question": number, "model": answer.model, "text": answer.text, "tokens": answer.tokens})
        print(f"{type(engine).__name__}: {number + 1} of {len(questions)} questions", file=sys.stderr, flush=True)
    return found


def show_cancel(engine: Engine, profile: Profile, question: str, address: str) -> dict[str, Any]:
    """Close an iterator in mid-answer; return steps seen, and the server's running requests before and after.

    None if the server counts none.
    """
    decoding = Decoding(max_new_tokens=1024)
    requests = [Request(model, question_messages(question), decoding) for model in profile.ids]
    seen, before = 0, None
    with closing(cast("Any", engine.stream(requests))) as steps:
        for step in steps:
            seen += any(row.text for row in step.rows)
            if seen >= 5:
                before = running_requests(address)
                break
    after, until = running_requests(address), time.monotonic() + _CANCEL_S
    while after and time.monotonic() < until:
        time.sleep(0.5)
        after = running_requests(address)
    return {"steps_with_text": seen, "running_before": before, "running_after": after}


def running_requests(address: str) -> int | None:
    """Return how many requests a vLLM server is answering, by its metrics; None if it doesn't report them."""
    import httpx

    try:
        text = httpx.get(f"{address}/metrics", timeout=60).text
    except httpx.HTTPError:
        return None
    counts = re.findall(r"^vllm:num_requests_running\{[^}]*\} (\S+)$", text, re.M)
    return round(sum(map(float, counts))) if counts else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison as JSON; 1 where under 97 % of places agree, 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", required=True, metavar="URL,URL", help="as MEDILITE_SERVERS")
    parser.add_argument("--questions", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=int, default=48, help="(default: %(default)s)")
    parser.add_argument("--local", type=Path, help="file to keep the local engine's answers in")
    options = parser.parse_args(arguments)
    try:
        result = compare(options, load_settings())
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2))
    return 0 if result["same_places"] >= 0.97 * result["places"] else 1


def compare(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Return all counts, by model too, and every answer that differs."""
    from medilite.engine.tokenizer import BaseTokenizer
    from medilite.weights import ensure_tokenizer

    profile = load_profile(settings.profile)
    questions = [question.question for question in load_questions()][: options.questions]
    decoding = Decoding(max_new_tokens=options.max_new_tokens)
    kept, wanted = (
        options.local,
        {"profile": profile.name, "max_new_tokens": decoding.max_new_tokens, "n": len(questions)},
    )
    if kept and kept.is_file() and (stored := json.loads(kept.read_text(encoding="utf-8")))["of"] == wanted:
        local = stored["answers"]
    else:
        engine = open_engine(profile, settings.model_copy(update={"engine": "local", "precision": "float32"}))
        local = answer_all(engine, profile, questions, decoding)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"of": wanted, "answers": local}), encoding="utf-8")
    remote_settings = settings.model_copy(
        update={
            "engine": "remote",
            "servers": options.servers,
            "server_first_token_s": 600.0,
            "server_next_token_s": 600.0,
        }
    )
    engine = open_engine(profile, remote_settings)
    remote = answer_all(engine, profile, questions, decoding)
    tokenizer = BaseTokenizer(ensure_tokenizer(profile, settings))
    pairs = [
        (here["model"], tokenizer(here["text"])["input_ids"], tokenizer(there["text"])["input_ids"])
        for here, there in zip(local, remote, strict=True)
    ]
    by_model = {model: agreement((one, other) for name, one, other in pairs if name == model) for model in profile.ids}
    different = [
        {"question": here["question"], "model": here["model"], "local": here["text"], "remote": there["text"]}
        for here, there in zip(local, remote, strict=True)
        if here["text"] != there["text"]
    ]
    cancel = show_cancel(engine, profile, questions[0], options.servers.split(",")[0].rstrip("/"))
    return {
        "questions": len(questions), "max_new_tokens": decoding.max_new_tokens,
        **agreement((one, other) for _, one, other in pairs), "by_model": by_model, "cancel": cancel,
        "different": different,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
