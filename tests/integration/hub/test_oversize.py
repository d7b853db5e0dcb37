"""Blocks and linked sets that are too large: refined, asked about, and the same in any order."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.engines import open_engine
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.rematch import rematch
from mdm.hub.verify import verify
from mdm.model.events import Message, Place
from mdm.store import keyless
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.rows import billed, take_in

_TOPICS = {
    "crm.public.account", "crm.public.contract", "billing.public.customer", "billing.public.subscription",
    "erp.public.business_partner", "product.public.tenant", "billing.public.product", "crm.public.product2",
    "erp.public.sales_contract", "product.public.entitlement",
}  # fmt: skip


def some_messages() -> list[Message]:
    taken: dict[str, int] = {}
    messages = []
    for message in world_messages():
        topic = message.place.topic
        if topic in _TOPICS and taken.get(topic, 0) < 110:
            taken[topic] = taken.get(topic, 0) + 1
            messages.append(message)
    return messages


@pytest.fixture
def narrow(pipeline: Pipeline) -> Pipeline:
    """Rules with caps so low that many blocks and linked sets are too large."""
    models = {domain: replace(model, block_cap=2, reach_cap=3) for domain, model in pipeline.rules.models.items()}
    return replace(pipeline, rules=replace(pipeline.rules, models=models))


def deletions(messages: Sequence[Message]) -> Iterator[Message]:
    """Deletes of the rows of these messages, later than all of them."""
    for number, message in enumerate(messages):
        value = orjson.loads(message.value or b"{}")
        if not value.get("after"):
            continue
        lsn = 10**12 + number
        value |= {"before": value["after"], "after": None, "op": "d"}
        value["source"] |= {"lsn": lsn, "sequence": f'["{lsn}","{lsn}"]', "snapshot": "false"}
        yield replace(message, place=Place(message.place.topic, 9, number), value=orjson.dumps(value))


def questions(engine: Engine, status: str = "open") -> set[str]:
    with engine.connect() as connection:
        return set(
            connection.scalars(
                text("select question from exception where kind = 'oversize' and status = :status"), {"status": status}
            )
        )


def in_batches(pipeline: Pipeline, messages: Sequence[Message], sizes: random.Random) -> None:
    start = 0
    while start < len(messages):
        size = sizes.choice((7, 60, 300))
        process(pipeline, "test", messages[start : start + size])
        start += size


_seen: dict[str, object] = {}


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_the_same_is_linked_and_asked(engine: Engine, narrow: Pipeline, seed: int) -> None:
    messages, dice = some_messages(), random.Random(seed)
    if seed:
        dice.shuffle(messages)

    in_batches(narrow, messages, dice)

    assert verify(engine, narrow.catalogue, narrow.rules).differences == ()
    asked = {each for each in questions(engine) if ":joined:" not in each}
    assert any(":block:" in each for each in asked)
    assert any(":records:" in each for each in asked)
    assert any(":evidence:" in each for each in asked)
    assert _seen.setdefault("digest", state_digest(engine).state) == state_digest(engine).state
    assert _seen.setdefault("asked", asked) == asked
    said = told_without(engine)
    assert _seen.setdefault("said", said) == said
    assert _seen.setdefault("without", without_key(engine)) == without_key(engine)


def test_a_set_of_links_above_the_cap_is_a_question_for_a_person(engine: Engine, narrow: Pipeline) -> None:
    process(narrow, "test", some_messages())

    with engine.connect() as connection:
        details = set(
            connection.scalars(text("select detail from steward_task where kind = 'oversize' and status = 'open'"))
        )
    assert details == {"too many records are linked with one another to join them all"}


def test_the_question_says_what_is_shared_and_by_how_many(engine: Engine, narrow: Pipeline) -> None:
    process(narrow, "test", some_messages())

    with engine.connect() as connection:
        rows = connection.execute(
            text("select detail, owner, seen from exception where code = 'BLOCK_OVERSIZED' and type = 'customer'")
        ).all()
    assert all(detail.startswith(f"{seen} customers share ") for detail, _, seen in rows)
    assert all(seen > 2 for _, _, seen in rows)
    assert {owner for _, owner, _ in rows} == {"customer stewards"}


def test_evidence_about_too_many_is_a_question_in_words(engine: Engine, narrow: Pipeline) -> None:
    process(narrow, "test", some_messages())

    with engine.connect() as connection:
        rows = connection.execute(
            text("select detail, owner, type from exception where code = 'EVIDENCE_OVERSIZED'")
        ).all()
    assert rows
    assert all("more than 2, so it finds no partners" in detail for detail, _, _ in rows)
    assert {(owner, kind) for _, owner, kind in rows} <= {
        (f"{each} stewards", each) for each in ("customer", "product")
    }


def test_matching_the_whole_hub_asks_the_same_about_evidence(engine: Engine, narrow: Pipeline) -> None:
    process(narrow, "test", some_messages())
    streamed = questions(engine)
    with engine.connect() as connection:
        connection.execute(text("delete from exception where code = 'EVIDENCE_OVERSIZED'"))
        connection.commit()

    rematch(narrow, open_engine("duckdb"), "operator")

    assert questions(engine) == streamed
    assert verify(engine, narrow.catalogue, narrow.rules).differences == ()


def test_a_block_that_becomes_small_again_closes_its_question(engine: Engine, narrow: Pipeline) -> None:
    """All rows of the sources are deleted again: nothing is too large any more."""
    messages = some_messages()
    process(narrow, "test", messages)
    before = questions(engine)
    with engine.connect() as connection:
        connection.execute(text("update exception set status = 'accepted' where kind = 'oversize'"))
        connection.commit()

    process(narrow, "test", list(deletions(messages)))

    assert before
    assert questions(engine) == questions(engine, "accepted") == set()
    assert verify(engine, narrow.catalogue, narrow.rules).differences == ()


def without_key(engine: Engine) -> set[str]:
    """The rows that are listed, as the question of each table says where to look."""
    with engine.connect() as connection:
        found: set[str] = set()
        for number in connection.scalars(text("select exception_id from exception where kind = 'oversize'")).all():
            after = ""
            while page := keyless.records_of(connection, number, 7, after):
                found |= {str(key) for key in page}
                after = page[-1].key
        return found


def told_without(engine: Engine) -> list[tuple[str, str, int]]:
    """What is said of whole tables: one question each, however many rows."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select question, detail, seen from exception where code = 'RECORD_WITHOUT_USABLE_KEY' "
                "and status = 'open' order by question"
            )
        )
        return [(row.question, row.detail, row.seen) for row in rows]


