"""Two hubs side by side: do they hold the same rows, memberships and golden values, and if not, in which field?

Ids are left out: they are issued in time, so two hubs with the same facts have different ones.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mdm.core.digest import golden_digest
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain

#: Longer values are cut in a difference; the place says where to look.
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the live state is not what it must be."""

    kind: str
    subject: str
    detail: str


#: What an entity holds, by its sorted members.
Entities = Mapping[tuple[CrosswalkKey, ...], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a hub holds: every live row, and the golden values of every entity under its members."""

    rows: Mapping[CrosswalkKey, Mapping[str, Any]]
    entities: Mapping[Domain, Entities]

    def digest(self, domain: Domain) -> str:
        """SHA-256 over golden values and memberships of a domain; equals that of `mdm state digest`."""
        parts = sorted(golden_digest(members, values) for members, values in self.entities[domain].items())
        return hashlib.sha256(b"".join(parts)).hexdigest()


def differences(live: Content, other: Content, name: str) -> Iterator[Difference]:
    """Every row, membership and golden field in which the two differ. `name` is what the other one is called."""
    yield from _fields("row", {str(key): row for key, row in live.rows.items()},
                       {str(key): row for key, row in other.rows.items()}, name)  # fmt: skip
    for domain in RESOLUTION_ORDER:
        mine, theirs = live.entities[domain], other.entities[domain]
        yield from _memberships(domain, mine, theirs, name)
        shared = mine.keys() & theirs.keys()
        yield from _fields(
            f"{domain} golden",
            {str(members[0]): mine[members] for members in shared},
            {str(members[0]): theirs[members] for members in shared},
            name,
        )


def _memberships(domain: Domain, mine: Entities, theirs: Entities, name: str) -> Iterator[Difference]:
    home = {member: members for members in theirs for member in members}
    for members in sorted(mine.keys() - theirs.keys()):
        elsewhere = sorted({home[member] for member in members if member in home})
        found = "; ".join(" + ".join(map(str, group)) for group in elsewhere) or "none of them"
        yield Difference(f"{domain} entity", str(members[0]), f"live: {' + '.join(map(str, members))}, {name}: {found}")
    known = {member for members in mine for member in members}
    for members in sorted(theirs.keys() - mine.keys()):
        if not known.intersection(members):
            yield Difference(
                f"{domain} entity", str(members[0]), f"live: none, {name}: {' + '.join(map(str, members))}"
            )


def _fields(
    kind: str, mine: Mapping[str, Mapping[str, Any]], theirs: Mapping[str, Mapping[str, Any]], name: str
) -> Iterator[Difference]:
    for subject in sorted(mine.keys() | theirs.keys()):
        if subject not in theirs or subject not in mine:
            where = "live" if subject in mine else name
            yield Difference(kind, subject, f"only {where} has it")
        elif mine[subject] != theirs[subject]:
            yield from _values(kind, subject, mine[subject], theirs[subject], name)


def _values(
    kind: str, subject: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], name: str
) -> Iterator[Difference]:
    for field in sorted(mine.keys() | theirs.keys()):
        if mine.get(field) != theirs.get(field) or (field in mine) != (field in theirs):
            detail = f"live: {shown(mine, field)}, {name}: {shown(theirs, field)}"
            yield Difference(kind, f"{subject} {field}", detail)


def shown(values: Mapping[str, Any], field: str) -> str:
    """A field of a row or golden record for people: absent is not null."""
    if field not in values:
        return "absent"
    text = repr(values[field])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
