"""Tables of governance: documents that were in use here, replays with how far they are, signatures under closes, and
what people did about findings of reconciliation.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# Every data contract and ownership matrix that this hub ever worked with, whole: versions, differences, since when.
governance_document = Table(
    "governance_document",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),  # of a contract: platform and file; of the matrix: ownership
    Column("fingerprint", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", Text, nullable=False),
    time_column("first_used_at"),
    PrimaryKeyConstraint("kind", "name", "fingerprint"),
    CheckConstraint("kind in ('contract','ownership')", name="kind"),
)

# The mappings by which stored rows of a table were standardised, since they were last derived anew. Where one of them
# is not the mapping of now, what it made of rows is still there. An empty fingerprint is no mapping.
mapping_applied = Table(
    "mapping_applied",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    time_column("since"),
    PrimaryKeyConstraint("system", "type", "fingerprint"),
)

# Replays that were asked for: they can be left and come back to. A replay is harmless to repeat, so going on with an
# interrupted one is doing it again.
replay_job = Table(
    "replay_job",
    metadata,
    Column("job_id", BigInteger, Identity(always=True), primary_key=True),
    Column("actor", Text, nullable=False),
    Column("conditions", JSONB, nullable=False),
    Column("dead_letters", JSONB, nullable=False),  # numbers of dead letters, where these are meant
    Column("rate", BigInteger, nullable=False),  # most rows per second; 0 for no limit
    Column("status", Text, nullable=False, server_default="running"),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("report", JSONB, nullable=False, server_default="{}"),  # ids and counts, never values
    Column("error", Text, nullable=False, server_default=""),
    time_column("started_at"),
    time_column("finished_at", nullable=True),
    CheckConstraint("status in ('running','stopping','stopped','done','failed')", name="status"),
    CheckConstraint("rate >= 0", name="rate"),
    Index(None, "started_at"),
    Index(None, "actor", "job_id"),
)

# Signatures under the close of a month, with the checklist as it was; what was taken back stays.
close_sign_off = Table(
    "close_sign_off",
    metadata,
    Column("sign_off_id", BigInteger, Identity(always=True), primary_key=True),
    Column("month", Text, nullable=False),
    Column("points", JSONB, nullable=False),
    Column("prepared_by", Text, nullable=False),
    time_column("prepared_at"),
    Column("comment", Text, nullable=False, server_default=""),
    Column("reviewed_by", Text),
    time_column("reviewed_at", nullable=True),
    Column("review", Text, nullable=False, server_default=""),
    Column("withdrawn_by", Text),
    time_column("withdrawn_at", nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    CheckConstraint("reviewed_by is null or reviewed_by <> prepared_by", name="two_persons"),
    Index("uq_close_sign_off_standing", "month", unique=True, postgresql_where=text("withdrawn_at is null")),
)

# What people did about a finding of reconciliation, which rule and subject name. The finding itself is not kept: it is
# found anew each time, and goes away when the platforms agree.
finding_work = Table(
    "finding_work",
    metadata,
    Column("rule", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("assignee", Text),
    Column("explanation", Text),
    Column("explained_by", Text),
    time_column("explained_at", nullable=True),
    Column("amount", Numeric),  # what was explained
    Column("currency", Text),
    PrimaryKeyConstraint("rule", "system", "type", "key"),
    CheckConstraint("(explanation is null) = (explained_by is null)", name="explained"),
    Index(None, "assignee", postgresql_where=text("assignee is not null")),
)

# Findings by rule on each day on which reconciliation ran; the rule '' is all of them together.
reconciliation_day = Table(
    "reconciliation_day",
    metadata,
    Column("rule", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("findings", Integer, nullable=False),
    PrimaryKeyConstraint("rule", "day"),
)

# The newest run of reconciliation of which `finding_seen` tells: one row.
reconciliation_run = Table(
    "reconciliation_run",
    metadata,
    Column("one", Boolean, primary_key=True),
    time_column("began_at"),
    time_column("as_of"),
    CheckConstraint("one", name="one"),
)

# Each finding from the first run that saw it to the first that did not; one that comes back is another row.
finding_seen = Table(
    "finding_seen",
    metadata,
    Column("rule", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    time_column("first_seen"),
    time_column("last_seen"),
    time_column("closed_at", nullable=True),
    Column("amount", Numeric),  # when it was seen last
    Column("currency", Text),
    PrimaryKeyConstraint("rule", "system", "type", "key", "first_seen"),
    Index(
        "ux_finding_seen_open", "rule", "system", "type", "key", unique=True, postgresql_where=text("closed_at is null")
    ),
    Index(None, "closed_at"),
    Index(None, "system", "type", "key"),
)
