"""Lists that are put together from all members: each element once, the best first."""

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from mdm.model.canonical import Shape
from survivorship.candidates import Candidate
from survivorship.choice import Choice, choose, sort_best_first
from survivorship.rules import Rule
from survivorship.values import Value
from survivorship.writing import folded, search_words

#: Fewer digits are a call number within a town or a company, which many have.
_TELLING = 7
#: `+`, up to three digits of a country, and a zero that is written within the number of some countries.
_LONGEST_CODE = 5


def unite(rule: Rule, elements: Sequence[Candidate], left_out: Value | None) -> list[Choice]:
    """One choice per different element, best first by the rule; `left_out` is a text that must not appear, nor
    spellings of it (`Rule.unlike`).

    Identifiers are the same by type, country and normal form, phone numbers by E.164 (or, where a row does not say of
    which country, by the digits of one that another row says whole), e-mail addresses without regard to case, texts
    when folded.
    """
    same: dict[object, list[Candidate]] = {}
    for element in elements:
        same.setdefault(identity(rule.shape, element.value), []).append(element)
    if rule.shape is Shape.PHONES and len(same) > 1:
        _join_unread(same)
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


def _join_unread(same: dict[object, list[Candidate]]) -> None:
    """Numbers that nobody could read, for their row knows no country, are the one whose national digits they are."""
    read, unread = [], []
    for key, (first, *_) in same.items():
        assert isinstance(first.value, Mapping)
        number = first.value.get("e164")
        if number is not None:
            read.append((key, str(number)))
        elif len(digits := "".join(filter(str.isdecimal, str(first.value.get("value")))).lstrip("0")) >= _TELLING:
            unread.append((key, digits))
    for key, digits in unread:
        whole = [other for other, number in read if _is_national(digits, number)]
        if len(whole) == 1:
            same[whole[0]] += same.pop(key)


def _is_national(digits: str, number: str) -> bool:
    """Whether an E.164 number is these digits behind the code of some country, with or without a trunk prefix."""
    return number.endswith(digits) and 2 <= len(number) - len(digits) <= _LONGEST_CODE


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
