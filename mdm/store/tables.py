"""Every table of the hub, with the constraint that states its invariant.

Hot tables are keyed by `rec_id`, the store's own surrogate of a crosswalk key; nothing outside the store sees it.
Times are UTC. `batch_id` names the unit of work that wrote a row: its commit time is when the hub knew.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = text("now()")


def _time(name: str, *, nullable: bool = False, default: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if default else None)


# One row per committed unit of work. `batch_id` names it; `publication` is its number in the order of commits.
batch = Table(
    "batch",
    metadata,
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    Column("cause", Text, nullable=False),  # ingest, steward, replay, ...
    Column("feed", Text),
    Column("messages", Integer, nullable=False, server_default="0"),
    Column("publication", BigInteger, unique=True),
    _time("committed_at", default=True),
)

# --- feeds ---------------------------------------------------------------------------------------------------------

# Progress per topic and partition, written with the effect.
feed_position = Table(
    "feed_position",
    metadata,
    Column("feed", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    _time("updated_at", default=True),
    PrimaryKeyConstraint("feed", "topic", "partition"),
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
    Column("alike", Text, nullable=False, server_default=""),  # the reason without numbers: equal for what is of a kind
    Column("status", Text, nullable=False, server_default="open"),  # open, replayed, discarded
    _time("first_seen", default=True),
    _time("last_seen", default=True),
    Column("seen", Integer, nullable=False, server_default="1"),
    _time("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    UniqueConstraint("topic", "partition", "offset"),
    CheckConstraint("status in ('open','replayed','discarded')", name="status"),
    Index(None, "status", "code"),
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
    _time("first_seen", default=True),
    _time("last_seen", default=True),
    _time("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    CheckConstraint("status in ('open','resolved','accepted')", name="status"),
    Index(None, "status", "kind"),
)

# --- source records ------------------------------------------------------------------------------------------------

# The mirror of every source row, live or deleted, in its last version.
source_record = Table(
    "source_record",
    metadata,
    Column("rec_id", BigInteger, Identity(always=False), primary_key=True),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("domain", Text),
    Column("deleted", Boolean, nullable=False),
    Column("operation", Text, nullable=False),  # Debezium operation of the event that gave this version
    Column("row", JSON),  # source columns; null until a row was seen
    Column("attributes", JSON),
    Column("comparison", JSON),
    Column("refs", JSON),  # [[role, system, type, key]]
    Column("rejected", JSON),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("lsn", BigInteger),
    Column("transaction", Text),
    _time("event_time"),
    Column("previous_key", Text),  # this row's key before a primary-key change
    Column("unresolved", ARRAY(Text)),  # unchanged columns whose value no event has brought yet
    Column("batch_id", BigInteger, nullable=False),
    UniqueConstraint("system", "type", "key"),
    Index(None, "domain", "rec_id", postgresql_where=text("not deleted and domain is not null")),
    Index(
        "ix_source_record_waiting", "system", "type", "previous_key", postgresql_where=text("unresolved is not null")
    ),
)

# Every version of every source row, append-only: what replay, rebuild and verify start from.
record_history = Table(
    "record_history",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("row", JSON),
    Column("unavailable", ARRAY(Text)),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("lsn", BigInteger),
    Column("transaction", Text),
    _time("event_time"),
    Column("previous_key", Text),
    Column("next_key", Text),
    Column("batch_id", BigInteger, nullable=False),
    Index(None, "rec_id"),
)

# A truncated table: rows older than the watermark are gone.
truncation = Table(
    "truncation",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    Column("pos_rank", SmallInteger, nullable=False),
    Column("place", Text, nullable=False),
    _time("event_time"),
    PrimaryKeyConstraint("system", "type", "pos_major", "pos_minor", "pos_order"),
)

# The columns of a table as its newest event had them, in their order.
table_shape = Table(
    "table_shape",
    metadata,
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("pos_major", BigInteger, nullable=False),
    Column("pos_minor", BigInteger, nullable=False),
    Column("pos_order", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "type"),
)

# Who points at whom. The target need not have arrived yet.
record_reference = Table(
    "record_reference",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
)

# Other names of a record inside its platform (an article code, a short id).
record_alias = Table(
    "record_alias",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
)

# What one record states about another (see mdm.model.records.Evidence). The owner need not have arrived yet.
record_evidence = Table(
    "record_evidence",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("token", Text, nullable=False),
    Index(None, "rec_id"),
    Index(None, "system", "type", "key"),
    Index(None, "token"),
)

# --- identity ------------------------------------------------------------------------------------------------------

# Blocking keys of live records, as 64-bit hashes of domain, rule and value.
block_key = Table(
    "block_key",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("rec_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("block", "rec_id"),
    Index(None, "rec_id"),
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
    _time("founded_at"),
    _time("changed_at"),
    CheckConstraint("status in ('active','merged','retired','erased')", name="status"),
    CheckConstraint("(status = 'merged') = (merged_into is not null)", name="merged_into"),
    Index(None, "merged_into", postgresql_where=text("merged_into is not null")),
    Index(None, "absorbed_by", postgresql_where=text("absorbed_by is not null")),
    Index(None, "domain", "status"),
    Index(None, "founder"),
)

# Which entity a live record belongs to: exactly one row per live record of a resolved domain.
crosswalk = Table(
    "crosswalk",
    metadata,
    Column("rec_id", BigInteger, ForeignKey("source_record.rec_id"), primary_key=True),
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    _time("since"),
    Index(None, "entity_id"),
)

# Past memberships, closed when a record leaves an entity; the last one lets a returning record find its entity again.
crosswalk_history = Table(
    "crosswalk_history",
    metadata,
    Column("rec_id", BigInteger, nullable=False),
    Column("entity_id", Text, nullable=False),
    _time("since"),
    _time("until"),
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
    _time("created_at"),
    _time("superseded_at", nullable=True),
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
    _time("until", nullable=True),  # from then on the verdict no longer holds; a sweep supersedes it
    Column("decision_id", BigInteger),  # the decision that made it, and the one that ended it
    Column("superseded_by", BigInteger),
    Column("origin", BigInteger),  # the judgement that this one brings back after an undo
    _time("created_at", default=True),
    _time("superseded_at", nullable=True),
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
    _time("opened_at"),
    _time("closed_at", nullable=True),
    CheckConstraint("status in ('open','resolved','obsolete')", name="status"),
    Index("uq_steward_task_open", "question", unique=True, postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_a_open", "a", postgresql_where=text("status = 'open'")),
    Index("ix_steward_task_b_open", "b", postgresql_where=text("status = 'open'")),
)

# --- golden records ------------------------------------------------------------------------------------------------

# Every version of every golden record; the current one has no known_to.
golden = Table(
    "golden",
    metadata,
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("domain", Text, nullable=False),
    Column("name", Text, nullable=False),  # display name
    Column("values", JSONB, nullable=False),
    Column("lineage", JSONB, nullable=False),
    Column("members", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of values and member keys
    # SHA-256 of what the values rest on: which records won and lost, by which rules, and the search terms. When only
    # this changes, lineage and terms are renewed in place: the golden record says the same, for another reason.
    Column("support", LargeBinary, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # publication << 20 | position: the order of the change feed
    Column("batch_id", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    _time("known_from"),
    _time("known_to", nullable=True),
    PrimaryKeyConstraint("entity_id", "version"),
    Index("uq_golden_current", "entity_id", unique=True, postgresql_where=text("known_to is null")),
    Index("ix_golden_list", "domain", "seq", "entity_id", postgresql_where=text("known_to is null")),
)

# Words and identifiers under which a golden record can be found.
search_term = Table(
    "search_term",
    metadata,
    Column("domain", Text, nullable=False),
    Column("term", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    PrimaryKeyConstraint("domain", "term", "entity_id"),
    Index(None, "entity_id"),
    Index("ix_search_term_prefix", "domain", "term", postgresql_ops={"term": "text_pattern_ops"}),
)

# --- announcements, audit, access ----------------------------------------------------------------------------------

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
    _time("created_at"),
    _time("published_at", nullable=True),
    Index("ix_outbox_pending", "seq", postgresql_where=text("published_at is null")),
    Index(None, "aggregatetype", "seq"),
    Index(None, "aggregateid", "seq"),
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
)

# API keys: only a hash is stored.
api_key = Table(
    "api_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    _time("created_at", default=True),
    _time("revoked_at", nullable=True),
    CheckConstraint("role in ('reader','erp','steward','admin')", name="role"),
)

# Tables of other areas share the metadata; importing them here lets migrations see them.
from mdm.store import tables_console as console  # noqa: E402, F401
from mdm.store import tables_exceptions as exceptions  # noqa: E402, F401
from mdm.store import tables_gaps as gaps  # noqa: E402, F401
from mdm.store import tables_onboarding as onboarding  # noqa: E402, F401
from mdm.store import tables_privacy as privacy  # noqa: E402, F401
from mdm.store import tables_serving as serving  # noqa: E402, F401
from mdm.store import tables_stewardship as stewardship  # noqa: E402, F401
from mdm.store import tables_streams as streams  # noqa: E402, F401
