"""Golden records, their lineage, sources and history."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from api.schemas.common import Form, Page, Position, Reference, SourceKey
from api.schemas.values import VALUES
from mdm.model.ids import Domain


class OverrideThen(Form):
    """A value that a steward had pinned at an instant."""

    attribute: str
    author: str
    since: datetime
    expires_at: datetime | None


class AsOf(Form):
    """The instant for which values were computed from the stored history."""

    known_at: datetime | None
    valid_at: datetime | None
    rules: str = Field(description="Fingerprint of the rule set that chose.")
    records: list[SourceKey] = Field(description="The source rows that existed then.")
    overrides: list[OverrideThen] = Field(description="Values pinned by stewards then; the values have them.")


class RecordHead(Form):
    """What every golden record has besides its values."""

    id: str = Field(examples=["cus_01kczk7c000000000000000000"])
    domain: Domain
    version: int
    name: str = Field(description="For display.")
    masked: list[str] = Field(description="Attributes whose values this API key may not see in full.")
    sources: int = Field(description="Number of source rows behind it.")
    known_from: datetime = Field(description="When the hub came to know this version.")
    known_to: datetime | None = Field(description="When a newer version replaced it; null for the current one.")
    ruleset: str = Field(description="Fingerprint of the survivorship rules that chose the values.")
    cause: str = Field(description="founded, source, merge, split, ...")
    as_of: AsOf | None = Field(None, description="Present when the values were computed for an instant.")


def _record_form(domain: Domain) -> type[BaseModel]:
    form: type[BaseModel] = create_model(
        f"{domain.value.capitalize()}Record",
        __base__=RecordHead,
        __doc__=f"The golden record of a {domain.value}.",
        values=(VALUES[domain], ...),
    )
    return form


#: The form of a golden record of each domain.
RECORDS: dict[Domain, type[BaseModel]] = {domain: _record_form(domain) for domain in Domain}
#: The form of a page of golden records of each domain. Any: a generic form of a form that is made at run time.
PAGES: dict[Domain, Any] = {domain: Page[form] for domain, form in RECORDS.items()}  # type: ignore[valid-type]


class RunnerUp(Form):
    """A value that did not survive."""

    record: SourceKey
    value: Any = Field(None, description="Absent when it is the golden value itself.")
    rule: str | None = Field(None, description="The criterion at which it fell behind.")
    reason: str | None = Field(None, description="Why it lost.")


class AttributeLineage(Form):
    """Where one golden value comes from. For a union of values `elements` says it for each of them."""

    record: SourceKey | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    lsn: int | None = None
    transaction: str | None = None
    event_time: datetime | None = None
    rule: str | None = None
    ruleset: str | None = None
    runners_up: list[RunnerUp] = Field(default_factory=list)
    elements: list[Any] | None = None


class JoinDecision(Form):
    """The decision that ties a record to its entity most firmly."""

    record: SourceKey
    by: Literal["judgement", "link", "founder"] = Field(
        description="A steward, the match model, or nothing: the record founded the entity or is its only one."
    )
    since: datetime = Field(description="When the record came to the entity.")
    founder: bool
    with_record: SourceKey | None = Field(description="The other member that it was found, or judged, to be.")
    weight: float | None = Field(description="Match weight in bits.")
    model: str | None = Field(description="Fingerprint of the match model.")
    author: str | None
    reason: str | None
    decided_at: datetime | None
    batch: int | None = Field(description="The unit of work.")


class RulesUsed(Form):
    """The rule set that chose the values."""

    fingerprint: str
    version: str | None = Field(description="Null when the document was not remembered.")


class Lineage(Form):
    """Where every value of one version comes from."""

    id: str
    domain: Domain
    version: int
    rules: RulesUsed
    attributes: dict[str, AttributeLineage]
    joined: list[JoinDecision] = Field(description="For every record that a value or a runner-up comes from.")


class SourceRow(SourceKey):
    """A live source row of a golden record, in canonical attributes."""

    kind: str
    attributes: dict[str, Any]
    masked: list[str]
    rejected: dict[str, str] = Field(description="Attributes whose value was junk, with the reason's code.")
    position: Position = Field(description="The change event that gave the row its present form.")
    member_since: datetime


class ValueChange(Form):
    """One attribute before and after."""

    attribute: str
    before: Any = None
    after: Any = None


class Difference(Form):
    """What is not the same in two versions."""

    id: str
    domain: Domain
    from_version: int
    to_version: int
    from_known: datetime
    to_known: datetime
    changed: list[ValueChange]


class HistoryEntry(Form):
    """One version, and what changed from the version before it."""

    version: int
    name: str
    cause: str
    ruleset: str
    sources: int
    known_from: datetime
    known_to: datetime | None
    changed: list[ValueChange]


class CrosswalkEntry(SourceKey):
    """Which golden record a platform's name means."""

    entity_id: str
    domain: Domain
    via: Literal["record", "alias", "offer"] = Field(
        description="How it leads there: as primary key, as another name of a row, or as an offer (price) of a product."
    )
    record: SourceKey = Field(description="The source row that belongs to the golden record.")
    since: datetime


class FactReference(Reference):
    """What a fact refers to. `entity_id` is also null where that is a fact itself, as the invoice of a line is."""

    role: str


class LinkedFact(SourceKey):
    """A linked fact as its platform states it."""

    kind: str
    attributes: dict[str, Any]
    masked: list[str]
    references: list[FactReference]
    event_time: datetime


class Change(Form):
    """One announcement of the change feed."""

    seq: int = Field(description="Grows with every commit.")
    type: str = Field(examples=["customer.changed"])
    domain: Domain
    entity_id: str
    version: int | None = Field(
        description="Version of the golden record; null when its id has ended (merged, retired)."
    )
    at: datetime
    payload: dict[str, Any]


class ChangePage(Form):
    """A part of the change feed, oldest first."""

    changes: list[Change]
    next: str = Field(description="Give it back as `since`. Always present, also when there is nothing new.")
    more: bool = Field(description="Whether further changes are waiting now.")
