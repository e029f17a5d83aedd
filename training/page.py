"""A report as one page that opens offline: its frame, sections with a chart, tables; plotly inside."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Rows = Sequence[Sequence[object]]
"""A table, its header first."""

_STYLE = Path(__file__).with_name("page.css")


def page(title: str, header: str, main: str, footer: str) -> str:
    """Return a whole page; `title` is plain text, the rest is HTML."""
    from plotly.offline import get_plotlyjs

    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{_STYLE.read_text(encoding="utf-8")}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
<header>
{header}
</header>
<main>
{main}
</main>
<footer class="quiet">{footer}</footer>
</body>
</html>
"""


def chart_section(key: str, finding: str, reading: str, figure: Figure, tables: Sequence[Rows]) -> str:
    """Return a section: the finding as its heading, the chart, how to read it, and its numbers as tables."""
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{key}",
        config={"displayModeBar": False, "responsive": True},
    )
    finding = html.escape(finding)
    return f"""<section aria-labelledby="{key}">
<h2 id="{key}">{finding}</h2>
<figure>
<figcaption>{html.escape(reading)}</figcaption>
<div role="img" aria-label="Chart: {finding}. The numbers are in the table below.">{drawn}</div>
</figure>
<details><summary>The numbers as a table</summary>{"".join(table(rows) for rows in tables)}</details>
</section>"""


def table(rows: Rows) -> str:
    """Return a table as HTML, columns of numbers aligned to the right."""
    header, *rest = rows
    head = "".join(f'<th scope="col"{_kind(i, rest)}>{html.escape(str(cell))}</th>' for i, cell in enumerate(header))
    lines = ("".join(f"<td{_kind(i, rest)}>{_cell(cell)}</td>" for i, cell in enumerate(row)) for row in rest)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(column: int, rows: Rows) -> str:
    """Align a column to the right if it holds numbers (they may be formatted already)."""
    cell = str(rows[0][column]).replace(",", "").replace(".", "") if rows else ""
    return ' class="number"' if cell.removeprefix("-").isdigit() else ""


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else html.escape(str(value))
