"""The embedded server survives what happens to laptops and containers: kills, second processes, stale files."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from mdm.errors import OperatorError
from mdm.store import embedded
from mdm.store.embedded import EmbeddedServer, log_room, memory, page_buffers
from mdm.store.embedded_account import hand_over, server_account
from mdm.store.embedded_keeper import live_postmaster
from mdm.store.embedded_startup import startup_told


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of a server; nothing of it runs after the test."""
    home = tmp_path / "pg"
    yield home
    if home.exists():
        with EmbeddedServer(home):  # joins what a test has left behind, and as the last user stops it
            pass


def connect(server: EmbeddedServer) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True)


def postmaster(home: Path) -> psutil.Process:
    process = live_postmaster(home / "cluster")
    assert process is not None
    return process


def runs(home: Path) -> bool:
    return live_postmaster(home / "cluster") is not None


def eventually(claim: Callable[[], bool]) -> None:
    """Wait for a claim to come true; only the test run's own limit ends the wait."""
    while not claim():
        time.sleep(0.02)


class OtherProcess:
    """Another hub process that uses the server of a home until told otherwise."""

    _PROGRAM = textwrap.dedent("""
        import sys
        from pathlib import Path
        from mdm.store.embedded import EmbeddedServer, memory, page_buffers
        with EmbeddedServer(Path(sys.argv[1])):
            print("ready", flush=True)
            sys.stdin.read()
    """)

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def leave(self) -> None:
        self._process.communicate()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_data_are_there_after_a_restart(home: Path) -> None:
    with EmbeddedServer(home) as server, connect(server) as connection:
        connection.execute("create table kept as select 7 as value")
    assert not runs(home)

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select value from kept").fetchone() == (7,)


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(0, 128), (0.5, 128), (2, 256), (4, 512), (8, 1024), (64, 1024)])
def test_the_server_keeps_pages_in_a_part_of_the_memory(gigabytes: float, megabytes: int) -> None:
    assert page_buffers(int(gigabytes * 2**30)) == megabytes


@pytest.mark.parametrize(
    ("told", "given"), [("536870912\n", 2**29), ("max\n", None), ("9223372036854771712\n", None), (None, None)]
)
def test_the_memory_of_a_container_is_what_it_is_given(tmp_path: Path, told: str | None, given: int | None) -> None:
    limit = tmp_path / "memory.max"
    if told is not None:
        limit.write_text(told)

    assert memory([limit]) == (given or psutil.virtual_memory().total)


@pytest.mark.parametrize(("free", "megabytes"), [(0, 2048), (20, 2048), (50, 5120), (160, 16384), (4000, 16384)])
def test_the_servers_log_has_a_part_of_the_free_disk(free: int, megabytes: int) -> None:
    assert log_room(free * 2**30) == megabytes


def test_the_server_takes_the_part_that_fits_this_machine(home: Path) -> None:
    with EmbeddedServer(home) as server, connect(server) as connection:
        (kept,) = connection.execute("select setting::int * 8 / 1024 from pg_settings where name = 'shared_buffers'")
        (room,) = (
            connection.execute("select setting::int from pg_settings where name = 'max_wal_size'").fetchone() or ()
        )

    assert kept == (page_buffers(memory()),)
    assert 2048 <= room <= 16384


def test_the_servers_log_holds_no_values(home: Path) -> None:
    with EmbeddedServer(home) as server, connect(server) as connection:
        connection.autocommit = True
        connection.execute("create table people (email text primary key)")
        connection.execute("insert into people values (%s)", ["ada@example.com"])
        with pytest.raises(psycopg.errors.UniqueViolation, match=r"ada@example\.com"):
            connection.execute("insert into people values (%s)", ["ada@example.com"])

    log = (home / "server.log").read_text()
    assert "duplicate key value" in log
    assert "ada@example.com" not in log


def test_starting_twice_is_harmless(home: Path) -> None:
    with EmbeddedServer(home) as server:
        first = postmaster(home).pid
        server.start()

        assert postmaster(home).pid == first
    assert not runs(home)


