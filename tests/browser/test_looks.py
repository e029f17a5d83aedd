"""What holds for every screen: less motion for those who ask for it, one voice, a language; what test_axe.py checks."""

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


def test_reduced_motion(serve, visit):
    url, _ = serve(step_s=0.05)
    here = visit(url, reduced_motion="reduce").ready()
    here.ask("What is asthma?")
    here.wait_writing()
    dot = here.page.locator("#compare-status .ml-status-dot")
    assert dot.evaluate("e => getComputedStyle(e).animationName") == "none"
    here.wait_done()
    assert here.page.evaluate("document.documentElement.lang") == "en"
    assert here.page.title() == "MediLite: health answers side by side"


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
