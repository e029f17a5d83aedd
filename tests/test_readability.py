"""Scores worked out by hand, the rules of the running text, the marks and the names of grades."""

from __future__ import annotations

import math
import random

import pytest

from medilite.readability import (
    BANDS,
    LONG_SENTENCE_WORDS,
    METRICS,
    Readability,
    Span,
    grade_band,
    grade_word,
    hard_spans,
    measure,
    normalise,
    textstat_module,
    whole_grade,
)
from medilite.readability.forms import abbreviations, passives
from medilite.readability.normal import normalise_with_origins
from tests.support.growth import is_linear

# Syllables by hand (one number a word), punctuation aside:
#   The doctor will see you now.                              1 2 1 1 1 1           =  7 in  6 words
#   Take the tablet with a glass of water after the meal.     1 1 2 1 1 1 1 2 2 1 1 = 14 in 11 words
#   Diabetes is a serious condition.                          4 1 1 3 3             = 12 in  5 words
# 33 syllables, 22 words, 3 sentences, 91 letters (22 + 42 + 27) and 3 stops. Three words have three or
# more syllables (Diabetes, serious, condition); the same three have over 6 letters, and the same three are
# the only ones that are not on Dale and Chall's list.
PLAIN = (
    "The doctor will see you now. Take the tablet with a glass of water after the meal. "
    "Diabetes is a serious condition."
)

# Go home and rest. (1 1 1 1) — You need sleep. (1 1 1): 7 syllables, 7 words, 2 sentences, 25 letters, 2 stops,
# nothing long, nothing off the list.
EASY = "Go home and rest. You need sleep."

MARKDOWN = """Here is **what** to know:

## Symptoms
- Wheezing at night when you lie down
- A dry cough that does not go away
- Taking 2.5 mg, e.g. by mouth

See [the guide](https://example.org/a_b) or https://example.org/x. Don’t wait 😀 and/or worry — rest.
"""


def test_hand_worked_counts():
    scores_ = measure(PLAIN)
    assert (scores_.words, scores_.sentences, scores_.long_words, scores_.difficult_words) == (22, 3, 3, 3)
    scores_ = measure(EASY)
    assert (scores_.words, scores_.sentences, scores_.long_words, scores_.difficult_words) == (7, 2, 0, 0)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (PLAIN, "flesch_kincaid_grade", 0.39 * 22 / 3 + 11.8 * 33 / 22 - 15.59),  # 4.97
        (PLAIN, "flesch_reading_ease", 206.835 - 1.015 * 22 / 3 - 84.6 * 33 / 22),  # 72.49
        (PLAIN, "smog_index", 1.043 * math.sqrt(30 * 3 / 3) + 3.1291),  # 8.84
        (PLAIN, "gunning_fog", 0.4 * (22 / 3 + 100 * 3 / 22)),  # 8.39
        (PLAIN, "coleman_liau_index", 0.058 * 100 * 91 / 22 - 0.296 * 100 * 3 / 22 - 15.8),  # 4.15
        (PLAIN, "automated_readability_index", 4.71 * 94 / 22 + 0.5 * 22 / 3 - 21.43),  # 2.36
        (PLAIN, "dale_chall_score", 0.1579 * 100 * 3 / 22 + 0.0496 * 22 / 3 + 3.6365),  # 6.15: over 5 % are hard
        (PLAIN, "reading_time_s", 94 * 0.01469),
        (EASY, "flesch_kincaid_grade", 0.39 * 3.5 + 11.8 * 1 - 15.59),  # below kindergarten: -2.425
        (EASY, "flesch_reading_ease", 206.835 - 1.015 * 3.5 - 84.6),
        (EASY, "smog_index", 3.1291),  # no long word
        (EASY, "gunning_fog", 0.4 * 3.5),
        (EASY, "coleman_liau_index", 0.058 * 100 * 25 / 7 - 0.296 * 100 * 2 / 7 - 15.8),
        (EASY, "automated_readability_index", 4.71 * 27 / 7 + 0.5 * 3.5 - 21.43),
        (EASY, "dale_chall_score", 0.0496 * 3.5),  # nothing hard, so nothing is added
    ],
)
def test_hand_worked_scores(text, field, value):
    assert getattr(measure(text), field) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("text", [PLAIN, EASY, "Take an aspirin", " ".join([PLAIN, EASY] * 40)])
