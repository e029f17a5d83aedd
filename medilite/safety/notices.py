"""The words of the notices, in one place, so that a doctor or translator can go through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

NOT_MEDICAL_ADVICE = (
    "These answers come from small language models. They can be wrong or harmful and are not medical advice: "
    "ask a doctor, nurse or pharmacist about your own health."
)
"""One line, shown wherever an answer is."""

NOT_MEDICAL_ADVICE_LONG = (
    "MediLite compares small language models. It knows nothing about you, it was checked by no health professional, "
    "and its answers can be wrong, out of date or harmful even where they read well. A score says how easily an answer "
    "reads, not whether it is right. Nothing here is medical advice or a diagnosis. Ask a doctor, nurse or pharmacist "
    "about your own health, and do not start, stop or change a treatment because of what you read here. "
    "In an emergency, call your local emergency number."
)
"""A paragraph, for the page that explains the limits."""

EmergencyKind = Literal[
    "self-harm",
    "heart",
    "stroke",
    "breathing",
    "allergy",
    "poisoning",
    "bleeding",
    "seizure",
    "unconscious",
    "pregnancy",
    "baby",
    "injury",
    "other",
]


@dataclass(frozen=True, slots=True)
class EmergencyNotice:
    """What a question that speaks of an emergency gets, before any answer; plain text."""

    kind: EmergencyKind
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}. {self.text}"


_NUMBERS = "112 in Europe, 999 in the UK, 911 in the US and Canada, 000 in Australia"
_CALL = f"call your local emergency number now ({_NUMBERS})"

_WORDS: dict[EmergencyKind, tuple[str, str]] = {
    "self-harm": (
        "You are not alone, and help is there right now",
        f"If you or someone else is in danger or has taken something, {_CALL}. To talk to a person who will listen, "
        "call or text 988 in the US and Canada, or call Samaritans on 116 123 in the UK and Ireland or Lifeline on "
        "13 11 14 in Australia. Lines in other countries are listed at findahelpline.com.",
    ),
    "heart": (
        "Chest pain can be an emergency",
        f"Pain, pressure or tightness in the chest can be a heart attack. If it is happening, {_CALL}. "
        "Do not wait to see whether it passes, and do not drive yourself.",
    ),
    "stroke": (
        "These can be signs of a stroke",
        f"A drooping face, a weak arm, trouble speaking or sudden loss of sight can be a stroke. If it is happening, "
        f"{_CALL}, even if the signs come and go. Every minute counts; note when they began.",
    ),
    "breathing": (
        "Trouble breathing can be an emergency",
        f"If someone can't get enough air, is choking or is turning blue, {_CALL}. "
        "The people who answer can tell you what to do until help arrives.",
    ),
    "allergy": (
        "A strong allergic reaction is an emergency",
        f"Swelling of the lips, tongue or throat, or trouble breathing after food, a sting or a medicine: {_CALL}. "
        "If there is an adrenaline (epinephrine) pen, use it at once, and call even if it helps.",
    ),
    "poisoning": (
        "Poisoning and overdose are emergencies",
        f"If someone has collapsed, has a seizure, can't be woken or has trouble breathing, {_CALL}. Otherwise call a "
        "poison centre at once, even if there are no signs yet (in the US: 1-800-222-1222). "
        "Do not make anyone vomit unless you are told to.",
    ),
    "bleeding": (
        "Heavy bleeding is an emergency",
        f"If bleeding is heavy or does not stop, or someone vomits or coughs up blood, {_CALL}. "
        "Press firmly on a bleeding wound with a clean cloth until help arrives.",
    ),
    "seizure": (
        "A seizure can be an emergency",
        f"If a seizure lasts more than five minutes, comes again, is the first one, or the person is hurt, pregnant or "
        f"does not wake up afterwards, {_CALL}. Keep the person safe from injury; put nothing in the mouth.",
    ),
    "unconscious": (
        "Someone who does not wake up needs help now",
        f"If someone can't be woken, has collapsed or does not breathe normally, {_CALL}. "
        "The people who answer can tell you what to do until help arrives.",
    ),
    "pregnancy": (
        "This can be an emergency in pregnancy",
        f"Bleeding, strong pain, waters breaking early or a baby that moves less need care at once: call your midwife, "
        f"doctor or maternity unit now. If bleeding is heavy, someone faints or the baby is coming, {_CALL}.",
    ),
    "baby": (
        "A sick young baby needs care at once",
        f"A baby under three months with a fever has to be seen by a doctor straight away. If a baby is limp, blue, "
        f"hard to wake or has trouble breathing, {_CALL}.",
    ),
    "injury": (
        "A serious injury is an emergency",
        f"After a bad fall, crash, burn, electric shock or blow to the head, {_CALL}. "
        "Do not move someone whose neck or back may be hurt unless they are in danger where they are.",
    ),
    "other": (
        "If this is an emergency, call now",
        f"If you think that someone's life or health is in danger, {_CALL}. Do not wait for an answer here.",
    ),
}

NOTICES: Mapping[EmergencyKind, EmergencyNotice] = MappingProxyType(
    {kind: EmergencyNotice(kind, *words) for kind, words in _WORDS.items()}
)
"""The notice of every kind. If a question fits several, the first in this order is shown."""
