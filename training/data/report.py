"""report.html: the exploration of the collection as one page that opens offline, plotly inside."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from medilite.files import write_whole
from training.data.filtering import Filtered
from training.data.report_numbers import Exploration, explore
from training.data.report_sections import Section, all_sections
from training.page import chart_section, page, table

REPORT = "report.html"
SHOWN_PROBLEMS = 100


def write_report(folder: Path, filtered: Filtered, manifest: dict[str, Any]) -> Path:
    """Write the report beside the splits and return its path; measures every answer, which takes about a minute.

    The page holds counts and percentiles, and no text of the collection but
    names of sources, types and focus areas and the ten questions asked most.
    Raises DataError if it can't be written.
    """
    data = explore(filtered.answered, filtered.kept)
    path = folder / REPORT
    write_whole(path, _page(data, all_sections(data, manifest), manifest).encode())
    return path


def _page(data: Exploration, sections: Sequence[Section], manifest: dict[str, Any]) -> str:
    name = manifest["source"]["name"]
    header = (
        f"<h1>What is in {html.escape(name)}</h1>\n"
        f'<p class="quiet">Questions and answers as MediLite trains and evaluates on them.{_credit(manifest)}</p>\n'
        f"{_tiles(data, manifest)}"
    )
    main = "\n".join(_section(section) for section in sections) + _problems(manifest["malformed"])
    return page(f"{name}: what is in it", header, main, _footer(manifest))


def _section(section: Section) -> str:
    tables = [section.table, section.more] if section.more else [section.table]
    return chart_section(section.key, section.finding, section.reading, section.figure, tables)


def _tiles(data: Exploration, manifest: dict[str, Any]) -> str:
    counts = manifest["counts"]
    scored = [grade for grade in data.grades if grade is not None]
    tiles = [
        ("Answered pairs", f"{counts['with_answer']:,}"),
        ("Questions", f"{counts['distinct_questions']:,}"),
        ("Sources", f"{len(manifest['with_answer_by_source']):,}"),
        ("Kept", f"{counts['kept']:,}"),
        ("Median words", f"{median(data.words):,.0f}"),
        ("Median grade", f"{median(scored):.1f}" if scored else "none"),
    ]
    return f'<dl class="tiles">{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles)}</dl>'


def _problems(problems: Sequence[dict[str, str]]) -> str:
    if not problems:
        return ""
    rows = [("Where", "What is wrong"), *((p["where"], p["reason"]) for p in problems[:SHOWN_PROBLEMS])]
    more = f"<p>The manifest lists all {len(problems):,}.</p>" if len(problems) > SHOWN_PROBLEMS else ""
    heading = f"{len(problems):,} item{'s are' if len(problems) > 1 else ' is'} malformed and left out"
    return f'<section aria-labelledby="malformed"><h2 id="malformed">{heading}</h2>{table(rows)}{more}</section>'


def _credit(manifest: dict[str, Any]) -> str:
    source = manifest["source"]
    return f" {_linked(source['credit'])}. Licence: {_linked(source['licence'])}." if source["credit"] else ""


def _footer(manifest: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    return (
        f"<p>Fingerprint of the splits: <code>{manifest['fingerprint']}</code>. Seed "
        f"{manifest['seed']}. {html.escape(versions)}. Readability by medilite.readability (textstat).</p>"
    )


def _linked(text: str) -> str:
    """Return the text with its last word, a web address, as a link."""
    words, _, address = text.rpartition(" ")
    return f'{html.escape(words)} <a href="{html.escape(address)}">{html.escape(address)}</a>'
