"""Tables of rule releases: documents on their way into force, what was done with them, and which are in force.

Three people carry a release: who wrote it, who approved it, who put it into force. The constraints say so too.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from mdm.store.tables_base import metadata, time_column

# One row per release. The document changes only while it is a draft.
rule_release = Table(
    "rule_release",
    metadata,
    Column("release_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Text, nullable=False),  # as the document says
    Column("fingerprint", Text, nullable=False),
    Column("document", Text, nullable=False),  # YAML, what people read and write
    Column("attachments", JSONB),  # of a matching model: weights and term frequencies, as text
    Column("status", Text, nullable=False, server_default="draft"),
    Column("author", Text, nullable=False),
    time_column("drafted_at"),
    time_column("changed_at"),
    Column("approver", Text),
    time_column("approved_at", nullable=True),
    Column("comment", Text, nullable=False, server_default=""),  # of who approved or rejected
    Column("despite", Text, nullable=False, server_default=""),  # why it was approved against verdicts of stewards
    Column("simulation_id", BigInteger),  # the simulation that was approved
    Column("releaser", Text),
    time_column("released_at", nullable=True),
    Column("replaced", BigInteger, ForeignKey("rule_release.release_id")),  # what was in force before; none: as shipped
    Column("ended_by", Text),  # who rolled it back, withdrew or rejected it
    Column("reason", Text, nullable=False, server_default=""),  # why it was rolled back
    time_column("ended_at", nullable=True),
    CheckConstraint("kind in ('survivorship','matching','usage-revenue')", name="kind"),
    CheckConstraint(
        "status ~ '^(draft|approved|activating|active|superseded|rolling_back|rolled_back|rejected|withdrawn)$'",
        name="status",
    ),
    CheckConstraint("approver <> author", name="approver_is_not_author"),
    CheckConstraint("releaser <> approver and releaser <> author", name="releaser_is_a_third_person"),
    CheckConstraint(
        "status in ('draft','rejected','withdrawn') or (approver is not null and simulation_id is not null)",
        name="nothing_without_approval",
    ),
    CheckConstraint(
        "status not in ('activating','active','superseded','rolling_back','rolled_back') or releaser is not null",
        name="in_force_by_somebody",
    ),
    Index(None, "status", "release_id"),
    # The hub is brought in line with one release at a time.
    Index("ix_rule_release_under_way", sql("(true)"), unique=True,
          postgresql_where=sql("status in ('activating','rolling_back')")),
)  # fmt: skip

# Which release decides; where there is no row, the rules that ship do.
rules_in_force = Table(
    "rules_in_force",
    metadata,
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("release_id", BigInteger, ForeignKey("rule_release.release_id"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    time_column("since"),
    PrimaryKeyConstraint("kind", "domain"),
)

# Long work on a release: simulations, activations, rollbacks. `position` is where an interrupted one goes on.
release_run = Table(
    "release_run",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("release_id", BigInteger, ForeignKey("rule_release.release_id"), nullable=False),
    Column("what", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # of the document
    Column("against", Text, nullable=False),  # fingerprint of the rules that were in force
    Column("actor", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="running"),
    Column("step", Text, nullable=False, server_default=""),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("position", Text, nullable=False, server_default=""),
    Column("report", JSONB, nullable=False, server_default="{}"),  # ids and counts, never values
    Column("digest_before", Text),
    Column("digest_after", Text),
    Column("batch_id", BigInteger, nullable=False),  # the newest unit of work when it began
    Column("error", Text, nullable=False, server_default=""),
    time_column("started_at"),
    time_column("finished_at", nullable=True),
    CheckConstraint("what in ('simulation','activation','rollback')", name="what"),
    CheckConstraint("status in ('running','done','failed')", name="status"),
    Index(None, "release_id", "run_id"),
)

# Data contracts that somebody proposes - the vendor of a platform, or a team of ours - and what was decided about them.
# An approved one takes effect when operators put it into the folder of platforms.
contract_proposal = Table(
    "contract_proposal",
    metadata,
    Column("proposal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("system", Text, nullable=False),
    Column("version", Text, nullable=False),  # as the document says
    Column("base", Text),  # the version that was in force when it was proposed; none for a new platform
    Column("document", Text, nullable=False),  # ODCS 3, YAML
    Column("fingerprint", Text, nullable=False),  # of the document
    Column("title", Text, nullable=False),
    Column("report", JSONB, nullable=False),  # warnings, changes against `base`, and the step that they need
    Column("status", Text, nullable=False, server_default="proposed"),
    Column("author", Text, nullable=False),
    time_column("proposed_at"),
    Column("decider", Text),  # who approved, rejected or withdrew it
    time_column("decided_at", nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    CheckConstraint("status in ('proposed','approved','rejected','withdrawn')", name="status"),
    CheckConstraint("status not in ('approved','rejected') or decider <> author", name="nobody_decides_their_own"),
    CheckConstraint("(status = 'proposed') = (decider is null)", name="decided_by_somebody"),
    CheckConstraint("(decider is null) = (decided_at is null)", name="decided_at_some_time"),
    Index(None, "author", "proposal_id"),
    Index(
        "uq_contract_proposal_open", "system", "fingerprint", unique=True, postgresql_where=sql("status = 'proposed'")
    ),
)
