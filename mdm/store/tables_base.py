"""What all tables share: the metadata with its naming, columns of time, and the unit of work that wrote a row.

Every table states its invariant as a constraint. Hot tables are keyed by `rec_id`, the store's own surrogate of a
crosswalk key; nothing outside the store sees it. Times are UTC. `batch_id` names the unit of work that wrote a row: its
commit time is when the hub knew.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = text("now()")


def time_column(name: str, *, nullable: bool = False, default: bool = False) -> "Column[object]":
    """A column of instants with time zone; with `default`, the time of the transaction unless said otherwise."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if default else None)


# One row per committed unit of work. `batch_id` names it; `publication` is its number in the order of commits.
batch = Table(
    "batch",
    metadata,
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    Column("cause", Text, nullable=False),  # ingest, steward, replay, ...
    Column("feed", Text),
    Column("messages", Integer, nullable=False, server_default="0"),
    Column("publication", BigInteger, unique=True),
    time_column("committed_at", default=True),
)
