"""What platforms are to the company that runs them: the CRM, billing, the product platform, the ERP, and how many.

A platform's name is what its contract calls it. Nothing is decided by that name, only by the declared role.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

V = TypeVar("V")


class PlatformRole(StrEnum):
    """What a platform is for. Several may have one role: two CRMs after a merger, an ERP per country."""

    CRM = "crm"
    BILLING = "billing"
    PRODUCT = "product"
    ERP = "erp"


@dataclass(frozen=True, slots=True)
class Platforms:
    """The platforms that declare a role, by name."""

    roles: Mapping[str, PlatformRole] = field(default_factory=dict)

    def of(self, role: PlatformRole) -> tuple[str, ...]:
        """Names of the platforms with this role, in order; empty when there is none."""
        return tuple(sorted(name for name, mine in self.roles.items() if mine is role))

    @property
    def erps(self) -> tuple[str, ...]:
        """Names of the ERPs."""
        return self.of(PlatformRole.ERP)

    def meant_by(self, names: Collection[str]) -> frozenset[str]:
        """These names, and the platforms of every role that is among them: `erp` in a document means all ERPs."""
        return frozenset(names) | {name for name, role in self.roles.items() if role.value in names}

    def spread(self, said: Mapping[str, V]) -> dict[str, V]:
        """What is said of roles as said of their platforms, too; a platform that is named keeps what is said of it.

        A key is a platform or a role, or one of the two with a table behind a dot.
        """
        found: dict[str, V] = {}
        for key, value in said.items():
            role, dot, table = key.partition(".")
            for name, mine in self.roles.items():
                if mine.value == role:
                    found[f"{name}{dot}{table}"] = value
        return {**found, **said}
