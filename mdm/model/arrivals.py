"""What the rows of a feed do to a hub: whom they join, who is asked about, who is new, and what changes by that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from mdm.model.ids import CrosswalkKey, Domain, EntityId


class Fate(StrEnum):
    """What becomes of a row that the hub did not know."""

    #: It joined a golden record that was there before.
    AUTO = "auto"
    #: A golden record of its own so far; a person is asked whether it is another one.
    REVIEW = "review"
    #: A golden record of its own, or together with others that came.
    NEW = "new"


class Since(NamedTuple):
    """The state of a hub before a feed came: its newest unit of work and row, and the time of its database."""

    batch: int
    record: int
    instant: datetime


@dataclass(frozen=True, slots=True)
class Table:
    """What came of one table of a platform; `domain` is None for facts, such as invoices.

    `fates` counts the rows that the hub did not know, where they are of a domain; `changed` and `deleted` those it did.
    """

    domain: Domain | None
    system: str
    type: str
    rows: int
    changed: int
    deleted: int
    fates: Mapping[Fate, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DomainArrivals:
    """What came of one domain.

    Attributes:
        joined: golden records from before that rows joined; `founded` those that rows made, of one row or of several.
        questions: opened, by kind; `between` those of two golden records that were both there before.
        changed: golden records from before whose values changed; `merged` and `retired` those that ended.
        in_erp: those that changed, or into which others were merged, and that ERP has a row of.
        attributes: how many golden records change in each.
    """

    joined: int = 0
    founded: int = 0
    questions: Mapping[str, int] = field(default_factory=dict)
    between: int = 0
    changed: int = 0
    merged: int = 0
    retired: int = 0
    in_erp: int = 0
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Messages that were refused for one reason."""

    system: str | None
    type: str | None
    code: str
    owner: str
    messages: int


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row that the hub did not know.

    `entity_id` is that of a golden record from before: the one it joined, or the one that it may be. `weight` in bits
    is that of the strongest link between the two.
    """

    domain: Domain
    key: CrosswalkKey
    name: str | None
    fate: Fate
    entity_id: EntityId | None
    entity_name: str | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """All of it. Numbers are whole; `rows` are those that were asked for."""

    tables: Sequence[Table]
    domains: Mapping[Domain, DomainArrivals]
    refused: Sequence[Refusals]
    rows: Sequence[Row]

    def of(self, fate: Fate) -> int:
        """How many rows of all domains have this fate."""
        return sum(table.fates.get(fate, 0) for table in self.tables)

    def shortened(self, most: int) -> "Arrivals":
        """The same with so many rows of each fate at most."""
        rows = [row for fate in Fate for row in [each for each in self.rows if each.fate is fate][:most]]
        return replace(self, rows=rows)

    def as_json(self) -> dict[str, Any]:
        """The same for `--json`; `auto`, `review` and `new` count rows of all domains."""
        return {
            **{fate.value: self.of(fate) for fate in Fate},
            "tables": [
                {
                    "domain": each.domain, "system": each.system, "type": each.type, "rows": each.rows,
                    "changed": each.changed, "deleted": each.deleted,
                    **({fate.value: each.fates.get(fate, 0) for fate in Fate} if each.domain else {}),
                }
                for each in self.tables
            ],
            "domains": {
                domain.value: {
                    "joined": each.joined, "founded": each.founded, "questions": dict(each.questions),
                    "questions_between_known": each.between, "changed": each.changed, "merged": each.merged,
                    "retired": each.retired, "erp_concerned": each.in_erp, "attributes": dict(each.attributes),
                }
                for domain, each in self.domains.items()
            },
            "refused": [
                {
                    "system": each.system, "type": each.type, "code": each.code, "owner": each.owner,
                    "messages": each.messages,
                }
                for each in self.refused
            ],
            "rows": [
                {
                    "domain": each.domain, "system": each.key.system, "type": each.key.type, "key": each.key.key,
                    "name": each.name, "fate": each.fate, "entity_id": each.entity_id,
                    "entity_name": each.entity_name, "weight": each.weight,
                }
                for each in self.rows
            ],
        }  # fmt: skip
