"""Who acts, as stewardship needs to know it: a stable name for history and the rule of two persons, and a role."""

from dataclasses import dataclass

from mdm.access import STEWARDS, Role
from mdm.errors import Refused


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (or a machine) that acts. `name` is stable and unique: it is what history and approvals compare."""

    name: str
    role: Role

    def must_be_steward(self) -> None:
        """Raises Refused for anybody who does not answer questions about identity."""
        if self.role not in STEWARDS:
            raise Refused(f"The role {self.role.value!r} does not decide about records.")
