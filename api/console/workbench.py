"""What a page works with: the hub, the released rules and profiles, and who acts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from api.console.guard import SessionDep
from api.deps import ReadHub, Released, hub_of
from mdm.access import Eyes, Role
from mdm.core.four_eyes import Policy
from mdm.core.rules import Rules
from mdm.hub import steward
from mdm.hub.process import Pipeline
from mdm.hub.steward import Actor, Decided, Expected, Preview
from mdm.intake.catalogue import Catalogue
from mdm.model.stewardship import Command


@dataclass(frozen=True, slots=True)
class Workbench:
    """One request of a signed-in person. `now` is the same for the whole page."""

    hub: ReadHub
    catalogue: Catalogue
    rules: Rules
    actor: Actor
    now: datetime
    #: With whose eyes values are shown.
    eyes: Eyes
    #: When a second person is needed; None for the shipped policy.
    policy: Policy | None = None

    @property
    def engine(self) -> Engine:
        return self.hub.engine

    @property
    def role(self) -> Role:
        """What the person may do; what values they see is `eyes`."""
        return self.actor.role

    @property
    def pipeline(self) -> Pipeline:
        """What use cases that change something need."""
        return Pipeline(self.hub.engine, self.hub.clock, self.catalogue, self.rules)

    def decide(self, command: Command, expected: Expected | None = None) -> Decided:
        """Carry out a command, or propose it where the policy demands a second person. Raises as `steward.decide`."""
        return steward.decide(self.pipeline, self.actor, command, expected, policy=self.policy)

    def preview(self, command: Command, expected: Expected | None = None) -> Preview:
        """What a command would do now. Raises as `steward.preview`."""
        return steward.preview(self.pipeline, self.actor, command, expected, self.policy)


async def workbench_of(request: Request, session: SessionDep) -> Workbench:
    hub = hub_of(request)
    released: Released = request.app.state.released
    catalogue, rules = released.catalogue, released.rules
    actor = Actor(session.actor, session.caller.role)
    eyes = session.caller.eyes
    return Workbench(hub, catalogue, rules, actor, hub.clock(), eyes, request.app.state.policy)


WorkbenchDep = Annotated[Workbench, Depends(workbench_of)]
