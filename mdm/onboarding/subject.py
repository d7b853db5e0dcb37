"""What is assessed: a golden customer or a candidate, with what the hub and outside registries know around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from mdm.model.ids import EntityId
from mdm.onboarding.attestation import Attestation, Provider
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Return, Waiver


class ParentState(StrEnum):
    """What became of the parent that the golden record names."""

    NONE = "none"  # it names none
    KNOWN = "known"
    UNKNOWN = "unknown"  # the row it names means no customer


class Identifier(NamedTuple):
    """One typed identifier of the record. `position` is its place in the list, for paths."""

    position: int
    type: str
    country: str | None
    normal: str
    state: str

    @property
    def path(self) -> str:
        return f"/identifiers/{self.position}"


class BankAccount(NamedTuple):
    """A bank account of the record, as stated. `changed` says that it replaces another one that was approved."""

    position: int
    iban: str
    bic: str | None
    holder: str | None
    changed: bool

    @property
    def path(self) -> str:
        return f"/bank_accounts/{self.position}"


class Duplicate(NamedTuple):
    """Another golden customer that the matcher takes for the same: `weight` in bits; `certain` above the threshold."""

    entity_id: EntityId
    weight: float
    certain: bool


class Misfit(NamedTuple):
    """A value that is longer than the field of the target that it goes to, as its projection finds."""

    path: str
    field: str
    length: int
    limit: int


@dataclass(frozen=True, slots=True)
class Account:
    """The account structure asked for in ERP; None for what was not stated."""

    company_code: str | None = None
    subsidiary: str | None = None
    reconciliation_account: str | None = None
    payment_terms: str | None = None
    tax_classification: str | None = None


#: State of an identifier whose checksum nobody looked at: rows of older releases carry none.
_UNCHECKED = "unverifiable"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is assessed.

    `values` are values of a customer (`mdm.model.canonical`), golden or a candidate's; a candidate has no `entity_id`
    and version 0, and may state `bank_accounts`. `sharing` says, by type, country and normal form of an identifier,
    which other golden customers have it. `ancestors` are the parents from the nearest up, as far as they are known;
    `open_questions` counts steward tasks about whether this customer is the same as another. `duplicates` are the
    matcher's candidates; None when nobody asked. `legal_form_in_name` is the form the name itself ends in.
    `attestations` are kept by provider and key. `in_erp` says that ERP holds the partner already. `pending` counts
    changes that wait for approval. `misfits` are values too long for the target. `returned` says that it was sent back
    to whoever asked for it. `as_of` is the instant for which expiry is judged.
    """

    entity_id: EntityId | None
    version: int
    values: Mapping[str, Any]
    as_of: datetime
    sharing: Mapping[tuple[str, str | None, str], Sequence[EntityId]] = field(default_factory=dict)
    parent: ParentState = ParentState.NONE
    ancestors: tuple[EntityId, ...] = ()
    ancestor_leis: tuple[str, ...] = ()
    open_questions: int = 0
    duplicates: tuple[Duplicate, ...] | None = None
    legal_form_in_name: str | None = None
    attestations: Mapping[tuple[Provider, str], Attestation] = field(default_factory=dict)
    checkpoints: Mapping[CheckpointName, Checkpoint] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    account: Account = Account()
    in_erp: bool = False
    pending: int = 0
    returned: Return | None = None
    misfits: tuple[Misfit, ...] = ()
    #: The release of the target whose fields they are tested against.
    release: str | None = None

    def text(self, name: str) -> str | None:
        """A text value; None for an empty one."""
        value = self.values.get(name)
        return value.strip() or None if isinstance(value, str) else None

    @property
    def country(self) -> str | None:
        return self.text("country")

    @property
    def address(self) -> Mapping[str, Any]:
        return self.values.get("address") or {}

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        return tuple(
            Identifier(position, each["type"], each.get("country"), _normal(each), each.get("state") or _UNCHECKED)
            for position, each in enumerate(self.values.get("identifiers") or ())
        )

    @property
    def tax_numbers(self) -> tuple[Identifier, ...]:
        """Identifiers that a tax office gave."""
        return tuple(each for each in self.identifiers if each.type in ("vat", "tax"))

    @property
    def bank_accounts(self) -> tuple[BankAccount, ...]:
        return tuple(
            BankAccount(position, each["iban"], each.get("bic"), each.get("holder"), bool(each.get("changed")))
            for position, each in enumerate(self.values.get("bank_accounts") or ())
        )

    def attested(self, provider: Provider, key: str) -> Attestation | None:
        """What a provider said about a number or name; None when nobody asked."""
        return self.attestations.get((provider, key))


def _normal(identifier: Mapping[str, Any]) -> str:
    """The normal form; of a row that was stored without one, what it would be at least."""
    stated = identifier.get("normal")
    return str(stated) if stated else "".join(each for each in str(identifier["value"]).upper() if each.isalnum())
