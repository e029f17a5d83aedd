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
    "Ibuprofen\n- Naproxen\n- Celecoxib\n- Meloxicam\n- Diclofenac\n- Etodolac\n- Ketorolac\n- Nabumetone",
    "Treponema pallidum subsp. pallidum; Borrelia burgdorferi sensu lato; Mycobacterium avium complex",
    "Sjögren syndrome, Ménière disease, Behçet disease, Münchausen syndrome, Löffler syndrome, Bartholin cyst",
    "Autosomal recessive spastic ataxia Charlevoix-Saguenay type", "BRCA1, BRCA2, TP53, PTEN, STK11, CDH1, PALB2",
    "Primary ciliary dyskinesia occurs in approximately 1 in 16,000 individuals.",
    "In vivo, in vitro, per os, pro re nata, ad libitum, et al., ex vivo, post mortem",
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
    # Languages of which no word is listed, and texts of a line
    "Kisukari ni ugonjwa ambao mwili hauwezi kudhibiti kiwango cha sukari katika damu. Dalili zake ni pamoja na",
    "Ang diabetes ay isang sakit kung saan mataas ang asukal sa dugo. Kabilang sa mga sintomas ang madalas na",
    "Dyabèt se yon maladi kote sik nan san an twò wo. Sentòm yo gen ladan swaf, pipi souvan ak fatig.",
    "Sonkorowga waa cudur uu sonkorta dhiigga ku jirta ay sare u kacdo. Astaamaha waxaa ka mid ah harraad, kaadi",
    "A cukorbetegség olyan betegség, amelyben a vércukorszint túl magas. A tünetek közé tartozik a szomjúság, a",
    "Cukrovka je onemocnění, při kterém je hladina cukru v krvi příliš vysoká. Mezi příznaky patří žízeň, časté",
    "Diabetul este o boală în care nivelul zahărului din sânge este prea mare. Simptomele includ setea, urinarea",
    "Diabetes on sairaus, jossa verensokeri on liian korkea. Oireita ovat jano, tiheä virtsaaminen ja väsymys.",
    "Dijabetes je bolest kod koje je razina šećera u krvi previsoka. Simptomi uključuju žeđ, učestalo mokrenje i",
    "La diabetis és una malaltia en què el sucre a la sang és massa alt. Els símptomes inclouen set, orinar",
    "Diabetes er en sygdom, hvor blodsukkeret er for højt. Symptomerne omfatter tørst, hyppig vandladning og",
    "Diabeti është një sëmundje në të cilën sheqeri në gjak është shumë i lartë. Simptomat përfshijnë etjen,",
    "Isifo sikashukela yisifo lapho ushukela egazini uphakeme kakhulu. Izimpawu zihlanganisa ukoma, ukuchama",
    "Mae diabetes yn glefyd lle mae lefel y siwgr yn y gwaed yn rhy uchel. Mae'r symptomau'n cynnwys syched,",
    "Sykursýki er sjúkdómur þar sem blóðsykur er of hár. Einkennin eru meðal annars þorsti, tíð þvaglát og",
    "Àtọ̀gbẹ jẹ́ àìsàn tí ṣúgà inú ẹ̀jẹ̀ ga jù. Àwọn àmì rẹ̀ ni òùngbẹ, ìtọ̀ lọ́pọ̀ ìgbà àti àárẹ̀.",
    "Ntshav qab zib yog ib yam kab mob uas cov piam thaj hauv cov ntshav siab dhau. Cov tsos mob muaj xws li",
    "Tome agua y descanse. Vea a su médico.",
    "Lavese las manos con agua y jabon antes de comer.",
    "Trinken Sie viel Wasser und ruhen Sie sich aus.",
    "Beba bastante água e descanse. Procure um médico se a febre continuar.",
    "Uống nhiều nước và nghỉ ngơi. Hãy gặp bác sĩ nếu sốt kéo dài.",
    "Drink veel water en rust goed uit. Ga naar de dokter als de koorts aanhoudt.",
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
