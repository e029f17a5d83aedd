"""Questions with references and a decent plain answer each, written for the tests, and ways to answer badly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One question, its references, and an answer that deserves a good reward."""

    question: str
    subject: str
    references: tuple[str, ...]
    decent: str


CASES = (
    Case(
        question="What are the treatments for gout ?",
        subject="gout",
        references=(
            "Acute attacks of gout are treated with nonsteroidal anti-inflammatory drugs such as naproxen, with "
            "colchicine, or with corticosteroids, which reduce inflammation and pain of the affected joint. Resting "
            "and cooling the joint may also provide relief. In patients with recurrent attacks, allopurinol or "
            "febuxostat lowers the concentration of uric acid in the blood and so prevents the formation of new "
            "crystals. Patients are advised to drink plenty of water, to limit alcohol, red meat and seafood, and to "
            "lose excess weight.",
            "Treatment of an attack aims at pain and swelling: ice, rest, and anti-inflammatory medicines. Long-term "
            "treatment lowers uric acid levels by medicines and diet.",
        ),
        decent="Medicines such as naproxen or colchicine ease the pain and swelling of an attack. Rest the joint and "
        "put ice on it. If attacks come back, your doctor may give you allopurinol. It lowers the uric acid in your "
        "blood, so fewer crystals form. It also helps to drink water, lose weight, and have less alcohol and red meat.",
    ),
    Case(
        question="What is (are) asthma ?",
        subject="asthma",
        references=(
            "Asthma is a chronic inflammatory disease of the airways of the lungs. The inflamed airways are "
            "hypersensitive and constrict in response to triggers such as pollen, dust mites, tobacco smoke, cold air, "
            "exercise or respiratory infections. Narrowing of the airways and excess mucus cause wheezing, coughing, "
            "tightness of the chest and shortness of breath, often at night or in the early morning. Asthma usually "
            "begins in childhood. It can't be cured, but inhaled medicines control it.",
        ),
        decent="Asthma is a disease of the airways in the lungs. They are swollen and react to things like pollen, "
        "dust, smoke, or cold air. Then they get narrow and fill with mucus, so it is hard to breathe. People wheeze, "
        "cough, and feel tight in the chest, often at night. It often starts in childhood. There is no cure, but "
        "inhaled medicines help to control it.",
    ),
    Case(
        question="What are the symptoms of Iron Deficiency Anemia ?",
        subject="iron deficiency anemia",
        references=(
            "Mild iron deficiency anemia may have no symptoms. As it progresses, patients experience fatigue, "
            "weakness, pale skin, dizziness, headache and shortness of breath, since the blood delivers insufficient "
            "oxygen to the tissues. The heart may beat irregularly or rapidly. Brittle nails, cracks at the corners of "
            "the mouth, a sore tongue, cold hands and feet, and cravings for ice or soil (pica) also occur.",
        ),
        decent="At first you may notice nothing. Later you feel tired and weak, and your skin looks pale. You may feel "
        "dizzy, have a headache, or get short of breath, because your blood carries too little oxygen. Your heart may "
        "beat fast. Some people have brittle nails, a sore tongue, or cold hands and feet. Some crave ice.",
    ),
    Case(
        question="How to prevent Lyme Disease ?",
        subject="lyme disease",
        references=(
            "The infection is transmitted by bites of infected ticks, so prevention consists of avoiding them. In "
            "wooded and grassy areas wear long sleeves and trousers, and apply an insect repellent containing DEET to "
            "the skin or permethrin to clothing. After being outdoors, inspect skin, scalp and pets, and shower within "
            "two hours. Remove an attached tick promptly with fine tweezers: transmission of the bacteria usually "
            "requires attachment for more than 36 hours.",
        ),
        decent="You get it from the bite of a tick, so keep ticks off. Wear long sleeves and long trousers in woods "
        "and tall grass. Use a repellent with DEET on your skin. When you come home, take a shower and check your "
        "skin, your scalp, and your pets. Pull a tick out with tweezers as soon as you can. The bacteria need more "
        "than a day to get into you.",
    ),
)

