"""Templates: an item of a mapping comes before the mapping's own methods."""

from __future__ import annotations

import pytest

from medilite.ui.html import _environment


@pytest.mark.parametrize("name", ["clear", "items", "values", "copy", "get"])
def test_an_item_comes_before_a_method_of_its_name(name):
    rendered = _environment().from_string(f"{{{{ 'yes' if row.{name} else 'no' }}}}").render(row={name: False})
    assert rendered == "no"


def test_methods_are_there_otherwise():
    row = {"label": "GRPO"}
    assert _environment().from_string("{% for k, v in row.items() %}{{ k }} {{ v }}{% endfor %}").render(row=row) == (
        "label GRPO"
    )
