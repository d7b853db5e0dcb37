"""A table that is trusted to hold no duplicates: its rows stay apart, also through what others say."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.engines import open_engine
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.rematch import rematch
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.events import Message, Place
from tests.integration.hub.conftest import world_messages

_COMPANY = {"name": "Nordlicht Optik GmbH", "vat_number__c": "DE136695976", "website": "nordlicht-optik.de"}


def account(key: str, offset: int) -> Message:
    """A CRM account of one company."""
    like = next(message for message in world_messages() if message.place.topic == "crm.public.account")
    value = orjson.loads(like.value or b"{}")
    value["after"].update(_COMPANY, id=key)
    return replace(
        like,
        place=Place(like.place.topic, 9, offset),
        key=_with_id(like.key, key),
        value=orjson.dumps(value),
    )


def _with_id(document: bytes | None, key: str) -> bytes:
    found: dict[str, Any] = orjson.loads(document or b"{}")
    (found.get("payload") or found)["id"] = key
    return orjson.dumps(found)


def entities(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select r.key, c.entity_id from source_record r join crosswalk c using (rec_id) where not r.deleted")
        )
        return {row[0]: row[1] for row in rows}


@pytest.fixture
def trusting(pipeline: Pipeline) -> Pipeline:
    """The CRM's owner says that no two accounts are one customer."""
    profiles = tuple(
        replace(each, mapping=replace(each.mapping, distinct=True))
        if each.mapping is not None and each.table == "account"
        else each
        for each in pipeline.catalogue.profiles
    )
    return replace(pipeline, catalogue=Catalogue(profiles))


def test_two_rows_of_one_company_are_one_customer_unless_their_table_is_trusted(
    engine: Engine, pipeline: Pipeline, trusting: Pipeline
) -> None:
    process(pipeline, "test", [account("0010000000000000A1", 1), account("0010000000000000A2", 2)])
    assert len(set(entities(engine).values())) == 1

    # The mapping that is in force now is applied to what was taken in before.
    rebuild(trusting, "operator", swap=True, settle=0)

    parted = entities(engine)
    assert len(set(parted.values())) == 2
    assert verify(engine, trusting.catalogue, trusting.rules).differences == ()

    rebuild(pipeline, "operator", swap=True, settle=0)

    (kept,) = set(entities(engine).values())
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    with engine.connect() as connection:
        merged = connection.execute(text("select entity_id, merged_into from entity where status = 'merged'")).all()
        told = connection.scalars(text("select type from outbox order by seq")).all()
    assert [tuple(row) for row in merged] == [(entity, kept) for entity in set(parted.values()) - {kept}]
    assert told.count("customer.created") == 2
    assert told.count("customer.merged") == 1


def test_a_row_that_comes_later_and_a_whole_match_keep_them_apart_too(engine: Engine, trusting: Pipeline) -> None:
    for number in range(3):
        process(trusting, "test", [account(f"0010000000000000B{number}", number)])
    apart = entities(engine)

    rematch(trusting, open_engine("duckdb"), "test")

    assert len(set(apart.values())) == 3
    assert entities(engine) == apart
    with engine.connect() as connection:
        vetoes = connection.scalars(text("select distinct veto from link where superseded_at is null")).all()
    assert set(vetoes) <= {"same_source"}