def test_the_server_ends_when_its_only_process_is_killed_and_the_data_stay(home: Path) -> None:
    other = OtherProcess(home)
    with EmbeddedServer(home) as server, connect(server) as connection:
        connection.execute("create table kept as select 7 as value")
    assert runs(home)

    other.kill()

    eventually(lambda: not runs(home))
    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select value from kept").fetchone() == (7,)


def test_a_second_process_keeps_its_connections_when_the_one_that_started_is_killed(home: Path) -> None:
    starter = OtherProcess(home)
    with EmbeddedServer(home) as server, connect(server) as connection:
        starter.kill()

        assert connection.execute("select 1").fetchone() == (1,)
        with connect(server) as another:
            assert another.execute("select 1").fetchone() == (1,)
    assert not runs(home)


def test_the_server_is_not_stopped_under_another_process(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    other = OtherProcess(home)

    server.stop()

    assert runs(home)
    other.leave()
    assert not runs(home)


def test_many_processes_may_start_at_once(home: Path) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", OtherProcess._PROGRAM, str(home)],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]

    assert [program.wait() for program in programs] == [0, 0, 0, 0]
    eventually(lambda: not runs(home))


def test_a_killed_server_comes_back_by_itself_with_its_data(home: Path) -> None:
    with EmbeddedServer(home) as server:
        with connect(server) as connection:
            connection.execute("create table kept as select 7 as value")
        first = postmaster(home).pid

        os.kill(first, signal.SIGKILL)

        eventually(lambda: runs(home) and postmaster(home).pid != first)
        server.start()
        with connect(server) as connection:
            assert connection.execute("select value from kept").fetchone() == (7,)


def test_after_a_crash_it_is_told_that_the_log_is_read_and_the_start_waits_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of the real server: its log of a crash, cut where it was at work."""
    told: list[str] = []
    with EmbeddedServer(home) as server, connect(server) as connection:
        connection.execute("create table t as select generate_series(1, 300000) as number")
        killed = [postmaster(home), *postmaster(home).children()]
        keeper = killed[0].parent()
        assert keeper is not None
        for process in (keeper, *killed):
            process.kill()
        psutil.wait_procs(killed, timeout=30)
    monkeypatch.setattr(embedded, "_PROGRESS_SECONDS", 0.0)
    with EmbeddedServer(home, progress=told.append) as server, connect(server) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (300_000,)
        log = (home / "server.log").read_text()

    assert log.count("starting PostgreSQL") == 2
    before, redo, _ = log.rpartition("redo done at")
    assert startup_told(before).endswith("reads what was written before; nothing is lost")
    assert startup_told(before + redo + " 0/0").endswith("and stores it")
    assert startup_told(log.partition("redo starts")[0].rpartition("database system was interrupted")[0]).endswith(
        "is starting"
    )
    assert told[-1].endswith(" s)")


def test_how_far_the_log_is_read_is_told_in_megabytes_of_the_last_start() -> None:
    crashed = "x LOG:  database system was not properly shut down; automatic recovery in progress\n"
    begun = f"x LOG:  starting PostgreSQL 18\n{crashed}x LOG:  redo starts at 0/1AEFE48\n"
    on = "x LOG:  redo in progress, elapsed time: 3.00 s, current LSN: {}\n"
    noise = "x FATAL:  the database system is not yet accepting connections\n"

    assert startup_told(begun + on.format("0/56E872A8") + noise).endswith("nothing is lost, 1,363 MB so far")
    assert startup_told(begun + on.format("0/56E872A8") + on.format("1/1AEFE48")).endswith("4,096 MB so far")
    assert startup_told(begun + on.format("1/1AEFE48") + begun).endswith("nothing is lost")
    assert startup_told("").endswith("is starting")


def test_a_server_whose_keeper_was_killed_is_adopted_and_stopped_in_the_end(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    running = postmaster(home)
    keeper = running.parent()
    assert keeper is not None
    keeper.kill()
    eventually(lambda: not server._keeper_lives())
    server.stop()
    assert runs(home)

    with EmbeddedServer(home):
        assert postmaster(home).pid == running.pid

    assert not runs(home)


@pytest.mark.parametrize("pid", [os.getpid(), 999_999_999, 1], ids=["a stranger", "nobody", "process one"])
def test_remains_of_a_killed_server_do_not_prevent_a_start(home: Path, pid: int) -> None:
    with EmbeddedServer(home) as server:
        sockets = server._socket_directory()
    if not sockets.exists():
        sockets.mkdir(mode=0o700)
        hand_over(sockets, server_account(home / "cluster"))
    (home / "cluster" / "postmaster.pid").write_text(f"{pid}\n{home / 'cluster'}\n1700000000\n5432\n{sockets}\n\n")
    (sockets / ".s.PGSQL.5432.lock").write_text(f"{pid}\n{home / 'cluster'}\n1700000000\n5432\n{sockets}\n\n")

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_zombie_does_not_prevent_a_start(home: Path) -> None:
    with EmbeddedServer(home):
        pass
    zombie = subprocess.Popen(["true"], cwd=home / "cluster")
    eventually(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
    (home / "cluster" / "postmaster.pid").write_text(f"{zombie.pid}\n")

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    zombie.wait()


def test_a_half_made_data_directory_is_made_again(home: Path) -> None:
    (home / "cluster.new").mkdir(parents=True)
    (home / "cluster.new" / "PG_VERSION").write_text("18\n")

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_data_directory_with_a_long_name_gets_a_short_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30) / "with space" / "pg"

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_short_socket_directory_is_taken_away_in_the_end(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / ("long" * 30) / "pg") as server:
        sockets = server._socket_directory()
        assert sockets.exists()

    assert not sockets.exists()


def test_directories_above_the_data_stay_as_closed_as_they_were(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with EmbeddedServer(closed / "pg") as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (closed / "pg" / "cluster").stat().st_mode & 0o077 == 0


def test_the_socket_is_reached_by_its_own_account_only(home: Path) -> None:
    with EmbeddedServer(home) as server:
        assert server._socket_directory().stat().st_mode & 0o077 == 0


def sockets_of(home: Path) -> Path:
    """Where the server of a home has its socket; the directory is not there afterwards."""
    with EmbeddedServer(home) as server:
        sockets = server._socket_directory()
    if sockets.exists():
        sockets.rmdir()
    return sockets


def test_a_socket_directory_that_another_process_has_just_made_is_taken_over(home: Path) -> None:
    """As it is between another process's making it and handing it to the server's account, or when killed there."""
    sockets_of(home).mkdir(mode=0o700)

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_socket_directory_that_is_not_private_is_refused(home: Path, kind: str) -> None:
    sockets = sockets_of(home)
    if kind == "a link":
        sockets.symlink_to(home)
    elif kind == "a file":
        sockets.touch(mode=0o600)
    else:
        sockets.mkdir()
        sockets.chmod(0o755)

    try:
        with pytest.raises(OperatorError, match="is not a private directory"):
            EmbeddedServer(home).start()
    finally:
        sockets.rmdir() if kind == "open to others" else sockets.unlink()


def test_a_server_with_a_tcp_port_asks_for_a_password_there(home: Path) -> None:
    port = 20_000 + os.getpid() % 20_000
    with EmbeddedServer(home, tcp_port=port) as server:
        with connect(server) as connection:
            connection.execute("create role connector login password 'secret'")
        with psycopg.connect(
            f"host=127.0.0.1 port={port} user=connector password=secret dbname=postgres"
        ) as connection:
            assert connection.execute("select current_user").fetchone() == ("connector",)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres")
        with EmbeddedServer(home) as joined, connect(joined) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_wrong_setting_is_reported_with_the_end_of_the_log(home: Path) -> None:
    with pytest.raises(OperatorError, match="shared_buffers"):
        EmbeddedServer(home, options={"shared_buffers": "much"}).start()

    with EmbeddedServer(home) as server, connect(server) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_data_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OperatorError, match="cannot be created"):
        EmbeddedServer(tmp_path / "file" / "pg").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_runs_the_server_as_another_user(home: Path) -> None:
    with EmbeddedServer(home):
        assert postmaster(home).uids().real != 0