def test_numbers_are_textstats_own_where_no_sentence_is_so_short_that_it_drops_it(text):
    textstat, running, got = textstat_module(), normalise(text), measure(text)
    assert got == Readability(
        textstat.flesch_kincaid_grade(running),
        textstat.flesch_reading_ease(running),
        textstat.smog_index(running),
        textstat.gunning_fog(running),
        textstat.coleman_liau_index(running),
        textstat.automated_readability_index(running),
        textstat.dale_chall_readability_score(running),
        textstat.lexicon_count(running),
        textstat.sentence_count(running),
        textstat.long_word_count(running),
        textstat.difficult_words(running, unique=False),
        textstat.reading_time(running),
    )


def test_prose_without_markup_is_left_as_it_is():
    assert normalise(PLAIN) == PLAIN
    assert normalise(EASY) == EASY


@pytest.mark.parametrize(
    "text", ["", "  \n\t ", "!!! ... ?", "😀 🎉👍🏽", "42", "120/80 98.6 %", "- \n- \n---", "https://example.org"]
)
def test_a_text_without_words_has_no_scores(text):
    assert measure(text) == Readability(None, None, None, None, None, None, None, 0, 0, 0, 0, None)
    assert hard_spans(text) == []


@pytest.mark.parametrize(
    "text", ["你好，我头痛。怎么办？", "ما هي أعراض مرض السكري؟", "Что такое диабет и как его лечить?"]
)
def test_a_text_in_another_script_has_no_scores_for_the_formulas_are_english(text):
    got = measure(text)
    assert got.words > 0
    assert got.sentences > 0
    assert [value for name, value in got.as_dict().items() if name not in ("words", "sentences")] == [None] * 7 + [
        0,
        0,
        None,
    ]
    assert hard_spans(text) == []


def test_some_foreign_words_do_not_stop_the_scoring():
    assert measure("The Arabic word for sugar is السكر and it is sweet.").flesch_kincaid_grade is not None


def test_one_word_and_a_very_long_text():
    assert measure("Aspirin").words == 1
    long = " ".join([EASY] * 5000)
    assert len(long) > 100_000
    assert measure(long).words == 35_000
    assert measure(long).flesch_kincaid_grade == pytest.approx(measure(EASY).flesch_kincaid_grade)


@pytest.mark.parametrize(
    ("text", "running"),
    [
        ("**Bold** and *thin* and `code` and __under__ score_d", "Bold and thin and code and under score_d"),
        ("**F**ace, **A**rms", "Face, Arms"),
        ("# Title\nBody text", "Title. Body text"),
        ("- Fever\n- Cough\n1. Rest\n2) Drink\n• Eat", "Fever. Cough. Rest. Drink. Eat"),
        ("Signs are:\n\nOne\n\nTwo", "Signs are:. One. Two"),
        ("It is a line\nthat was wrapped.\nNext one", "It is a line that was wrapped. Next one"),
        ("First line\nSecond line", "First line. Second line"),
        ("He said (now.)\nThen left", "He said (now.) Then left"),
        ("Key points - There is a cure - Rest helps. - Drink", "Key points. There is a cure. Rest helps. Drink"),
        ("Signs: • Fever • Cough", "Signs:. Fever. Cough"),
        ("a well-known thing - for example - works", "a well-known thing for example works"),
        ("See [the guide](https://a.org/x), ![scan](x.png) or https://a.org/y.", "See the guide, scan or ."),
        ("<b>Bold</b><br>new", "Bold new"),
        ("| a b | c |\n|---|:-:|\n| d | e |\nEnd", "a b c . d e . End"),
        ("```python\ncode\n```\nEnd", "code. End"),
        ("> quoted\n> words", "quoted words"),
        (
            "Take 2.5 mg, e.g. at 8 a.m. with Dr. Roe vs. etc. and so on.",
            "Take 2,5 mg, e,g, at 8 a,m, with Dr, Roe vs, etc, and so on.",
        ),
        ("It was 5 p.m. The end.", "It was 5 p,m. The end."),
        ("It stops.Then starts.", "It stops. Then starts."),
        ("don’t ‘quote’ patients' “words”", 'don\'t quote patients "words"'),
        ("and/or mg/dL 120/80", "and or mg dL 120/80"),
        ("rest—sleep 6–8 hours – more -- now", "rest sleep 6-8 hours more now"),
        ("Wait… what 😀 now", "Wait, what now"),
        ("zero\u200bwidth \x00\x01\x07 signs", "zerowidth signs"),
        ("a\r\nb\rc", "a b c"),
    ],
)
def test_running_text(text, running):
    assert normalise(text) == running


