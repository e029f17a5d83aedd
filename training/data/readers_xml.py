"""Pairs from the XML collection: one document a disease or drug, in twelve folders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from medilite.data import fold
from training.data.archives import Member
from training.data.collection import Collection, Problem, RawPair
from training.data.progress import watched

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_xml(documents: Iterable[Member], name: str) -> Collection:
    """Read documents into pairs, ordered by folder, file and pair.

    Three of MedQuAD's folders hold questions whose answers were removed; their
    pairs come without an answer and their documents are counted apart. A
    document that is no XML, declares entities, or has another markup becomes a
    problem that names it. (Four of the published documents, of NINDS, have an
    older markup; the counts published of MedQuAD leave them out as well.)
    """
    collection = Collection(name, "xml")
    read: list[tuple[tuple[str, ...], list[RawPair]]] = []
    found = malformed = without_pairs = without_answer = 0
    for member in watched(documents, f"reading {name}", "documents"):
        found += 1
        pairs, problems = _read_document(member)
        read.append((member.path.parts, pairs))
        collection.problems += problems
        malformed += bool(problems)
        if not pairs and not problems:
            without_pairs += 1
        elif pairs and not any(pair.answer for pair in pairs):
            without_answer += 1
    for _, pairs in sorted(read, key=lambda document: document[0]):
        collection.pairs += pairs
    collection.problems.sort(key=lambda problem: problem.where)
    collection.counts = {
        "documents_read": found,
        "documents_malformed": malformed,
        "documents_without_pairs": without_pairs,
        "documents_without_answer": without_answer,
    }
    return collection


def _read_document(member: Member) -> tuple[list[RawPair], list[Problem]]:
    root = _parse(member)
    if isinstance(root, Problem):
        return [], [root]
    holder = root.find("QAPairs")
    if holder is None:
        reason = f"it has no <QAPairs> under <{root.tag}>: another markup than the collection's"
        return [], [Problem(member.label, reason)]
    synonyms = tuple(name for element in root.iter("Synonym") if (name := _text(element)))
    pairs, problems = [], []
    for number, element in enumerate(holder.iter("QAPair"), 1):
        question = element.find("Question")
        if question is None or not _text(question):
            problems.append(Problem(f"{member.label}, pair {number}", "it has no question"))
            continue
        pairs.append(
            RawPair(
                question=_text(question),
                answer=_text(element.find("Answer")),
                source=fold(root.get("source")),
                focus_area=_text(root.find("Focus")),
                qtype=fold(question.get("qtype")),
                qid=fold(question.get("qid")),
                synonyms=synonyms,
                address=fold(root.get("url")),
            )
        )
    return pairs, problems


def _parse(member: Member) -> Element | Problem:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if member.error:
        return Problem(member.label, member.error)
    try:
        return fromstring(member.content)
    except DefusedXmlException:
        return Problem(member.label, "it declares entities, which are refused because they can exhaust the memory")
    except (ParseError, ValueError, LookupError) as error:
        return Problem(member.label, f"it is no well-formed XML ({error})")


def _text(element: Element | None) -> str:
    return "" if element is None else fold("".join(element.itertext()))
