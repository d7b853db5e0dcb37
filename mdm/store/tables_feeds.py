"""What was read from the feeds and what became of it: positions, outcomes, dead letters, exceptions."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from mdm.store.tables_base import metadata, time_column

# Progress per topic and partition, written with the effect.
feed_position = Table(
    "feed_position",
    metadata,
    Column("feed", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    time_column("updated_at", default=True),
    PrimaryKeyConstraint("feed", "topic", "partition"),
)

# Which life of a topic the hub reads, by the id that the broker gave it when it was made (`mdm.model.lives`).
topic_life = Table(
    "topic_life",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("life", Integer, nullable=False),
    Column("topic_id", Text, nullable=False),
)

# The ledger: the first outcome of every message ever consumed. A message met again is a duplicate.
event_ledger = Table(
    "event_ledger",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    CheckConstraint("outcome in ('applied','duplicate','stale','ignored','quarantined')", name="outcome"),
)

# Counts per platform, table and outcome; their sum is the number of messages consumed.
outcome_count = Table(
    "outcome_count",
    metadata,
    Column("system", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("messages", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "topic", "outcome", "reason"),
)

# Messages consumed per feed run, counted apart from their outcomes so that the two can be compared.
consumed_count = Table(
    "consumed_count",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("messages", BigInteger, nullable=False),
)

# Refused messages, whole.
dead_letter = Table(
    "dead_letter",
    metadata,
    Column("dead_letter_id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("headers", JSON, nullable=False),  # [[name, base64]]
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("system", Text),
    Column("type", Text),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("row_key", Text),  # primary key of the row it is about, where it could be read
    Column("trace_id", Text),  # of the W3C trace context in its headers
    Column("alike", Text, nullable=False, server_default=""),  # the reason without numbers: equal for what is of a kind
    Column("status", Text, nullable=False, server_default="open"),  # open, replayed, discarded
    time_column("first_seen", default=True),
    time_column("last_seen", default=True),
    Column("seen", Integer, nullable=False, server_default="1"),
    time_column("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    Column("assignee", Text),  # who looks after it; others of its kind that come later are theirs too
    Column("tier", SmallInteger, nullable=False, server_default="2"),  # how critical its table was then
    time_column("due_at", default=True),  # by when it should be dealt with
    Column("behind", BigInteger),  # the dead letter that it waits for, nothing being wrong with itself
    # Names the kind: topic, code, owner and what is alike in the reasons.
    Column(
        "likeness",
        Text,
        Computed("md5(topic || chr(31) || code || chr(31) || owner || chr(31) || alike)", persisted=True),
        nullable=False,
    ),
    UniqueConstraint("topic", "partition", "offset"),
    CheckConstraint("status in ('open','replayed','discarded')", name="status"),
    CheckConstraint("tier between 1 and 3", name="tier"),
    Index(None, "status", "code"),
    Index("ix_dead_letter_due", "due_at", "topic", postgresql_where=text("status = 'open' and behind is null")),
    # What waits for another one, and what may be left out by and by.
    Index("ix_dead_letter_behind", "behind", postgresql_where=text("status = 'open' and behind is not null")),
    Index("ix_dead_letter_tier", "tier", "first_seen", postgresql_where=text("status = 'open' and tier <> 2")),
    Index("ix_dead_letter_trace", "trace_id", postgresql_where=text("trace_id is not null")),
    # Whose the kind of a message is that is refused just now.
    Index("ix_dead_letter_taken", "topic", "code", postgresql_where=text("status = 'open' and assignee is not null")),
    Index(None, "system", "type", "row_key"),
    # What is open, kind by kind, from the oldest to the newest; the same of what nobody and what somebody looks after.
    Index(
        "ix_dead_letter_kind",
        "likeness",
        "first_seen",
        "dead_letter_id",
        postgresql_where=text("status = 'open'"),
    ),
    Index(
        "ix_dead_letter_kind_free",
        "likeness",
        "first_seen",
        "dead_letter_id",
        postgresql_where=text("status = 'open' and assignee is null"),
    ),
    Index(
        "ix_dead_letter_kind_taken",
        "likeness",
        "first_seen",
        "dead_letter_id",
        postgresql_where=text("status = 'open' and assignee is not null"),
    ),
    Index(
        "ix_dead_letter_mine",
        "assignee",
        "likeness",
        "first_seen",
        "dead_letter_id",
        postgresql_where=text("status = 'open' and assignee is not null"),
    ),
)

# Differences between a contract and what arrived, and other matters for an owner. One row per question.
exception = Table(
    "exception",
    metadata,
    Column("exception_id", BigInteger, Identity(always=True), primary_key=True),
    Column("question", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("system", Text),
    Column("type", Text),
    Column("detail", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),  # open, resolved, accepted
    Column("seen", BigInteger, nullable=False, server_default="1"),
    Column("place", Text, nullable=False),  # topic/partition/offset of the first event
    time_column("first_seen", default=True),
    time_column("last_seen", default=True),
    time_column("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    Column("assignee", Text),  # who looks after it; stays when it is closed, and theirs again when it opens again
    CheckConstraint("status in ('open','resolved','accepted')", name="status"),
    Index(None, "status", "kind"),
    Index(None, "status", "last_seen", "exception_id"),
    # The same order for what nobody looks after, what somebody does, and what one person does.
    Index(
        "ix_exception_free",
        "last_seen",
        "exception_id",
        postgresql_where=text("status = 'open' and assignee is null"),
    ),
    Index(
        "ix_exception_taken",
        "last_seen",
        "exception_id",
        postgresql_where=text("status = 'open' and assignee is not null"),
    ),
    Index(
        "ix_exception_mine",
        "assignee",
        "last_seen",
        "exception_id",
        postgresql_where=text("status = 'open' and assignee is not null"),
    ),
    # Whether there is any of a code is asked by every unit of work.
    Index(
        "ix_exception_oversize",
        "code",
        postgresql_where=text("kind = 'oversize' and closed_by is distinct from 'hub'"),
    ),
)
