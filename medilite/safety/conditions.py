"""Conditions that people have in emergencies but also ask about out of interest ("What is a stroke?").

Their names count only where the question is about someone to whom it happens,
about its signs, or about what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from medilite.safety.notices import EmergencyKind

CONDITION_PHRASES = """
    <who> .... !avoid|avoiding|prevent|preventing \
        having|has|have|had|get|gets|getting|got|suffer*|goes_into|went_into|in .. !<averted> {} -risk|medic* \
        --<long_ago>
    is|could|did|was this|it|that|i|he|she .... !<averted> {} -risk|prevent* --<long_ago>
    might|may_be|looks_like|feels_like|seems_like|think|thinks|thought|afraid|scared|maybe|having .... \
        !<averted> {} -risk --<long_ago>
    sign|signs|symptom|symptoms of|for .. {}
    {} sign|signs|symptom|symptoms|happening|right_now|now|please
    {} reaction|attack|shock? help
    what to|should|do|can|must|i|you|to .. do|done .... !<averted> {}
    first_aid|react|respond|help .... !<averted> {}
    ^ help|urgent|please? {} help|now|please? $
    ^ {} what|how to|do|should|can
"""
"""How a condition, put in for {}, is spoken of when it happens."""

CONDITIONS: Mapping[EmergencyKind, str] = MappingProxyType(
    {
        "heart": "heart_attack heart_attacks cardiac_arrest",
        "stroke": "stroke strokes mini_stroke ministroke tia brain_bleed brain_haemorrhage brain_hemorrhage",
        "breathing": "asthma_attack pulmonary_embolism collapsed_lung respiratory_arrest",
        "allergy": "anaphylaxis anaphylactic anaphylactic_* allergic_reaction allergic_reactions allergic_shock",
        "poisoning": "(?<!food_)(?<!lead_)(?<!blood_)poisoning",
        "bleeding": "haemorrhage hemorrhage haemorrhaging hemorrhaging",
        "seizure": "seizure seizures convulsion convulsions epileptic_fit epileptic_fits epileptic_attack",
        "unconscious": "diabetic_coma coma insulin_shock diabetic_ketoacidosis ketoacidosis dka diabetic_shock",
        "pregnancy": "miscarriage miscarrying ectopic_pregnancy pre_?eclampsia (?<!pre_)eclampsia \
            placental_abruption",
        "injury": "concussion heat_?stroke sunstroke hypothermia spinal_injury skull_fracture head_injury",
        "other": "sepsis septic_shock meningitis appendicitis toxic_shock rabies testicular_torsion",
    }
)
