"""Forks: the first token at which an answer leaves its parent's path, and what is said of it."""

from __future__ import annotations

import math

import pytest

from medilite.errors import QuestionError
from medilite.lab.forks import FARTHEST, ForkMap, Scoring, Written, first_difference
from medilite.records import Decoding, Message, RowStep, Step, TokenScore

ASKED = (Message("user", "What is asthma?"),)
END = 0


def answer(model: str, *ids: int, stopped: str = "end") -> Written:
    pieces = tuple("" if token == END else f"w{token} " for token in ids)
    return Written(model, ids, pieces, stopped)  # type: ignore[arg-type]


def mapped(lite, *answers: Written) -> ForkMap:
    found = ForkMap("What is asthma?", lite, Decoding(8), 0)
    found.answers = {one.model: one for one in answers}
    return found


def scored(answer: Written, models: list[str], likely: dict[str, float], bits: float = 0.5) -> Scoring:
    """An answer of which every token has a model's own probability."""
    scoring = Scoring(answer, models)
    rows = tuple(
        RowStep("", len(answer.ids), "end", scores=tuple(
            TokenScore(token, "x", math.log(likely[model]), (("best", math.log(0.9)),), (*[bits] * len(models), bits))
            for token in answer.ids
        )) for model in models
    )  # fmt: skip
    scoring.take(Step(tuple(RowStep("", 0) for _ in models), waiting=2))
    scoring.take(Step(rows))
    return scoring


@pytest.mark.parametrize(
    ("one", "other", "at"),
    [
        ((1, 2, 3), (1, 2, 4), 2),
        ((1, 2), (3, 2), 0),
        ((1, 2, 3), (1, 2, 3), None),
        ((1, 2), (1, 2, 3), None),
        ((), (1,), None),
    ],
)
def test_the_first_difference(one, other, at):
    assert first_difference(one, other) == first_difference(other, one) == at


def test_a_fork_has_both_words_and_their_probability_to_both_models(lite):
    child, parent = answer("grpo", 5, 6, 7, END), answer("sft-r16-high", 5, 6, 8, 9, END)
    found = mapped(lite, child, parent)
    assert found.fork("grpo").said.to_model is None, "not scored yet"
    models = ["sft-r16-high", "grpo"]
    found.scored["grpo"] = scored(child, models, {"grpo": 0.7, "sft-r16-high": 0.2}).result()
    found.scored["sft-r16-high"] = scored(parent, models, {"grpo": 0.1, "sft-r16-high": 0.6}).result()
    fork = found.fork("grpo")
    assert (fork.model, fork.parent, fork.at, fork.bits) == ("grpo", "sft-r16-high", 2, 0.5)
    assert fork.said.text == "w7 "
    assert fork.instead.text == "w8 "
    shares = (fork.said.to_model, fork.said.to_parent, fork.instead.to_model, fork.instead.to_parent)
    assert shares == pytest.approx((0.7, 0.2, 0.1, 0.6))
    assert child.before(fork.at) == "w5 w6 "


def test_an_answer_that_ends_where_its_parents_goes_on_forks_at_its_end(lite):
    found = mapped(lite, answer("sft-r8-low", 5, END), answer("base", 5, 6, END))
    fork = found.fork("sft-r8-low")
    assert (fork.at, fork.said.text, fork.instead.text) == (1, "", "w6 ")


@pytest.mark.parametrize(
    "parent", [answer("base", 5, 6, END), answer("base", 5, stopped="length"), answer("sft-r8-high", 5, 7, END)]
)
def test_there_is_no_fork_between_equal_answers_cut_ones_or_without_a_parents_answer(lite, parent):
    assert mapped(lite, answer("sft-r8-low", 5, 6, END), parent).fork("sft-r8-low") is None


def test_the_base_has_no_path_to_leave_and_an_unknown_model_no_answer(lite):
    found = mapped(lite, answer("base", 5, END))
    assert found.parent_of("base") is None
    assert found.fork("base") is None
    assert {found.parent_of(model) for model in lite.ids if model.startswith("sft")} == {"base"}


