"""Tables of ERP onboarding: answers of registries, reference lists, confirmations, waivers, verdicts as last seen."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from mdm.store.tables_base import metadata

# The last answer of a provider about a number or name. Numbers are kept as asked; names folded.
attestation = Table(
    "attestation",
    metadata,
    Column("provider", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    Column("reference", Text),
    Column("reason", Text),
    Column("facts", JSON, nullable=False),
    PrimaryKeyConstraint("provider", "key"),
    CheckConstraint("answer in ('confirmed','refuted','doubtful','unavailable')", name="answer"),
)

# Which reference lists are loaded, and in which version.
reference_list = Table(
    "reference_list",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
)

# GLEIF's entities (level 1) with the parents they report (level 2).
gleif_entity = Table(
    "gleif_entity",
    metadata,
    Column("lei", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),  # of the registration: ISSUED, LAPSED, RETIRED, ...
    Column("entity_status", Text, nullable=False),  # ACTIVE, INACTIVE
    Column("country", Text),
    Column("legal_form", Text),  # ISO 20275
    Column("registered_as", Text),
    Column("direct_parent", Text),
    Column("ultimate_parent", Text),
    Column("parent_exception", Text),
)

# Entries of sanctions lists, one row per name; `words` are those of the folded name.
sanction_name = Table(
    "sanction_name",
    metadata,
    Column("list", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("words", ARRAY(Text), nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Index(None, "list"),
    Index("ix_sanction_name_words", "words", postgresql_using="gin"),
)

# Confirmations given by finance. Superseded, never deleted.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("checkpoint_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("superseded_at", DateTime(timezone=True)),
    Column("ended_by", Text),  # who took it back, or confirmed anew
    Column("answer", Text),  # why it was taken back
    CheckConstraint("(ended_by is null) = (superseded_at is null)", name="ended_by_somebody"),
    Index("uq_checkpoint_live", "entity_id", "name", unique=True, postgresql_where=text("superseded_at is null")),
)

# Findings that somebody accountable excuses until a day. Superseded, never deleted.
waiver = Table(
    "waiver",
    metadata,
    Column("waiver_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("superseded_at", DateTime(timezone=True)),
    Column("ended_by", Text),  # who took it back, or wrote another one
    Column("answer", Text),  # why it was taken back
    Column("approved_by", Text),  # what blocks is excused by two people
    Column("approved_at", DateTime(timezone=True)),
    CheckConstraint("approved_by <> actor", name="two_persons"),
    CheckConstraint("(ended_by is null) = (superseded_at is null)", name="ended_by_somebody"),
    CheckConstraint("(approved_by is null) = (approved_at is null)", name="approved_by_somebody"),
    Index("uq_waiver_live", "entity_id", "code", "path", unique=True, postgresql_where=text("superseded_at is null")),
)

# Customers that whoever asked for them must mend first. One at a time; ended, never deleted.
onboarding_return = Table(
    "onboarding_return",
    metadata,
    Column("return_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("ended_by", Text),
    Column("answer", Text),  # what was mended
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("(ended_by is null) = (ended_at is null)", name="ended_by_somebody"),
    Index(None, "entity_id"),
    Index("uq_onboarding_return_live", "entity_id", unique=True, postgresql_where=text("ended_at is null")),
)

# The last verdict on a golden customer per target, so that a change can be told to those who rely on it.
verdict = Table(
    "verdict",
    metadata,
    Column("entity_id", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("erp", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),
    Column("completeness", Double, nullable=False),
    Column("codes", ARRAY(Text), nullable=False),  # what failed or could not be verified
    Column("digest", LargeBinary, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("evaluated_at", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    PrimaryKeyConstraint("entity_id", "erp"),
    Index(None, "erp", "decision", "entity_id"),
    Index(None, "valid_until"),
)
