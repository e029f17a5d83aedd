"""Clinical words and what people say instead: a list of this project's own making, for wordings and hard words.

Written for MediLite from general knowledge of English, against the plain-language advice of the U.S. National
Institutes of Health ("Clear & Simple") and of MedlinePlus ("Understanding Medical Words"); nothing is copied.
A plain word is a help for reading, and is not always the whole of what the clinical one means.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

_PAIRS = """
abdomen: belly
abdominal: belly
acute: sudden
adverse effect: side effect
aetiology: cause
allergic rhinitis: hay fever
alopecia: hair loss
ambulatory: able to walk
anaemia: low red blood count
analgesic: painkiller
anemia: low red blood count
antipyretic: fever medicine
arrhythmia: uneven heartbeat
arthralgia: joint pain
asymptomatic: without symptoms
benign: not cancer
bilateral: on both sides
carcinoma: cancer
cardiac: heart
cerebrovascular accident: stroke
chronic: long-lasting
coagulation: clotting
congenital: from birth
conjunctivitis: pink eye
contusion: bruise
cutaneous: of the skin
dermatitis: skin rash
diabetes mellitus: diabetes
diaphoresis: sweating
diuretic: water pill
dyspepsia: indigestion
dysphagia: trouble swallowing
dyspnea: shortness of breath
dyspnoea: shortness of breath
edema: swelling
emesis: vomiting
epistaxis: nosebleed
erythema: redness
etiology: cause
fatigue: tiredness
febrile: feverish
fracture: broken bone
gastric: stomach
gastrointestinal: stomach and bowel
gestation: pregnancy
haematoma: bruise
haemorrhage: bleeding
hematoma: bruise
hemorrhage: bleeding
hepatic: liver
hereditary: passed on in families
hyperglycaemia: high blood sugar
hyperglycemia: high blood sugar
hyperlipidemia: high cholesterol
hypertension: high blood pressure
hypoglycaemia: low blood sugar
hypoglycemia: low blood sugar
hypotension: low blood pressure
incontinence: leaking urine
infarction: blocked blood flow
inflammation: swelling
influenza: flu
insomnia: trouble sleeping
intravenous: into a vein
lesion: sore
malaise: feeling unwell
malignant: cancerous
metastasis: spread of the cancer
micturition: passing urine
myalgia: muscle pain
myocardial infarction: heart attack
nausea: feeling sick
neoplasm: growth
neuropathy: nerve damage
ocular: eye
oedema: swelling
oncologist: cancer doctor
onset: start
otitis media: ear infection
palpitations: a racing heart
paraesthesia: pins and needles
paresthesia: pins and needles
pathogen: germ
pharyngitis: sore throat
prognosis: outlook
prophylaxis: prevention
pruritus: itching
pulmonary: lung
pyrexia: fever
renal: kidney
respiratory: breathing
rhinitis: runny nose
rhinorrhea: runny nose
seizure: fit
sepsis: blood poisoning
sinusitis: sinus infection
somnolence: sleepiness
stenosis: narrowing
subcutaneous: under the skin
syncope: fainting
tachycardia: fast heartbeat
thoracic pain: chest pain
thrombosis: blood clot
thrombus: blood clot
topical: put on the skin
trauma: injury
urticaria: hives
vaccination: jab
varicella: chickenpox
vertigo: dizziness
"""

_ONE_WAY = frozenset(
    """
    abdominal acute ambulatory anemia asymptomatic benign bilateral carcinoma cardiac chronic congenital conjunctivitis
    contusion cutaneous dermatitis dyspnea edema etiology fatigue fracture gastric gastrointestinal haematoma hematoma
    hemorrhage hepatic hereditary hyperglycemia hypoglycemia infarction inflammation intravenous lesion malignant
    micturition neoplasm ocular onset palpitations paresthesia pathogen pulmonary renal respiratory rhinorrhea seizure
    stenosis subcutaneous thrombus topical trauma
    """.split()  # noqa: SIM905
)
"""Words whose plain word means more than they do, or has a better clinical one: they are put in one direction only."""

NAMES = "|".join(
    (
        r"(?:acute|chronic) (?:\w+ ){1,2}leuka?emia",
        r"(?:bird|cat[- ]scratch|childbed|dengue|enteric|glandular|ha?emorrhagic|lassa|malta|mediterranean|oropouche"
        r"|parrot|puerperal|q|rat[- ]bite|relapsing|rheumatic|scarlet|spotted|trench|typhoid|undulant|valley|yellow)"
        r" fever",
        r"belly button",
        r"benign (?:essential tremor|paroxysmal positional vertigo|prostatic hyperplasia)",
        r"chronic fatigue",
        r"diabetes insipidus",
        r"fever blisters?",
        r"(?:heat|sun) strokes?",
        r"(?:inner|outer) ear infections?",
        r"(?:intracranial|ocular) hypertension",
        r"malignant (?:hypertension|hyperthermia)",
        r"(?:middle east|severe acute) respiratory syndrome",
        r"neuroleptic malignant syndrome",
        r"respiratory syncytial",
        r"stomach flu",
        r"varicella[- ]zoster",
    )
)
"""A pattern of names with listed words in them: in other words they would be another disease's, or none's."""


def _listed() -> dict[str, str]:
    lines = (line.partition(": ") for line in _PAIRS.strip().splitlines())
    return {clinical: plain for clinical, _, plain in lines}


PLAIN = _listed()
"""What people say instead, by clinical word."""

LAY = tuple(sorted(PLAIN.items(), key=lambda pair: -len(pair[0])))
"""(clinical, plain), the longest first, so that of two that begin alike the whole one is found."""

CLINICAL = tuple(
    sorted(((plain, word) for word, plain in PLAIN.items() if word not in _ONE_WAY), key=lambda pair: -len(pair[0]))
)
"""(plain, clinical), the longest first."""


@lru_cache(maxsize=512)
def plain_words(text: str) -> tuple[tuple[str, str], ...]:
    """Return the clinical words of a text with what people say instead, each once, in the text's order."""
    found = (match[0].casefold() for match in _clinical().finditer(text))
    return tuple((word, PLAIN[word]) for word in dict.fromkeys(found))


@cache
def _clinical() -> re.Pattern[str]:
    """Return a pattern of all clinical words; of two that begin alike it finds the longer one."""
    words = "|".join(re.escape(word) for word, _ in LAY)
    return re.compile(rf"(?i)(?<![\w-])(?:{words})(?![\w-])")
