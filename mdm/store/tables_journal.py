"""What the hub tells others, who did what, and the keys that programs come with."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, UUID

from mdm.store.tables_base import metadata, time_column

# Announcements, written with the facts they announce. The columns of Debezium's outbox event router, and ours.
outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("aggregatetype", Text, nullable=False),
    Column("aggregateid", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("traceparent", Text),
    time_column("created_at"),
    time_column("published_at", nullable=True),
    Index("ix_outbox_pending", "seq", postgresql_where=text("published_at is null")),
    Index(None, "aggregatetype", "seq"),
    Index(None, "aggregateid", "seq"),
    # By the id of a trace (the second part of a traceparent): what followed from one change.
    Index(
        "ix_outbox_trace",
        text("split_part(traceparent, '-', 2)"),
        "seq",
        postgresql_where=text("traceparent is not null"),
    ),
)

# Who did what, chained: hash = SHA-256(previous hash || canonical JSON of the row).
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # The list narrowed to one action or one person, and which actions there are by jumping from one to the next.
    Index(None, "action", "seq"),
    Index(None, "actor", "seq"),
)

# What people typed, apart from the chain: the audit's detail holds SHA-256(salt || text) in its place. So a remark that
# names somebody can be erased and the chain still verifies; without the salt nobody can try names against the digest.
audit_remark = Table(
    "audit_remark",
    metadata,
    Column("seq", BigInteger, ForeignKey("audit.seq"), nullable=False),
    Column("name", Text, nullable=False),  # of the member of the detail
    Column("salt", LargeBinary),  # none: the remark was erased
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("seq", "name"),
)

# How far the calendar has verified the audit chain, and where it was found broken, in this round and in the one before;
# and the newest entry that it saw: a chain that ends before it, or has another one there, was cut.
audit_check = Table(
    "audit_check",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("verified_to", BigInteger, nullable=False),
    Column("broken_at", BigInteger),
    Column("broken_before", BigInteger),
    Column("end_seq", BigInteger),
    Column("end_hash", LargeBinary),
    time_column("began_at"),
    time_column("verified_at"),
    CheckConstraint("one", name="one"),
    CheckConstraint("(end_seq is null) = (end_hash is null)", name="end_whole"),
)

# Roles as they are stored: names joined by +. Which there are is said in mdm.access; a name that is not there gives no
# access, so a new role needs no migration.
ROLES_CHECK = "role ~ '^[a-z_]+([+][a-z_]+)*$'"

# API keys: only a hash is stored.
api_key = Table(
    "api_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("role", Text, nullable=False),  # one or several, joined by +
    Column("label", Text, nullable=False),
    Column("scope", JSONB(none_as_null=True)),  # see mdm.access.scope; null for everything
    time_column("created_at", default=True),
    time_column("revoked_at", nullable=True),
    CheckConstraint(ROLES_CHECK, name="role"),
)
