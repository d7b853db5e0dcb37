"""Tables of the workers that read from and write to brokers."""

from sqlalchemy import Boolean, Column, DateTime, Table, Text

from mdm.store.tables_base import metadata

# What an operator asked of a feed; workers look here between two units of work. No row: the feed runs.
feed_control = Table(
    "feed_control",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)
