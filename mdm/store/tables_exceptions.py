"""Tables about what could not be processed, beside `dead_letter` and `exception`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

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

# Where the open dead letters of one kind stand in the order, what hangs on their rows, and the reasons. Derived: it can
# be emptied at any time and fills itself.
dead_letter_rank = Table(
    "dead_letter_rank",
    metadata,
    Column("likeness", Text, primary_key=True),  # digest of topic, code, owner and reason without numbers
    Column("letters", BigInteger, nullable=False),  # what it was made of: another number or newest one makes it anew
    Column("newest_id", BigInteger, nullable=False),
    Column("rank", Double, nullable=False),
    Column("parts", JSONB, nullable=False),  # [[points, reason]]
    Column("times_much", Double, nullable=False),  # its largest sum, measured by what is much in its currency
    Column("amounts", JSONB, nullable=False),  # {currency: sum}
    Column("rows", BigInteger, nullable=False),  # rows the messages are about
    Column("known", BigInteger, nullable=False),  # those of which the hub holds something
    time_column("ranked_at"),
)
