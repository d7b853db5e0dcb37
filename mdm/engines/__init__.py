"""Engines for whole stores by name; those that need more of a machine than arithmetic live here."""

import os
import re

from matching.engines.engine import DuckDB, Engine, Plain
from mdm.errors import ConfigurationInvalid, OperatorError

#: Engines by name, with what they are for.
ENGINES = {
    "duckdb": "one machine, up to some ten million records",
    "spark": "a cluster, or this machine in local mode; needs Java and pyspark",
    "python": "no engine: the plain reading of the rules, for small stores and for comparison",
}


#: Workers that no machine is too small to be asked for.
_MANY = 64
#: What DuckDB understands by an amount of memory.
_MEMORY = re.compile(r"[1-9]\d*(\.\d+)? ?[KMGT]i?B", re.IGNORECASE)


def open_engine(name: str, workers: int = 2, memory: str = "1GB") -> Engine:
    """An engine by its name.

    Raises:
        ConfigurationInvalid: there is no such engine, or what it needs is not installed.
        OperatorError: it cannot work with so few or so many workers, or `memory` is no amount.
    """
    if workers < 1:
        raise OperatorError(f"{workers} workers do no work.", action="Give --workers 1 or more.")
    processors = os.cpu_count() or 1
    if workers > max(_MANY, 4 * processors):
        raise OperatorError(
            f"{workers} workers are far more than this machine has processors.",
            action=f"Give --workers {processors}, or a few more.",
        )
    if not _MEMORY.fullmatch(memory.strip()):
        raise OperatorError(f"{memory!r} is no amount of memory.", action="Give --memory as in 512MB or 4GB.")
    if name == "duckdb":
        return DuckDB(workers, memory)
    if name == "python":
        return Plain()
    if name == "spark":
        from mdm.engines.spark import Spark  # imported here: pyspark is optional and slow to load

        return Spark(workers)
    known = "; ".join(f"{each} ({what})" for each, what in ENGINES.items())
    raise ConfigurationInvalid(f"There is no engine {name!r}.", action=f"Use one of: {known}.")
