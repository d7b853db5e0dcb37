"""What a platform changes in sensitive attributes waits for somebody, in any order and however often it arrives."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.asking_erp import ask_about_changes
from mdm.hub.erp_gates import pass_gates
from mdm.hub.process import Pipeline
from mdm.model.events import Message
from tests.integration.hub.conftest import Feed, world_messages

_TOPIC = "erp.public.business_partner"
_ERP = "odoo"


def _partners() -> list[Message]:
    """The first snapshot rows of ERP's partners."""
    found = [each for each in world_messages() if each.place.topic == _TOPIC and each.value]
    return [each for each in found if orjson.loads(each.value or b"{}")["op"] == "r"][:40]


def _with_terms(message: Message, terms: str, later: int) -> Message:
    """The row of a message with other terms of payment, as an update that came so many messages later."""
    value = orjson.loads(message.value or b"{}")
    lsn = int(value["source"].get("lsn") or 0) + 10**9 + later
    value |= {"op": "u", "before": value["after"], "after": value["after"] | {"payment_terms": terms}}
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn}","{lsn}"]', "snapshot": "false"}
    return replace(message, place=message.place._replace(offset=10**6 + later), value=orjson.dumps(value))


def _served(engine: Engine) -> dict[str, tuple[int | None, int, list[str]]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """select v.entity_id, v.version, v.judged, (select coalesce(jsonb_agg(r->>'code'), '[]')
                     from jsonb_array_elements(v.reasons) r where r->>'gate' = 'sensitive') from erp_version v
                   where v.erp = :erp"""
            ),
            {"erp": _ERP},
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


@pytest.mark.parametrize(
    ("arriving", "looks"),
    [
        ((0, 1), (True, True)),
        ((1, 0), (True, True)),
        ((1, 1, 0, 1, 0), (False, True, False, False, True)),
        ((0, 0, 1), (False, False, False)),
    ],
    ids=["in order", "the newer first", "again and again", "all at once"],
)
def test_any_order_and_any_duplicates_end_in_one_question_and_the_last_good_version(
    pipeline: Pipeline, feed: Feed, engine: Engine, arriving: Sequence[int], looks: Sequence[bool]
) -> None:
    partners = _partners()
    feed(partners)
    pass_gates(engine, system_clock(), _ERP)
    before = _served(engine)
    key = next(
        row
        for row, entity in _homes(engine).items()
        if before[entity][0] is not None and sum(each == entity for each in _homes(engine).values()) == 1
    )
    entity = _homes(engine)[key]
    first = next(each for each in partners if orjson.loads(each.value or b"{}")["after"][_key_column(each)] == key)
    changes = [_with_terms(first, "ZZ98", 1), _with_terms(first, "ZZ99", 2)]

    for number, look in zip(arriving, looks, strict=True):
        feed([changes[number], first])
        if look:
            pass_gates(engine, system_clock(), _ERP)
            ask_about_changes(engine, system_clock, pipeline.catalogue.owner_of)
    pass_gates(engine, system_clock(), _ERP)
    ask_about_changes(engine, system_clock, pipeline.catalogue.owner_of)

    after = _served(engine)
    assert after[entity][0] == before[entity][0]
    assert after[entity][2] == ["SENSITIVE_CHANGE"]
    with engine.connect() as connection:
        newest = connection.scalar(
            text("select \"values\"->>'payment_terms' from golden where entity_id = :id and known_to is null"),
            {"id": entity},
        )
        waiting = connection.execute(text("select reason from proposal where status = 'open'")).all()
        asked = connection.scalar(text("select count(*) from erp_question"))
    assert newest == "ZZ99"
    ((reason,),) = waiting
    assert f"{_TOPIC}/{first.place.partition}/{10**6 + 2}" in reason, "the message that made the change"
    assert asked == 1


def _homes(engine: Engine) -> dict[str, str]:
    """The golden record of each partner by its key."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """select r.key, c.entity_id from source_record r join crosswalk c using (rec_id)
                   where r.system = 'erp' and r.type = 'business_partner' order by 1"""
            )
        )
        return {row[0]: row[1] for row in rows}


def _key_column(message: Message) -> str:
    (name,) = orjson.loads(message.key or b"{}")
    return str(name)
