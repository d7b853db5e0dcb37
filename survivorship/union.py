"""Lists that are put together from all members: each element once, the best first."""

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from mdm.model.canonical import Shape
from survivorship.candidates import Candidate
from survivorship.choice import Choice, choose, sort_best_first
from survivorship.rules import Rule
from survivorship.values import Value
from survivorship.writing import folded, search_words


def unite(rule: Rule, elements: Sequence[Candidate], left_out: Value | None) -> list[Choice]:
    """One choice per different element, best first by the rule; `left_out` is a text that must not appear, nor
    spellings of it (`Rule.unlike`).

    Identifiers are the same by type, country and normal form, phone numbers by E.164, e-mail addresses without regard
    to case, texts when folded.
    """
    same: dict[object, list[Candidate]] = {}
    for element in elements:
        same.setdefault(identity(rule.shape, element.value), []).append(element)
    if left_out is not None:
        absent = same.pop(folded(str(left_out)), None)
        if rule.unlike is not None:
            core = _core(rule.without or "", absent[0]) if absent else " ".join(search_words(str(left_out)))
            same = {key: each for key, each in same.items() if not _misspelt(rule, each, core)}
    choices = {id(choice.winner): choice for choice in (choose(rule, candidates) for candidates in same.values())}
    winners = sort_best_first(rule, [choice.winner for choice in choices.values()])
    return [choices[id(winner)] for winner in winners]


def identity(shape: Shape | None, element: Value) -> object:
    """What makes two elements of a list the same."""
    if not isinstance(element, Mapping):
        return folded(str(element))
    written = str(element.get("value") or "")
    if shape is Shape.IDENTIFIERS:
        normal = element.get("normal") or folded(written)
        return (element.get("type"), element.get("country"), normal)
    if shape is Shape.PHONES:
        return element.get("e164") or folded(written)
    return written.casefold()


def _misspelt(rule: Rule, candidates: Sequence[Candidate], core: str) -> bool:
    """Whether nobody states this as more than another spelling of what is left out."""
    assert rule.without is not None
    assert rule.unlike is not None
    if any(each.member.attributes.get(rule.without) != each.value for each in candidates):
        return False  # somebody states it as what it is
    return likeness(_core(rule.without, candidates[0]), core) >= rule.unlike


def _core(attribute: str, candidate: Candidate) -> str:
    """The words of a text that was stated for an attribute: those that its comparison form has kept, or all."""
    compared = candidate.member.record.comparison.get(attribute)
    if isinstance(compared, str) and candidate.member.attributes.get(attribute) == candidate.value:
        return compared
    return " ".join(search_words(str(candidate.value)))


def likeness(one: str, other: str) -> float:
    """How much the words of two texts look like one text, 0..100: in any order, some left out, or as a whole without
    the spaces (RapidFuzz `token_set_ratio` and `ratio`)."""
    return max(fuzz.token_set_ratio(one, other), fuzz.ratio(one.replace(" ", ""), other.replace(" ", "")))
