"""The mirror is held against real source tables, by the very query that the source's owner gets."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.core.source_digest import BucketDigest, RowDifference, bucket_sql
from mdm.errors import NotFound, OperatorError
from mdm.hub.lost_deletes import lost_for_certain, take_out
from mdm.hub.process import Pipeline
from mdm.hub.reconcile_source import compare_with_result, compare_with_source, contract_of, note_comparison
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.intake.contracts import Contract
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.test_exceptions import account_names, at

TABLES = ("account", "contact", "opportunity", "contract")


@pytest.fixture
def fed(feed: Feed) -> None:
    topics = [f"crm.public.{table}" for table in TABLES]
    feed([message for message in world_messages() if message.place.topic in topics])


@pytest.fixture
def source(empty_database_url: str, engine: Engine, catalogue: Catalogue, fed: None) -> str:
    """A database with the platform's tables as the mirror has them, typed as the contracts say."""
    lay_out(empty_database_url, engine, catalogue)
    return empty_database_url


def lay_out(url: str, engine: Engine, catalogue: Catalogue) -> None:
    """Make the platform's tables in the database at `url` out of the hub's mirror."""
    remote = make_engine(url)
    with remote.begin() as there, engine.connect() as here:
        for word in ("validation_status", "contract_status"):
            there.execute(text(f"create domain {word} as text"))
        for table in TABLES:
            contract = contract_of(catalogue, "crm", table)
            columns = ", ".join(f'"{name}" {column.physical}' for name, column in contract.columns.items())
            there.execute(text(f'create table public."{table}" ({columns})'))
            query = text("select row from source_record where system = 'crm' and type = :type and not deleted")
            for row in here.scalars(query, {"type": table}):
                there.execute(*_insert(contract, row))
    remote.dispose()


def _insert(contract: Contract, row: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    statement = text(f'insert into public."{contract.table}" select * from json_populate_record(null::public."'
                     f'{contract.table}", cast(:row as json))')  # fmt: skip
    return statement, {"row": orjson.dumps(row).decode()}


@pytest.mark.parametrize("table", TABLES)
def test_a_mirror_that_is_complete_agrees_to_the_last_value(
    engine: Engine, catalogue: Catalogue, source: str, table: str
) -> None:
    found = compare_with_source(engine, contract_of(catalogue, "crm", table), source)

    assert found.rows == ()
    assert found.agrees
    assert found.source_rows == found.mirror_rows > 10


def test_lost_changed_and_surplus_rows_are_named(engine: Engine, catalogue: Catalogue, source: str) -> None:
    contract = contract_of(catalogue, "crm", "account")
    remote = make_engine(source)
    with remote.begin() as there:
        ids = list(there.scalars(text("select id from account order by id limit 3")))
        there.execute(text("update account set name = name || ' Ltd' where id = :id"), {"id": ids[0]})
        there.execute(text("delete from account where id = :id"), {"id": ids[1]})
        there.execute(text("insert into account (id, name) values ('new', 'Unheard Of')"))
    remote.dispose()

    found = compare_with_source(engine, contract, source)

    assert found.rows is not None
    assert {(row.key, row.what) for row in found.rows} == {
        (ids[0], "differs"),
        (ids[1], "surplus"),
        ("new", "missing"),
    }
    assert found.source_rows == found.mirror_rows
    assert found.left_out == ("tags",)


def test_a_difference_is_an_exception_of_the_tables_owner_until_there_is_none(
    engine: Engine, catalogue: Catalogue, source: str
) -> None:
    contract = contract_of(catalogue, "crm", "account")
    remote = make_engine(source)
    with remote.begin() as there:
        there.execute(text("create table lost as select * from account order by id limit 2"))
        there.execute(text("delete from account where id in (select id from lost)"))

    note_comparison(engine, system_clock, contract, compare_with_source(engine, contract, source))
    note_comparison(engine, system_clock, contract, compare_with_source(engine, contract, source))
    (told,) = exceptions(engine)
    assert told[:4] == ("gap", "SOURCE_DIFFERS", contract.owner, "open")
    assert "2 surplus" in told[4]
    assert "--take-out" in told[4], "no snapshot takes them away"
    assert told[5] == 2

    with remote.begin() as there:
        there.execute(text("insert into account select * from lost"))
    remote.dispose()
    note_comparison(engine, system_clock, contract, compare_with_source(engine, contract, source))
    assert [each[3] for each in exceptions(engine)] == ["resolved"]


def test_a_row_whose_delete_was_lost_is_taken_out_until_the_platform_speaks_of_it_again(
    engine: Engine, pipeline: Pipeline, catalogue: Catalogue, source: str, feed: Feed
) -> None:
    contract = contract_of(catalogue, "crm", "account")
    remote = make_engine(source)
    with remote.begin() as there:
        lost = there.scalar(text("delete from account where id = (select min(id) from account) returning id"))
    remote.dispose()
    first = compare_with_source(engine, contract, source)
    second = compare_with_source(engine, contract, source)
    quicker = replace(second, rows=(*(second.rows or ()), RowDifference("arrived meanwhile", "surplus")))

    assert lost_for_certain(first, quicker) == [lost]
    assert take_out(pipeline, contract, [str(lost)], "tester", "their restore of Friday") == 1
    assert take_out(pipeline, contract, [str(lost)], "tester", "their restore of Friday") == 0

    assert compare_with_source(engine, contract, source).agrees
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    assert [each[0] for each in exceptions(engine)] == [], "no sign of a gap"
    mine = [m for m in world_messages() if m.place.topic == contract.topic and str(lost).encode() in (m.key or b"")]
    feed([at(mine[0], 10**6, 10**12, name="Back Again")])
    assert account_names(engine) >= {"Back Again"}
    assert [row.what for row in compare_with_source(engine, contract, source).rows or ()] == ["surplus"]


def exceptions(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select kind, code, owner, status, detail, seen from exception where kind <> 'recycled'")
        )
        return [tuple(row) for row in rows]


def test_the_owner_may_run_the_query_and_send_the_result(engine: Engine, catalogue: Catalogue, source: str) -> None:
    contract = contract_of(catalogue, "crm", "contact")
    remote = make_engine(source)
    with remote.connect() as there:
        rows = there.exec_driver_sql(bucket_sql(contract, 16).replace("%", "%%")).all()
    remote.dispose()

    result = [BucketDigest(*row) for row in rows]
    assert bucket_sql(contract_of(catalogue, "crm", "account"), 16).startswith("-- not compared: tags (")

    assert compare_with_result(engine, contract, result, 16).agrees
    assert not compare_with_result(engine, contract, result[1:], 16).agrees


def test_an_unknown_table_or_source_is_told(engine: Engine, pipeline: Pipeline, catalogue: Catalogue) -> None:
    with pytest.raises(NotFound):
        contract_of(catalogue, "crm", "nothing")
    with pytest.raises(OperatorError, match="cannot be asked"):
        compare_with_source(
            engine, contract_of(catalogue, "crm", "account"), "postgresql+psycopg://nobody@127.0.0.1:1/x"
        )
