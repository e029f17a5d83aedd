"""Every number of an answer against hand-worked cases and against the libraries called directly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval.metrics.answer import own_scores, question_scores, reference_scores, similarity_or_empty
from eval.metrics.catalogue import METRICS, SCORED, TRAINED_BY
from eval.metrics.claimed import claim_scores
from eval.metrics.overlap import References, bleu_of, rouge_l, rouge_tokens, signatures
from eval.tables import BLEU_PARTS, bleu_parts
from medilite.readability import normalise, textstat_module

ANSWERS = (
    "Gout is a form of arthritis. It causes sudden, severe attacks of pain in the joints!",
    "gout gout gout gout gout",
    "Ask a doctor.",
    "",
)
REFERENCES = (
    ("Gout is a common form of arthritis that causes sudden attacks of pain.", "A disease of the joints."),
    ("Gout is caused by uric acid.",),
    ("See a doctor, who may order blood tests.", "Blood tests.", "An X-ray."),
    ("Rest.",),
)


def counts(kind, answer, *references):
    return References(references).bleu_counts(answer)[kind]


def test_bleu_counts_by_hand():
    # Lower-cased against "the cat sat down": 3 of 3 words, 2 of 2 pairs, 1 of 1 triple.
    assert counts("bleu_study", "The cat sat", "the cat", "sat down") == [3, 4, 3, 2, 1, 0, 3, 2, 1, 0]
    # Cased and apart: "cat" and "sat" match, no pair does; both references are one word shorter.
    assert counts("bleu", "The cat sat", "the cat", "sat down") == [3, 2, 2, 0, 0, 0, 3, 2, 1, 0]
    # A word counts as often as one reference has it, not as often as all.
    assert counts("bleu", "a a a", "a b", "a c")[2] == 1


def test_bleu_by_hand():
    score = bleu_of("bleu", counts("bleu", "a b c d e", "a b c d f"))
    assert score.precisions == pytest.approx([80, 75, 200 / 3, 50])
    assert (score.bp, score.score) == pytest.approx((1, 100 * (0.8 * 0.75 * (2 / 3) * 0.5) ** 0.25))
    short = bleu_of("bleu_study", counts("bleu_study", "a b c d e", "a b c d e", "f g h i j"))
    assert (short.bp, short.score) == pytest.approx((math.exp(-1), 100 * math.exp(-1)))


def test_corpus_bleu_is_sacrebleus_own():
    from sacrebleu.metrics import BLEU

    joined = [" ".join(references) for references in REFERENCES]
    streams = [[references[i] if i < len(references) else None for references in REFERENCES] for i in range(3)]
    direct = {
        "bleu_study": BLEU(lowercase=True, smooth_method="none").corpus_score(ANSWERS, [joined]),
        "bleu": BLEU().corpus_score(ANSWERS, streams),
    }
    for kind, expected in direct.items():
        each = [counts(kind, answer, *some) for answer, some in zip(ANSWERS, REFERENCES, strict=True)]
        summed = [sum(column) for column in zip(*each, strict=True)]
        ours = bleu_of(kind, summed)
        assert (ours.score, ours.bp, ours.precisions) == (expected.score, expected.bp, expected.precisions)
        assert (ours.sys_len, ours.ref_len) == (expected.sys_len, expected.ref_len)
        (parts,) = bleu_parts(kind, np.array([summed], float))
        values = dict(zip(BLEU_PARTS, parts, strict=True))
        assert values["score"] == pytest.approx(expected.score, abs=1e-9)
        assert values["precision_4"] == pytest.approx(expected.precisions[3], abs=1e-9)
        assert values["length_ratio"] == pytest.approx(expected.ratio)


@pytest.mark.parametrize("kind", ["bleu", "bleu_study"])
@pytest.mark.parametrize(
    "summed", [[9, 9, 5, 3, 0, 0, 9, 8, 7, 6], [0, 7, *[0] * 8], [3, 9, 2, 1, 0, 0, 3, 2, 1, 0], [20, 9, *range(9, 17)]]
)
def test_bleu_of_odd_counts_is_sacrebleus(kind, summed):
    expected = bleu_of(kind, summed)
    (parts,) = bleu_parts(kind, np.array([summed], float))
    assert parts[:6] == pytest.approx([expected.score, *expected.precisions, expected.bp])


def test_chrf_by_hand():
    assert References(["ab"]).chrf("ab") == 100
    # Characters 1 of 2, pairs 0 of 1, words 0 of 1: mean precision and recall 1/6.
    assert References(["ac"]).chrf("ab") == pytest.approx(100 / 6)
    assert References(["ac", "ab"]).chrf("ab") == 100
    assert References(["ac"]).chrf("") == 0


def test_chrf_is_sacrebleus_own():
    from sacrebleu.metrics import CHRF

    for answer, references in zip(ANSWERS, REFERENCES, strict=True):
        expected = CHRF(word_order=2).sentence_score(answer, list(references)).score
        assert References(references).chrf(answer) == expected


def test_rouge_l_by_hand():
    # Three words in order: 2 · 3 / (3 + 5).
    assert rouge_l(rouge_tokens("The cat sat."), rouge_tokens("the black cat sat down")) == 0.75
    assert rouge_l(["a", "b", "c"], ["c", "b", "a"]) == pytest.approx(1 / 3)
    assert rouge_l([], ["a"]) == rouge_l(["a"], []) == 0
    assert References(["x y", "a b c d"]).rouge_l("A-b!") == pytest.approx(2 * 2 / (2 + 4))


def test_readability_is_textstats_own():
    text = "Gout is **painful**:\n- very swollen joints\n- fever, e.g. 38.5 degrees\n\nDoctors prescribe allopurinol."
    scores, running, textstat = own_scores(text, 30, "end"), normalise(text), textstat_module()
    for key, function in {
        "flesch_kincaid_grade": textstat.flesch_kincaid_grade,
        "flesch_reading_ease": textstat.flesch_reading_ease,
        "smog_index": textstat.smog_index,
        "gunning_fog": textstat.gunning_fog,
        "coleman_liau_index": textstat.coleman_liau_index,
        "automated_readability_index": textstat.automated_readability_index,
        "dale_chall_score": textstat.dale_chall_readability_score,
        "words": textstat.lexicon_count,
        "sentences": textstat.sentence_count,
    }.items():
        assert scores[key] == pytest.approx(function(running), abs=5e-7), key
    difficult = textstat.difficult_words(running, unique=False)
    assert scores["difficult_share"] == pytest.approx(difficult / textstat.lexicon_count(running), abs=5e-7)


def test_own_scores_by_hand():
    scores = own_scores("We see a dog. We see a cat. We see a dog.", 14, "length")
    assert (scores["words"], scores["sentences"], scores["tokens"], scores["ended"]) == (12, 3, 14, 0)
    # Nine 4-grams, of which only "we see a dog" comes again.
    assert scores["repeated_4grams"] == round(1 / 9, 6)
    assert scores["difficult_share"] == 0


def test_an_empty_answer_is_scored_as_empty():
    scores = own_scores("", 1, "end")
    assert (scores["words"], scores["sentences"], scores["tokens"], scores["ended"]) == (0, 0, 1, 1)
    assert scores["flesch_kincaid_grade"] is scores["difficult_share"] is scores["repeated_4grams"] is None
    references = ["Uric acid crystals inflame joints."]
    against = reference_scores("What is gout ?", references, References(references), "")
    assert against == {"key_term_recall": 0, "rouge_l": 0, "chrf": 0}
    assert similarity_or_empty(None, " ") == 0
    assert similarity_or_empty(None, "Words without a reference") is None
    assert similarity_or_empty(0.12345678, "x") == 0.123457


def test_question_and_reference_scores():
    question = "What are the symptoms of gout ?"
    assert question_scores(question, "What are the symptoms of gout pain") == {"question_echo": round(6 / 7, 6)}
    references = ["Uric acid crystals.", "Swollen toes."]
    scores = reference_scores(question, references, References(references), "swollen toes")
    assert scores["key_term_recall"] == 1
    assert scores["rouge_l"] == 1


def test_the_catalogue_is_whole():
    assert {metric.better for metric in METRICS.values()} == {"lower", "higher", None}
    assert all(metric.label and metric.explanation and metric.source for metric in METRICS.values())
    scored = own_scores("A few words.", 4, "end") | question_scores("?", "A") | {"topic_similarity": 1}
    scored |= claim_scores("?", ["A few words."], "A few words.")
    assert set(scored) | {"key_term_recall", "rouge_l", "chrf"} == set(SCORED)
    assert {key for keys in TRAINED_BY.values() for key in keys} <= set(METRICS)


def test_every_reward_marks_the_metrics_that_it_works_on():
    from training.config import RewardsConfig

    assert set(TRAINED_BY) == set(RewardsConfig().weights)
    # What a claim costs is marked as rewarded, of whatever kind it is; what is found earns nothing.
    assert {"claims_at_odds", "claims_not_found", "invented_prevalence", "false_explanation"} < set(
        TRAINED_BY["supported"]
    )
    assert "claims_found" not in TRAINED_BY["supported"]


def test_signatures_tell_how():
    assert signatures()["bleu_study"].startswith("nrefs:1|case:lc|eff:no|tok:13a|smooth:none")
    assert signatures()["bleu"].startswith("nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp")
    assert "nw:2" in signatures()["chrf"]


def test_a_text_that_no_model_wrote_has_neither_tokens_nor_an_end():
    scores = own_scores("Ask a doctor.", None, None)
    assert (scores["tokens"], scores["ended"], scores["words"]) == (None, None, 3)


def test_loops_and_the_8th_grade_by_hand():
    assert own_scores("We see a dog. " * 9, 40, "length")["loops"] == 1
    plain = own_scores("We see a dog. It runs to the red house.", 12, "end")
    assert (plain["loops"], plain["grade_8"]) == (0, 1)
    hard = own_scores("Pharmacological intervention is indicated in exacerbations of obstructive disease.", 12, "end")
    assert hard["grade_8"] == 0
    assert (own_scores("", 1, "end")["loops"], own_scores("", 1, "end")["grade_8"]) == (0, None)


def test_claims_as_numbers_by_hand():
    question = "Is gout inherited ?"
    reference = "Gout is inherited in an autosomal recessive pattern. Crystals of uric acid inflame joints."
    text = "Gout is inherited in an autosomal dominant pattern, which means both copies of the gene are altered. It "
    text += "affects 1 in 10,000 people. Crystals inflame joints."
    scores = claim_scores(question, [reference], text)
    assert (scores["claims_at_odds"], scores["false_explanation"], scores["invented_prevalence"]) == (2, 1, 1)
    assert (scores["claims_not_found"], scores["inheritance_from_nowhere"]) == (1, 0)
    assert 0 < scores["content_precision"] < 1 > scores["content_recall"] > 0
    elsewhere = claim_scores("What causes gout ?", ["Crystals inflame joints."], text)
    assert elsewhere["inheritance_from_nowhere"] == 1
    empty = claim_scores(question, [reference], "")
    assert (empty["content_precision"], empty["content_recall"], empty["content_f1"]) == (None, 0, 0)


def test_precision_beside_a_second_implementation():
    """Sets of stems and a plain loop, weights from the committed table."""
    import json
    from gzip import decompress

    from medilite.claims.rarity import FILE
    from medilite.content.key_terms import common_stems, stems

    table = json.loads(decompress(FILE.read_bytes()))
    question, references = "What are kidney stones ?", ["Kidney stones are hard crystals. They hurt.", "Drink water."]
    for text in ("Stones are crystals that bleed. Drink tea.", "They hurt.", "Kidney stones."):
        own = stems(text) - stems(question) - common_stems()
        known = stems(" ".join(references))
        total = found = 0.0
        for stem in sorted(own):
            rare = math.log((table["documents"] + 1) / (table["counts"].get(stem, 0) + 1))
            total += rare
            found += rare if stem in known else 0
        expected = round(found / total, 6) if total else None
        assert claim_scores(question, references, text)["content_precision"] == expected
