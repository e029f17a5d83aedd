"""Whether a text is English: by its letters and its commonest words."""

from __future__ import annotations

import pytest

from medilite.readability import measure
from medilite.readability.english import is_english

ENGLISH = [
    "Asthma is a condition that makes it hard to breathe. See a doctor.",
    "Fever, headache, nausea, vomiting.", "", "42", "Paracetamol 500 mg.", "Yes.",
    "Charcot-Marie-Tooth disease, Gilles de la Tourette syndrome and Guillain-Barré syndrome are of the nerves.",
    "Cri du chat syndrome. Café au lait spots. Grand mal, petit mal.",
    "The angle α is smaller than β, and TGF-β and IFN-γ are raised.",
    "Die Zeit is a newspaper; die-cutting and do-it-yourself are words.",
    "De novo mutations in the gene cause the disease in most people.",
    # Names, again and again: 7 of 9,204 answers of the board were taken for another language's.
    "Gene Review: Von Willebrand Disease - Genetic Testing Registry: Von Willebrand Disease - Medline: von Willebrand",
    "Ellis-van Creveld syndrome - Ellis-van Creveld syndrome - van der Woude syndrome - Van der Woude - van der Woude",
    "De Quervain: de Quervain; De Quervain; des", "Cri du chat. Cri du chat. Tic du visage. Mal du pays. Le Fort.",
    "In Spanish one says: ¿Cómo está? It means: how are you?",
]  # fmt: skip
OTHER = [
    "El asma es una enfermedad que afecta las vías respiratorias y hace que sea difícil respirar.",
    "L’asthme est une maladie des bronches qui rend la respiration difficile. Voyez un médecin pour cela.",
    "Asthma ist eine Krankheit, bei der das Atmen schwer ist. Sie sollten mit einem Arzt sprechen.",
    "L'asma è una malattia che rende difficile respirare; i sintomi sono la tosse e il respiro corto della notte.",
    "A asma é uma doença que não tem cura, mas pode ser tratada com remédios para os pulmões.",
    "Astma is een ziekte van de longen; het is niet te genezen, maar met medicijnen wordt het beter voor een patiënt.",
    "الربو مرض يصيب الرئتين ويجعل التنفس صعبا", "אסתמה היא מחלה של הריאות", "哮喘是一种肺部疾病。",
    "Астма это болезнь лёгких, при которой трудно дышать.", "दमा फेफड़ों की एक बीमारी है",
    "Το άσθμα είναι μια πάθηση των πνευμόνων",
]  # fmt: skip


@pytest.mark.parametrize("text", ENGLISH)
def test_english(text):
    assert is_english(text)
    assert not measure(text).is_foreign


@pytest.mark.parametrize("text", OTHER)
def test_another_language(text):
    assert not is_english(text)
    found = measure(text)
    assert found.is_foreign
    assert (found.flesch_kincaid_grade, found.difficult_words) == (None, 0)
    assert found.words
