"""A hub that has taken in the sample world: loaded once, copied for each test."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.access import FORMER_STEWARD
from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import CrosswalkKey

ANNA = Actor("anna", FORMER_STEWARD)
BEN = Actor("ben", FORMER_STEWARD)


@dataclass(frozen=True)
class World:
    """The loaded hub, and questions that tests ask of it."""

    pipeline: Pipeline

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        with self.pipeline.engine.connect() as connection:
            return list(connection.execute(text(query), parameters).all())

    def one(self, query: str, **parameters: Any) -> Any:
        return self.rows(query, **parameters)[0][0]

    def home(self, key: CrosswalkKey) -> str:
        return str(
            self.one(
                "select entity_id from crosswalk join source_record using (rec_id) "
                "where system = :system and type = :type and key = :key",
                **key._asdict(),
            )
        )

    def members(self, entity_id: str) -> set[CrosswalkKey]:
        return {
            CrosswalkKey(*row)
            for row in self.rows(
                "select system, type, key from crosswalk join source_record using (rec_id) where entity_id = :id",
                id=entity_id,
            )
        }

    def values(self, entity_id: str) -> dict[str, Any]:
        return dict(self.one('select "values" from golden where entity_id = :id and known_to is null', id=entity_id))

    def digest(self) -> str:
        return state_digest(self.pipeline.engine).state

    def fates(self) -> dict[str, tuple[str, str | None]]:
        """Status and redirect of every id ever issued."""
        return {row[0]: (row[1], row[2]) for row in self.rows("select entity_id, status, merged_into from entity")}

    def memberships(self) -> dict[int, str]:
        return {row[0]: row[1] for row in self.rows("select rec_id, entity_id from crosswalk")}

    def open_tasks(self) -> set[str]:
        return {row[0] for row in self.rows("select question from steward_task where status = 'open'")}

    def assert_verified(self) -> None:
        assert verify(self.pipeline.engine, self.pipeline.catalogue, self.pipeline.rules).differences == ()

    def some_task(self, domain: str = "customer", number: int = 0) -> tuple[int, CrosswalkKey, CrosswalkKey]:
        """An open question about two records of different entities."""
        row = self.rows(
            """select t.task_id, a.system, a.type, a.key, b.system, b.type, b.key from steward_task t
               join source_record a on a.rec_id = t.a join source_record b on b.rec_id = t.b
               where t.status = 'open' and t.domain = :domain and t.kind = 'possible_match'
               order by t.weight desc, a.key, b.key limit 1 offset :number""",
            domain=domain,
            number=number,
        )[0]
        return row[0], CrosswalkKey(*row[1:4]), CrosswalkKey(*row[4:7])

    def large_entity(self, domain: str = "customer", at_least: int = 4) -> str:
        """An entity with several members."""
        return str(
            self.one(
                """select entity_id from crosswalk join source_record using (rec_id) where domain = :domain
                   group by entity_id having count(*) >= :n order by count(*) desc, min(key) limit 1""",
                domain=domain,
                n=at_least,
            )
        )


@pytest.fixture
def world(world_engine: Engine, catalogue: Catalogue) -> World:
    return World(Pipeline(world_engine, system_clock, catalogue, load_rules(catalogue)))


Check = Callable[[], None]
