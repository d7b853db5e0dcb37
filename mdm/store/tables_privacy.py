"""Tables of erasure: requests with their plan and proof, and who must not come back."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Identity, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from mdm.store.tables_base import metadata

# A request names records by rec_id and never repeats a value. `proof` is written when it is carried out.
erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", BigInteger, Identity(always=True), primary_key=True),
    Column("records", ARRAY(BigInteger), nullable=False),
    Column("kept", JSON, nullable=False),  # {"system.type.column": basis}
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("comment", Text, nullable=False, server_default=""),
    Column("proof", JSON),
    CheckConstraint("status in ('open','carried_out','rejected')", name="status"),
    # Whoever asks may not be the one who approves.
    CheckConstraint("decided_by is null or decided_by <> requested_by", name="two_persons"),
    CheckConstraint("status = 'open' or decided_by is not null", name="decided_by_somebody"),
)

# Source rows whose subject was erased, as keyed digests of their names: events about them are ignored for ever.
suppression = Table(
    "suppression",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("erasure_id", BigInteger, ForeignKey("erasure.erasure_id"), nullable=False),
)

# The secret of the digests. In a table of its own, so that it can be kept out of a dump that is given away.
suppression_secret = Table(
    "suppression_secret",
    metadata,
    Column("secret", LargeBinary, primary_key=True),
)
