"""Trying on a copy of the hub what would take long, or what must not be kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine

from mdm.hub.process import Pipeline
from mdm.store.scratch import consistent, scratch_engine, scratch_schema
from mdm.store.trial import copy_present


@contextmanager
def on_a_copy(
    pipeline: Pipeline, purpose: str, progress: Callable[[str], None], *, to_take_in: bool = False
) -> Iterator[Pipeline]:
    """The pipeline on a copy of the hub's present, which is dropped in the end. Nobody waits for it.

    The copy takes as much room as the present of the hub.

    Args:
        purpose: there is one copy at a time for each.
        to_take_in: rows can be taken in on it; the history of rows and the ledger of messages are copied, too.

    Raises:
        Conflict: there is a copy for this purpose already.
    """
    with scratch_schema(pipeline.engine, purpose) as schema:
        progress("copying the hub")
        with consistent(pipeline.engine) as work:
            copy_present(work, schema, to_take_in=to_take_in)
        inside = replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))
        try:
            _look_again(inside.engine)
            yield inside
        finally:
            inside.engine.dispose()


def _look_again(engine: Engine) -> None:
    """Let the database count what was copied: plans follow statistics, and a new table has none."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("source_record", "crosswalk", "golden", "link", "block_key", "entity"):
            connection.exec_driver_sql(f"analyze {name}")
