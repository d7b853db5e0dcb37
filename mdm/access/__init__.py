"""Who may see what: roles, the clearance each has, scopes, and how a value that may not be seen is written.

Pure. Every way out of the hub (API, console, export, logs) asks here, so that one table decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mdm.access.roles import (
    ALIASES,
    FORMER_STEWARD,
    MEANINGS,
    POLICY,
    RANK,
    Grant,
    Permission,
    Role,
    either,
    read_role,
    roles_that,
)
from mdm.access.scope import (
    EVERYTHING,
    EVERYWHERE,
    UNASSIGNED,
    Placement,
    Purpose,
    Scope,
    permits,
    read_scope,
)
from mdm.model.canonical import DataClass, Shape

__all__ = [
    "ALIASES", "EVERYTHING", "EVERYWHERE", "FORMER_STEWARD", "HIDDEN", "MEANINGS", "POLICY", "UNASSIGNED", "Caller",
    "Eyes", "Grant", "Permission", "Placement", "Purpose", "Role", "Scope", "clearance", "either", "ending", "mask",
    "may_see", "permits", "read_role", "read_scope", "roles_that",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved to hold a live API key. `label` names the key's purpose, not a person.

    `role` is one role or several; `scope` is the part of the hub that they may reach.
    """

    key_id: str
    role: Role
    label: str
    scope: Scope = EVERYTHING

    @property
    def eyes(self) -> DataClass:
        """The most protected class of values that they may see: the role's, or less where the scope says so."""
        return clearance(self.role, self.scope.sees)

    def may(self, permission: Permission) -> bool:
        """Whether their role includes this."""
        return self.role.may(permission)


#: With whose eyes values are shown: a role's, or those of a caller whose scope lowers the clearance of the role.
Eyes: TypeAlias = Role | DataClass

#: Stands for the hidden part of a value.
HIDDEN = "***"
#: The end of a value is shown only when it is a small part of the whole.
_SHOWN, _LONG_ENOUGH = 4, 8

# Parts of structured values that say nothing about the value itself.
_HARMLESS_PARTS: frozenset[str] = frozenset({"type", "country", "checksum", "state", "valid", "shared"})


def clearance(role: Role, limit: DataClass | None = None) -> DataClass:
    """The most protected class that a role sees, under a limit that may lower it."""
    return role.sees if limit is None else min(role.sees, limit, key=RANK.__getitem__)


def may_see(eyes: Eyes, data_class: DataClass) -> bool:
    """Whether values of this class are shown to these eyes as they are."""
    return RANK[data_class] <= RANK[eyes.sees if isinstance(eyes, Role) else eyes]


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
