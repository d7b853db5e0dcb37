"""Reading conditions from a model document, refusing what no engine could evaluate alike.

The allowed profile, as YAML: `equal: c` or `[a, b]`; `overlap: c` or `{columns: [a, b], at_least: 2}`;
`jaro_winkler: {column: c, at_least: .9}`; `levenshtein: {column: c, at_most: 1}`; `covered` and
`contained: {column: c, near: .9, at_most: 0}`; `within: {columns: [a, b], distance: 3}`;
`inside: {inner: [a, b], outer: [c, d], slack: 1}`; `missing: [a, b]`; and `all`, `any`, `not` over these.
"""

from collections.abc import Callable, Mapping
from typing import Any

from matching.conditions import All, AnyOf, Condition, Missing, Not
from matching.operators import (
    Covered,
    Equal,
    Inside,
    JaroWinklerAtLeast,
    LevenshteinAtMost,
    Overlap,
    Within,
)
from mdm.errors import ConfigurationInvalid


def parse_condition(document: object, where: str) -> Condition:
    """A condition from its YAML form; equal conditions are one object, so that what is known of one is known of all.

    Raises ConfigurationInvalid naming the place in the document.
    """
    condition = _parse(document, where)
    return _INTERNED.setdefault(condition, condition)


_INTERNED: dict[Condition, Condition] = {}


def _parse(document: object, where: str) -> Condition:
    if not isinstance(document, Mapping) or len(document) != 1:
        raise ConfigurationInvalid(f"{where}: a condition is a mapping with one operator, not {document!r}")
    operator, argument = next(iter(document.items()))
    place = f"{where}.{operator}"
    try:
        if operator in _COMPOSED:
            return _COMPOSED[operator](argument, place)
        if operator in _PLAIN:
            return _PLAIN[operator](argument)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigurationInvalid(f"{where}: {operator} cannot be read from {argument!r} ({error})") from error
    known = ", ".join(sorted((*_PLAIN, *_COMPOSED)))
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
    at_least = int(argument.get("at_least", 1)) if isinstance(argument, Mapping) else 1
    return Overlap(*_two(argument), at_least=at_least)


def _jaro_winkler(argument: Any) -> Condition:
    return JaroWinklerAtLeast(str(argument["column"]), float(argument["at_least"]))


def _levenshtein(argument: Any) -> Condition:
    return LevenshteinAtMost(str(argument["column"]), int(argument["at_most"]))


def _covered(argument: Any) -> Condition:
    return Covered(str(argument["column"]), float(argument["near"]), int(argument.get("at_most", 0)), fewer=False)


def _contained(argument: Any) -> Condition:
    return Covered(str(argument["column"]), float(argument["near"]), int(argument.get("at_most", 0)), fewer=True)


def _within(argument: Any) -> Condition:
    return Within(*_two(argument), distance=float(argument["distance"]))


def _inside(argument: Any) -> Condition:
    return Inside(_two(argument["inner"]), _two(argument["outer"]), float(argument.get("slack", 0)))


def _missing(argument: Any) -> Condition:
    names = (argument,) if isinstance(argument, str) else tuple(str(name) for name in argument)
    if not names:
        raise ValueError("no column")
    return Missing(names)


def _parts(argument: Any, where: str) -> tuple[Condition, ...]:
    parts = tuple(parse_condition(part, f"{where}[{index}]") for index, part in enumerate(argument))
    if not parts:
        raise ValueError("no part")
    return parts


def _all(argument: Any, where: str) -> Condition:
    return All(_parts(argument, where))


def _any(argument: Any, where: str) -> Condition:
    return AnyOf(_parts(argument, where))


def _not(argument: Any, where: str) -> Condition:
    return Not(parse_condition(argument, where))


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
_COMPOSED: Mapping[str, Callable[[Any, str], Condition]] = {"all": _all, "any": _any, "not": _not}
