"""Named lists of words that the phrases of the table share (notation: see phrases)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "who": """
            i im ive id he hes she shes they theyre we us me someone somebody anyone person patient baby child kid
            toddler newborn infant son daughter boy girl friend husband wife partner boyfriend girlfriend mother
            father mom mum dad mommy daddy grandma grandpa grandmother grandfather grandad granddad granny gran nan
            brother sister uncle aunt neighbour neighbor colleague coworker roommate man woman guy lady student
        """,
        "self": "myself himself herself themselves themself ourselves yourself oneself",
        "whose": "my his her their our your the a",
        "cant": """
            cant cannot can_not couldnt could_not can_barely can_hardly barely hardly unable_to not_able_to
            struggling_to struggles_to struggle_to struggling hard_to hard_time difficult_to difficulty difficulties
            trouble troubles problem problems
        """,
        "not": """
            not isnt wont will_not doesnt does_not dont didnt hasnt havent never no_longer cant cannot couldnt wasnt
            wouldnt
        """,
        "hurts": """
            pain pains painful hurt hurts hurting ache aches aching pressure tight tightness tightening heavy
            heaviness discomfort squeezing crushing burning stabbing sore cramp cramps
        """,
        "numb": "numb numbness weak weakness tingl* paraly* limp droop* wont_move cant_move not_moving dead",
        "long_ago": r"""
            (?:week|month|year)s?_ago last_(?:year|month|summer|winter|spring|autumn|fall) years months at_\d+
            at_age in_(?:19|20)\d\d in_\w+_(?:early_|late_|mid_)?\d0s as_a_child recover* rehab* survivor*
            twice_before
        """,
        "took": """
            took taken take takes taking swallowed swallow swallowing ate eaten eat had given gave injected drank
            drunk ingested
        """,
        "mouth": "ate eaten eats eat drank drunk drink drinks swallow* ingested licked chewed consumed tasted",
        "drug": """
            pill pills tablet tablets capsule* med meds medicine* medication* drug drugs dose doses tylenol
            paracetamol acetaminophen advil ibuprofen aspirin insulin xanax valium ambien benadryl oxy* opioid*
            opiate* morphine codeine fentanyl heroin cocaine meth methadone antidepressant* painkiller* sedative*
            vitamin* iron melatonin caffeine metformin warfarin lithium prescription inhaler
        """,
        # Apart from <drug>: with these a number is often the usual dose ("I take 50 mg Zoloft").
        "brand": """
            prozac zoloft lexapro celexa paxil cymbalta effexor wellbutrin trazodone remeron sertraline fluoxetine
            citalopram escitalopram venlafaxine amitriptyline mirtazapine klonopin ativan clonazepam lorazepam diazepam
            alprazolam zolpidem zopiclone lunesta adderall ritalin concerta vyvanse strattera methylphenidate seroquel
            zyprexa abilify risperdal quetiapine olanzapine lamictal depakote gabapentin neurontin lyrica pregabalin
            tramadol oxycontin percocet vicodin norco hydrocodone suboxone co_codamol flexeril propranolol
            metoprolol amlodipine digoxin clonidine aleve motrin naproxen excedrin nyquil unisom nurofen panadol calpol
        """,
        "medicine": "<drug> <brand>",
        "edibles": r"""
            edible edibles thc cannabis marijuana weed delta_[89]
            pot_gumm* pot_brownie* pot_cookie* pot_cand* pot_chocolate*
            (?:my|our)_gumm(?:y|ies)
        """,
        "not_a_count": r"""
            \d+ mg mcg milligram* microgram* g gram* ml mls iu unit* percent second* minute* min mins hour* hr hrs day*
            week* month* year* step* photo* picture* test* class* course* lesson* session* deep breath* time* mile* more
        """,
        "poison": """
            bleach antifreeze detergent* cleaner* cleaning_* drain_* pesticide* insecticide* weed_?killer poison*
            rat_* battery batteries magnet* gasoline petrol kerosene lamp_oil paint_thinner turpentine white_spirit
            methanol ammonia acid lye nail_polish* hand_sani* rubbing_alcohol tide_pod* laundry_* dishwasher_*
            dish_soap mothball* wild_mushroom* death_cap nicotine essential_oil* mercury superglue
        """,
        "many": r"""
            too_many too_much double twice whole entire all extra \d\d+ ten twelve fifteen twenty thirty forty fifty
            hundred handful bunch
        """,
        "young": r"""
            newborn (?:\d|1\d)_?(?:day|week|wk)s?_old
            (?:one|two|three|four|five|six|seven|eight|nine|ten)_(?:day|week)s?_old
            (?:1|2|3|one|two|three)_?(?:month|mo)s?_old
            (?:(?:\d|1\d)_?(?:day|week|wk)|[1-3]_?(?:month|mo))s?_(?:baby|infant|girl|boy|son|daughter)
            (?:baby|infant)_(?:is_|aged_)?(?:(?:\d|1\d)_?(?:day|week|wk)|[1-3]_?(?:month|mo))s?(?!_(?:after|ago|before|early|into|late|later|of|overdue|with))
        """,
        "oxygen_level": "saturation level levels sat sats stats reading",
        "not_a_percentage": """
            second* minute* min mins hour* day* week* month* year* times yo feet ft foot meter* metre* liter* litre* l
            lpm mg ml
        """,
        "child": r"""
            baby newborn infant toddler child kid son daughter grandson granddaughter year_old month_old yr_old
            \d_?yo 1[0-7]_?yo
        """,
        # Before a condition that is to be prevented; of "a heart attack or a stroke" the first decides.
        "averted": """
            prevent prevents preventing prevent_a prevent_an prevent_another prevent_any prevent_more prevent_future
            prevent_further prevent_having_a prevent_having_another prevent_getting prevent_getting_a preventing_a
            preventing_an preventing_another avoid avoids avoiding avoid_a avoid_an avoid_another avoid_any avoid_more
            avoid_future avoid_further avoid_having_a avoid_having_another avoid_getting avoid_getting_a avoiding_a
            avoiding_another from_having_a from_having_another from_getting from_getting_a
            risk_of risk_of_a risk_of_an risk_of_another risk_of_having_a risk_for risk_for_a risks_of chance_of
            chance_of_a chance_of_an chance_of_another chance_of_having_a chances_of chances_of_a chances_of_having_a
            odds_of odds_of_a odds_of_having_a prevention_of heart_attack_or heart_attack_or_a heart_attack_and
            heart_attacks_or heart_attacks_and stroke_or stroke_or_a stroke_and strokes_or strokes_and
        """,
        "blood_up": """
            cough coughs coughing coughed vomit vomits vomiting vomited throw throws throwing threw spit spits
            spitting spat puk* bringing brought
        """,
        "head_signs": """
            vomit* throw* threw confus* sleepy drowsy dizzy pass*_out blood bleed* seizure memory blurr* vision
            headache remember strange hard badly sick
        """,
        "wont_stop": """
            heavily badly profusely a_lot out_* to_death severely everywhere non_?stop uncontroll* wont_stop
            will_not_stop doesnt_stop does_not_stop not_stopping hasnt_stopped isnt_stopping so_much
        """,
    }
)
"""Words by name; <name> in a phrase matches any of them."""
