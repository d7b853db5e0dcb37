"""Tables that tell when a feed has lost something."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from mdm.store.tables_base import metadata

# How far each partition was read, whatever the feed was called, and how far its streamed changes have come in the log.
partition_mark = Table(
    "partition_mark",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "partition"),
)

# Where in its source's log the newest full snapshot of a table was taken.
table_snapshot = Table(
    "table_snapshot",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "type"),
)
