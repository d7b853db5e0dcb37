"""Tables of what the hub serves: released rules, consumers of the change feed, exports."""

from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Table, Text

from mdm.store.tables import _time, metadata

# Every rule set that ever decided in this hub, whole, so that any value can be explained and computed again.
released_rules = Table(
    "released_rules",
    metadata,
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),  # survivorship
    Column("domain", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", Text, nullable=False),
    _time("first_used_at"),
    PrimaryKeyConstraint("fingerprint", "kind", "domain"),
    CheckConstraint("kind in ('survivorship')", name="kind"),
)
