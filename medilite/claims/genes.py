"""Genes by their symbols: "mutations in the SLC4A11 gene"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medilite.claims.records import Claim

_SYMBOL = r"(?:MT-)?(?:C\d{1,2}orf\d{1,3}|[A-Z][A-Z0-9]{1,9})(?:-[A-Z0-9]{1,3})?"
_LIST = rf"{_SYMBOL}(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+|\s*/\s*)(?:the\s+)?{_SYMBOL})*"
_CONTEXTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?P<list>{_LIST})(?:\s*\([^()]{{0,40}}\))?\s+(?:gene|genes|gene's|mutations?|alleles?)\b",
        r"\b[Gg]enes?(?:\s*[,:(]|\s+is|\s+are)?(?:\s+(?:called|named|known\s+as|including|such\s+as|like|the))*"
        rf"\s*[\"'“(]?(?P<list>{_LIST})\b",
        r"\b(?:[Mm]utations?|[Vv]ariants?|[Dd]eletions?|[Aa]lterations?|[Dd]efects?|[Cc]hanges)\s+(?:in|of)\s+"
        rf"(?:(?:the|either|both|one|of|several|genes?|following|called|named|or|more|two|three|four)[\s,:]+)*"
        # "Changes in PTH levels" are of what a test finds.
        rf"(?P<list>{_LIST})\b(?!\s+(?:\w+\s+)?(?:levels?|counts?|values?|results?|tests?|scans?)\b)",
    )
)
_ONE = re.compile(rf"\b{_SYMBOL}\b")

_MUTATION = re.compile(r"[A-Z]\d{2,4}[A-Z]")
"""Names of mutations, such as C282Y, which occur where genes do."""

_NO_GENES = """
DNA RNA MRNA TRNA MTDNA HIV AIDS MRI CT US USA UK NIH CDC FDA GI BMI ECG EKG EEG PCR GARD GHR OMIM II III IV VI
VII VIII IX XI XII XIII XX XY XXX XXY LOD IQ CNS PNS ATP THE AND OR IN OF FOR WITH TYPE GENE GENES
BP BMD BBB CBC RBC WBC ESR GFR BUN ALT AST PSA INR A1C HBA1C CO2 O2 PO2 SPO2 VO2 ICP IOP FEV1 LDL HDL VLDL TSH FSH LH
ACTH HCG DHEA DHT T3 T4 B6 B12 GABA NMDA CSF REM NREM QT PH UV UVA UVB PET EMG
COVID SARS MERS RSV HPV HBV HCV EBV CMV HSV VZV HTLV H1N1 TB CJD CFS COPD ADHD PMS PMDD PCOS GERD IBS IBD MS ALS CKD
ESRD CHD CHF CVD AMD TIA TBI DVT PTSD OCD STD STI UTI ALL AML CML CLL MDS
"""
"""Abbreviations that follow "changes in" or "variants of" but are no human gene's symbol."""

_NOT_GENES = frozenset(_NO_GENES.split())


def genes(text: str) -> Iterator[Claim]:
    """Yield every occurrence of a symbol that the text somewhere calls a gene."""
    named = {
        symbol
        for context in _CONTEXTS
        for match in context.finditer(text)
        for symbol in _ONE.findall(match["list"])
        if symbol not in _NOT_GENES and not _MUTATION.fullmatch(symbol)
    }
    if not named:
        return
    for match in _ONE.finditer(text):
        if match[0] in named:
            yield Claim("gene", match.start(), match.end(), match[0].upper())
