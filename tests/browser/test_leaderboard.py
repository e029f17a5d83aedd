"""The tab Leaderboard in a browser: sorting, searching, single questions. How it looks is in test_axe.py."""

from __future__ import annotations

import pytest

from tests.browser.pages import PATIENCE_MS

pytestmark = pytest.mark.browser

MODELS = "#lb-table tbody:first-of-type tr:not([hidden])"
HEADS = "#lb-table thead th[data-key]:not([hidden])"


@pytest.fixture
def board(serve, visit, made_boards):
    """Return a function that opens the tab."""

    def start():
        url, _ = serve(made_boards[0])
        here = visit(url)
        here.tab("Leaderboard")
        here.page.wait_for_selector("#lb-answers .ml-card", timeout=PATIENCE_MS)
        here.page.wait_for_selector("#lb-bleu .main-svg", timeout=PATIENCE_MS)
        return here

    return start


def models(page):
    return [row.get_attribute("data-model") for row in page.locator(MODELS).all()]


def test_sorting_searching_and_another_split(board):
    page = board().page
    order = models(page)
    grade = page.locator(".lb-sort[data-sort=flesch_kincaid_grade]")
    # By keyboard: what has no number stands last, whichever way.
    grade.press("Enter")
    easiest = models(page)
    assert easiest[0] == "grpo"
    assert easiest[-1] == "sft-r16-low"
    assert page.locator("th[data-key=flesch_kincaid_grade]").get_attribute("aria-sort") == "ascending"
    grade.press("Enter")
    assert models(page)[0] == "base"
    assert models(page)[-1] == "sft-r16-low"
    page.fill("#lb-search", "rouge")
    assert [head.get_attribute("data-key") for head in page.locator(HEADS).all()] == ["rouge_l"]
    page.fill("#lb-search", "r16")
    assert sorted(models(page)) == ["sft-r16-high", "sft-r16-low"]
    page.fill("#lb-search", "nothing of this name")
    assert page.locator(".lb-nothing").is_visible()
    page.fill("#lb-search", "")
    page.locator(".lb-choice", has_text="How it is written").click()
    assert page.locator(HEADS).count() == 7
    # What was chosen holds for the other split.
    page.locator("#lb-split label", has_text="without shared").click()
    page.wait_for_selector("#lb-table[data-split='distinct/test'][data-applied='distinct/test']")
    assert page.locator(HEADS).count() == 7
    assert models(page)[0] == "base"
    page.locator(".lb-sort[data-sort='']").click()
    assert models(page) == order


def test_single_questions(board):
    page = board().page
    first = page.locator("#lb-answers h2").text_content()
    page.click("#lb-next")
    page.wait_for_function("text => document.querySelector('#lb-answers h2').textContent !== text", arg=first)
    assert "2 of" in page.locator("#lb-place").text_content()
    page.click("#lb-previous")
    page.wait_for_function("text => document.querySelector('#lb-answers h2').textContent === text", arg=first)
    page.click("#lb-source input")
    page.get_by_role("option", name="Library").click()
    page.wait_for_function("document.querySelector('#lb-place').textContent.includes('Library')")
    assert page.locator("#lb-answers .ml-card").count() == 6
    page.click("#lb-pair input")
    page.get_by_role("option", name="GRPO against Base").click()
    page.wait_for_function("document.querySelector('#lb-quarters .lb-said').textContent.includes('Base’s')")
    assert "GRPO minus Base" in page.locator("#lb-differences").text_content()
    assert page.locator("#lb-differences [data-metric=flesch_kincaid_grade]").first.is_visible()


def test_plots_are_loaded_with_the_tab_and_hand_out_their_numbers(serve, visit, made_boards):
    url, _ = serve(made_boards[0])
    here = visit(url)
    page, loaded = here.page, []
    page.on("request", lambda request: loaded.append(request.url))
    here.tab("Chat")
    here.tab("Leaderboard")
    assert not any("Plotly" in url for url in loaded)
    page.wait_for_selector("#lb-bleu .main-svg", timeout=PATIENCE_MS)
    assert any("Plotly" in url for url in loaded)
    with page.expect_download() as csv:
        page.locator("#lb-scatter [data-plot]").press("Enter")
    lines = csv.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].replace('"', "") == "series,x,x_low,x_high,y,y_low,y_high,label"
    series, *numbers = lines[1].split(",")
    assert series == '"Base"'
    x, low, high = map(float, numbers[:3])
    assert low < x < high
    with page.expect_download() as csv:
        page.locator("[data-table]").press("Enter")
    head, *lines = csv.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert head.replace('"', "") == "questions,model,metric,unit,value,low,high,n,of"
    grade = next(line for line in lines if '"grpo","flesch_kincaid_grade"' in line).split(",")
    assert float(grade[5]) < float(grade[4]) < float(grade[6])
    assert int(grade[7]) <= int(grade[8])
    judged = next(line for line in lines if '"grpo","correctness"' in line).split(",")
    assert judged[4:8] == ["", "", "", "0"], "null is no 0"
    with page.expect_download() as png:
        page.locator("#lb-scatter .modebar-btn").first.click()
    assert png.value.suggested_filename == "medilite-grade-and-content.png"
    assert png.value.path().read_bytes().startswith(b"\x89PNG")


def test_without_a_board_and_votes(serve, visit, tmp_path):
    url, _ = serve(tmp_path)
    here = visit(url)
    here.tab("Leaderboard")
    here.page.wait_for_selector("#lb-intro .lb-empty")
    assert "make leaderboard" in here.page.locator("#lb-intro").text_content()
    assert here.page.locator("#lb-means").is_hidden()
    here.page.wait_for_selector(".vb-empty", timeout=PATIENCE_MS)
    assert "Blind vote" in here.page.locator(".vb-empty").text_content()
    assert here.overflow() <= 0
