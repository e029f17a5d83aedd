"""What holds for every screen: no sideways scrolling, enough contrast, names for everything, a language."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {r, g, b, a};
  };
  const mix = (top, under, key) => top[key] * top.a + under[key] * (1 - top.a);
  const over = (top, under) => ({r: mix(top, under, 'r'), g: mix(top, under, 'g'), b: mix(top, under, 'b'), a: 1});
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ({r, g, b}) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), {r: 255, g: 255, b: 255, a: 1});
  };
  // What can't be used may be faint (WCAG 1.4.3), as may what only programs read.
  const skip = ':disabled, [aria-disabled=true], .ml-hidden, .visually-hidden, .sr-only, style, script';
  const poor = [];
  const walker = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const seen = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!node.textContent.trim() || !seen || element.closest(skip)) continue;
    const style = getComputedStyle(element), under = behind(element);
    const [a, b] = [light(over(parse(style.color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push([node.textContent.trim().slice(0, 40), ratio.toFixed(2), style.color]);
  }
  return poor;
}"""
"""Texts whose contrast is under WCAG's AA, with the ratio."""

NAMELESS = """() => {
  const named = (e) => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length
    || e.getAttribute('aria-labelledby') || e.placeholder || e.title;
  return [...document.querySelectorAll('button, a[href], input, textarea, select, [tabindex="0"]')]
    .filter((e) => e.checkVisibility() && !e.closest('.visually-hidden') && !named(e))
    .map((e) => e.outerHTML.slice(0, 160));
}"""
"""What can be focused but has no name that a screen reader could say."""


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_screen(serve, visit, size):
    url, _ = serve(broken={"sft-r16-high": "The adapter is missing."}, scripts={"sft-r8-low": "Short words. Go out."})
    here = visit(url, size).ready()
    page = here.page
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == "MediLite: health answers side by side"
    page.locator(".ml-fold .label-wrap:visible", has_text="More questions").click()
    page.locator(".ml-fold .label-wrap:visible", has_text="Settings").click()

    def check(screen: str) -> None:
        for scheme in here.schemes():
            assert page.evaluate(CONTRAST) == [], (screen, scheme)
        assert here.overflow() <= 0, screen
        assert page.evaluate(NAMELESS) == [], screen

    check("empty")
    here.ask("I have chest pain, what should I do?")
    here.wait_done()
    page.locator("#mark-hard input").check()
    page.locator("#mark-differs input").check()
    page.locator("#answers summary").first.click()
    check("answered")
    here.ask("")
    page.locator("#compare-error [role=alert]").wait_for()
    check("bad input")
    here.tab("Chat")
    check("empty chat")
    here.say("What is asthma?")
    here.wait_said(1)
    check("chat")
    here.tab("About")
    page.wait_for_selector(".ml-about")
    check("about")


def test_reduced_motion(serve, visit):
    url, _ = serve(step_s=0.05)
    here = visit(url, reduced_motion="reduce").ready()
    here.ask("What is asthma?")
    here.wait_writing()
    dot = here.page.locator("#compare-status .ml-status-dot")
    assert dot.evaluate("e => getComputedStyle(e).animationName") == "none"
    here.wait_done()


def test_one_polite_voice(serve, visit):
    """A screen reader hears that answers are on their way and that they are there, not every token."""
    url, _ = serve(step_s=0.03)
    here = visit(url).ready()
    here.page.evaluate(
        """() => { window.heard = [];
          const live = document.querySelector('#compare-status [aria-live]');
          const hear = () => { if (window.heard.at(-1) !== live.textContent) window.heard.push(live.textContent); };
          new MutationObserver(hear).observe(live, {childList: true, characterData: true, subtree: true}); }"""
    )
    here.ask("What is asthma?")
    here.wait_done()
    heard = here.page.evaluate("window.heard")
    assert heard[-2:] == ["Writing.", "All answers are here."]
    assert len(heard) <= 4
    assert here.page.locator("#answers [aria-live]").count() == 0


def test_a_question_stays_whole_when_the_window_narrows(serve, visit):
    url, _ = serve()
    here = visit(url).ready()
    here.question.fill("What is asthma, what sets it off, and what can I do about it at home tonight?")
    here.page.set_viewport_size({"width": 390, "height": 844})
    here.page.wait_for_function(
        """() => { const field = document.querySelector('#question textarea');
                   return field.clientHeight > 60 && field.scrollHeight <= field.clientHeight + 2; }"""
    )
    assert here.question.input_value().endswith("tonight?")
