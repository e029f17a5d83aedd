"""What a visitor reads of an error: no path of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from medilite.errors import without_folders


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("The library in /srv/medilite/cache/medquad-01 can't be read.", "The library in medquad-01 can't be read."),
        ("[Errno 13] Permission denied: '/home/Jane Doe/x y.db'", "[Errno 13] Permission denied: 'x y.db'"),
        ('no "~/models/base/config.json"; C:\\Users\\Jane\\a.csv', 'no "config.json"; a.csv'),
        ("Run make data SOURCE=/data/medquad.zip, or (/a/b).", "Run make data SOURCE=medquad.zip, or (b)."),
        ("See file:///home/jane/library.db", "See library.db"),
        ("https://a.gov/b/c, hub:owner/name, assets/x/y.json, 1/2 and/or", None),
    ],
)
def test_paths_are_cut_to_their_names_and_addresses_stay(message, shown):
    assert without_folders(message) == (message if shown is None else shown)


def test_a_known_path_may_hold_spaces():
    path = Path("/srv/medi lite/my cache")
    assert without_folders(f"No room in {path}/sources.", path) == "No room in my cache/sources."
    assert without_folders("a/b", Path("/"), Path()) == "a/b"
