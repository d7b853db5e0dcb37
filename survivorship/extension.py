"""Extension attributes: each is chosen by itself, among the records of the platforms that state it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mdm.model.canonical import EXTENSION
from survivorship.candidates import Candidate, Member, Trust, trust_in
from survivorship.choice import Choice, choose
from survivorship.rules import Rule
from survivorship.values import Value


class Extended(NamedTuple):
    """The surviving extensions, `{platform: {name: value}}` in alphabetical order, and how each was chosen, in it."""

    value: dict[str, dict[str, Value]]
    chosen: list[tuple[str, Choice]]


def extend(rule: Rule, members: Sequence[Member], trust: Trust) -> Extended:
    """What survives of the extensions of some members; names of one platform are none of another."""
    stated: dict[tuple[str, str], list[Candidate]] = {}
    for member in members:
        spaces = member.attributes.get(EXTENSION.name)
        for space, own in spaces.items() if isinstance(spaces, Mapping) else ():
            for name, value in own.items():
                weight = trust_in(rule, member, EXTENSION.name, value, trust)
                stated.setdefault((space, name), []).append(Candidate(member, value, (-weight, member.age, 0)))
    found = Extended({}, [])
    for (space, name), candidates in sorted(stated.items()):
        choice = choose(rule, candidates)
        found.value.setdefault(space, {})[name] = choice.winner.value
        found.chosen.append((f"{space}.{name}", choice))
    return found
