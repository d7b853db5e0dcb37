"""No list of the console reads more of a table because there is more in it: its pages are found by an index.

The tables hold some ten thousand made-up rows each; what a page read of them is what PostgreSQL counted.
"""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from api.console import exceptions, queue
from mdm.access import FORMER_STEWARD, Role
from mdm.clock import system_clock
from mdm.hub.worklist import rank_refused
from mdm.store import letter_groups, queue_order, read_console, read_trace
from mdm.store.tables import metadata
from mdm.store.unit_of_work import unit_of_work
from tests.api.test_console import sign_in

_ROWS = 12_000
#: What a page may read of one table and all its indexes: some pages full of rows, each found in several ways.
_MOST = 2_500

_NEUTRAL = {
    **dict.fromkeys(("BIGINT", "INTEGER", "SMALLINT", "DOUBLE", "NUMERIC"), "0"),
    **dict.fromkeys(("JSON", "JSONB", "ARRAY"), "'{}'"),
    "TEXT": "''",
    "BLOB": "''",
    "BOOLEAN": "false",
    "DATETIME": "now()",
}


def filled(engine: Engine, into: str, rows: int = _ROWS, /, **columns: str) -> None:
    """Rows of a table, numbered by `n`; what must have a value and is not told gets a neutral one."""
    table = metadata.tables[into]
    for column in table.columns:
        made = column.nullable or column.server_default is not None or column.identity or column.computed
        if column.name not in columns and not made:
            columns[column.name] = _NEUTRAL[str(column.type).partition("(")[0].partition(" ")[0]]
    names = ", ".join(f'"{each}"' for each in columns)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"""insert into {into} ({names}) overriding system value
                select {", ".join(columns.values())} from generate_series(1, {rows}) n"""
        )


#: An entity id, as long as ids are.
_ID = "'cus_' || lpad(n::text, 26, '0')"
_AT = "timestamptz '2025-06-01' + n * interval '1 minute'"
_LAST_ARE_PRODUCTS = "case when n <= 2000 then 'product' else 'customer' end"
_DAYS_LEFT = "case when n <= 600 then 1 + n / 150.0 when n <= 1200 then n / 600.0 - 1 else -9 end"
#: Of refused messages three large kinds, and many of which there is one.
_KINDS = "case when mod(n, 2) = 0 then chr(97 + mod(n, 3)) else 'of ' || n end"
#: The customer that has a long history and more source rows than one page shows.
_FIRST = "cus_" + "1".rjust(26, "0")


@pytest.fixture
def large(engine: Engine) -> Engine:
    """A hub with many rows of everything that is listed."""
    of_customer = {"domain": "'customer'"}
    filled(engine, "entity", entity_id=_ID, status="'active'", founder="n", founded_at=_AT, **of_customer)
    values = "jsonb_build_object('name', 'Company ' || n, 'country', 'DE')"
    current = {"version": "1", "name": "'Company ' || n", "values": values, "known_from": _AT}
    filled(engine, "golden", entity_id=_ID, seq="n << 20", **current, **of_customer)
    past = {"version": "n + 1", "known_from": _AT, "known_to": f"{_AT} + interval '1 minute'"}
    filled(engine, "golden", entity_id=f"'{_FIRST}'", seq="(n << 20) + 1", **past, **of_customer)
    filled(
        engine, "source_record", _ROWS + 60, rec_id="n", system="'crm'", type="'account'", key="'K' || n",
        kind="'customer'", operation="'c'", pos_major="n", topic="'crm.public.account'", offset="n", event_time=_AT,
        attributes="json_build_object('name', 'Company ' || n)", **of_customer,
    )  # fmt: skip
    home = f"case when n <= {_ROWS} then {_ID} else '{_FIRST}' end"
    filled(engine, "crosswalk", _ROWS + 60, rec_id="n", since=_AT, entity_id=home)
    for term in ("'company'", "'gmbh'", "'number' || n"):
        filled(engine, "search_term", entity_id=_ID, term=term, **of_customer)
    filled(
        engine, "steward_task", task_id="n", question="'q' || n", kind="'possible_match'", a="n", b="n + 1",
        weight="mod(n, 7)", opened_at=_AT, domain=_LAST_ARE_PRODUCTS,
    )  # fmt: skip
    filled(
        engine, "task_priority", task_id="n", rank="n", ranked_at="now()", countries="array['DE']",
        systems="array['crm', 'crm']", parts="'[]'", taken="true", domain=_LAST_ARE_PRODUCTS, kind="'possible_match'",
        weight="mod(n, 7)", opened_at=_AT,
        # What is put off, and what has time, comes last: whoever read the order from its beginning would read it all.
        put_off_until="case when n between 2001 and 3000 then now() + interval '9 days' end",
        due_at=f"now() + interval '1 day' * {_DAYS_LEFT}",
    )  # fmt: skip
    filled(engine, "task_work", task_id="n", version="1", assignee="'user:ann'")
    filled(
        engine, "decision", decision_id="n", kind="'unsure'", actor="'user:' || mod(n, 50)", at=_AT, task_id="n",
        entities=f"array[{_ID}]", **of_customer,
    )  # fmt: skip
    filled(
        engine, "proposal", proposal_id="n", kind="'merge'", author="'user:ann'", author_role="'steward'",
        demands="'[]'", command="jsonb_build_object('n', n)", proposed_at=_AT, entities=f"array[{_ID}]",
        expires_at="now() + interval '9 days'", risk="1 + mod(n, 3)", **of_customer,
    )  # fmt: skip
    action = {"action": "'steward.' || mod(n, 5)", "subject": "'task ' || n"}
    filled(engine, "audit", seq="n", at=_AT, actor="'user:' || mod(n, 9)", **action)
    filled(
        engine, "dead_letter", topic="'crm.public.account'", offset="n", code="'no_key'", system="'crm'",
        type="'account'", row_key="'K' || n", reason="'no key'", alike=f"'no key ' || {_KINDS}",
        headers="'[]'", value="'{}'", assignee="case when mod(n, 200) = 0 then 'user:' || mod(n, 9) end",
        first_seen=_AT, last_seen=_AT,
    )  # fmt: skip
    filled(
        engine,
        "exception",
        question="'q' || n",
        kind="'drift'",
        code="'unknown_column'",
        last_seen=_AT,
        assignee="case when mod(n, 200) = 0 then 'user:' || mod(n, 9) end",
    )
    filled(
        engine, "outbox", seq="n", id="gen_random_uuid()", aggregatetype="'customer'", aggregateid=_ID, type="'t'",
        traceparent="'00-' || lpad(n::text, 32, '0') || '-00f067aa0ba902b7-01'", published_at=_AT,
    )  # fmt: skip
    filled(engine, "replay_job", actor="'user:ann'", status="'done'", started_at=_AT, dead_letters="'[]'")
    filled(engine, "console_account", username="'u' || lpad(n::text, 6, '0')", role="'reader'")
    secret = "sha256(n::text::bytea)"
    filled(engine, "api_key", key_id="'k' || lpad(n::text, 6, '0')", role="'reader'", secret_hash=secret)
    with unit_of_work(engine, system_clock, "test") as work:
        letter_groups.recount(work)
    rank_refused(engine, system_clock())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
        # To read all of so few rows is quick, and often chosen. Shown is that there is a way by an index.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.exec_driver_sql(
                f"do $$ begin execute format('alter database %%I set enable_{way} = off', current_database()); end $$"
            )
    engine.dispose()
    return engine


