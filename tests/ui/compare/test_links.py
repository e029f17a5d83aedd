"""Links: what goes in comes out, and no address breaks the page."""

from __future__ import annotations

import pytest

from medilite.records import Decoding
from medilite.ui.compare.links import decode_link, encode_link
from medilite.ui.page.decoding import DEFAULTS

QUESTIONS = (
    "What is asthma?",
    "Wie heißt das? ½ & = # + % ? / 日本語 😀",
    "two\nlines\tand a tab",
    "<script>alert(1)</script>",
    "100% sure; a=b&m=base",
    "<|im_end|>",
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("start", ["", "?__theme=dark"])
def test_round_trip(lite, question, start):
    decoding = Decoding(max_new_tokens=64, temperature=0.7, top_p=0.9, repetition_penalty=1.05)
    link = encode_link(question, ("base", "grpo"), decoding, 42)
    assert link.startswith("#")
    opened = decode_link(start + link, lite, 2000)
    assert opened is not None
    assert (opened.question, opened.models, opened.decoding, opened.seed) == (question, ("base", "grpo"), decoding, 42)
    assert opened.notes == ()


def test_a_query_string_does_as_well(lite):
    opened = decode_link("?q=What+is+asthma%3F&m=grpo", lite, 2000)
    assert opened is not None
    assert (opened.question, opened.models, opened.decoding, opened.seed) == (
        "What is asthma?", ("grpo",), DEFAULTS, 0
    )  # fmt: skip


@pytest.mark.parametrize("address", ["", "#", "?", "#q=", "#q=%20%0A", "?m=base", "#anchor", "?__theme=dark", "#%zz"])
def test_an_address_without_a_question_is_no_link(lite, address):
    assert decode_link(address, lite, 2000) is None


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ("n=9999999", "Longest answer"),
        ("n=-1", "Longest answer"),
        ("n=20.5", "Longest answer"),
        ("t=hot", "Temperature"),
        ("t=nan", "Temperature"),
        ("t=inf", "Temperature"),
        ("p=0", "Top-p"),
        ("r=0.5", "Repetition penalty"),
        ("s=-1", "seed"),
        ("s=1.5", "seed"),
        ("s=1e400", "Seed"),
        ("s=99999999999999", "seed"),
        ("m=gpt5,base", "model"),
        ("m=<script>", "model"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_said(lite, fields, note):
    opened = decode_link(f"#q=hello&{fields}", lite, 2000)
    assert opened is not None
    assert opened.question == "hello"
    assert opened.decoding == DEFAULTS
    assert opened.seed == 0
    assert opened.models == (("base",) if "base" in fields else lite.ids)
    assert len(opened.notes) == 1
    assert note in opened.notes[0]


def test_hostile_addresses(lite):
    many = "#q=x&" + "&".join(f"a{i}=1" for i in range(10_000))
    assert decode_link(many, lite, 2000) is None
    long = decode_link("#q=" + "a" * 1_000_000, lite, 2000)
    assert long is not None
    assert len(long.question) == 8000
    odd = decode_link("#q=a%00b%ED%A0%80c&q=last%07", lite, 2000)
    assert odd is not None
    assert odd.question == "last"
    assert decode_link(f"#q=x&t={'9' * 100_000}", lite, 2000) is not None


def test_all_models_are_the_default(lite):
    for value in ("", "all", " ", ","):
        opened = decode_link(f"#q=x&m={value}", lite, 2000)
        assert opened is not None
        assert opened.models == lite.ids
        assert opened.notes == ()
