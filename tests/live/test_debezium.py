"""Real Debezium: changes made by SQL in platform databases, while Connect, worker and hub database are killed.

In the end the hub's mirror holds exactly the rows of the source tables, and the hub agrees with itself.
"""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from deploy.stack.processes import free_port
from deploy.stack.stack import Ports, Stack
from mdm.bootstrap import open_hub
from mdm.settings import read_settings
from mdm.store.read_status import status_summary
from tests.harness.live import wait_until

SEED = int(os.environ.get("MDM_LIVE_SEED", "11"))
CHANGES = 150
#: Platforms under test: precise decimals and dates as days (erp), decimals as text, arrays and large columns (crm).
PLATFORMS = ("crm", "erp")
TABLES = {"crm": ("account", "contact", "contract", "product2"), "erp": ("business_partner", "item", "sales_contract")}
#: A text column of each table, to be changed.
CHANGED = {
    "account": "industry", "contact": "title", "contract": "billing_frequency", "product2": "family",
    "business_partner": "city", "item": "description", "sales_contract": "external_ref",
}  # fmt: skip
KEYS = {"business_partner": "bp_number", "item": "item_code", "sales_contract": "contract_no"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, Ports(*(free_port() for _ in range(6))))
    yield stack
    stack.down()


def test_the_hub_mirrors_the_platforms_exactly(stack: Stack) -> None:
    stack.up(PLATFORMS)
    choice = random.Random(SEED)
    with open_hub(read_settings(stack.hub.settings)) as opened:
        for turn in range(5):
            for platform in PLATFORMS:
                with stack.platforms.connect(platform) as connection:
                    change_rows(connection, platform, CHANGES // 10, choice)
            time.sleep(1)
            kill(stack, turn)
        for platform in PLATFORMS:
            for table in TABLES[platform]:
                wait_until(
                    lambda p=platform, t=table: differing(stack, opened.engine, p, t) == [],
                    90,
                    f"{platform}.{table} arriving",
                )
        with opened.engine.connect() as connection:
            messages = status_summary(connection)["messages"]
        assert messages["add_up"]
        assert all(topic["quarantined"] == 0 for topic in messages["topics"])
    for program in stack.programs():
        if program.name.startswith(("ingest", "relay", "api")):
            program.stop()
    verified = json.loads(stack.hub.run("verify", "--json"))
    assert verified["agrees"] is True, verified


def kill(stack: Stack, turn: int) -> None:
    """Kill Connect, the worker or the hub's database in turn, and bring it back."""
    if turn in (0, 3):
        stack.connect.program.kill()
        stack.connect.start()
    elif turn in (1, 4):
        worker = stack.hub.worker(1, metrics_port=stack.ports.metrics + 1)
        worker.kill()
        worker.start()
    else:
        pid_file = stack.hub.directory / "hub" / "postgres" / "cluster" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)


def change_rows(connection: "psycopg.Connection[Any]", platform: str, number: int, choice: random.Random) -> None:
    """Updates, inserts, deletes and changed primary keys, in transactions of one statement."""
    for _ in range(number):
        table = choice.choice(TABLES[platform])
        key = KEYS.get(table, "id")
        keys = [row[0] for row in connection.execute(f"select {key} from {table} order by {key}").fetchall()]
        one = choice.choice(keys)
        match choice.choices(("update", "copy", "delete", "rename"), weights=(6, 2, 1, 1))[0]:
            case "update":
                value = f"n{choice.randrange(99)}"
                connection.execute(f"update {table} set {CHANGED[table]} = %s where {key} = %s", (value, one))
            case "copy":
                connection.execute(
                    f"""insert into {table} select (jsonb_populate_record(t, jsonb_build_object('{key}', %s::text))).*
                        from {table} t where {key} = %s on conflict do nothing""",
                    (f"C{choice.randrange(10**8):08d}", one),
                )
            case "delete":
                connection.execute(f"delete from {table} where {key} = %s", (one,))
            case "rename":
                connection.execute(
                    f"update {table} set {key} = %s where {key} = %s", (f"R{choice.randrange(10**8):08d}", one)
                )


def differing(stack: Stack, engine: Engine, platform: str, table: str) -> list[str]:
    """Keys whose row in the hub's mirror is not the row of the source."""
    key = KEYS.get(table, "id")
    with stack.platforms.connect(platform) as source:
        rows: list[Any] = source.execute(f"select t.{key}, to_jsonb(t) from {table} t").fetchall()
    wanted = {str(row[0]): _comparable(row[1]) for row in rows}
    with engine.connect() as connection:
        mirrored = connection.execute(
            text('select key, "row" from source_record where system = :s and type = :t and not deleted'),
            {"s": platform, "t": table},
        )
        held = {row[0]: _comparable(row[1]) for row in mirrored}
    return sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))


def _comparable(row: dict[str, Any]) -> dict[str, str]:
    """Values in one form: PostgreSQL's JSON and the hub's canonical one write numbers, times and JSON differently."""
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> str:
    if isinstance(value, str) and value[:1] in "[{":
        value = json.loads(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, float | int) and not isinstance(value, bool):
        return str(float(value))
    text_value = str(value)
    try:
        return str(float(text_value))
    except ValueError:
        pass
    # 2024-01-01T00:01:00.021+00:00 and 2024-01-01T00:01:00.021000Z are one instant.
    if len(text_value) > 18 and text_value[4:5] == "-" and text_value[10:11] == "T":
        day, _, rest = text_value.replace("Z", "+00:00").partition("T")
        clock, _, zone = rest.partition("+")
        whole, _, fraction = clock.partition(".")
        return f"{day}T{whole}.{fraction.rstrip('0')}{zone and '+' + zone}"
    return text_value
