"""Tables about what could not be processed, beside `dead_letter` and `exception`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

# Open dead letters in groups of a kind: of each kind all of them (share all), those that nobody looks after (free),
# those that somebody does (taken), and those of each person (of). Written with the letters (`mdm.store.letter_groups`),
# so that a list of groups in any of its orders is a walk along an index.
dead_letter_group = Table(
    "dead_letter_group",
    metadata,
    Column("likeness", Text, nullable=False),  # names the kind: digest of topic, code, owner, reason without numbers
    Column("share", Text, nullable=False),
    Column("person", Text, nullable=False, server_default=""),  # whose, for a share of one person
    Column("topic", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("letters", BigInteger, nullable=False),
    time_column("first_seen"),
    time_column("last_seen"),  # when one of them was refused last, also where that one is closed by now
    Column("newest_id", BigInteger, nullable=False),  # by when they came
    Column("rank", Double, nullable=False),  # of the kind, as in dead_letter_rank; far behind where there is none yet
    Column("times_much", Double, nullable=False),
    Column("rows", BigInteger),  # rows they are about, as they were when the kind was ranked last
    Column("version", BigInteger, nullable=False, server_default="0"),  # publication that changed it last
    Column("changed", Boolean, nullable=False, server_default="true"),  # since the kind was ranked
    PrimaryKeyConstraint("likeness", "share", "person"),
    CheckConstraint("letters > 0", name="letters"),
    CheckConstraint("share in ('all','free','taken','of') and (share = 'of') = (person <> '')", name="share"),
    Index(None, "share", "person", "rank", "newest_id"),
    Index(None, "share", "person", "times_much", "newest_id"),
    Index(None, "share", "person", "letters", "newest_id"),
    Index(None, "share", "person", "first_seen", "newest_id"),
    Index("ix_dead_letter_group_changed", "likeness", postgresql_where=text("share = 'all' and changed")),
)

# Where the open dead letters of one kind stand in the order, what hangs on their rows, and the reasons. Derived from
# rows that change without them, so it grows old and is made anew.
dead_letter_rank = Table(
    "dead_letter_rank",
    metadata,
    Column("likeness", Text, primary_key=True),  # digest of topic, code, owner and reason without numbers
    Column("rank", Double, nullable=False),
    Column("parts", JSONB, nullable=False),  # [[points, reason]]
    Column("impact", JSONB, nullable=False, server_default="{}"),  # what close and customers were and added
    Column("times_much", Double, nullable=False),  # its largest sum, measured by what is much in its currency
    Column("amounts", JSONB, nullable=False),  # {currency: sum}
    Column("rows", BigInteger, nullable=False),  # rows the messages are about
    Column("known", BigInteger, nullable=False),  # those of which the hub holds something
    time_column("ranked_at"),
    Index(None, "ranked_at"),
)