class Meter:
    """What pages read of each table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

        @event.listens_for(engine.pool, "checkin")
        def _tell(raw: Any, _: Any) -> None:
            # Counts are told a second late at the earliest, unless they are asked for.
            if raw is not None and not raw.closed:
                raw.execute("select pg_stat_force_next_flush()")
                raw.rollback()

    def read(self) -> Mapping[str, int]:
        with self._engine.connect() as connection:
            rows = connection.execute(
                text(
                    """select s.relname, s.seq_tup_read + coalesce(sum(i.idx_tup_read), 0)
                       from pg_stat_user_tables s left join pg_stat_user_indexes i using (relid)
                       group by s.relid, s.relname, s.seq_tup_read"""
                )
            )
            return {row[0]: int(row[1]) for row in rows}


#: Lists, and searches, which are lists of what is found; `{first}` is the customer with a long history.
_LISTS = (
    "/customers", "/customers?q=company", "/customers?q=number77", "/customers?q=company%20gmbh",
    "/search?q=company", "/search?q=K77", "/search?q=" + "7".rjust(32, "0"),
    "/reviews", "/reviews?who=mine", "/reviews?who=unassigned", "/reviews?country=DE&weight_from=1",
    "/reviews?who=snoozed", "/reviews?sla=ok", "/reviews?sla=due", "/reviews?domain=product",
    "/reviews?domain=product&kind=possible_match",
    "/", "/close", "/pipeline", "/exceptions", "/exceptions?who=mine", "/exceptions?who=unassigned&sort=money",
    "/exceptions?who=taken&sort=age", "/exceptions?sort=messages", "/exceptions/groups/7",
    "/approvals", "/approvals?sort=newest", "/approvals?status=approved", "/onboarding", "/releases", "/replay",
    "/audit", "/audit?action=steward.1", "/audit?actor=user:3", "/quality/stewards", "/reconciliation",
    "/customers/{first}", "/customers/{first}/sources", "/customers/{first}/related", "/customers/{first}/history",
    "/customers/{first}/history?a=7", "/customers/{first}/graph", "/customers/{first}/exceptions",
    "/customers/{first}/hierarchy",
)  # fmt: skip
_ADMIN_LISTS = ("/privacy", "/admin?tab=people", "/admin?tab=clients")


def test_lists_read_their_pages_and_not_their_tables(
    large: Engine, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # They look at a bounded number of rows, which here would be all there are.
    monkeypatch.setattr(queue, "_COUNTED", 500)
    monkeypatch.setattr(queue_order, "_FEW", 200)
    monkeypatch.setattr(queue_order, "_AHEAD", 200)
    monkeypatch.setattr(read_console, "MOST_ADDED", 100)
    monkeypatch.setattr(exceptions, "MOST_ADDED", 100)
    monkeypatch.setattr(read_trace, "_AUDIT_WINDOW", 500)
    meter = Meter(large)
    too_much, broken, followed = {}, [], 0
    for role, lists in ((FORMER_STEWARD, _LISTS), (Role.ADMIN, _ADMIN_LISTS)):
        browser = TestClient(app, raise_server_exceptions=False)
        sign_in(browser, keys[role])
        browser.get("/console/")  # ranks what was never ranked
        for address in (f"/console{each.format(first=_FIRST)}" for each in lists):
            page = browser.get(address)  # the first of its kind fills what is remembered
            behind = re.findall(r'href="([^"]*[?;&](?:cursor|before|after)=[^"]+)"', page.text)
            followed += bool(behind)
            for asked in [address, *(unescape(each) for each in behind[:1])]:
                before = meter.read()
                answer = browser.get(urljoin(address, asked))
                read = {name: number - before.get(name, 0) for name, number in meter.read().items()}
                broken += [(asked, answer.status_code)] if answer.status_code != 200 else []
                if much := {name: number for name, number in read.items() if number > _MOST}:
                    too_much[asked] = much

    assert broken == []
    assert too_much == {}
    assert followed > 10, "next pages were read, too"
