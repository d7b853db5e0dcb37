"""Reading conditions from a model document, refusing what no engine could evaluate alike.

The allowed profile, as YAML: `equal: c` or `[a, b]`; `overlap: c` or `{columns: [a, b], at_least: 2}`;
`jaro_winkler: {column: c, at_least: .9}`; `levenshtein: {column: c, at_most: 1}`; `covered` and
`contained: {column: c, near: .9, at_most: 0}`; `within: {columns: [a, b], distance: 3}`;
`inside: {inner: [a, b], outer: [c, d], slack: 1}`; `shared: {column: c, bits: 12, percent: 80, of: less, near: .9}`
(the column has a table of frequencies); `missing: [a, b]`; and `all`, `any`, `not` over these.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from matching.conditions import All, AnyOf, Condition, Missing, Not
from matching.frequencies import Frequencies
from matching.operators import (
    MANY,
    Covered,
    Equal,
    Inside,
    JaroWinklerAtLeast,
    LevenshteinAtMost,
    Overlap,
    Within,
)
from matching.shared import Shared, Side
from mdm.errors import ConfigurationInvalid

#: The tables of frequencies that a model ships, by column.
Tables: TypeAlias = Mapping[str, Frequencies]


def parse_condition(document: object, where: str, tables: Tables | None = None) -> Condition:
    """A condition from its YAML form; equal conditions are one object, so that what is known of one is known of all.

    Raises ConfigurationInvalid naming the place in the document.
    """
    condition = _parse(document, where, tables or {})
    return _INTERNED.setdefault(condition, condition)


_INTERNED: dict[Condition, Condition] = {}
#: Beyond these no document means what it says.
_MOST_BITS, _FAR = 10_000, 1e15


def _parse(document: object, where: str, tables: Tables) -> Condition:
    if not isinstance(document, Mapping) or len(document) != 1:
        raise ConfigurationInvalid(f"{where}: a condition is a mapping with one operator, not {document!r}")
    operator, argument = next(iter(document.items()))
    place = f"{where}.{operator}"
    try:
        if operator in _COMPOSED:
            return _COMPOSED[operator](argument, place, tables)
        if operator == "shared":
            return _shared(argument, tables)
        if operator in _PLAIN:
            return _PLAIN[operator](argument)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigurationInvalid(f"{where}: {operator} cannot be read from {argument!r} ({error})") from error
    known = ", ".join(sorted((*_PLAIN, *_COMPOSED, "shared")))
    raise ConfigurationInvalid(f"{where}: unknown operator {operator!r}; known are {known}.")


def _two(argument: Any) -> tuple[str, str]:
    if isinstance(argument, str):
        return argument, argument
    if isinstance(argument, Mapping):
        return _two(argument["column"] if "column" in argument else argument["columns"])
    first, second = argument
    return str(first), str(second)


def _equal(argument: Any) -> Condition:
    return Equal(*_two(argument))


def _overlap(argument: Any) -> Condition:
    at_least = _whole(argument, "at_least", 1, MANY, usual=1) if isinstance(argument, Mapping) else 1
    return Overlap(*_two(argument), at_least=at_least)


def _number(argument: Any, key: str, least: float, most: float, usual: float | None = None) -> float:
    said = argument[key] if usual is None else argument.get(key, usual)
    if isinstance(said, bool | str):  # Python counts with yes and no, and reads texts of digits
        raise ValueError(f"{key} is {said!r}, which is no number")
    found = float(said)
    if not least <= found <= most:
        raise ValueError(f"{key} is {found:g}; it must be from {least:g} to {most:g}")
    return found


def _whole(argument: Any, key: str, least: int, most: int, usual: int | None = None) -> int:
    found = _number(argument, key, least, most, usual)
    if found != int(found):
        raise ValueError(f"{key} is {found:g}; it must be a whole number, for nothing is counted in parts")
    return int(found)


def _likeness(argument: Any, key: str) -> float:
    return _number(argument, key, 0.01, 1)


def _jaro_winkler(argument: Any) -> Condition:
    return JaroWinklerAtLeast(str(argument["column"]), _likeness(argument, "at_least"))


def _levenshtein(argument: Any) -> Condition:
    return LevenshteinAtMost(str(argument["column"]), _whole(argument, "at_most", 0, MANY))


def _covered(argument: Any, *, fewer: bool = False) -> Condition:
    few = _whole(argument, "at_most", 0, MANY, usual=0)
    return Covered(str(argument["column"]), _likeness(argument, "near"), few, fewer)


def _contained(argument: Any) -> Condition:
    return _covered(argument, fewer=True)


def _within(argument: Any) -> Condition:
    return Within(*_two(argument), distance=_number(argument, "distance", 0, _FAR))


def _inside(argument: Any) -> Condition:
    return Inside(_two(argument["inner"]), _two(argument["outer"]), _number(argument, "slack", -_FAR, _FAR, usual=0))


def _missing(argument: Any) -> Condition:
    names = (argument,) if isinstance(argument, str) else tuple(str(name) for name in argument)
    if not names:
        raise ValueError("no column")
    return Missing(names)


def _shared(argument: Any, tables: Tables) -> Condition:
    column = str(argument["column"])
    if column not in tables:
        raise ValueError(f"the model has no frequencies of {column}")
    return Shared(
        column,
        tables[column],
        _number(argument, "bits", 0, _MOST_BITS, usual=0),
        _whole(argument, "percent", 0, 100, usual=0),
        Side(argument.get("of", Side.MORE)),
        _likeness(argument, "near") if "near" in argument else None,
    )


def _parts(argument: Any, where: str, tables: Tables) -> tuple[Condition, ...]:
    parts = tuple(parse_condition(part, f"{where}[{index}]", tables) for index, part in enumerate(argument))
    if not parts:
        raise ValueError("no part")
    # A veto on two countries that are equal or not would part every two records that state one.
    if any(part.part in parts for part in parts if isinstance(part, Not)):
        raise ConfigurationInvalid(
            f"{where}: a condition and its opposite stand beside each other: together they are always so, or never.",
            action="Take one of the two out.",
        )
    return parts


def _all(argument: Any, where: str, tables: Tables) -> Condition:
    return All(_parts(argument, where, tables))


def _any(argument: Any, where: str, tables: Tables) -> Condition:
    return AnyOf(_parts(argument, where, tables))


def _not(argument: Any, where: str, tables: Tables) -> Condition:
    return Not(parse_condition(argument, where, tables))


_PLAIN: Mapping[str, Callable[[Any], Condition]] = {
    "equal": _equal,
    "overlap": _overlap,
    "jaro_winkler": _jaro_winkler,
    "levenshtein": _levenshtein,
    "covered": _covered,
    "contained": _contained,
    "within": _within,
    "inside": _inside,
    "missing": _missing,
}
_COMPOSED: Mapping[str, Callable[[Any, str, Tables], Condition]] = {"all": _all, "any": _any, "not": _not}
