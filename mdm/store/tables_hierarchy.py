"""Hierarchies by a steward's word. What platforms state about parents lives in `record_reference` and golden values."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Identity, Index, Table, Text, text

from mdm.store.tables_base import metadata, time_column

# One parent of one kind during some days. Rows are ended by decisions, never changed; ids that were absorbed since are
# followed when reading.
customer_relation = Table(
    "customer_relation",
    metadata,
    Column("relation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("child", Text, ForeignKey("entity.entity_id"), nullable=False),
    Column("parent", Text, ForeignKey("entity.entity_id")),  # none: it has no parent, whatever platforms state
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),  # the first day on which it no longer holds
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    time_column("created_at"),
    time_column("ended_at", nullable=True),
    Column("ended_by", BigInteger),  # the decision that ended it
    Column("origin", BigInteger),  # the relation that this one brings back after an undo
    CheckConstraint("kind in ('legal_parent','bill_to','reporting_parent')", name="kind"),
    CheckConstraint("parent <> child", name="two_customers"),
    CheckConstraint("valid_to > valid_from", name="period"),
    CheckConstraint("parent is not null or kind = 'legal_parent'", name="parent"),
    Index("ix_customer_relation_child", "child", "kind", postgresql_where=text("ended_at is null")),
    Index("ix_customer_relation_parent", "parent", "kind", postgresql_where=text("ended_at is null")),
    Index(None, "decision_id"),
    Index(None, "ended_by"),
    Index(None, "origin"),
)
