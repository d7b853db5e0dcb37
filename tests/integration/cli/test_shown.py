"""What commands show to people: tables whose columns hold what they are called, and a sentence where no row is."""

import os
import signal
import socket
import subprocess
import sys
import time

from sqlalchemy import Engine, text
from typer.testing import CliRunner

from mdm.cli.app import app
from mdm.cli.context import many


def shown(url: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"MDM_DATABASE_URL": url}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_placements_are_counted_and_their_platforms_named(world_url: str, world_engine: Engine) -> None:
    title, head, _, *rows = [line for line in shown(world_url, "access", "show").splitlines() if line.strip()]

    cells = [[cell.strip() for cell in row.split("│")] for row in rows if "│" in row]
    with world_engine.connect() as connection:
        placed = connection.scalar(text("select count(*) from placement"))
    assert [each.strip() for each in head.split("┃")][-2:] == ["platforms", "records"], title
    assert sum(int(each[-1].replace(",", "")) for each in cells) == placed
    assert {"crm, erp"} <= {each[-2] for each in cells}


def test_a_task_is_shown_with_what_it_asks(world_url: str, world_engine: Engine) -> None:
    with world_engine.begin() as connection:
        task, first, second = connection.execute(
            text(
                """select task_id, a.key, b.key from steward_task t join source_record a on a.rec_id = t.a
                   join source_record b on b.rec_id = t.b where t.status = 'open' order by task_id limit 1"""
            )
        ).one()
        connection.execute(
            text(
                """insert into proposal (kind, command, effect, digest, demands, entities, task_id, author, author_role,
                     status, proposed_at, expires_at)
                   values ('same', '{}', '{}', '', '[]', '{}', :task, 'ann', 'steward', 'open', now(), 'infinity')"""
            ),
            {"task": task},
        )

    told = shown(world_url, "steward", "task", str(task))

    assert first in told
    assert second in told
    assert f"Nobody has it.\nAn answer waits for a second person: proposal 1.\nTask {task} has priority " in told
    assert "who may be affected\nComments: none.\n" in told


def test_where_there_is_nothing_it_is_said(world_url: str) -> None:
    assert shown(world_url, "exceptions", "list").startswith("Dead letters: none.\n")


def test_a_server_that_is_stopped_by_hand_has_not_failed(fresh_database_url: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mdm.cli", "serve", "--port", str(port)]
    environment = os.environ | {"MDM_DATABASE_URL": fresh_database_url}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = iter(server.stderr.readline, "")
        assert any("Stop with Ctrl-C." in line for line in told)
        assert _listens(port)
        server.send_signal(signal.SIGINT)
        left = server.stderr.read()

    assert (server.returncode, "Traceback" in left) == (0, False), left


def _listens(port: int) -> bool:
    """Wait until somebody listens."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def test_one_is_not_several() -> None:
    said = [many(0, "row"), many(1, "row"), many(2000, "row"), many(1, "crash", "crashes"), many(3, "crash", "crashes")]

    assert said == ["0 rows", "1 row", "2,000 rows", "1 crash", "3 crashes"]
