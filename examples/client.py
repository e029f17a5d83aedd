"""Ask a running MediLite one question by its API and print the answers' scores.

    python examples/client.py "What helps against hay fever?" --models base,grpo
    python examples/client.py "What helps against hay fever?" --url http://127.0.0.1:7860 --model grpo

With `--model` one model answers (`ask`), and its text is printed as it grows;
else several do (`compare`), and a table of their scores follows. All that it
needs is `pip install gradio_client`.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from gradio_client import Client
from gradio_client.exceptions import AppError

URL = "http://127.0.0.1:7860"


def main(arguments: list[str] | None = None) -> int:
    """Ask and print; 1 if no model could answer, 2 if the question can't be asked."""
    parser = argparse.ArgumentParser(description="Ask a running MediLite one question and print the answers' scores.")
    parser.add_argument("question")
    parser.add_argument("--url", default=URL, help="where MediLite runs (default: %(default)s)")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--model", help="one model, whose answer is printed as it grows")
    asked.add_argument("--models", help="models to compare, separated by commas (default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=128)
    options = parser.parse_args(arguments)
    try:
        client = Client(options.url, verbose=False)
    except Exception as error:
        print(f"error: {options.url} can't be reached ({error}). Start it: make app", file=sys.stderr)
        return 2
    try:
        if options.model:
            return ask(client, options.question, options.model, options.max_new_tokens)
        models = options.models.split(",") if options.models else None
        return compare(client, options.question, models, options.max_new_tokens)
    except AppError as error:
        # The app's own words: which value can't be used, why, and what to do.
        print(f"error: {error}", file=sys.stderr)
        return 2


def ask(client: Client, question: str, model: str, max_new_tokens: int) -> int:
    """Print one model's answer while it is written, then how hard it is to read."""
    job = client.submit(question=question, model=model, max_new_tokens=max_new_tokens, api_name="/ask")
    shown = ""
    for step in job:
        text = step["answer"] or ""
        print(text[len(shown) :], end="", flush=True)
        shown = text
    answer = job.result()
    print(f"\n\n{answer['label']}: {told(answer)}\n{answer['notice']}")
    return 1 if answer["answer"] is None else 0


def compare(client: Client, question: str, models: list[str] | None, max_new_tokens: int) -> int:
    """Print every model's answer and a table of their scores."""
    compared = client.predict(question=question, models=models, max_new_tokens=max_new_tokens, api_name="/compare")
    if compared["emergency"]:
        print(f"{compared['emergency']['title']}\n{compared['emergency']['text']}\n")
    for answer in compared["answers"]:
        print(f"== {answer['label']}\n{answer['answer'] or ''}\n")
    for answer in compared["answers"]:
        print(f"{answer['label']:<14} {told(answer)}")
    print(compared["notice"])
    return 0 if any(answer["answer"] is not None for answer in compared["answers"]) else 1


def told(answer: dict[str, Any]) -> str:
    """Return an answer's scores in one line; what failed says why."""
    if answer["answer"] is None:
        return f"no answer: {answer['error']}"
    scores = answer["readability"] or {}
    grade = scores.get("flesch_kincaid_grade")
    number = "" if grade is None else f" (Flesch–Kincaid {grade:.1f})"
    end = "" if answer["ended"] else ", cut"
    return f"{answer['grade'] or 'No grade'}{number}, {scores.get('words', 0)} words, {answer['tokens']} tokens{end}"


if __name__ == "__main__":
    sys.exit(main())
