"""Identities: of a source row, of an entity, of a message.

A source row is named by its platform, table and primary key for ever. An entity id is minted once and never reused.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, NewType

EntityId = NewType("EntityId", str)
#: Surrogate of a source row inside one store; never leaves the hub.
RecordId = NewType("RecordId", int)

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Domain(StrEnum):
    """The three kinds of master data that are resolved to golden records."""

    PRODUCT = "product"
    CUSTOMER = "customer"
    CONTRACT = "contract"

    @property
    def prefix(self) -> str:
        return _PREFIX[self]

    @property
    def plural(self) -> str:
        return f"{self.value}s"


#: Contracts are resolved last because the resolved customer and product are evidence for them.
RESOLUTION_ORDER: tuple[Domain, ...] = (Domain.PRODUCT, Domain.CUSTOMER, Domain.CONTRACT)

_PREFIX: Mapping[Domain, str] = {Domain.CUSTOMER: "cus", Domain.CONTRACT: "con", Domain.PRODUCT: "prd"}


class CrosswalkKey(NamedTuple):
    """A source row: platform, table and primary key (the columns of a composite key joined by `|`)."""

    system: str
    type: str
    key: str

    def __str__(self) -> str:
        return f"{self.system}:{self.type}:{self.key}"


def primary_key_text(values: Mapping[str, object], columns: tuple[str, ...]) -> str:
    """The text that names a row: its key columns in contract order, joined by `|` (a `|` inside is doubled)."""
    return "|".join(str(values[column]).replace("|", "||") for column in columns)


def mint_entity_id(domain: Domain, founder: CrosswalkKey, now: datetime) -> EntityId:
    """A new entity id: prefix, 48 bits of time (so ids sort by age) and 80 bits derived from the founding record.

    Derived, not random, so that resolving the same facts at the same instant issues the same id.
    """
    instant = now.astimezone(UTC)
    milliseconds = int(instant.timestamp() * 1000)
    seed = f"{domain}|{founder}|{instant.isoformat()}".encode()
    number = (milliseconds << 80) | int.from_bytes(hashlib.sha256(seed).digest()[:10], "big")
    return EntityId(f"{domain.prefix}_{_base32(number, 26)}")


def id_range(domain: Domain, until: datetime | None = None) -> tuple[EntityId, EntityId]:
    """The ids of a domain lie from the first of these, included, to the second, left out.

    Args:
        until: only ids that were minted at this instant or before it.
    """
    least = EntityId(f"{domain.prefix}_{_base32(0, 26)}")
    if until is None:
        return least, EntityId(f"{domain.prefix}_{_CROCKFORD[-1] * 26}")
    milliseconds = int(until.astimezone(UTC).timestamp() * 1000)
    return least, EntityId(f"{domain.prefix}_{_base32((milliseconds + 1) << 80, 26)}")


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(_CROCKFORD[digit])
    return "".join(reversed(digits))
