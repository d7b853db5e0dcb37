"""Lists that are put together from all members: each element once, the best first."""

from collections.abc import Mapping, Sequence

from mdm.model.canonical import Shape
from survivorship.candidates import Candidate
from survivorship.choice import Choice, choose, sort_best_first
from survivorship.rules import Rule
from survivorship.values import Value
from survivorship.writing import folded


def unite(rule: Rule, elements: Sequence[Candidate], left_out: Value | None) -> list[Choice]:
    """One choice per different element, best first by the rule; `left_out` is a text that must not appear.

    Identifiers are the same by type, country and normal form, phone numbers by E.164, e-mail addresses without regard
    to case, texts when folded.
    """
    same: dict[object, list[Candidate]] = {}
    for element in elements:
        same.setdefault(identity(rule.shape, element.value), []).append(element)
    if left_out is not None:
        same.pop(folded(str(left_out)), None)
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
