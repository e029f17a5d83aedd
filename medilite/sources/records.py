"""The records of a library, and of a search in it."""

from __future__ import annotations

from dataclasses import dataclass, field

MEDQUAD_CREDIT = (
    "MedQuAD: Asma Ben Abacha and Dina Demner-Fushman, A Question-Entailment Approach to Question Answering, "
    "BMC Bioinformatics 20:511, 2019"
)
MEDQUAD_LICENCE = "CC BY 4.0"
MEDQUAD_DATE = "2017"
"""When MedQuAD was copied from the institutes' pages, for that year's LiveQA task of TREC. Pages may have changed."""

INSTITUTES = {
    "CancerGov": "National Cancer Institute",
    "CDC": "Centers for Disease Control and Prevention",
    "GARD": "Genetic and Rare Diseases Information Center",
    "GHR": "Genetics Home Reference, National Library of Medicine",
    "MPlusHealthTopics": "MedlinePlus, National Library of Medicine",
    "NHLBI": "National Heart, Lung, and Blood Institute",
    "NIDDK": "National Institute of Diabetes and Digestive and Kidney Diseases",
    "NIHSeniorHealth": "NIH SeniorHealth, National Institute on Aging",
    "NINDS": "National Institute of Neurological Disorders and Stroke",
}
"""MedQuAD's sources and their full names; all but the CDC belong to the National Institutes of Health."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its answer, from the collection.

    `topic` is the disease (MedQuAD's focus), `kind` what is asked about it
    (MedQuAD's question type), `names` are other names of the topic.
    """

    id: str
    question: str
    answer: str
    source: str = ""
    address: str = ""
    topic: str = ""
    kind: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """Where a library comes from: shown beside each passage."""

    title: str
    licence: str = ""
    credit: str = ""
    date: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of one entry's answer, with everything needed to cite them.

    `id` names the entry and the passage in it ("GHR/0000804-1#2", counted from
    1); `institute` is the source's full name where it is known.
    """

    id: str
    text: str
    question: str
    topic: str
    kind: str
    source: str
    institute: str
    address: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found; `score` orders the hits of one search."""

    passage: Passage
    score: float
    likeness: float
    """Cosine (−1..1) of what was asked and the entry's own question."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returns: hits, best first, and whether the first fits well enough to be shown as an answer."""

    asked: str
    hits: tuple[Hit, ...]
    fits: bool
    confidence: float = field(default=0.0)
    """Estimated probability (0..1) that the first hit is about what was asked: see `ranking`."""

    @property
    def compared(self) -> tuple[Hit, ...]:
        """The hits that serve as references, by their whole answers: those on the first one's topic; () if none fit."""
        if not self.fits:
            return ()
        return tuple(hit for hit in self.hits if hit.passage.topic == self.hits[0].passage.topic)