def test_nothing_can_be_scored_of_an_answer_without_a_token():
    with pytest.raises(QuestionError, match="nothing to map"):
        Scoring(answer("base"), ["base"])


def test_an_answer_of_1500_tokens_is_scored_whole_and_its_farthest_places_listed():
    long = answer("base", *range(1, 1501), stopped="length")
    (request,) = Scoring(long, ["base"]).requests(ASKED, "v")
    assert (request.scored, request.divergence, request.visitor) == (long.ids, True, "v")
    found = scored(long, ["base"], {"base": 0.4}).result()
    assert len(found.apart) == 1500
    assert len(found.farthest) == FARTHEST
    assert found.mean_bits == pytest.approx(0.5)


def test_what_answers_have_in_common_is_scored_once():
    models = ["base", "grpo"]
    one = scored(answer("base", 5, 6, 7, END), models, {"base": 0.7, "grpo": 0.2})
    other = scored(answer("sft-r8-low", 5, 9, END), models, {"base": 0.1, "grpo": 0.3})
    third = Scoring(answer("grpo", 5, 6, 8, END), models, [one, other])
    requests = third.requests(ASKED, "v")
    assert {(request.begun, request.scored) for request in requests} == {((5, 6), (8, END))}
    rest = tuple(RowStep("", 2, "end", scores=one.scores["base"][2:]) for _ in models)
    third.take(Step(rest))
    assert third.scores["grpo"] == one.scores["grpo"][:2] + one.scores["base"][2:]
    assert len(third.result().apart) == 4
    # Of scores only what a later answer needs is held, and of the result one answer's own model's divergences.
    one.keep_for([other.answer, third.answer])
    assert {len(scores) for scores in one.scores.values()} == {2}
    assert Scoring(third.answer, models, [one, other]).requests(ASKED, "v") == requests
    assert list(third.result().from_other) == models
    one = scored(one.answer, models, {"base": 0.7, "grpo": 0.2})
    # Of the same answer its last token is left, and nothing is taken from where a model failed.
    assert Scoring(answer("grpo", 5, 6, 7, END), models, [one]).requests(ASKED)[0].scored == (END,)
    assert Scoring(answer("grpo", 5, 6), ["base"], [one]).requests(ASKED)[0].begun == ()
    failed = Scoring(answer("base", 5, 6, 7), models)
    failed.take(Step((RowStep("", 3, "end", scores=one.scores["base"][:3]), RowStep("", 0, "error", "no"))))
    after = Scoring(answer("grpo", 5, 6, 8, END), models, [failed])
    after.take(Step(rest))
    assert list(after.scores) == ["base"]


def test_a_model_that_failed_is_left_out_and_null_is_no_zero():
    scoring = Scoring(answer("base", 5), ["base", "grpo"])
    score = TokenScore(5, "x", -1.0, (("x", -1.0),), (0.0, None, None))
    scoring.take(Step((RowStep("", 1, "end", scores=(score,)), RowStep("", 0, "error", "gone"))))
    found = scoring.result()
    assert list(found.own) == ["base"]
    assert found.apart == [None]
    assert found.mean_bits is None


def test_all_go_on_from_the_same_tokens_as_they_were_asked(lite):
    found = mapped(lite, answer("grpo", 5, 6, 7, END))
    requests, begun = found.going_on("grpo", 2, ["base", "grpo"], "v")
    assert begun == "w5 w6 "
    assert {(r.begun, r.decoding, r.seed, r.visitor) for r in requests} == {((5, 6), found.decoding, 0, "v")}


@pytest.mark.parametrize(
    ("model", "tokens", "why"),
    [
        ("grpo", 0, "can't be kept"), ("grpo", 4, "this answer has 3"), ("grpo", 1.5, "whole number"),
        ("grpo", None, "whole number"), ("grpo", True, "whole number"), ("nobody", 1, "isn't in the map"),
    ],
)  # fmt: skip
def test_nobody_goes_on_from_where_there_is_nothing(lite, model, tokens, why):
    with pytest.raises(QuestionError, match=why):
        mapped(lite, answer("grpo", 5, 6, 7, END)).going_on(model, tokens, ["base"])
