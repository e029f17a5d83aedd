"""Text cut at the ends of its marks."""

from __future__ import annotations

import pytest

from medilite.ui.compare.marks import marked_html


@pytest.mark.parametrize(
    ("text", "marks", "html"),
    [
        ("a b c", [], "a b c"),
        ("a b c", [(2, 3, "m")], 'a <span class="m">b</span> c'),
        ("abc", [(0, 3, "long"), (1, 2, "hard")],
         '<span class="long">a</span><span class="hard long">b</span><span class="long">c</span>'),
        ("abc", [(0, 2, "x"), (1, 3, "y")],
         '<span class="x">a</span><span class="x y">b</span><span class="y">c</span>'),
        ("a<b", [(1, 2, "m")], 'a<span class="m">&lt;</span>b'),
        ("ab", [(-5, 1, "m"), (1, 99, "n"), (1, 1, "o")], '<span class="m">a</span><span class="n">b</span>'),
        ("", [(0, 4, "m")], ""),
        ("a & b", [], "a &amp; b"),
    ],
)  # fmt: skip
def test_marked_html(text, marks, html):
    assert marked_html(text, marks) == html
