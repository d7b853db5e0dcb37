"""Tables of what the hub serves: released rules, how far it has read each source, consumers of the change feed."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text

from mdm.store.tables import _time, metadata

# Every rule set that ever decided in this hub, whole, so that any value can be explained and computed again.
released_rules = Table(
    "released_rules",
    metadata,
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),  # survivorship
    Column("domain", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", Text, nullable=False),
    _time("first_used_at"),
    PrimaryKeyConstraint("fingerprint", "kind", "domain"),
    CheckConstraint("kind in ('survivorship')", name="kind"),
)

# How far the hub has read each partition of each source: written with the effect, read to tell how fresh an answer is.
source_progress = Table(
    "source_progress",
    metadata,
    Column("system", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("lsn", BigInteger),
    _time("event_time", nullable=True),
    _time("committed_at"),
    PrimaryKeyConstraint("system", "topic", "partition"),
)

# Readers of the change feed that let the hub remember how far they are. `acknowledged` is a `seq` of the outbox.
feed_consumer = Table(
    "feed_consumer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # the API key's id
    Column("domain", Text),  # None for all
    Column("acknowledged", BigInteger, nullable=False),
    _time("acknowledged_at"),
    _time("created_at"),
    CheckConstraint("acknowledged >= 0", name="acknowledged"),
)
