"""One program of the stack as a process: started detached, with a log and a pid file, stopped or killed by its pid."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PAUSE_SECONDS = 0.1


class DidNotStart(Exception):
    """A program ended or did not answer in time; the message carries the end of its log."""


@dataclass(slots=True)
class Program:
    """A program of the stack. `directory` holds `NAME.log` and `NAME.pid`, so that another process can stop it."""

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _child: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / f"{self.name}.pid"

    def start(self) -> None:
        """Start it in a session of its own, so that the end of this process does not end it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        created = psutil.Process(self._child.pid).create_time()
        self._pid_file.write_text(f"{self._child.pid} {created}")

    def process(self) -> psutil.Process | None:
        """The running process; None when it has ended. A pid that was given to somebody else does not count."""
        if self._child is not None:
            # Our own child is over when it can be reaped; before that, some of its threads may still hold its ports.
            return psutil.Process(self._child.pid) if self._child.poll() is None else None
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            pid, created = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            if process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def kill(self) -> None:
        """End it without a chance to tidy up (SIGKILL)."""
        self._end(signal.SIGKILL, 10)

    def stop(self, patience_seconds: float = 30) -> None:
        """Ask it to end (SIGTERM), and kill it when it does not."""
        self._end(signal.SIGTERM, patience_seconds)
        if self.process() is not None:
            self.kill()
        self._pid_file.unlink(missing_ok=True)

    def wait_until(self, answers: Callable[[], bool], timeout_seconds: float = 180) -> None:
        """Wait until it answers.

        Raises:
            DidNotStart: it ended, or the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while not answers():
            if self.process() is None or time.monotonic() > deadline:
                raise DidNotStart(f"{self.name} does not answer.\n{self.end_of_log()}")
            time.sleep(_PAUSE_SECONDS)

    def end_of_log(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _end(self, how: signal.Signals, patience_seconds: float) -> None:
        process = self.process()
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(how)
        deadline = time.monotonic() + patience_seconds
        while self.process() is not None and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS / 2)


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens at this port of the loopback address."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