def test_a_list_counts_a_sentence_an_item():
    items = "- Eat more fruit\n- Walk each day\n- Sleep eight hours"
    assert measure(items).sentences == 3
    assert measure(items).words == 9
    assert measure(items) == measure("Eat more fruit.\nWalk each day.\nSleep eight hours")


def test_a_list_of_two_word_items_is_no_endless_sentence():
    scores_ = measure("You may have:\n- Chest pain\n- Cold sweat\n- Fever\n- Weak arms")
    assert (scores_.words, scores_.sentences) == (10, 5)
    # Syllables by hand: You may have 3, Chest pain 2, Cold sweat 2, Fever 2, Weak arms 2.
    assert scores_.flesch_kincaid_grade == pytest.approx(0.39 * 2 + 11.8 * 11 / 10 - 15.59)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("St. Jude Children's Research Hospital helps families.", 1),
        ("Mt. Sinai and Ft. Worth are places.", 1),
        ("It is var. tenuis of the plant.", 1),
        ("Subsp. lactis and Streptococcus spp. are germs.", 1),
        ("Take 0.5 oz. of syrup now.", 1),
        ("Add 3 fl. oz. of milk and 2 tbsp. sugar.", 1),
        ("He is 5 ft. 4 in. tall.", 1),
        ("Take it b.i.d. for ten days.", 1),
        ("Take 1 tab. t.i.d. with food and 2 caps. q.h.s. for pain.", 1),
        ("The drug is taken p.o. twice daily. Rest.", 2),
        ("The U.S. Department of Health says so.", 1),
        ("One in ten in the U.S. has it.", 1),
        ("It cannot be sold in the U.S. Physicians can obtain it.", 2),
        ("You are at risk for P.A.D. Eat well. P.A.D. is common.", 3),
        ("I live in Washington, D.C. It is hot.", 2),
        ("It was 5 p.m. Then we left at 6 p.m. Eastern Time.", 2),
        ("See Fig. 2 for the dose, and Sec. 3, Vol. 4, pp. 12 to 14.", 1),
        ("No. 5 is best. Is it? No. It is not.", 4),
        ("Born Jan. 5 in Paris. Seen Sept. 11.", 2),
        ("A virus. 20 people fell ill.", 2),
        ("Infection with H. pylori or E. coli is common. E. coli is a germ.", 2),
        ("You need vitamin D. For bones it is good.", 2),
        ("He has type I. Type II is worse.", 2),
        ("Vitamins A, D, E, and K. Bile helps.", 2),
        ("He saw J. R. R. Tolkien and Neil R. Powe, M.D., there.", 1),
        ("It is T. b. gambiense.", 1),
        ("Dr. A. B. Smith et al. found it. They left.", 2),
        ("See What is COPD? to learn more. Join We Can! programs.", 2),
        ('He asked, "Why me?" and left. Really?! Yes.', 3),
        ("The Rev. King and Lt. Col. Smith spoke.", 1),
        ("- stress. eating too much. drinking alcohol.", 3),
        ("i have pain. it hurts a lot. what to do?", 3),
        ("It raises the risk.3 The cause is unknown.", 2),
        ("It raises the risk.The cause is unknown.CP is common. Ask Cancer.Net for more.", 4),
        ("Signs include - fever - a rash Rest helps.", 3),
        ("Take it 5 - 10 times - or so - a day.", 1),
        ("Ask Dr. X. He knows. Ask Dr. Roe about it, or Prof. Y. Z. Miller.", 3),
        ("He lives on Main St. He is ill. St. Anne is near.", 3),
        ("It was by J.R.R. Tolkien. Read by C.S.L. Miller.", 2),
        ("Rest.[1] Drink water.[2,3] Sleep well.¹² Take 5.² of", 4),
        ("It hurts . . . a lot. Wait . . . It may pass... or not", 3),
        ("It takes approx. 5 days, e.g. the flu vs. Y in trials, from 5 p.m. on.", 1),
        ("She has a Ph.D. She is an R.N. and works with Mr. and Mrs. X.", 2),
        ("Rest.\u00a0Drink 3.5\u202fmg.\u2029See p.\u00a05 of Dr.\u00a0Roe.", 3),
        ("I. Introduction\nII. Methods\nIII. Results", 3),
        ("The EKG was normal. pH was 7.4. pO2 was low.", 3),
        ("Exon 7. mRNA is made from it.", 2),
        ("ALS, a.k.a. Lou Gehrig's disease, is rare. N.B. Do not chew.", 2),
        ("Take vit. C and vit. D daily. Profs. Lee and Roe agree.", 2),
        ("Symptoms include: * fever * chills * nausea", 4),
        ("<button>Send it</button><optgroup>All of them</optgroup>", 2),
        ("V. cholerae lives in water.\nI. scapularis is a tick.", 2),
    ],
)
def test_which_stops_end_a_sentence(text, sentences):
    assert measure(text).sentences == sentences, normalise(text)


