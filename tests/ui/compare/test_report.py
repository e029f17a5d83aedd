"""A comparison as one HTML file: whole, readable without a server, and nobody's markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from medilite.safety import NOT_MEDICAL_ADVICE_LONG
from medilite.ui.compare.report import as_report
from tests.ui.html import read

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def test_a_report_has_every_answer_its_scores_and_what_it_takes_to_make_it_again(compare, lite):
    spanish = "El asma es una enfermedad que afecta las vías respiratorias y que no tiene cura."
    run = compare("What is asthma?", scripts={"grpo": spanish}, fail_after={"sft-r8-low": 0})
    text = as_report(run, NOW)
    page = read(text)
    assert page.one("h1").text == "What is asthma?"
    sections = page.all("section", "a")
    assert [section.one("h3").text for section in sections] == [spec.label for spec in lite.models]
    for section, pane in zip(sections, run.panes, strict=True):
        assert (section.one("p", "t").text if pane.text else "No words.") in {pane.text, "No words."}
        assert "not medical advice" in section.text
    rows = page.one("tbody").all("tr")
    assert rows[1].all("td")[0].text == "no grade", "null is no 0"
    assert rows[5].all("td")[0].text == "not English, so without a grade"
    assert "failed" in rows[1].text
    for said in ("29 November 2026, 12:00 UTC", "max_new_tokens 24", "repetition_penalty 1.1", "Seed", "lite"):
        assert said in text
    assert "grpo on sft-r16-high" in text
    assert "Easier is not better" in text
    assert NOT_MEDICAL_ADVICE_LONG[:40] in page.text
    assert "Compared with" not in page.text, "nothing was"


@pytest.mark.parametrize("question", ["<script>alert(1)</script> asthma?", "a </title><img src=x onerror=alert(1)>"])
def test_words_stay_words(compare, question):
    run = compare(question, scripts={"base": '<img src="https://evil.example/x"> & "quotes"'})
    text = as_report(run, NOW)
    page = read(text)
    assert page.all("script") == page.all("img") == []
    assert page.one("h1").text == question
    assert "&lt;img src=" in text


def test_it_asks_nobody_for_anything(compare):
    text = as_report(compare(), NOW)
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    assert text.startswith("<!doctype html>")


def test_an_emergency_has_its_notice_in_the_file_too(compare):
    text = as_report(compare("I have chest pain, what should I do?"), NOW)
    assert "call your local emergency number" in text
