"""Seconds of processor that a measurement used: its own, and those of its database sessions.

On a machine that does other work too, seconds of the clock say little; these compare.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Engine


@contextmanager
def processor(engine: Engine, pid: int | None = None) -> Iterator[dict[str, float]]:
    """Seconds of processor that this process, or the named one, and all database sessions use in the block.

    Other processes and sessions: Linux only.
    """
    used: dict[str, float] = {}
    worker, database = _worker(pid), _sessions(engine)
    yield used
    used["worker"] = _worker(pid) - worker
    used["database"] = sum(max(0.0, each - database.get(pid, 0.0)) for pid, each in _sessions(engine).items())


def _worker(pid: int | None) -> float:
    return time.process_time() if pid is None else _seconds(pid) or 0.0


def _sessions(engine: Engine) -> dict[int, float]:
    connection = engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        rows = driver.execute("select pid from pg_stat_activity where datname = current_database()").fetchall()
        driver.rollback()
    finally:
        connection.close()
    return {pid: seconds for (pid,) in rows if (seconds := _seconds(pid)) is not None}


def _seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
