"""report.html: the exploration of the collection as one page that opens offline, plotly inside."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from training.data.filtering import Filtered
from training.data.manifest import write_whole
from training.data.report_numbers import Exploration, explore
from training.data.report_sections import Section, all_sections

REPORT = "report.html"
SHOWN_PROBLEMS = 100

_STYLE = Path(__file__).with_name("report.css")


def write_report(folder: Path, filtered: Filtered, manifest: dict[str, Any]) -> Path:
    """Write the report beside the splits and return its path; measures every answer, which takes about a minute.

    The page holds counts and percentiles, and no text of the collection but
    names of sources, types and focus areas and the ten questions asked most.
    Raises DataError if it can't be written.
    """
    from plotly.offline import get_plotlyjs

    data = explore(filtered.answered, filtered.kept)
    page = _page(data, all_sections(data, manifest), manifest, get_plotlyjs())
    path = folder / REPORT
    write_whole(path, page.encode())
    return path


def _page(data: Exploration, sections: Sequence[Section], manifest: dict[str, Any], plotly_js: str) -> str:
    name = html.escape(manifest["source"]["name"])
    style = _STYLE.read_text(encoding="utf-8")
    body = "\n".join(_section(section) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: what is in it</title>
<style>{style}</style>
<script>{plotly_js}</script>
</head>
<body>
<header>
<h1>What is in {name}</h1>
<p class="quiet">Questions and answers as MediLite trains and evaluates on them.{_credit(manifest)}</p>
{_tiles(data, manifest)}
</header>
<main>
{body}
{_problems(manifest["malformed"])}
</main>
{_footer(manifest)}
</body>
</html>
"""


def _section(section: Section) -> str:
    figure = section.figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{section.key}",
        config={"displayModeBar": False, "responsive": True},
    )
    finding = html.escape(section.finding)
    tables = _table(section.table) + (_table(section.more) if section.more else "")
    return f"""<section aria-labelledby="{section.key}">
<h2 id="{section.key}">{finding}</h2>
<figure>
<figcaption>{html.escape(section.reading)}</figcaption>
<div role="img" aria-label="Chart: {finding}. The numbers are in the table below.">{figure}</div>
</figure>
<details><summary>The numbers as a table</summary>{tables}</details>
</section>"""


def _table(rows: Sequence[Sequence[object]]) -> str:
    header, *rest = rows
    head = "".join(f'<th scope="col"{_kind(i, rest)}>{html.escape(str(cell))}</th>' for i, cell in enumerate(header))
    lines = ("".join(f"<td{_kind(i, rest)}>{_cell(cell)}</td>" for i, cell in enumerate(row)) for row in rest)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(column: int, rows: Sequence[Sequence[object]]) -> str:
    """Align a column to the right if it holds numbers (they may be formatted already)."""
    cell = str(rows[0][column]).replace(",", "").replace(".", "") if rows else ""
    return ' class="number"' if cell.removeprefix("-").isdigit() else ""


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else html.escape(str(value))


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
    return f'<section aria-labelledby="malformed"><h2 id="malformed">{heading}</h2>{_table(rows)}{more}</section>'


def _credit(manifest: dict[str, Any]) -> str:
    source = manifest["source"]
    return f" {_linked(source['credit'])}. Licence: {_linked(source['licence'])}." if source["credit"] else ""


def _footer(manifest: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    return (
        f'<footer class="quiet"><p>Fingerprint of the splits: <code>{manifest["fingerprint"]}</code>. Seed '
        f"{manifest['seed']}. {html.escape(versions)}. Readability by medilite.readability (textstat).</p></footer>"
    )


def _linked(text: str) -> str:
    """Return the text with its last word, a web address, as a link."""
    words, _, address = text.rpartition(" ")
    return f'{html.escape(words)} <a href="{html.escape(address)}">{html.escape(address)}</a>'
