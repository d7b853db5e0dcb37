"""Being the only one at work on a numbered job; whoever dies at it gives it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine, text

from mdm.errors import Conflict

#: First halves of the advisory locks, by kind of job; the second half is the job's number.
REPLAYS: Final = 0x6D64726A  # "mdrj"
RELEASES: Final = 0x6D647272  # "mdrr"
BULK: Final = 0x6D64626A  # "mdbj"


@contextmanager
def only_one_at(engine: Engine, kind: int, job_id: int, name: str) -> Iterator[None]:
    """Hold a job for as long as the block lasts.

    Raises:
        Conflict: another process is at work on it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        key = {"lock": kind, "id": job_id}
        if not guard.scalar(text("select pg_try_advisory_lock(:lock, cast(:id as int))"), key):
            raise Conflict(
                f"Somebody is at work on {name} {job_id}.", action="Look at its progress, and wait until it ends."
            )
        try:
            yield
        finally:
            guard.execute(text("select pg_advisory_unlock(:lock, cast(:id as int))"), key)
