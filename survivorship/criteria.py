"""The criteria a rule can rank by. Each grades all candidates of an attribute; the highest grade stays in the race.

A grade depends on the candidates as a set, never on their order.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from survivorship.candidates import Candidate, validity
from survivorship.values import Value
from survivorship.writing import folded, written

#: Grades of one criterion compare with each other; their type is the criterion's own affair, hence Any.
Grades: TypeAlias = Sequence[Any]

#: Postal boxes in the languages of the usual registers.
_POSTAL_BOX = re.compile(
    r"\bp\.? ?o\.? ?box\b|\bpostfach\b|\bpostbus\b|\bapartado\b|\bcas(ella|\.) postale\b"
    r"|\bbo[iî]te postale\b|^b\.?p\.? \d|\bskr(ytka|\.)? poczt|\bcaixa postal\b|私書箱",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def comparable(value: Value) -> object:
    """A form that is equal for values that say the same: texts folded, numbers by amount, objects by their parts."""
    if isinstance(value, str):
        return Decimal(value).normalize() if _NUMBER.fullmatch(value) else folded(value)
    if isinstance(value, Mapping):
        return tuple(sorted((name, str(comparable(part))) for name, part in value.items() if part not in (None, "")))
    if isinstance(value, Sequence):
        return tuple(comparable(part) for part in value)
    return value


def trust_in_bands(candidates: Sequence[Candidate], band: float) -> Grades:
    """Trust counted in bands of this width, so that sources of similar trust are told apart by what follows."""
    # 0.75 / 0.25 must be 3 whatever the last bit of a decimal fraction says.
    return [int(-candidate.order[0] / band + 1e-9) for candidate in candidates]


def support(candidates: Sequence[Candidate], by: tuple[str, ...]) -> Grades:
    """The trust of all platforms that say the same, added up; a platform counts once, with its most trusted record.

    Two platforms that agree can outweigh a more trusted one that stands alone: it is less likely that both are wrong in
    the same way. What is the same is said by the records' comparison forms `by`, or by the values where there are none.
    """
    forms = [_form(candidate, by) for candidate in candidates]
    votes: dict[object, dict[str, float]] = {}
    for candidate, form in zip(candidates, forms, strict=True):
        platforms = votes.setdefault(form, {})
        system = candidate.member.record.key.system
        platforms[system] = max(platforms.get(system, 0.0), -candidate.order[0])
    # Rounded, because the sum of three trusts depends on the order in which they are added in its last bit.
    totals = {form: round(sum(platforms.values()), 6) for form, platforms in votes.items()}
    return [totals[form] for form in forms]


def _form(candidate: Candidate, by: tuple[str, ...]) -> object:
    compared = candidate.member.record.comparison
    forms = tuple(str(compared.get(name)) for name in by if name in compared)
    return forms or comparable(candidate.value)


def states(candidates: Sequence[Candidate], attribute: str) -> Grades:
    """Whether the record states another attribute too."""
    return [bool(candidate.member.attributes.get(attribute)) for candidate in candidates]


def _street_address(candidates: Sequence[Candidate]) -> Grades:
    """An address that one can visit before one that only takes letters, and that before none at all."""
    return [_visitable(candidate.value) for candidate in candidates]


def _visitable(value: Value) -> int:
    street = value.get("street") if isinstance(value, Mapping) else None
    if not isinstance(street, str) or not street:
        return 0
    return 1 if _POSTAL_BOX.search(street) else 2


def _trust(candidates: Sequence[Candidate]) -> Grades:
    return [-candidate.order[0] for candidate in candidates]


def _most_recent(candidates: Sequence[Candidate]) -> Grades:
    return [candidate.member.record.provenance.event_time for candidate in candidates]


def _oldest(candidates: Sequence[Candidate]) -> Grades:
    return _reversed(_most_recent(candidates))


def _most_frequent(candidates: Sequence[Candidate]) -> Grades:
    forms = [comparable(candidate.value) for candidate in candidates]
    counts = Counter(forms)
    return [counts[form] for form in forms]


def _most_complete(candidates: Sequence[Candidate]) -> Grades:
    return [_parts(candidate.value) for candidate in candidates]


def _parts(value: Value) -> int:
    if isinstance(value, Mapping):
        return sum(part not in (None, "", [], {}) for part in value.values())
    return len(value) if isinstance(value, list | tuple) else 1


def _best_written(candidates: Sequence[Candidate]) -> Grades:
    return [_writing(candidate.value) for candidate in candidates]


def _writing(value: Value) -> int:
    if isinstance(value, str):
        return written(value)
    if isinstance(value, Mapping):
        return min((written(part) for part in value.values() if isinstance(part, str) and part), default=0)
    return 0


def _longest(candidates: Sequence[Candidate]) -> Grades:
    return [len(candidate.value) if hasattr(candidate.value, "__len__") else 0 for candidate in candidates]


def _maximum(candidates: Sequence[Candidate]) -> Grades:
    return [_size(candidate.value) for candidate in candidates]


def _minimum(candidates: Sequence[Candidate]) -> Grades:
    return _reversed(_maximum(candidates))


def _size(value: Value) -> tuple[int, Any]:
    # Texts that are not numbers are ISO dates and codes, which order as they are; numbers come before them.
    if isinstance(value, bool | int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return (0, Decimal(value))
    return (1, str(value))


def _validated_first(candidates: Sequence[Candidate]) -> Grades:
    return [validity(candidate.member, candidate.value) for candidate in candidates]


def _reversed(grades: Grades) -> Grades:
    places = {grade: -place for place, grade in enumerate(sorted(set(grades)))}
    return [places[grade] for grade in grades]


CRITERIA: Mapping[str, Callable[[Sequence[Candidate]], Grades]] = {
    "trust": _trust,
    "most_recent": _most_recent,
    "oldest": _oldest,
    "most_frequent": _most_frequent,
    "most_complete": _most_complete,
    "best_written": _best_written,
    "street_address": _street_address,
    "longest": _longest,
    "maximum": _maximum,
    "minimum": _minimum,
    "validated_first": _validated_first,
}
