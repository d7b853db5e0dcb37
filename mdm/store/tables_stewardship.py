"""Tables of stewardship: decisions, work on tasks, comments, overrides, proposals, delegations, bulk jobs.

What stewards decide about records lives in `judgement` (`mdm.store.tables`); a decision groups the judgements and
overrides of one command, so that it can be shown, undone and referred to.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mdm.store.tables_base import metadata, time_column

# One row per steward command that changed master data. Append-only; undoing adds a row and names it in `undone_by`.
decision = Table(
    "decision",
    metadata,
    Column("decision_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),  # same, not_same, unsure, merge, split, override, clear, restore, undo, ...
    Column("domain", Text),  # null: about refused messages
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("command", JSONB, nullable=False),  # what was asked, enough to ask it again
    Column("effect", JSONB, nullable=False),  # ids, versions and tasks; never values
    Column("records", ARRAY(BigInteger), nullable=False),  # records it speaks about
    Column("entities", ARRAY(Text), nullable=False),  # entities it touched
    Column("pattern", ARRAY(Text)),  # of a verdict about a pair: what each comparison said, vetoes, the platforms
    Column("task_id", BigInteger),
    Column("proposal_id", BigInteger),
    Column("approved_by", Text),
    Column("undoes", BigInteger, ForeignKey("decision.decision_id")),
    Column("undone_by", BigInteger, ForeignKey("decision.decision_id")),
    Column("batch_id", BigInteger, nullable=False),
    time_column("at"),
    # Whoever decides may not be the one who approves.
    CheckConstraint("approved_by is null or approved_by <> actor", name="two_persons"),
    Index(None, "actor", "decision_id"),
    Index(None, "at"),
    Index("ix_decision_pattern", "domain", "decision_id", postgresql_where=text("pattern is not null")),
    Index("ix_decision_entities", "entities", postgresql_using="gin"),
    Index("ix_decision_records", "records", postgresql_using="gin"),
    Index(None, "task_id"),
)

# What people do with a task while it is open. A task without a row is untouched: version 0, nobody's.
task_work = Table(
    "task_work",
    metadata,
    Column("task_id", BigInteger, ForeignKey("steward_task.task_id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("assignee", Text),
    Column("assigned_by", Text),
    time_column("assigned_at", nullable=True),
    time_column("snoozed_until", nullable=True),
    Column("snoozed_by", Text),
    Column("decision_id", BigInteger, ForeignKey("decision.decision_id")),
    Index(None, "assignee"),
)

# Remarks, by what they are about: `task:<question>` (which outlives the task) or `entity:<id>`, `proposal:<id>`.
comment = Table(
    "comment",
    metadata,
    Column("comment_id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    time_column("at"),
    Index(None, "subject", "comment_id"),
)

# Commands that a client named, with their answer: the same name again gives the same answer and no second effect.
command_key = Table(
    "command_key",
    metadata,
    Column("actor", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    time_column("at"),
    PrimaryKeyConstraint("actor", "key"),
    Index(None, "at"),
)

# Golden values that a steward pinned. An override holds for the entity of its first live anchor.
golden_override = Table(
    "golden_override",
    metadata,
    Column("override_id", BigInteger, Identity(always=True), primary_key=True),
    Column("domain", Text, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("anchors", ARRAY(BigInteger), nullable=False),
    Column("overruled", JSONB, nullable=False),  # [[rec_id, value]]: what the members said when it was pinned
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    time_column("created_at"),
    time_column("expires_at", nullable=True),
    Column("ended_by", BigInteger),  # the decision that ended it
    Column("origin", BigInteger),  # the override that this one brings back after an undo
    time_column("ended_at", nullable=True),
    Index("ix_golden_override_anchors", "anchors", postgresql_using="gin", postgresql_where=text("ended_at is null")),
    Index("ix_golden_override_expires", "expires_at", postgresql_where=text("ended_at is null")),
    Index(None, "decision_id"),
    Index(None, "ended_by"),
    Index(None, "origin"),
)

# Statements that came from the hub and returned through a platform's feed: no new evidence while the record goes on
# saying so. Only a digest is kept of what it says.
echo = Table(
    "echo",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("rec_id", "attribute"),
)

# Commands that policy lets take effect only after another person agreed.
proposal = Table(
    "proposal",
    metadata,
    Column("proposal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("domain", Text),  # null: about refused messages
    Column("command", JSONB, nullable=False),
    Column("effect", JSONB, nullable=False),  # as previewed when it was proposed; ids and counts, never values
    Column("digest", Text, nullable=False),  # of the whole preview: approving what is no longer so is refused
    Column("demands", JSONB, nullable=False),  # the rules of the policy that asked for a second person
    Column("entities", ARRAY(Text), nullable=False),
    Column("task_id", BigInteger),
    Column("author", Text, nullable=False),
    Column("author_role", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="open"),
    Column("decided_by", Text),
    Column("on_behalf_of", Text),
    Column("comment", Text, nullable=False, server_default=""),
    Column("decision_id", BigInteger, ForeignKey("decision.decision_id")),
    time_column("proposed_at"),
    time_column("expires_at"),
    time_column("decided_at", nullable=True),
    # What was at stake when it was proposed: 1 normal, 2 elevated, 3 high; and the money as a multiple of the limits.
    Column("risk", Integer, nullable=False, server_default="1"),
    Column("stake", Double, nullable=False, server_default="0"),
    CheckConstraint("status in ('open','approved','rejected','withdrawn','expired')", name="status"),
    CheckConstraint("risk between 1 and 3 and stake >= 0", name="at_stake"),
    # Not merely <>: nobody at all is not a second person either.
    CheckConstraint(
        "status not in ('approved','rejected') or (decided_by is not null and decided_by <> author)",
        name="two_persons",
    ),
    Index(None, "status", "proposal_id"),
    Index("ix_proposal_at_stake", "status", "risk", "stake", "proposal_id"),
    Index(None, "decided_at", postgresql_where=text("decided_at is not null")),
    Index(None, "author"),
    Index("ix_proposal_task", "task_id", postgresql_where=text("status = 'open'")),
    Index("ix_proposal_discards", "proposal_id", postgresql_where=text("status = 'open' and kind = 'discard'")),
    # Whether the same is proposed already.
    Index("ix_proposal_command", "command", postgresql_using="hash", postgresql_where=text("status = 'open'")),
    Index("ix_proposal_entities", "entities", postgresql_using="gin"),
)

# Who may approve in whose place, and how long.
delegation = Table(
    "delegation",
    metadata,
    Column("delegation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("role", Text, nullable=False),  # of the owner
    Column("delegate", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    time_column("since"),
    time_column("until"),
    time_column("ended_at", nullable=True),
    CheckConstraint("owner <> delegate", name="two_persons"),
    CheckConstraint("until > since", name="period"),
    Index(None, "delegate"),
)

# One answer to many tasks: progress is kept, so that the job can be left, come back to, and continued after a crash.
bulk_job = Table(
    "bulk_job",
    metadata,
    Column("job_id", BigInteger, Identity(always=True), primary_key=True),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("purpose", Text, nullable=False, server_default="answer"),
    Column("of_job", BigInteger),  # the job that is taken back, or the look that is carried out
    Column("items", BigInteger, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    time_column("started_at"),
    time_column("finished_at", nullable=True),
    CheckConstraint("status in ('open','done','stopped')", name="status"),
    CheckConstraint("purpose in ('answer','look','take_back')", name="purpose"),
    Index(None, "actor", "job_id"),
    # What was looked at is carried out once, however often it is confirmed; and taken back by one job at a time.
    Index("uq_bulk_job_look", "of_job", unique=True, postgresql_where=text("purpose = 'answer'")),
    Index(
        "uq_bulk_job_take_back",
        "of_job",
        unique=True,
        postgresql_where=text("purpose = 'take_back' and status <> 'done'"),
    ),
)

# The items of a bulk job; `outcome` is empty until it is done.
bulk_item = Table(
    "bulk_item",
    metadata,
    Column("job_id", BigInteger, ForeignKey("bulk_job.job_id"), nullable=False),
    Column("task_id", BigInteger, nullable=False),
    Column("token", Text),
    Column("outcome", Text),  # done, proposed, refused, waiting, possible, withdrawn; empty until its turn
    Column("detail", Text, nullable=False, server_default=""),
    Column("seen", JSONB),  # of a look: what the answer would touch, by ids and counts
    Column("decision_id", BigInteger),
    PrimaryKeyConstraint("job_id", "task_id"),
    Index("ix_bulk_item_open", "job_id", "task_id", postgresql_where=text("outcome is null")),
)