SAME = {"name": "Overflow Trading GmbH", "address_country": "DE", "email": "info@overflow-trading.de"}
QUESTION = "oversize:customer:records:billing:customer"


def overflow(number: int = 60) -> list[dict[str, str]]:
    """Rows that only their own names find: nobody else has the name by which each would be claimed."""
    return [{"id": f"cus_o{place:03}", **SAME} for place in range(number)]


def test_rows_that_only_their_own_names_find_are_one_question_until_something_of_their_own_does(
    engine: Engine, pipeline: Pipeline
) -> None:
    rows = overflow()
    take_in(pipeline, rows)

    assert without_key(engine) == {str(billed(row["id"])) for row in rows}
    (told,) = told_without(engine)
    assert told[::2] == (QUESTION, 60)
    assert told[1].startswith("60 rows of billing customer: ")
    assert all(str(billed(row["id"])) in told[1] for row in rows[:5])
    assert str(billed(rows[5]["id"])) not in told[1]
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()

    take_in(pipeline, [rows[2] | {"email": "two@overflow-two.de"}], first=100)
    assert without_key(engine) == {str(billed(row["id"])) for row in rows if row != rows[2]}
    (told,) = told_without(engine)
    assert told[2] == 59
    assert str(billed(rows[2]["id"])) not in told[1]
    assert str(billed(rows[5]["id"])) in told[1]
    take_in(pipeline, rows[20:40], first=200, gone=True)
    assert (without_key(engine), told_without(engine)) == (set(), [])
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()


def test_rows_without_a_usable_key_are_told_the_same_after_a_rebuild(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, overflow())
    before = told_without(engine), without_key(engine)
    with engine.begin() as connection:
        connection.execute(text("delete from record_without_key where key < 'cus_o030'"))
        connection.execute(text("delete from exception where code = 'RECORD_WITHOUT_USABLE_KEY'"))
    found = {each.subject for each in verify(engine, pipeline.catalogue, pipeline.rules).differences}
    assert {QUESTION, str(billed("cus_o000"))} <= found

    rebuild(pipeline, "operator", swap=True)

    assert (told_without(engine), without_key(engine)) == before
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    take_in(pipeline, overflow()[20:40], first=200, gone=True)
    assert (without_key(engine), told_without(engine)) == (set(), [])


def test_what_a_person_accepted_of_a_table_stays_so_and_counts_on(engine: Engine, pipeline: Pipeline) -> None:
    take_in(pipeline, overflow(59))
    with engine.begin() as connection:
        connection.execute(text("update exception set status = 'accepted', closed_by = 'ada' where kind = 'oversize'"))

    take_in(pipeline, overflow()[59:], first=100)

    assert told_without(engine) == []
    assert len(without_key(engine)) == 60
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
