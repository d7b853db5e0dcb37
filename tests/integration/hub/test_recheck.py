"""Verdicts on many customers at once: the same as one by one, with a number of queries that does not grow with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event, text

from mdm.access import Scope
from mdm.hub.onboarding import verdict_on_golden, verdicts_on_golden
from mdm.hub.reach import reachable
from mdm.model.ids import EntityId
from mdm.onboarding.verdict import canonical_bytes
from mdm.store.scoped import scoped
from tests.harness.shipped import SHIPPED
from tests.integration.hub.conftest import Feed, world_messages

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TABLES = ("crm.public.account", "billing.public.customer", "erp.public.business_partner")


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that go through the engine."""
    told: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def customers(engine: Engine, feed: Feed) -> list[EntityId]:
    feed([message for message in world_messages() if message.place.topic in TABLES])
    with engine.begin() as connection:
        # A list of sanctioned names, and a customer who is on it.
        name = connection.scalar(text("select name from golden where domain = 'customer' and known_to is null limit 1"))
        connection.execute(
            text("insert into reference_list values ('EU', '2026-11', 1, now(), 'test')"),
        )
        connection.execute(
            text(
                """insert into sanction_name (list, entry, name, folded, words, countries)
                   values ('EU', '7', :name, lower(:name), string_to_array(lower(:name), ' '), '{}')"""
            ),
            {"name": name},
        )
    with engine.connect() as connection:
        ids = connection.scalars(
            text("select entity_id from golden where domain = 'customer' and known_to is null order by 1")
        )
        return list(map(EntityId, ids))


def test_many_verdicts_are_what_each_is_by_itself(engine: Engine, customers: list[EntityId]) -> None:
    some = customers[:: max(1, len(customers) // 60)]
    together = {each.entity_id: canonical_bytes(each) for each in verdicts_on_golden(engine, SHIPPED, customers, NOON)}

    assert len(together) == len(customers)
    assert {id_: canonical_bytes(verdict_on_golden(engine, SHIPPED, id_, NOON)) for id_ in some} == {
        id_: together[id_] for id_ in some
    }


def test_many_verdicts_are_told_as_far_as_somebody_reaches(engine: Engine, customers: list[EntityId]) -> None:
    part = scoped(engine, Scope(sources=frozenset({"erp"})))
    together = {each.entity_id: canonical_bytes(each) for each in verdicts_on_golden(part, SHIPPED, customers, NOON)}

    assert set(together) == reachable(part, customers)
    assert 0 < len(together) < len(customers)
    some = [each for each in customers if each in together][::9]
    assert {id_: canonical_bytes(verdict_on_golden(part, SHIPPED, id_, NOON)) for id_ in some} == {
        id_: together[id_] for id_ in some
    }


def test_queries_do_not_grow_with_the_customers(engine: Engine, customers: list[EntityId]) -> None:
    with counted(engine) as few:
        verdicts_on_golden(engine, SHIPPED, customers[:20], NOON)
    with counted(engine) as many:
        verdicts_on_golden(engine, SHIPPED, customers, NOON)

    assert len(customers) > 100
    # Taller groups need further levels, of three queries each; nothing else may grow.
    assert len(many) <= len(few) + 3 * 6
    assert len(many) < 40
