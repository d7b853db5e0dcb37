"""Tables of what the hub serves: released rules, how far it has read each source, consumers of the change feed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# Every rule set that ever decided in this hub, whole, so that any value can be explained and computed again.
released_rules = Table(
    "released_rules",
    metadata,
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),  # survivorship
    Column("domain", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", Text, nullable=False),
    time_column("first_used_at"),
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
    time_column("event_time", nullable=True),
    time_column("committed_at"),
    PrimaryKeyConstraint("system", "topic", "partition"),
)

# Readers of the change feed that let the hub remember how far they are. `acknowledged` is a `seq` of the outbox.
feed_consumer = Table(
    "feed_consumer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # the API key's id
    Column("domain", Text),  # None for all
    Column("events", Integer),  # the version of events that it is pinned to; None takes what comes
    Column("acknowledged", BigInteger, nullable=False),
    time_column("acknowledged_at"),
    time_column("created_at"),
    CheckConstraint("acknowledged >= 0", name="acknowledged"),
)

# Writes that a caller named, with their answers; `status` is empty while one is being answered, by the request whose
# number is `holder` (`mdm.store.lifeline`). `took_effect` is set in the transaction of the effect, so that a request
# whose answer was lost is not carried out again. Kept for a day.
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("actor", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", Text),
    Column("took_effect", Boolean, nullable=False, server_default=false()),
    Column("holder", Integer),
    time_column("claimed_at"),
    time_column("expires_at"),
    PrimaryKeyConstraint("actor", "key"),
    Index(None, "expires_at"),
)
