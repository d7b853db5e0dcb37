"""The keeper: the process that owns one embedded PostgreSQL server while anybody uses it.

Started by `mdm.store.embedded` as a script of its own (standard library and psutil only), it outlives the hub process
that started it. It starts the server, or adopts one whose keeper was killed, starts it again after a crash, and stops
it when the last hub process is gone - however that process ended, because the kernel gives back its lock.

Locks, all `flock` in the server's home directory:
  users.lock   shared by every hub process that uses the server; the keeper waits for it exclusively
  keeper.lock  held by the keeper for its whole life, so "is there a keeper?" needs no process ids
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

import psutil

#: A server that ends sooner than this did not start properly; it is tried again a few times, not for ever.
SHORT_LIFE_SECONDS = 5.0
ATTEMPTS = 5


class Process(Protocol):
    """What the keeper needs of a server, whether it is its own child or adopted."""

    @property
    def pid(self) -> int: ...

    def wait(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Orders:
    """What a hub process asks the keeper to run. Travels as JSON on the command line."""

    home: str
    cluster: str
    sockets: str
    command: tuple[str, ...]
    uid: int | None
    gid: int | None

    def as_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


class Adopted:
    """A server that another keeper started. Not a child, and perhaps one that nobody reaps when it ends."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def wait(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)


def live_postmaster(cluster: Path) -> psutil.Process | None:
    """The server that runs on this data directory, if there is one.

    `postmaster.pid` alone proves nothing: its process may be a zombie (process 1 of many containers does not reap) or
    a stranger that got the same number. A real postmaster lives and works in the data directory.
    """
    try:
        process = psutil.Process(int((cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
        if process.status() != psutil.STATUS_ZOMBIE and os.path.samefile(process.cwd(), cluster):
            return process
    except (OSError, ValueError, psutil.Error):
        return None
    return None


def remove_remains(cluster: Path, sockets: Path) -> None:
    """Clear what a killed server leaves: its backends, its pid file and its socket locks.

    Backends of a killed postmaster end by themselves only when they look up from their query; until then PostgreSQL
    refuses to start on the same data. They get the signal that their postmaster would have sent them in a crash.
    """
    if not (cluster / "postmaster.pid").exists():
        return
    left_over = [process for process in psutil.process_iter(["name"]) if _is_backend(process, cluster)]
    for process in left_over:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT)
    psutil.wait_procs(left_over, timeout=10)
    for name in (cluster / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        name.unlink(missing_ok=True)


def _is_backend(process: psutil.Process, cluster: Path) -> bool:
    try:
        if not process.info["name"].startswith("postgres") or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.path.samefile(process.cwd(), cluster)
    except (OSError, psutil.Error):
        return False


class Keeper:
    """Runs one server until nobody uses it. `main` wires the signals."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._cluster = Path(orders.cluster)
        self._server: Process | None = None
        self._stopping = False

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002 - a signal handler
        """Ask the server for a fast shutdown: sessions are ended, the data are written out."""
        self._stopping = True
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                os.kill(self._server.pid, signal.SIGINT)

    def run(self) -> int:
        """Keep the server alive until `stop`; returns the exit code: 0 stopped, 1 the server cannot start."""
        threading.Thread(target=self._wait_until_unused, daemon=True).start()
        failures = 0
        while not self._stopping and failures < ATTEMPTS:
            began = time.monotonic()
            orphan = live_postmaster(self._cluster)
            self._server = self._start() if orphan is None else Adopted(orphan)
            if self._stopping:
                self.stop()
            self._server.wait()
            short = time.monotonic() - began < SHORT_LIFE_SECONDS
            failures = failures + 1 if short else 0
            if short and not self._stopping:
                time.sleep(0.2)
        if not self._orders.sockets.startswith(self._orders.home):
            with contextlib.suppress(OSError):
                os.rmdir(self._orders.sockets)
        return 0 if self._stopping else 1

    def _wait_until_unused(self) -> None:
        # Granted only when no process holds the lock shared, and then no process gets it before the server is down.
        with open(os.path.join(self._orders.home, "users.lock")) as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        remove_remains(self._cluster, Path(self._orders.sockets))
        owner = {} if self._orders.uid is None else {"user": self._orders.uid, "group": self._orders.gid}
        groups: dict[str, list[int]] = {} if self._orders.uid is None else {"extra_groups": []}
        with open(os.path.join(self._orders.home, "server.log"), "ab") as log:
            # The working directory is entered before the account is changed, which is what lets the server work in a
            # directory whose parents it may not pass (see `mdm.store.embedded_account`).
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # accounts as a mapping
                self._orders.command,
                cwd=self._cluster,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                umask=0o077,
                **owner,
                **groups,
            )


def main(argument: str) -> int:
    """Take the keeper's lock, detach, and keep the server. Returns at once in the process that was called."""
    orders = Orders(**json.loads(argument))
    # Held by the open file, so the child inherits it and no moment passes in which there seems to be no keeper.
    lock = open(os.path.join(orders.home, "keeper.lock"), "a")  # noqa: SIM115 - held until the process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.fork():
        return 0
    os.setsid()
    os.chdir("/")
    keeper = Keeper(orders)
    signal.signal(signal.SIGTERM, keeper.stop)
    signal.signal(signal.SIGINT, keeper.stop)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
