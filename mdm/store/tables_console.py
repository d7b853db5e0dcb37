"""Tables of the console: who may sign in, what they saved for themselves, and the order of the review queue."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mdm.store.tables_base import metadata, time_column
from mdm.store.tables_journal import ROLES_CHECK

# People who sign in with a password; those of a company's identity provider need no row.
console_account = Table(
    "console_account",
    metadata,
    Column("username", Text, primary_key=True),  # lower case
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", JSONB(none_as_null=True)),  # see mdm.access.scope; null for everything
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("failures", Integer, nullable=False, server_default="0"),  # wrong passwords since the last right one
    time_column("locked_until", nullable=True),
    time_column("created_at", default=True),
    time_column("disabled_at", nullable=True),
    CheckConstraint(ROLES_CHECK, name="role"),
    CheckConstraint("username = lower(username) and username <> ''", name="username"),
)

# Who is signed in, and where: any server process finds it, and no restart ends it. The cookie itself is not kept, only
# its SHA-256, so a copy of the database opens no session.
console_session = Table(
    "console_session",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("key_id", Text, nullable=False),  # account, API key or person of the identity provider
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scope", JSONB(none_as_null=True)),  # see mdm.access.scope; null for everything
    Column("agent", Text, nullable=False, server_default=""),  # what the browser calls itself, to tell sign-ins apart
    time_column("begun_at"),
    time_column("expires_at"),
    Index(None, "key_id"),
    Index(None, "expires_at"),
)

# Sign-ins on their way through the identity provider: whichever process they come back to can finish them, once.
console_sign_in = Table(
    "console_sign_in",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("verifier", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("target", Text, nullable=False),
    time_column("expires_at"),
    Index(None, "expires_at"),
)

# What server processes share to sign forms with. It signs nothing that outlives an hour.
console_secret = Table(
    "console_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    time_column("created_at", default=True),
)

# Filters of the review queue under a name that somebody gave them.
console_view = Table(
    "console_view",
    metadata,
    Column("view_id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # of the queue's address
    time_column("created_at", default=True),
    UniqueConstraint("owner", "name"),
)

# Exports that somebody began, and how far their download has come. What is exported is not kept.
export_job = Table(
    "export_job",
    metadata,
    Column("job_id", BigInteger, Identity(always=True), primary_key=True),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),  # audit, reconciliation
    Column("query", Text, nullable=False),  # filters, as in the address of the list
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("lines", BigInteger, nullable=False, server_default="0"),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False),
    Column("place", Text, nullable=False, server_default=""),  # where it ended, as the exported list understands it
    time_column("started_at"),
    time_column("told_at"),
    CheckConstraint("status in ('waiting','running','stopped','done')", name="status"),
    Index(None, "actor", "job_id"),
)

# Where an open task stands in the queue, with the reasons. Derived: it can be emptied at any time and fills itself.
task_priority = Table(
    "task_priority",
    metadata,
    Column("task_id", BigInteger, ForeignKey("steward_task.task_id", ondelete="CASCADE"), primary_key=True),
    Column("domain", Text, nullable=False),  # with the kind as the task has them, for an order of each
    Column("kind", Text, nullable=False),
    Column("weight", Double, nullable=False),  # these as well, and when it was opened: tasks are counted in this alone
    time_column("opened_at"),
    Column("rank", Double, nullable=False),
    Column("parts", JSONB, nullable=False),  # [[points, reason]]
    Column("impact", JSONB, nullable=False, server_default="{}"),  # what close and customers were and added
    Column("amount", Numeric, nullable=False),  # the largest sum in one currency
    Column("amounts", JSONB, nullable=False),  # {currency: sum}
    Column("countries", ARRAY(Text), nullable=False),
    Column("systems", ARRAY(Text), nullable=False),  # of the two records, in alphabetical order
    # Where the golden records are placed (`mdm.access.scope`); a business unit is the team that looks after them.
    Column("regions", ARRAY(Text), nullable=False, server_default="{}"),
    Column("business_units", ARRAY(Text), nullable=False, server_default="{}"),
    time_column("due_at"),
    time_column("ranked_at"),
    # Whether the task is somebody's (`task_work.assignee`): what nobody took has no row there that could be looked up.
    Column("taken", Boolean, nullable=False, server_default=text("false")),
    # Until when the task is put off (`task_work.snoozed_until`), also when that has come: here for the same reason.
    time_column("put_off_until", nullable=True),
    Index("ix_task_priority_order", text("rank desc"), "task_id"),
    Index("ix_task_priority_taken", "taken", text("rank desc"), "task_id"),
    Index(
        "ix_task_priority_put_off",
        text("rank desc"),
        "task_id",
        postgresql_where=text("put_off_until is not null"),
    ),
    Index(None, "ranked_at"),
    # How many of each kind are late, or soon will be, is counted in it alone.
    Index(None, "due_at", postgresql_include=["domain", "kind", "task_id"]),
    # There are few kinds, and deadlines that are to come lie within some days: the orders within each are merged. The
    # rank is turned round, so that an order that is asked for like this is not walked by the index of all tasks.
    Index("ix_task_priority_kind", "domain", "kind", text("(-rank)"), "task_id"),
    Index("ix_task_priority_day", text("((due_at at time zone 'UTC')::date)"), text("(-rank)"), "task_id"),
    # What is rare is found by these; what is not, by walking the order.
    Index(None, "amount"),
    Index("ix_task_priority_pair", "systems", text("rank desc"), "task_id"),
    Index("ix_task_priority_where", "countries", "regions", "business_units", postgresql_using="gin"),
)

# Labels that ranked tasks carry, to choose from. Derived: a label that no rank was written with for a day is dropped.
task_label = Table(
    "task_label",
    metadata,
    Column("kind", Text, nullable=False),  # pair, country, region, business_unit
    Column("label", Text, nullable=False),
    time_column("seen_at"),
    PrimaryKeyConstraint("kind", "label"),
)
