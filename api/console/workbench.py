"""What a page works with: the hub, the released rules and profiles, and who acts."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from api.console.guard import SessionDep
from api.deps import ReadHub
from mdm.access import Role
from mdm.core.rules import Rules
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import Catalogue, load_catalogue


@dataclass(frozen=True, slots=True)
class Workbench:
    """One request of a signed-in person. `now` is the same for the whole page."""

    hub: ReadHub
    catalogue: Catalogue
    rules: Rules
    actor: Actor
    now: datetime

    @property
    def engine(self) -> Engine:
        return self.hub.engine

    @property
    def role(self) -> Role:
        return self.actor.role

    @property
    def pipeline(self) -> Pipeline:
        """What use cases that change something need."""
        return Pipeline(self.hub.engine, self.hub.clock, self.catalogue, self.rules)


async def workbench_of(request: Request, session: SessionDep) -> Workbench:
    hub: ReadHub = request.app.state.hub
    catalogue, rules = _released()
    return Workbench(hub, catalogue, rules, Actor(session.actor, session.caller.role), hub.clock())


WorkbenchDep = Annotated[Workbench, Depends(workbench_of)]


@cache
def _released() -> tuple[Catalogue, Rules]:
    catalogue = load_catalogue(None)
    return catalogue, load_rules(catalogue)