@pytest.mark.parametrize(
    ("text", "running"),
    [
        ("Go home<li>Eat well</li><li>drink tea</li>", "Go home. Eat well. drink tea."),
        ("<p>It hurts</p>\n<P class='x'>it burns.</P><h2>Rest</h2>now", "It hurts. it burns. Rest. now"),
        (
            "<table><tr><td>Dose</td><td>2 mg</td></tr><tr><td>Time</td><td>noon</td></tr></table>",
            "Dose 2 mg . Time noon .",
        ),
        ("One line<br>Two lines<br/>and more", "One line. Two lines and more"),
        ("Text<!-- a <b> note --><style>p {color: red}</style><script>x = 1;</script> goes on", "Text goes on"),
        ("One thing\u2028two things\u2029three", "One thing. two things. three"),
        ("One thing\x85Two things\x0cThree\x0band four", "One thing. Two things. Three and four"),
        ("The ﬁrst ﬂu shot is eﬀective", "The first flu shot is effective"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ！ 𝐁𝐨𝐥𝐝", "Full width! Bold"),
        ("cafe\u0301 and cafés", "café and cafés"),
        ("10² cells, ½ a pill, H₂O and 5 µg", "10² cells, ½ a pill, H₂O and 5 μg"),
        ("Salt &amp; water,&nbsp;don&#8217;t &lt;b&gt; wait", "Salt water, don't b wait"),
    ],
)
def test_pasted_pages_and_unicodes_variants(text, running):
    assert normalise(text) == running


@pytest.mark.parametrize(
    "piece",
    [
        *("A. ", "U.S. X ", "J.F.K. Went. ", "Dr. X. He ", "x.[3] ", ". . . ", "Main St. He ", "risk.¹ "),
        *("<!--", "<script>", "x - a ", "&amp;", "e\u0301", "ﷺ", ".", "< p"),
    ],
)
def test_the_running_text_takes_no_longer_than_its_length_asks(piece):
    assert is_linear(normalise, piece)


@pytest.mark.parametrize(
    "piece", ["ABC ", "(ABC) ", "ABC (x y ", "BE ", "AB", "is not so very ", "is is used ", "was "]
)
def test_looking_for_passives_and_abbreviations_takes_no_longer_than_a_text_s_length_asks(piece):
    assert is_linear(lambda text: [*passives(text), *abbreviations(text)], piece)


def test_markup_changes_no_score():
    assert measure("**Rest** is _good_ for `you`. ## Drink *water*").words == 7
    assert measure("# Go home and rest.\n\n* **You** need sleep.") == measure(EASY)


def test_decimals_and_abbreviations_end_no_sentence():
    assert measure("Take 2.5 mg of the drug, e.g. at 8 a.m. or so, as Dr. Roe says.").sentences == 1


@pytest.mark.parametrize("seed", range(30))
def test_positions_survive_any_mixture_of_signs(seed):
    dice = random.Random(seed)
    pieces = [
        *"*_`#->|[]()<>!.?'’…—–/ \n\r\t\x00\x01•。",
        "\n\n",
        "- ",
        "1. ",
        "medicine",
        "Ärzte",
        "e.g.",
        "2.5",
        "头",
        "😀",
        "https://a.b",
    ]
    text = "".join(dice.choice(pieces) for _ in range(400))
    running, origins = normalise_with_origins(text)
    assert running == normalise(text)
    assert len(origins) == len(running)
    assert origins == sorted(origins)
    for character, origin in zip(running, origins, strict=True):
        if character.isalnum():
            assert text[origin] == character
    found = hard_spans(text)
    assert found == sorted(found, key=lambda span: (span.start, -span.end))
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    assert sum(span.kind == "hard-word" for span in found) == measure(text).difficult_words


def test_hard_words_are_where_they_are_said_to_be():
    text = "**Diabetes** (a *serious* condition), you’re told; Diabetes."
    words = [text[span.start : span.end] for span in hard_spans(text) if span.kind == "hard-word"]
    assert words == ["Diabetes", "serious", "condition", "Diabetes"]
    assert measure(text).difficult_words == 4


def test_long_sentences_are_those_over_the_limit():
    exactly = " ".join(["one"] * LONG_SENTENCE_WORDS)
    assert [span for span in hard_spans(f"{exactly}. {exactly}.") if span.kind == "long-sentence"] == []
    text = f"Short one here. {exactly} more! **And** the end."
    assert hard_spans(text) == [Span(16, 16 + len(exactly) + len(" more!"), "long-sentence")]


def test_a_long_item_is_marked_without_its_bullet_and_line_break():
    item = " ".join(["go"] * 25)
    text = f"- {item}\n- rest"
    assert hard_spans(text) == [Span(2, 2 + len(item), "long-sentence")]
    text = f"{' '.join(['go'] * 21)} diabetes."
    assert hard_spans(text) == [
        Span(0, len(text), "long-sentence"),
        Span(text.index("diabetes"), len(text) - 1, "hard-word"),
    ]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("The gene is inherited from both parents.", ["is inherited"]),
        ("It is **not usually** treated.", ["is **not usually** treated"]),
        ("How can gout be prevented?", ["be prevented"]),
        ("Is it caused by stress? It wasn't found early.", ["Is it caused", "wasn't found"]),
        ("This is called angina. It was first described in 1900.", ["is called", "was first described"]),
        ("It is being studied. It has been seen often.", ["is being studied", "been seen"]),
        ("These are inherited diseases. There is limited proof.", []),
        ("She is tired and worried, and he is interested.", []),
        ("The cause is unknown. They are unaffected. It is red.", []),
        ("Doctors need to treat it. It was indeed so.", []),
    ],
)
def test_passives(text, marked):
    assert [text[span.start : span.end] for span in hard_spans(text) if span.kind == "passive"] == marked


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("An MRI shows it. Ask for an EKG.", ["MRI", "EKG"]),
        ("Magnetic resonance imaging (MRI) shows it. The MRI takes long.", []),
        ("HMOs (health maintenance organizations) pay. UTIs are common.", ["UTI"]),
        ("BRCA1 and PTEN make it likelier.", ["BRCA1", "PTEN"]),
        ("HIV and AIDS, in the US, type II, DNA.", []),
        ("DO NOT STOP taking it. A cat. It is 5 MG.", ["MG"]),
        ("non-PKU forms, COVID-19", []),
    ],
)
def test_abbreviations_that_a_text_does_not_explain(text, marked):
    assert [text[span.start : span.end] for span in hard_spans(text) if span.kind == "abbreviation"] == marked


