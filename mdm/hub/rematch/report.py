"""What a re-match does, counted: the same for a preview as for the real thing."""

from dataclasses import asdict, dataclass, field
from typing import Any

from mdm.hub.rematch.plan import Plan
from mdm.model.delta import GoldenVersion, IdentityDelta
from mdm.model.ids import Domain

#: Golden records told by name; all are counted.
_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Example:
    """A golden record that changes: what becomes of it, and which of its attributes."""

    entity_id: str
    name: str
    cause: str
    changed: tuple[str, ...]
    members: int


@dataclass(slots=True)
class Effects:
    """Changes of one domain."""

    links_added: int = 0
    links_removed: int = 0
    founded: int = 0
    merged: int = 0
    split: int = 0
    retired: int = 0
    moved_records: int = 0
    golden_changed: int = 0
    lineage_renewed: int = 0
    tasks_opened: int = 0
    tasks_closed: int = 0
    examples: list[Example] = field(default_factory=list)
    #: Some of the absorbed entities with their survivors, and some of the entities that lose records, with these.
    absorbed: list[tuple[str, str]] = field(default_factory=list)
    parted: list[tuple[str, list[int]]] = field(default_factory=list)

    @staticmethod
    def of(delta: IdentityDelta) -> "Effects":
        effects = Effects()
        effects.add(delta)
        return effects

    def add(self, delta: IdentityDelta) -> None:
        """Count what a unit of work does."""
        self.links_added += len(delta.links.added)
        self.links_removed += len(delta.links.superseded)
        self.founded += len(delta.founded)
        self.merged += sum(each.status == "merged" for each in delta.succession)
        self.retired += sum(each.status == "retired" for each in delta.succession)
        self.split += sum(each.cause == "split" for each in delta.golden)
        self.moved_records += sum(each.left is not None for each in delta.joined)
        self.golden_changed += len(delta.golden)
        self.lineage_renewed += len(delta.renewed)
        self.tasks_opened += len(delta.tasks_opened)
        self.tasks_closed += len(delta.tasks_closed)
        self._sample(delta)
        for version in delta.golden:
            if version.cause in ("merge", "split") and len(self.examples) < _EXAMPLES:
                self.examples.append(_example(version))

    def _sample(self, delta: IdentityDelta) -> None:
        merged = {each.entity_id: each.merged_into for each in delta.succession if each.merged_into is not None}
        leaving: dict[str, list[int]] = {}
        for change in delta.joined:
            if change.left is not None and change.left not in merged:
                leaving.setdefault(change.left, []).append(change.rec_id)
        self.absorbed += list(merged.items())[: _EXAMPLES - len(self.absorbed)]
        self.parted += list(leaving.items())[: _EXAMPLES - len(self.parted)]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _example(version: GoldenVersion) -> Example:
    return Example(version.entity_id, version.name, version.cause, version.changed, len(version.members))


@dataclass(slots=True)
class Report:
    """What a run found and did, by domain."""

    engine: str
    rules: str
    records: dict[Domain, int] = field(default_factory=dict)
    candidates: dict[Domain, int] = field(default_factory=dict)
    by_domain: dict[Domain, Effects] = field(default_factory=dict)

    def found(self, plan: Plan) -> None:
        """Take down how much was looked at."""
        self.records[plan.domain] = plan.records
        self.candidates[plan.domain] = plan.candidates
        self.effects(plan.domain)

    def effects(self, domain: Domain) -> Effects:
        return self.by_domain.setdefault(domain, Effects())

    @property
    def empty(self) -> bool:
        return all(each == Effects() for each in self.by_domain.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "rules": self.rules,
            "domains": {
                domain.value: {
                    "records": self.records[domain], "candidates": self.candidates[domain], **effects.as_json()
                }
                for domain, effects in self.by_domain.items()
            },
        }  # fmt: skip
