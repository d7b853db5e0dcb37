"""Tables of the workers that read from and write to brokers."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, PrimaryKeyConstraint, Table, Text

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

# How far each partition was behind when its worker last reported: what the worker shows as its lag.
feed_lag = Table(
    "feed_lag",
    metadata,
    Column("feed", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("system", Text, nullable=False),
    Column("behind", BigInteger, nullable=False),  # messages between the worker and the end
    Column("seconds", Double, nullable=False),  # age of what it waits for
    Column("told_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("feed", "topic", "partition"),
)

# The workers' histogram of freshness by the hour: changes of a table that were visible within so many seconds and not
# within the bound before. What is older than a month is dropped.
freshness_hour = Table(
    "freshness_hour",
    metadata,
    Column("hour", DateTime(timezone=True), nullable=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("within", Double, nullable=False),  # upper bound of the bucket, infinite for the last one
    Column("changes", BigInteger, nullable=False),
    PrimaryKeyConstraint("hour", "system", "entity", "within"),
)
