"""Who may see what: roles, the clearance each has, and how a value that may not be seen is written.

Pure. Every way out of the hub (API, console, export, logs) asks here, so that one table decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mdm.model.canonical import DataClass, Shape


class Role(StrEnum):
    """What a caller is to the hub."""

    READER = "reader"
    ERP = "erp"
    STEWARD = "steward"
    ADMIN = "admin"


#: Everybody who holds a key.
EVERY_ROLE: frozenset[Role] = frozenset(Role)
#: Those who answer questions about identity.
STEWARDS: frozenset[Role] = frozenset({Role.STEWARD, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved to hold a live API key. `label` names the key's purpose, not a person."""

    key_id: str
    role: Role
    label: str


_RANK: Mapping[DataClass, int] = {
    DataClass.PUBLIC: 0,
    DataClass.INTERNAL: 1,
    DataClass.CONFIDENTIAL: 2,
    DataClass.RESTRICTED: 3,
}
_CLEARANCE: Mapping[Role, DataClass] = {
    Role.READER: DataClass.INTERNAL,
    Role.ERP: DataClass.CONFIDENTIAL,
    Role.STEWARD: DataClass.CONFIDENTIAL,
    Role.ADMIN: DataClass.RESTRICTED,
}

#: Stands for the hidden part of a value.
HIDDEN = "***"
#: The end of a value is shown only when it is a small part of the whole.
_SHOWN, _LONG_ENOUGH = 4, 8

# Parts of structured values that say nothing about the value itself.
_HARMLESS_PARTS: frozenset[str] = frozenset({"type", "country", "checksum", "state", "valid", "shared"})


def may_see(role: Role, data_class: DataClass) -> bool:
    """Whether values of this class reach this role as they are."""
    return _RANK[data_class] <= _RANK[_CLEARANCE[role]]


def mask(shape: Shape, value: Any) -> Any:
    """The value as it is shown to those who may not see it; the JSON form of its shape is kept.

    Text keeps its last four characters when it has at least eight, lists keep their length, parts such as the type and
    country of an identifier stay. What has no text form (numbers, dates, flags, addresses, references) becomes null.
    """
    if value is None:
        return None
    if shape in (Shape.TEXT, Shape.CODE) and isinstance(value, str):
        return ending(value)
    if shape in (Shape.TEXTS, Shape.IDENTIFIERS, Shape.PHONES, Shape.EMAILS):
        if isinstance(value, list):
            return [_element(item) for item in value]
        return _element(value)
    return None


def ending(text: str) -> str:
    """`***` and the last four characters; only `***` for a short text."""
    return HIDDEN + text[-_SHOWN:] if len(text) >= _LONG_ENOUGH else HIDDEN


def _element(item: Any) -> Any:
    if isinstance(item, str):
        return ending(item)
    if isinstance(item, Mapping):
        return {name: part if name in _HARMLESS_PARTS else _part(part) for name, part in item.items()}
    return None


def _part(part: Any) -> Any:
    return ending(part) if isinstance(part, str) else None
