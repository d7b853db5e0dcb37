"""What a release does to a hub, counted; a simulation counts alike. Ids and counts, never values."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mdm.model.delta import IdentityDelta

#: Golden records that are told by id, per attribute and of each other kind; all are counted.
SAMPLE = 20


@dataclass(slots=True)
class RuleEffects:
    """Changes of golden records by a survivorship release."""

    entities: int = 0
    golden_changed: int = 0
    lineage_renewed: int = 0
    tasks_opened: int = 0
    tasks_closed: int = 0
    #: Changed golden records that ERP has a row of.
    erp_concerned: int = 0
    #: Changed golden records by attribute.
    attributes: Counter[str] = field(default_factory=Counter)
    #: Some of them by attribute.
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, entities: int, delta: IdentityDelta, erps: Collection[str]) -> None:
        """Count what a unit of work does; `erps` are the platforms that count as ERP."""
        self.entities += entities
        self.golden_changed += len(delta.golden)
        self.lineage_renewed += len(delta.renewed)
        self.tasks_opened += len(delta.tasks_opened)
        self.tasks_closed += len(delta.tasks_closed)
        for version in delta.golden:
            self.erp_concerned += any(key.system in erps for key in version.members)
            self.attributes.update(version.changed)
            for name in version.changed:
                some = self.samples.setdefault(name, [])
                if len(some) < SAMPLE:
                    some.append(version.entity_id)

    def as_json(self) -> dict[str, Any]:
        return {
            "entities": self.entities,
            "golden_changed": self.golden_changed,
            "lineage_renewed": self.lineage_renewed,
            "tasks_opened": self.tasks_opened,
            "tasks_closed": self.tasks_closed,
            "erp_concerned": self.erp_concerned,
            "merged": 0,
            "split": 0,
            "attributes": dict(self.attributes.most_common()),
            "samples": self.samples,
        }

    @staticmethod
    def from_json(told: dict[str, Any]) -> "RuleEffects":
        """Goes on counting where an interrupted run stopped."""
        if not told:
            return RuleEffects()
        counts = ("entities", "golden_changed", "lineage_renewed", "tasks_opened", "tasks_closed", "erp_concerned")
        kept = {name: told[name] for name in counts}
        return RuleEffects(**kept, attributes=Counter(told["attributes"]), samples=told["samples"])
