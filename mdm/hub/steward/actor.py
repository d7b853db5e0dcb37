"""Who acts, as stewardship needs to know it: a stable name for history and the rule of two persons, and a role."""

from dataclasses import dataclass

from mdm.access import MEANINGS, Permission, Role, either, roles_that
from mdm.errors import Refused

#: The hub itself, in histories and the audit.
HUB = "hub"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (or a machine) that acts. `name` is stable and unique: it is what history and approvals compare."""

    name: str
    role: Role

    def must(self, permission: Permission) -> None:
        """Raises Refused for anybody whose role does not include this."""
        if not self.role.may(permission):
            raise Refused(
                f"The role {str(self.role)!r} does not include: {MEANINGS[permission]}.",
                action=f"It takes {either(sorted(map(str, roles_that(permission))))}.",
            )
