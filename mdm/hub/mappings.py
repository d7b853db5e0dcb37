"""Which tables have rows that another mapping was applied to than the one of now.

A mapping is read at start and applied to what arrives from then on. What was taken in before stays as it is until the
row changes, so two rows of a table would be read by different rules: the hub says so at start.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.intake.catalogue import Catalogue
from mdm.store import mappings as store
from mdm.store.mappings import Table
from mdm.store.reading import transient_failures

CODE: Final = "MAPPING_CHANGED"
ADVICE: Final = (
    "`mdm rebuild` shows what the mappings of now would make of it, and `mdm rebuild --swap` applies them "
    "(`mdm replay --system … --table …` to one table)."
)


def changed_mappings(engine: Engine, catalogue: Catalogue) -> tuple[str, ...]:
    """Tables with rows that were taken in by another mapping, as `platform.table`.

    Raises:
        TransientError: the database cannot be reached now.
    """
    with transient_failures(), engine.connect() as connection:
        return changed_in(connection, catalogue)


def changed_in(connection: Connection, catalogue: Catalogue) -> tuple[str, ...]:
    """`changed_mappings`, on a connection of the caller's."""
    return tuple(".".join(table) for table in store.differing(connection, _now(catalogue)))


def sentence(tables: Collection[str]) -> str:
    """What is so, in a sentence."""
    which = ", ".join(sorted(tables))
    return f"The mapping of {which} has changed since rows were taken in: they are as the former one read them."


def note_mappings(engine: Engine, clock: Clock, catalogue: Catalogue) -> None:
    """Rows are taken in by these mappings from now on.

    Raises:
        TransientError: the database cannot be reached now; nothing was noted.
    """
    with transient_failures(), engine.begin() as connection:
        store.note(connection, _now(catalogue), clock())


def note_all_taken(
    engine: Engine, clock: Clock, catalogue: Catalogue, system: str | None = None, table: str | None = None
) -> None:
    """Every row (of this platform, of this table) was standardised anew by these mappings."""
    now = _now(catalogue)
    with engine.begin() as connection:
        known = set(now) | set(store.differing(connection, now))
        only = {each for each in known if system in (None, each[0]) and table in (None, each[1])}
        store.note_all(connection, now, clock(), only)


def _now(catalogue: Catalogue) -> dict[Table, str]:
    return {
        (profile.system, profile.table): profile.mapping.fingerprint if profile.mapping is not None else ""
        for profile in catalogue.profiles
    }