GENETIC = Case(
    question="What are the genetic changes related to Wilson disease ?",
    subject="wilson disease",
    references=(
        "Mutations in the ATP7B gene cause Wilson disease. The gene provides instructions for a protein that carries "
        "copper out of liver cells and into bile. When the protein does not work, copper builds up to toxic levels in "
        "the liver and the brain. The condition is inherited in an autosomal recessive pattern, which means both "
        "copies of the gene in each cell have mutations. It affects about 1 in 30,000 people.",
    ),
    decent="Changes in the ATP7B gene cause it. The gene tells cells in the liver how to make a protein that moves "
    "copper out. If the protein does not work, copper builds up in the liver and in the brain, and it does harm there. "
    "Both copies of the gene have to be changed.",
)
"""Of the kind in which the committed models invent the most."""

GENERIC = (
    "It is good to look after your body each day. Eat food that is good for you. Drink water when you need it. Go to "
    "bed on time and sleep well. Go for a walk with a friend. Talk to your doctor if you do not feel well. Ask what "
    "you can do to feel good. Take the time that you need."
)
"""Easy words that fit any question."""


def on_any_subject(subject: str) -> str:
    """Return easy words that name the subject and say nothing about it."""
    return (
        f"A lot of people have {subject}. There are many kinds of {subject}. Some people have it for a short time. "
        f"Some have it for a long time. It is not the same for all of us. If you think that you have {subject}, go "
        f"and see your doctor. Your doctor can help you and tell you more about {subject}."
    )


@dataclass(frozen=True)
class Bad:
    """An answer that must not pay, and whether the model ended it itself."""

    text: str
    ended: bool = True


def bad_answers(case: Case) -> dict[str, Bad]:
    """Return, by name, what a model could try instead of answering."""
    sentences = [f"{sentence}." for sentence in case.decent.removesuffix(".").split(". ")]
    half = case.decent[: len(case.decent) * 6 // 10].rsplit(" ", 1)[0].rstrip(".,")
    return {
        "empty": Bad(""),
        "signs": Bad("… … …"),
        "a word": Bad(case.subject),
        "one sentence": Bad(sentences[0]),
        "one sentence, again and again": Bad(" ".join(sentences[:1] * 8)),
        "two sentences, again and again": Bad(" ".join(sentences[:2] * 5)),
        "the question": Bad(case.question),
        "the question, again and again": Bad(" ".join([case.question] * 6)),
        "the question, then easy words": Bad(f"{case.question} {GENERIC}"),
        "easy words": Bad(GENERIC),
        "easy words on the subject": Bad(on_any_subject(case.subject)),
        "the subject, again and again": Bad(f"{case.subject} " * 40),
        "cut off by the limit": Bad(half, ended=False),
        "cut off by itself": Bad(half),
        "right, but never ending": Bad(case.decent.removesuffix(".") + " and then you may", ended=False),
    }


MEDICAL_FILLER = (
    "This condition is a rare disorder that affects many parts of the body. The signs and symptoms vary from person to "
    "person, even in the same family. It is caused by mutations in a gene. It is inherited in an autosomal dominant "
    "pattern, which means one copy of the altered gene is enough. It affects about 1 in 10,000 people. Treatment "
    "depends on the symptoms of each person."
)
"""What a model may say of any disease that it knows nothing about."""

FALSE_DOMINANCE = (
    "It is inherited in an autosomal dominant pattern, which means that both copies of the gene in each cell have "
    "mutations. Both parents pass it on."
)
INVENTED_PREVALENCE = "It affects about 1 in 10,000 people in the world."
INVENTED_GENE = "It is caused by mutations in the COL4A5 gene."


def cheats(case: Case, other: Case) -> dict[str, Bad]:
    """Return, by name, the ways of cheating that an audit of the committed answers found; each has to lose much."""
    return {
        "fixed filler": Bad(MEDICAL_FILLER),
        "fixed filler on the subject": Bad(MEDICAL_FILLER.replace("This condition", case.subject.capitalize(), 1)),
        "another disease's answer": Bad(other.decent),
        "another disease's reference": Bad(other.references[0]),
        "another disease's answer under this name": Bad(f"This is about {case.subject}. {other.decent}"),
    }


def additions(case: Case, other: Case) -> dict[str, Bad]:
    """Return, by name, a decent answer with something made up at its end; each has to pay less than without."""
    return {
        "false dominance": Bad(f"{case.decent} {FALSE_DOMINANCE}"),
        "invented prevalence": Bad(f"{case.decent} {INVENTED_PREVALENCE}"),
        "invented gene": Bad(f"{case.decent} {INVENTED_GENE}"),
        "another disease's answer as well": Bad(f"{case.decent} {other.decent}"),
    }
