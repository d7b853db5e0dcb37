"""What the arrival of one row costs: by the records it has to do with, and not by how many others the hub holds.

Counted, not timed: statements, rows that the database reads and hands over, and pairs that are compared.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Engine, event, text
from stdnum.iso7064 import mod_11_10

from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue
from tests.integration.hub.rows import message_of, take_in

_SMALL, _LARGE = 100, 400
#: Numbers of companies that are none of those that fill a hub.
_NEW, _TWIN, _FAMILY = 9_001, 9_002, 9_003
_KNOWN_BEFORE = {_NEW: 0, _TWIN: 1, _FAMILY: 3}

Row = Mapping[str, Any]


class Cost(NamedTuple):
    """What one batch came to; `read` counts the rows that scans fetched from tables, `handed` those of results."""

    statements: int
    handed: int
    read: int
    compared: int
    matches: int


class _Counter:
    """Counts what goes through an engine that has not connected yet: units of work speak to the driver directly."""

    def __init__(self, engine: Engine) -> None:
        self.statements = self.handed = 0
        counter = self

        class Counting(psycopg.Cursor[Any]):
            def execute(self, *args: Any, **more: Any) -> "Counting":
                super().execute(*args, **more)
                counter.statements += 1
                counter.handed += self.rowcount if self.description else 0
                return self

            def copy(self, *args: Any, **more: Any) -> Any:
                counter.statements += 1
                return super().copy(*args, **more)

        @event.listens_for(engine, "connect")
        def counting(connection: psycopg.Connection[Any], _: object) -> None:
            connection.cursor_factory = Counting


class Hub:
    """A hub of its own, and what goes on in it in numbers."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._counter = _Counter(engine)
        self._pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
        self._engine = engine
        self._messages = 0

    def holds(self, rows: Sequence[Row]) -> None:
        take_in(self._pipeline, rows, self._messages)
        self._messages += len(rows)

    def cost_of(self, *rows: Row) -> Cost:
        """Take in these rows as one batch."""
        messages = [message_of(self._messages + number, row) for number, row in enumerate(rows)]
        self._messages += len(rows)
        before, counter = self._rows_read(), self._counter
        counter.statements = counter.handed = 0
        pairs = process(self._pipeline, "test", messages).measures.pairs
        statements, handed = counter.statements, counter.handed
        matches = sum(many for (_, decision), many in pairs.items() if decision == "match")
        return Cost(statements, handed, self._rows_read() - before, pairs.total(), matches)

    def largest_block(self) -> int:
        with self._engine.connect() as connection:
            blocks = "select count(*) as members from block_key group by block"
            return int(connection.scalar(text(f"select max(members) from ({blocks}) as each")))

    def _rows_read(self) -> int:
        assert self._engine.pool.checkedin() == 1  # type: ignore[attr-defined] # another session tells it when it ends
        with self._engine.begin() as connection:
            connection.execute(text("select pg_stat_force_next_flush()"))
        with self._engine.connect() as connection:
            fetched = "seq_tup_read + coalesce(idx_tup_fetch, 0)"
            return int(connection.scalar(text(f"select sum({fetched}) from pg_stat_user_tables")))


def company(number: int, copy: int = 0) -> Row:
    """A row of the company of this number, which has nothing in common with that of any other."""
    dice = random.Random(number)
    first, second, host = ("".join(dice.choices(ascii_lowercase, k=9)) for _ in range(3))
    tax = str(dice.randrange(10**7, 10**8))
    return {
        "id": f"cus_{number:05}_{copy}",
        "name": f"{first} {second}",
        "email": f"{second}@{host}.de",
        "tax_id": f"DE{tax}{mod_11_10.calc_check_digit(tax)}",
        "tax_id_type": "eu_vat",
        "address_country": "DE",
    }


def filled(engine: Engine, catalogue: Catalogue, others: int) -> Hub:
    """A hub of so many companies that have nothing to do with each other, and rows of those that come up."""
    hub = Hub(engine, catalogue)
    hub.holds([company(number) for number in range(others)])
    assert hub.largest_block() == 1, "they share no blocking key"
    hub.holds([company(number, copy) for number, known in _KNOWN_BEFORE.items() for copy in range(1, known + 1)])
    return hub


def check_same(costs: Sequence[Cost]) -> None:
    """A batch costs in the large hub what it costs in the small one.

    By which of two indexes it finds a few rows the database decides by the size of tables, so what it reads may differ
    by some rows: by a tenth of what the smaller hub holds, of which the larger holds 300 more.
    """
    small, large = costs
    assert large._replace(read=0) == small._replace(read=0)
    assert large.read <= small.read + _SMALL // 10


def test_what_arrives_costs_by_whom_it_has_to_do_with_and_not_by_how_many_others_there_are(
    new_engine: Callable[[], Engine], catalogue: Catalogue
) -> None:
    hubs = [filled(new_engine(), catalogue, others) for others in (_SMALL, _LARGE)]

    alone, twin, family = ([hub.cost_of(company(number)) for hub in hubs] for number in (_NEW, _TWIN, _FAMILY))
    batch = [hub.cost_of(*map(company, range(9_100, 9_110))) for hub in hubs]

    for costs in (alone, twin, family, batch):
        check_same(costs)
    assert [each[0].compared for each in (alone, twin, family, batch)] == [0, 1, 3, 0]
    assert [each[0].matches for each in (alone, twin, family, batch)] == [0, 1, 3, 0]
    # What is counted does grow where there is more to do; statements are as many for three relatives as for one.
    assert alone[0].handed < twin[0].handed < family[0].handed
    assert alone[0].read < twin[0].read < family[0].read < 2 * _SMALL
    assert alone[0].statements < twin[0].statements == family[0].statements


def test_what_changes_costs_by_whom_it_has_to_do_with_and_not_by_how_many_others_there_are(
    new_engine: Callable[[], Engine], catalogue: Catalogue
) -> None:
    hubs = [filled(new_engine(), catalogue, others) for others in (_SMALL, _LARGE)]

    def renamed(*names: tuple[int, int]) -> list[Cost]:
        rows = [{**company(name), "id": company(number)["id"]} for number, name in names]
        return [hub.cost_of(*rows) for hub in hubs]

    alone, twin, family = renamed((0, _NEW)), renamed((1, _TWIN)), renamed((2, _FAMILY))
    batch = renamed(*((number, 9_100 + number) for number in range(10, 20)))

    for costs in (alone, twin, family, batch):
        check_same(costs)
    assert [each[0].matches for each in (alone, twin, family, batch)] == [0, 1, 3, 0]
    assert alone[0].read < twin[0].read < family[0].read
