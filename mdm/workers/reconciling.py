"""Reconciliation beside a server, in a process of its own where it takes long.

The rules look at the whole hub. In a thread of the server they would share its interpreter with every page for as long
as that takes; a process of its own, at a lower priority, leaves pages as quick as they are. Of a small hub the rules
are through before a process has started, so what was quick last time is done here.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Final, cast

from sqlalchemy import Engine

from mdm.bootstrap import make_engine
from mdm.errors import TransientError
from mdm.hub.reconcile import Reconciliation, reconcile
from mdm.hub.reconciliation_rules import load_reconciliation
from mdm.intake.catalogue import Catalogue, load_catalogue

#: Seconds that a run may take in the server: as long as an interpreter takes to start, about.
_QUICK: Final = 0.5
#: How much the process gives way to others.
_NICE: Final = 10


class ReconciliationFailed(TransientError):
    """The process that looks for findings ended without any. The next page tries again; the reason says what it met."""

    code = "RECONCILIATION_FAILED"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the process is told, by its standard input: an address may hold a password."""

    url: str
    sources: Path | None
    reconciliation: Path | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the process tells, by its standard output."""

    seconds: float
    found: Reconciliation


class Beside:
    """Runs the rules here while that is quick, otherwise in a process of their own. The first run is not quick: it
    comes with the start of the server, and nobody knows yet how long it takes."""

    def __init__(self, sources: Path | None = None, reconciliation: Path | None = None) -> None:
        self._sources, self._reconciliation = sources, reconciliation
        self._seconds: float | None = None

    def __call__(self, engine: Engine) -> Reconciliation:
        """All findings of the hub.

        Raises:
            ReconciliationFailed: the process ended without an answer.
        """
        answer = _here if self._seconds is not None and self._seconds < _QUICK else _there
        told = answer(engine, self._sources, self._reconciliation)
        self._seconds = told.seconds
        return told.found


def _here(engine: Engine, sources: Path | None, reconciliation: Path | None) -> _Answer:
    began = monotonic()
    catalogue = _catalogue(sources)
    found = reconcile(engine, catalogue, load_reconciliation(catalogue, reconciliation))
    return _Answer(monotonic() - began, found)


@lru_cache(maxsize=2)
def _catalogue(sources: Path | None) -> Catalogue:
    return load_catalogue(sources)


def _there(engine: Engine, sources: Path | None, reconciliation: Path | None) -> _Answer:
    asked = _Asked(engine.url.render_as_string(hide_password=False), sources, reconciliation)
    command = [sys.executable, "-m", "mdm.workers.reconciling"]
    pipe = subprocess.PIPE
    # In a session of its own, or Ctrl-C in the terminal of the server would reach it, too, and the server complain of
    # it on its way out. It ends with the server all the same: see `_end_with_server`.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        complaints: list[bytes] = []
        listener = Thread(target=lambda read: complaints.append(read()), args=(process.stderr.read,), daemon=True)
        listener.start()
        # Its input stays open until it has answered: where it ends before, the server has ended.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(pickle.dumps(asked))
            process.stdin.flush()
        answer = process.stdout.read()
        listener.join()
    if process.returncode or not answer:
        words = b"".join(complaints).decode(errors="replace").strip().splitlines()
        raise ReconciliationFailed(words[-1] if words else f"It ended with {process.returncode}.")
    return cast("_Answer", pickle.loads(answer))  # noqa: S301  # our own process wrote it


def main() -> None:
    """In the other process: read what is asked, answer, end."""
    asked = cast("_Asked", pickle.load(sys.stdin.buffer))  # noqa: S301  # our own server wrote it
    Thread(target=_end_with_server, daemon=True).start()
    os.nice(_NICE)
    engine = make_engine(asked.url, "mdm-reconciliation")
    try:
        answer = _here(engine, asked.sources, asked.reconciliation)
    finally:
        engine.dispose()
    sys.stdout.buffer.write(pickle.dumps(answer))
    sys.stdout.buffer.flush()


def _end_with_server() -> None:
    # Not through `sys.stdin`: whoever waits there holds a lock that the end of the interpreter needs.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    # Under the name by which the server knows what is said: `__main__` is another module there.
    from mdm.workers import reconciling

    reconciling.main()