def test_callers_cannot_spoil_the_remembered_marks():
    hard_spans(PLAIN).clear()
    assert len(hard_spans(PLAIN)) == 3


@pytest.mark.parametrize(
    ("grade", "word", "band"),
    [
        (-3.4, "Kindergarten", "plain"),
        (0.49, "Kindergarten", "plain"),
        (0.5, "1st grade", "plain"),
        (2.2, "2nd grade", "plain"),
        (3.0, "3rd grade", "plain"),
        (5.49, "5th grade", "plain"),
        (5.5, "6th grade", "recommended"),
        (7.5, "8th grade", "recommended"),
        (8.49, "8th grade", "recommended"),
        (8.5, "9th grade", "hard"),
        (11.0, "11th grade", "hard"),
        (12.49, "12th grade", "hard"),
        (12.5, "College", "very-hard"),
        (16.49, "College", "very-hard"),
        (16.5, "Graduate", "very-hard"),
        (80.0, "Graduate", "very-hard"),
        (None, "No grade", "none"),
        (math.nan, "No grade", "none"),
        (math.inf, "No grade", "none"),
    ],
)
def test_grade_words_and_bands(grade, word, band):
    assert grade_word(grade) == word
    assert grade_band(grade).key == band


def test_bands_never_get_easier_as_grades_rise():
    order = [band.key for band in BANDS]
    ranks = [order.index(grade_band(grade / 10).key) for grade in range(-50, 250)]
    assert ranks == sorted(ranks)
    assert len({band.label for band in BANDS}) == len(BANDS)
    assert whole_grade(-4.0) == 0


def test_every_number_is_explained():
    assert list(METRICS) == list(measure(EASY).as_dict())
    for metric in METRICS.values():
        assert metric.better in ("lower", "higher", None)
        assert metric.explanation.endswith(".")
        assert metric.label
        assert metric.unit
        assert metric.source
