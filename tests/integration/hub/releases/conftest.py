"""The sample world, and people who write, approve and carry releases of its rules."""

from dataclasses import dataclass

import pytest

from mdm.access import Role
from mdm.hub import releases
from mdm.hub.steward import Actor
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind
from mdm.store.releases import asking
from tests.integration.hub.steward.conftest import World, world

__all__ = ["world"]

ANNA = Actor("user:anna", Role.RULE_AUTHOR | Role.STEWARD)
BEN = Actor("user:ben", Role.RULE_AUTHOR | Role.DATA_OWNER)
CLARA = Actor("user:clara", Role.RELEASER)


@dataclass(frozen=True)
class Office:
    """Where releases of the sample world are made."""

    world: World

    def draft(self, old: str, new: str, kind: RuleKind = RuleKind.SURVIVORSHIP) -> Release:
        """Anna's draft: the customer rules in force, with one text in the place of another."""
        with self.world.pipeline.engine.connect() as connection:
            now = releases.document_in_force(asking(connection), self.world.pipeline, kind, Domain.CUSTOMER)
        assert old in now
        return releases.draft(self.world.pipeline, ANNA, kind, Domain.CUSTOMER, "Try it", now.replace(old, new))

    def approved(self, old: str, new: str, kind: RuleKind = RuleKind.SURVIVORSHIP) -> Release:
        """Simulated by Anna, approved by Ben."""
        made = self.draft(old, new, kind)
        releases.simulate(self.world.pipeline, ANNA, made.release_id)
        return releases.approve(self.world.pipeline, BEN, made.release_id)

    def audited(self, action: str) -> int:
        return int(self.world.one("select count(*) from audit where action = :action", action=action))


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)
