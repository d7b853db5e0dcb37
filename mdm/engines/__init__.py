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
_MEMORY = re.compile(r"([1-9]\d*(?:\.\d+)?) ?([KMGT])(i?)B", re.IGNORECASE)
#: DuckDB ends in the middle of a hundred thousand records with half of it; with less than a quarter, of a hundred.
_LEAST_MEMORY = 32_000_000


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
    amount = _bytes(memory)
    if amount is None:
        raise OperatorError(f"{memory!r} is no amount of memory.", action="Give --memory as in 512MB or 4GB.")
    if name == "duckdb":
        if amount < _LEAST_MEMORY:
            raise OperatorError(
                f"{memory} of memory are too little to compare even a small store.",
                action="Give --memory 32MB at least, 1GB for a million records.",
            )
        return DuckDB(workers, memory)
    if name == "python":
        return Plain()
    if name == "spark":
        from mdm.engines.spark import Spark  # imported here: pyspark is optional and slow to load

        return Spark(workers)
    known = "; ".join(f"{each} ({what})" for each, what in ENGINES.items())
    raise ConfigurationInvalid(f"There is no engine {name!r}.", action=f"Use one of: {known}.")


def _bytes(memory: str) -> float | None:
    """How much this is, or None where it is no amount."""
    found = _MEMORY.fullmatch(memory.strip())
    if found is None:
        return None
    number, unit, binary = found.groups()
    thousand = 1024.0 if binary else 1000.0
    return float(number) * float(thousand ** ("KMGT".index(unit.upper()) + 1))
