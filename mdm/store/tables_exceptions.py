"""Tables about what could not be processed, beside `dead_letter` and `exception`."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, ForeignKey, Identity, Index, LargeBinary, Table, Text, text

from mdm.store.tables_base import metadata

# What a person made of a refused message. The original stays as it came; the newest fix is what is replayed.
dead_letter_fix = Table(
    "dead_letter_fix",
    metadata,
    Column("fix_id", BigInteger, Identity(always=True), primary_key=True),
    Column("dead_letter_id", BigInteger, ForeignKey("dead_letter.dead_letter_id"), nullable=False),
    Column("headers", JSON, nullable=False),  # [[name, base64]]
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index(None, "dead_letter_id", "fix_id"),
)
