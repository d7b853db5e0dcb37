"""Who is who: blocking keys, entities, links, judgements and the questions that wait for a person."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from mdm.store.tables_base import metadata, time_column

# Blocking keys of live records, as 64-bit hashes of domain, rule and value.
block_key = Table(
    "block_key",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("rec_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("block", "rec_id"),
    Index(None, "rec_id"),
)

# Live records that no key finds a partner: all that they state is stated by too many. Each table has one question.
record_without_key = Table(
    "record_without_key",
    metadata,
    Column("rec_id", BigInteger, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "domain", "system", "type", "key"),
)

# Every entity id ever issued. Redirects point at a live or retired entity, never at another redirect.
entity = Table(
    "entity",
    metadata,
    Column("entity_id", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("status", Text, nullable=False),  # active, merged, retired, erased
    Column("merged_into", Text, ForeignKey("entity.entity_id", deferrable=True, initially="DEFERRED")),
    # Who absorbed it first. When that one comes back out of a merge, what it had absorbed redirects to it again.
    Column("absorbed_by", Text),
    Column("founder", BigInteger, nullable=False),
    Column("founded_batch", BigInteger, nullable=False),
    time_column("founded_at"),
    time_column("changed_at"),
    CheckConstraint("status in ('active','merged','retired','erased')", name="status"),
    CheckConstraint("(status = 'merged') = (merged_into is not null)", name="merged_into"),
    Index(None, "merged_into", postgresql_where=text("merged_into is not null")),
    Index(None, "absorbed_by", postgresql_where=text("absorbed_by is not null")),
    Index(None, "domain", "status"),
    # What a unit of work has ended; few ids ever end.
    Index("ix_entity_ended", "changed_at", postgresql_where=text("status in ('merged','retired')")),
    Index(None, "founder"),
)

# Which entity a live record belongs to: exactly one row per live record of a resolved domain.
crosswalk = Table(
    "crosswalk",
    metadata,
    Column("rec_id", BigInteger, ForeignKey("source_record.rec_id"), primary_key=True),
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    time_column("since"),
    Index(None, "entity_id"),
)

# Past memberships, closed when a record leaves an entity; the last one lets a returning record find its entity again.
crosswalk_history = Table(
    "crosswalk_history",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("entity_id", Text, nullable=False),
    time_column("since"),
    time_column("until"),
    Column("batch_id", BigInteger, nullable=False),
    Index(None, "rec_id"),
    Index(None, "entity_id"),
)

# Scored pairs worth keeping: a < b. Superseded, never deleted.
link = Table(
    "link",
    metadata,
    Column("link_id", BigInteger, Identity(always=True), primary_key=True),
    Column("domain", Text, nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),  # match, possible
    Column("weight", Double, nullable=False),  # bits
    Column("veto", Text),
    Column("fingerprint", Text, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    time_column("created_at"),
    time_column("superseded_at", nullable=True),
    CheckConstraint("a < b", name="ordered"),
    CheckConstraint("decision in ('match','possible')", name="decision"),
    Index("uq_link_live", "a", "b", unique=True, postgresql_where=text("superseded_at is null")),
    Index("ix_link_b_live", "b", postgresql_where=text("superseded_at is null")),
)

# What stewards decided about two records. Named by crosswalk keys through rec_id; outranks every link.
judgement = Table(
    "judgement",
    metadata,
    Column("judgement_id", BigInteger, Identity(always=True), primary_key=True),
    Column("domain", Text, nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),  # same, not_same, unsure
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    time_column("until", nullable=True),  # from then on the verdict no longer holds; a sweep supersedes it
    Column("decision_id", BigInteger),  # the decision that made it, and the one that ended it
    Column("superseded_by", BigInteger),
    Column("origin", BigInteger),  # the judgement that this one brings back after an undo
    time_column("created_at", default=True),
    time_column("superseded_at", nullable=True),
    CheckConstraint("a < b", name="ordered"),
    CheckConstraint("verdict in ('same','not_same','unsure')", name="verdict"),
    Index(None, "decision_id"),
    Index(None, "superseded_by"),
    Index(None, "origin"),
    Index("ix_judgement_until", "until", postgresql_where=text("superseded_at is null and until is not null")),
    Index("uq_judgement_live", "a", "b", unique=True, postgresql_where=text("superseded_at is null")),
    Index("ix_judgement_b_live", "b", postgresql_where=text("superseded_at is null")),
)

# Questions for a person; one open task per question.
steward_task = Table(
    "steward_task",
    metadata,
    Column("task_id", BigInteger, Identity(always=True), primary_key=True),
    Column("question", Text, nullable=False),
    Column("kind", Text, nullable=False),  # possible_match, possible_duplicate, conflict, oversize
    Column("domain", Text, nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    Column("weight", Double, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="open"),  # open, resolved, obsolete
    Column("batch_id", BigInteger, nullable=False),
    time_column("opened_at"),
    time_column("closed_at", nullable=True),
    CheckConstraint("status in ('open','resolved','obsolete')", name="status"),
    Index("uq_steward_task_open", "question", unique=True, postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_a_open", "a", postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_b_open", "b", postgresql_where=text("status = 'open'")),
    # How many are open of each kind and age: counted up to a number, so only so far into these.
    Index("ix_steward_task_open_kind", "domain", "kind", "opened_at", postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_open_weight", "weight", postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_open_age", "opened_at", postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_answered", "closed_at", postgresql_where=text("status = 'resolved'")),
)
