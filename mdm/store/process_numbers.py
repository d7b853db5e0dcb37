"""What a process can say of its own use of the database: connections in use, and units of work begun again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from mdm.observability.metrics import Asked

_OPTION = "mdm_retries"


@dataclass(slots=True)
class _Retries:
    """Counted by all threads of the process that share an engine."""

    number: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self) -> None:
        with self._lock:
            self.number += 1


def counting_retries() -> Mapping[str, object]:
    """Execution options of an engine whose units of work are counted when they begin again; its copies share them."""
    return {_OPTION: _Retries()}


def begun_again(engine: Engine) -> None:
    """A unit of work met another one and is tried again. An engine that does not count forgets it."""
    retries = engine.get_execution_options().get(_OPTION)
    if isinstance(retries, _Retries):
        retries.add()


def process_numbers(engine: Engine) -> Asked:
    """The metrics of this engine's use, asked for at every scrape."""
    return {
        "mdm_db_pool_in_use": lambda: float(_in_use(engine)),
        "mdm_db_tx_retries_total": lambda: float(_retries(engine)),
    }


def _in_use(engine: Engine) -> int:
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0


def _retries(engine: Engine) -> int:
    retries = engine.get_execution_options().get(_OPTION)
    return retries.number if isinstance(retries, _Retries) else 0
