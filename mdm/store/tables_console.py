"""Tables of the console: who may sign in, what they saved for themselves, and the order of the review queue."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mdm.store.tables import _time, metadata

# People who sign in with a password; those of a company's identity provider need no row.
console_account = Table(
    "console_account",
    metadata,
    Column("username", Text, primary_key=True),  # lower case
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("failures", Integer, nullable=False, server_default="0"),  # wrong passwords since the last right one
    _time("locked_until", nullable=True),
    _time("created_at", default=True),
    _time("disabled_at", nullable=True),
    CheckConstraint("role in ('steward','admin')", name="role"),
    CheckConstraint("username = lower(username) and username <> ''", name="username"),
)

# Filters of the review queue under a name that somebody gave them.
console_view = Table(
    "console_view",
    metadata,
    Column("view_id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # of the queue's address
    _time("created_at", default=True),
    UniqueConstraint("owner", "name"),
)

# Where an open task stands in the queue, with the reasons. Derived: it can be emptied at any time and fills itself.
task_priority = Table(
    "task_priority",
    metadata,
    Column("task_id", BigInteger, ForeignKey("steward_task.task_id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Double, nullable=False),
    Column("parts", JSONB, nullable=False),  # [[points, reason]]
    Column("amount", Numeric, nullable=False),  # the largest sum in one currency
    Column("amounts", JSONB, nullable=False),  # {currency: sum}
    Column("countries", ARRAY(Text), nullable=False),
    Column("systems", ARRAY(Text), nullable=False),  # of the two records, in alphabetical order
    _time("due_at"),
    _time("ranked_at"),
    Index("ix_task_priority_order", text("rank desc"), "task_id"),
    Index(None, "ranked_at"),
)
