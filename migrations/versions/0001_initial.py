"""initial

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that waits for a lock makes everybody behind it wait too: rather fail and be tried again.
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role ~ '^[a-z_]+([+][a-z_]+)*$'", name=op.f("ck_api_key_role")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
    )
    op.create_table(
        "attestation",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "answer in ('confirmed','refuted','doubtful','unavailable')", name=op.f("ck_attestation_answer")
        ),
        sa.PrimaryKeyConstraint("provider", "key", name=op.f("pk_attestation")),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_action_seq"), "audit", ["action", "seq"], unique=False)
    op.create_index(op.f("ix_audit_actor_seq"), "audit", ["actor", "seq"], unique=False)
    op.create_table(
        "audit_check",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("verified_to", sa.BigInteger(), nullable=False),
        sa.Column("broken_at", sa.BigInteger(), nullable=True),
        sa.Column("broken_before", sa.BigInteger(), nullable=True),
        sa.Column("end_seq", sa.BigInteger(), nullable=True),
        sa.Column("end_hash", sa.LargeBinary(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(end_seq is null) = (end_hash is null)", name=op.f("ck_audit_check_end_whole")),
        sa.CheckConstraint("one", name=op.f("ck_audit_check_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_audit_check")),
    )
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("messages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("publication", sa.BigInteger(), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch")),
        sa.UniqueConstraint("publication", name=op.f("uq_batch_publication")),
    )
    op.create_table(
        "blind_sample",
        sa.Column("sample_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("strata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_blind_sample")),
    )
    op.create_index(
        "uq_blind_sample_open", "blind_sample", ["domain"], unique=True, postgresql_where=sa.text("closed_at is null")
    )
    op.create_table(
        "block_key",
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block", "rec_id", name=op.f("pk_block_key")),
    )
    op.create_index(op.f("ix_block_key_rec_id"), "block_key", ["rec_id"], unique=False)
    op.create_table(
        "bulk_job",
        sa.Column("job_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="answer", nullable=False),
        sa.Column("of_job", sa.BigInteger(), nullable=True),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose in ('answer','look','take_back')", name=op.f("ck_bulk_job_purpose")),
        sa.CheckConstraint("status in ('open','done','stopped')", name=op.f("ck_bulk_job_status")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_bulk_job")),
    )
    op.create_index(op.f("ix_bulk_job_actor_job_id"), "bulk_job", ["actor", "job_id"], unique=False)
    op.create_index(
        "uq_bulk_job_look", "bulk_job", ["of_job"], unique=True, postgresql_where=sa.text("purpose = 'answer'")
    )
    op.create_index(
        "uq_bulk_job_take_back",
        "bulk_job",
        ["of_job"],
        unique=True,
        postgresql_where=sa.text("purpose = 'take_back' and status <> 'done'"),
    )
    op.create_table(
        "close_sign_off",
        sa.Column("sign_off_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("points", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review", sa.Text(), server_default="", nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "reviewed_by is null or reviewed_by <> prepared_by", name=op.f("ck_close_sign_off_two_persons")
        ),
        sa.PrimaryKeyConstraint("sign_off_id", name=op.f("pk_close_sign_off")),
    )
    op.create_index(
        "uq_close_sign_off_standing",
        "close_sign_off",
        ["month"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    op.create_table(
        "command_key",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_command_key")),
    )
    op.create_index(op.f("ix_command_key_at"), "command_key", ["at"], unique=False)
    op.create_table(
        "comment",
        sa.Column("comment_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_subject_comment_id"), "comment", ["subject", "comment_id"], unique=False)
    op.create_table(
        "console_account",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role ~ '^[a-z_]+([+][a-z_]+)*$'", name=op.f("ck_console_account_role")),
        sa.CheckConstraint("username = lower(username) and username <> ''", name=op.f("ck_console_account_username")),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_console_account")),
    )
    op.create_table(
        "console_secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_console_secret")),
    )
    op.create_table(
        "console_session",
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_console_session")),
    )
    op.create_index(op.f("ix_console_session_expires_at"), "console_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_console_session_key_id"), "console_session", ["key_id"], unique=False)
    op.create_table(
        "console_sign_in",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_console_sign_in")),
    )
    op.create_index(op.f("ix_console_sign_in_expires_at"), "console_sign_in", ["expires_at"], unique=False)
    op.create_table(
        "console_view",
        sa.Column("view_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_console_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_console_view_owner_name")),
    )
    op.create_table(
        "consumed_count",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_consumed_count")),
    )
    op.create_table(
        "contract_proposal",
        sa.Column("proposal_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(status = 'proposed') = (decider is null)", name=op.f("ck_contract_proposal_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "status in ('proposed','approved','rejected','withdrawn')", name=op.f("ck_contract_proposal_status")
        ),
        sa.CheckConstraint(
            "status not in ('approved','rejected') or decider <> author",
            name=op.f("ck_contract_proposal_nobody_decides_their_own"),
        ),
        sa.CheckConstraint(
            "(decider is null) = (decided_at is null)", name=op.f("ck_contract_proposal_decided_at_some_time")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_contract_proposal")),
    )
    op.create_index(
        op.f("ix_contract_proposal_author_proposal_id"), "contract_proposal", ["author", "proposal_id"], unique=False
    )
    op.create_index(
        "uq_contract_proposal_open",
        "contract_proposal",
        ["system", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "crosswalk_history",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
    )
    op.create_index(op.f("ix_crosswalk_history_entity_id"), "crosswalk_history", ["entity_id"], unique=False)
    op.create_index(op.f("ix_crosswalk_history_rec_id"), "crosswalk_history", ["rec_id"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("dead_letter_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("timestamp_ms", sa.BigInteger(), nullable=False),
        sa.Column("headers", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("alike", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen", sa.Integer(), server_default="1", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("tier", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("behind", sa.BigInteger(), nullable=True),
        sa.Column(
            "likeness",
            sa.Text(),
            sa.Computed("md5(topic || chr(31) || code || chr(31) || owner || chr(31) || alike)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint("status in ('open','replayed','discarded')", name=op.f("ck_dead_letter_status")),
        sa.CheckConstraint("tier between 1 and 3", name=op.f("ck_dead_letter_tier")),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("pk_dead_letter")),
        sa.UniqueConstraint("topic", "partition", "offset", name=op.f("uq_dead_letter_topic_partition_offset")),
    )
    op.create_index(
        "ix_dead_letter_behind",
        "dead_letter",
        ["behind"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and behind is not null"),
    )
    op.create_index(
        "ix_dead_letter_due",
        "dead_letter",
        ["due_at", "topic"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and behind is null"),
    )
    op.create_index(
        "ix_dead_letter_kind",
        "dead_letter",
        ["likeness", "first_seen", "dead_letter_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_dead_letter_kind_free",
        "dead_letter",
        ["likeness", "first_seen", "dead_letter_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is null"),
    )
    op.create_index(
        "ix_dead_letter_kind_taken",
        "dead_letter",
        ["likeness", "first_seen", "dead_letter_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is not null"),
    )
    op.create_index(
        "ix_dead_letter_mine",
        "dead_letter",
        ["assignee", "likeness", "first_seen", "dead_letter_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is not null"),
    )
    op.create_index(op.f("ix_dead_letter_status_code"), "dead_letter", ["status", "code"], unique=False)
    op.create_index(
        op.f("ix_dead_letter_system_type_row_key"), "dead_letter", ["system", "type", "row_key"], unique=False
    )
    op.create_index(
        "ix_dead_letter_taken",
        "dead_letter",
        ["topic", "code"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is not null"),
    )
    op.create_index(
        "ix_dead_letter_tier",
        "dead_letter",
        ["tier", "first_seen"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and tier <> 2"),
    )
    op.create_index(
        "ix_dead_letter_trace",
        "dead_letter",
        ["trace_id"],
        unique=False,
        postgresql_where=sa.text("trace_id is not null"),
    )
    op.create_table(
        "dead_letter_group",
        sa.Column("likeness", sa.Text(), nullable=False),
        sa.Column("share", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("letters", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("times_much", sa.Double(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "share in ('all','free','taken','of') and (share = 'of') = (person <> '')",
            name=op.f("ck_dead_letter_group_share"),
        ),
        sa.CheckConstraint("letters > 0", name=op.f("ck_dead_letter_group_letters")),
        sa.PrimaryKeyConstraint("likeness", "share", "person", name=op.f("pk_dead_letter_group")),
    )
    op.create_index(
        "ix_dead_letter_group_changed",
        "dead_letter_group",
        ["likeness"],
        unique=False,
        postgresql_where=sa.text("share = 'all' and changed"),
    )
    op.create_index(
        op.f("ix_dead_letter_group_share_person_first_seen_newest_id"),
        "dead_letter_group",
        ["share", "person", "first_seen", "newest_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_dead_letter_group_share_person_letters_newest_id"),
        "dead_letter_group",
        ["share", "person", "letters", "newest_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_dead_letter_group_share_person_rank_newest_id"),
        "dead_letter_group",
        ["share", "person", "rank", "newest_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_dead_letter_group_share_person_times_much_newest_id"),
        "dead_letter_group",
        ["share", "person", "times_much", "newest_id"],
        unique=False,
    )
    op.create_table(
        "dead_letter_rank",
        sa.Column("likeness", sa.Text(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("impact", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("times_much", sa.Double(), nullable=False),
        sa.Column("amounts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.BigInteger(), nullable=False),
        sa.Column("ranked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("likeness", name=op.f("pk_dead_letter_rank")),
    )
    op.create_index(op.f("ix_dead_letter_rank_ranked_at"), "dead_letter_rank", ["ranked_at"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effect", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("records", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("entities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("pattern", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("proposal_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved_by is null or approved_by <> actor", name=op.f("ck_decision_two_persons")),
        sa.ForeignKeyConstraint(["undoes"], ["decision.decision_id"], name=op.f("fk_decision_undoes")),
        sa.ForeignKeyConstraint(["undone_by"], ["decision.decision_id"], name=op.f("fk_decision_undone_by")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_actor_decision_id"), "decision", ["actor", "decision_id"], unique=False)
    op.create_index(op.f("ix_decision_at"), "decision", ["at"], unique=False)
    op.create_index("ix_decision_entities", "decision", ["entities"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_decision_pattern",
        "decision",
        ["domain", "decision_id"],
        unique=False,
        postgresql_where=sa.text("pattern is not null"),
    )
    op.create_index("ix_decision_records", "decision", ["records"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_decision_task_id"), "decision", ["task_id"], unique=False)
    op.create_table(
        "delegation",
        sa.Column("delegation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("delegate", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("owner <> delegate", name=op.f("ck_delegation_two_persons")),
        sa.CheckConstraint("until > since", name=op.f("ck_delegation_period")),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_delegate"), "delegation", ["delegate"], unique=False)
    op.create_table(
        "echo",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rec_id", "attribute", name=op.f("pk_echo")),
    )
    op.create_table(
        "entity",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("absorbed_by", sa.Text(), nullable=True),
        sa.Column("founder", sa.BigInteger(), nullable=False),
        sa.Column("founded_batch", sa.BigInteger(), nullable=False),
        sa.Column("founded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'merged') = (merged_into is not null)", name=op.f("ck_entity_merged_into")),
        sa.CheckConstraint("status in ('active','merged','retired','erased')", name=op.f("ck_entity_status")),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["entity.entity_id"],
            name=op.f("fk_entity_merged_into"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_entity")),
    )
    op.create_index(
        op.f("ix_entity_absorbed_by"),
        "entity",
        ["absorbed_by"],
        unique=False,
        postgresql_where=sa.text("absorbed_by is not null"),
    )
    op.create_index(op.f("ix_entity_domain_status"), "entity", ["domain", "status"], unique=False)
    op.create_index(
        "ix_entity_ended",
        "entity",
        ["changed_at"],
        unique=False,
        postgresql_where=sa.text("status in ('merged','retired')"),
    )
    op.create_index(op.f("ix_entity_founder"), "entity", ["founder"], unique=False)
    op.create_index(
        op.f("ix_entity_merged_into"),
        "entity",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("records", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("kept", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("proof", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("status = 'open' or decided_by is not null", name=op.f("ck_erasure_decided_by_somebody")),
        sa.CheckConstraint("status in ('open','carried_out','rejected')", name=op.f("ck_erasure_status")),
        sa.CheckConstraint("decided_by is null or decided_by <> requested_by", name=op.f("ck_erasure_two_persons")),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "erp_gate",
        sa.Column("erp", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("gates", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("erp", "domain", name=op.f("pk_erp_gate")),
    )
    op.create_table(
        "event_ledger",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "outcome in ('applied','duplicate','stale','ignored','quarantined')", name=op.f("ck_event_ledger_outcome")
        ),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name=op.f("pk_event_ledger")),
    )
    op.create_table(
        "exception",
        sa.Column("exception_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("seen", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.CheckConstraint("status in ('open','resolved','accepted')", name=op.f("ck_exception_status")),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_exception")),
        sa.UniqueConstraint("question", name=op.f("uq_exception_question")),
    )
    op.create_index(
        "ix_exception_free",
        "exception",
        ["last_seen", "exception_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is null"),
    )
    op.create_index(
        "ix_exception_mine",
        "exception",
        ["assignee", "last_seen", "exception_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is not null"),
    )
    op.create_index(
        "ix_exception_oversize",
        "exception",
        ["code"],
        unique=False,
        postgresql_where=sa.text("kind = 'oversize' and closed_by is distinct from 'hub'"),
    )
    op.create_index(op.f("ix_exception_status_kind"), "exception", ["status", "kind"], unique=False)
    op.create_index(
        op.f("ix_exception_status_last_seen_exception_id"),
        "exception",
        ["status", "last_seen", "exception_id"],
        unique=False,
    )
    op.create_index(
        "ix_exception_taken",
        "exception",
        ["last_seen", "exception_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and assignee is not null"),
    )
    op.create_table(
        "export_job",
        sa.Column("job_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("lines", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('waiting','running','stopped','done')", name=op.f("ck_export_job_status")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_export_job")),
    )
    op.create_index(op.f("ix_export_job_actor_job_id"), "export_job", ["actor", "job_id"], unique=False)
    op.create_table(
        "feed_consumer",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=True),
        sa.Column("acknowledged", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("acknowledged >= 0", name=op.f("ck_feed_consumer_acknowledged")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_consumer")),
    )
    op.create_table(
        "feed_control",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feed_control")),
    )
    op.create_table(
        "feed_lag",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("behind", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feed", "topic", "partition", name=op.f("pk_feed_lag")),
    )
    op.create_table(
        "feed_position",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("feed", "topic", "partition", name=op.f("pk_feed_position")),
    )
    op.create_table(
        "finding_seen",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("rule", "system", "type", "key", "first_seen", name=op.f("pk_finding_seen")),
    )
    op.create_index(op.f("ix_finding_seen_closed_at"), "finding_seen", ["closed_at"], unique=False)
    op.create_index(op.f("ix_finding_seen_system_type_key"), "finding_seen", ["system", "type", "key"], unique=False)
    op.create_index(
        "ux_finding_seen_open",
        "finding_seen",
        ["rule", "system", "type", "key"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "finding_work",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("explained_by", sa.Text(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.CheckConstraint("(explanation is null) = (explained_by is null)", name=op.f("ck_finding_work_explained")),
        sa.PrimaryKeyConstraint("rule", "system", "type", "key", name=op.f("pk_finding_work")),
    )
    op.create_index(
        op.f("ix_finding_work_assignee"),
        "finding_work",
        ["assignee"],
        unique=False,
        postgresql_where=sa.text("assignee is not null"),
    )
    op.create_table(
        "freshness_hour",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("within", sa.Double(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "system", "entity", "within", name=op.f("pk_freshness_hour")),
    )
    op.create_table(
        "gleif_entity",
        sa.Column("lei", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("entity_status", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("legal_form", sa.Text(), nullable=True),
        sa.Column("registered_as", sa.Text(), nullable=True),
        sa.Column("direct_parent", sa.Text(), nullable=True),
        sa.Column("ultimate_parent", sa.Text(), nullable=True),
        sa.Column("parent_exception", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lei", name=op.f("pk_gleif_entity")),
    )
    op.create_table(
        "golden_override",
        sa.Column("override_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("anchors", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("overruled", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("override_id", name=op.f("pk_golden_override")),
    )
    op.create_index(
        "ix_golden_override_anchors",
        "golden_override",
        ["anchors"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(op.f("ix_golden_override_decision_id"), "golden_override", ["decision_id"], unique=False)
    op.create_index(op.f("ix_golden_override_ended_by"), "golden_override", ["ended_by"], unique=False)
    op.create_index(
        "ix_golden_override_expires",
        "golden_override",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(op.f("ix_golden_override_origin"), "golden_override", ["origin"], unique=False)
    op.create_table(
        "governance_document",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('contract','ownership')", name=op.f("ck_governance_document_kind")),
        sa.PrimaryKeyConstraint("kind", "name", "fingerprint", name=op.f("pk_governance_document")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("took_effect", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("holder", sa.Integer(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_expires_at"), "idempotency_key", ["expires_at"], unique=False)
    op.create_table(
        "identifier_kept",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", "identifier", name=op.f("pk_identifier_kept")),
    )
    op.create_table(
        "identifier_use",
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identifier", "rec_id", name=op.f("pk_identifier_use")),
    )
    op.create_index(op.f("ix_identifier_use_rec_id"), "identifier_use", ["rec_id"], unique=False)
    op.create_table(
        "judgement",
        sa.Column("judgement_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("superseded_by", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("verdict in ('same','not_same','unsure')", name=op.f("ck_judgement_verdict")),
        sa.CheckConstraint("a < b", name=op.f("ck_judgement_ordered")),
        sa.PrimaryKeyConstraint("judgement_id", name=op.f("pk_judgement")),
    )
    op.create_index(
        "ix_judgement_b_live", "judgement", ["b"], unique=False, postgresql_where=sa.text("superseded_at is null")
    )
    op.create_index(op.f("ix_judgement_decision_id"), "judgement", ["decision_id"], unique=False)
    op.create_index(op.f("ix_judgement_origin"), "judgement", ["origin"], unique=False)
    op.create_index(op.f("ix_judgement_superseded_by"), "judgement", ["superseded_by"], unique=False)
    op.create_index(
        "ix_judgement_until",
        "judgement",
        ["until"],
        unique=False,
        postgresql_where=sa.text("superseded_at is null and until is not null"),
    )
    op.create_index(
        "uq_judgement_live", "judgement", ["a", "b"], unique=True, postgresql_where=sa.text("superseded_at is null")
    )
    op.create_table(
        "link",
        sa.Column("link_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("veto", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision in ('match','possible')", name=op.f("ck_link_decision")),
        sa.CheckConstraint("a < b", name=op.f("ck_link_ordered")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_link")),
    )
    op.create_index("ix_link_b_live", "link", ["b"], unique=False, postgresql_where=sa.text("superseded_at is null"))
    op.create_index("uq_link_live", "link", ["a", "b"], unique=True, postgresql_where=sa.text("superseded_at is null"))
    op.create_table(
        "list_access",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("narrowed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reach", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), nullable=True),
        sa.Column("after_id", sa.Text(), nullable=True),
        sa.Column("until_id", sa.Text(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ids", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("way in ('api','console')", name=op.f("ck_list_access_way")),
        sa.CheckConstraint("what in ('list','search','export','feed')", name=op.f("ck_list_access_what")),
        sa.PrimaryKeyConstraint("key_id", "way", "hour", "digest", name=op.f("pk_list_access")),
    )
    op.create_index(op.f("ix_list_access_hour"), "list_access", ["hour"], unique=False)
    op.create_index(op.f("ix_list_access_ids"), "list_access", ["ids"], unique=False, postgresql_using="gin")
    op.create_table(
        "mapping_applied",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", "fingerprint", name=op.f("pk_mapping_applied")),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("aggregatetype", sa.Text(), nullable=False),
        sa.Column("aggregateid", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("seq", name=op.f("uq_outbox_seq")),
    )
    op.create_index(op.f("ix_outbox_aggregateid_seq"), "outbox", ["aggregateid", "seq"], unique=False)
    op.create_index(op.f("ix_outbox_aggregatetype_seq"), "outbox", ["aggregatetype", "seq"], unique=False)
    op.create_index(
        "ix_outbox_pending", "outbox", ["seq"], unique=False, postgresql_where=sa.text("published_at is null")
    )
    op.create_index(
        "ix_outbox_trace",
        "outbox",
        [sa.literal_column("split_part(traceparent, '-', 2)"), "seq"],
        unique=False,
        postgresql_where=sa.text("traceparent is not null"),
    )
    op.create_table(
        "outcome_count",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system", "topic", "outcome", "reason", name=op.f("pk_outcome_count")),
    )
    op.create_table(
        "partition_mark",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_partition_mark")),
    )
    op.create_table(
        "placement",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("business_units", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("legal_entities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint("domain in ('product','customer','contract')", name=op.f("ck_placement_domain")),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_placement")),
    )
    op.create_table(
        "reconciliation_day",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "day", name=op.f("pk_reconciliation_day")),
    )
    op.create_table(
        "reconciliation_run",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_reconciliation_run_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_reconciliation_run")),
    )
    op.create_table(
        "record_access",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("way in ('api','console')", name=op.f("ck_record_access_way")),
        sa.PrimaryKeyConstraint("entity_id", "key_id", "way", "hour", name=op.f("pk_record_access")),
    )
    op.create_index(op.f("ix_record_access_hour"), "record_access", ["hour"], unique=False)
    op.create_table(
        "record_alias",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
    )
    op.create_index(
        "ix_record_alias_form",
        "record_alias",
        ["system", "type", sa.literal_column("upper(regexp_replace(key, '[^[:alnum:]]', '', 'g'))")],
        unique=False,
    )
    op.create_index(op.f("ix_record_alias_rec_id"), "record_alias", ["rec_id"], unique=False)
    op.create_index(op.f("ix_record_alias_system_type_key"), "record_alias", ["system", "type", "key"], unique=False)
    op.create_table(
        "record_evidence",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
    )
    op.create_index(op.f("ix_record_evidence_rec_id"), "record_evidence", ["rec_id"], unique=False)
    op.create_index(
        op.f("ix_record_evidence_system_type_key"), "record_evidence", ["system", "type", "key"], unique=False
    )
    op.create_index(op.f("ix_record_evidence_token"), "record_evidence", ["token"], unique=False)
    op.create_table(
        "record_history",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.Column("pos_order", sa.BigInteger(), nullable=False),
        sa.Column("pos_rank", sa.SmallInteger(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("row", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("unavailable", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("lsn", sa.BigInteger(), nullable=True),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_key", sa.Text(), nullable=True),
        sa.Column("next_key", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
    )
    op.create_index(op.f("ix_record_history_rec_id"), "record_history", ["rec_id"], unique=False)
    op.create_table(
        "record_reference",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
    )
    op.create_index(op.f("ix_record_reference_rec_id"), "record_reference", ["rec_id"], unique=False)
    op.create_index(
        op.f("ix_record_reference_system_type_key"), "record_reference", ["system", "type", "key"], unique=False
    )
    op.create_table(
        "record_without_key",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rec_id", name=op.f("pk_record_without_key")),
    )
    op.create_index(
        op.f("ix_record_without_key_domain_system_type_key"),
        "record_without_key",
        ["domain", "system", "type", "key"],
        unique=False,
    )
    op.create_table(
        "recycled_identifier",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("holders", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", "identifier", name=op.f("pk_recycled_identifier")),
        sa.UniqueConstraint("question", name=op.f("uq_recycled_identifier_question")),
    )
    op.create_table(
        "reference_list",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reference_list")),
    )
    op.create_table(
        "released_rules",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('survivorship')", name=op.f("ck_released_rules_kind")),
        sa.PrimaryKeyConstraint("fingerprint", "kind", "domain", name=op.f("pk_released_rules")),
    )
    op.create_table(
        "replay_job",
        sa.Column("job_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dead_letters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="running", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('running','stopping','stopped','done','failed')", name=op.f("ck_replay_job_status")
        ),
        sa.CheckConstraint("rate >= 0", name=op.f("ck_replay_job_rate")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_replay_job")),
    )
    op.create_index(op.f("ix_replay_job_actor_job_id"), "replay_job", ["actor", "job_id"], unique=False)
    op.create_index(op.f("ix_replay_job_started_at"), "replay_job", ["started_at"], unique=False)
    op.create_table(
        "rule_release",
        sa.Column("release_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("despite", sa.Text(), server_default="", nullable=False),
        sa.Column("simulation_id", sa.BigInteger(), nullable=True),
        sa.Column("releaser", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('survivorship','matching','usage-revenue')", name=op.f("ck_rule_release_kind")),
        sa.CheckConstraint(
            "status in ('draft','rejected','withdrawn') or (approver is not null and simulation_id is not null)",
            name=op.f("ck_rule_release_nothing_without_approval"),
        ),
        sa.CheckConstraint(
            "status not in ('activating','active','superseded','rolling_back','rolled_back') or releaser is not null",
            name=op.f("ck_rule_release_in_force_by_somebody"),
        ),
        sa.CheckConstraint(
            "status ~ '^(draft|approved|activating|active|superseded|rolling_back|rolled_back|rejected|withdrawn)$'",
            name=op.f("ck_rule_release_status"),
        ),
        sa.CheckConstraint("approver <> author", name=op.f("ck_rule_release_approver_is_not_author")),
        sa.CheckConstraint(
            "releaser <> approver and releaser <> author", name=op.f("ck_rule_release_releaser_is_a_third_person")
        ),
        sa.ForeignKeyConstraint(["replaced"], ["rule_release.release_id"], name=op.f("fk_rule_release_replaced")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_rule_release")),
    )
    op.create_index(op.f("ix_rule_release_status_release_id"), "rule_release", ["status", "release_id"], unique=False)
    op.create_index(
        "ix_rule_release_under_way",
        "rule_release",
        [sa.literal_column("(true)")],
        unique=True,
        postgresql_where=sa.text("status in ('activating','rolling_back')"),
    )
    op.create_table(
        "sanction_name",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
    )
    op.create_index(op.f("ix_sanction_name_list"), "sanction_name", ["list"], unique=False)
    op.create_index("ix_sanction_name_words", "sanction_name", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "search_term",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "term", "entity_id", name=op.f("pk_search_term")),
    )
    op.create_index(op.f("ix_search_term_entity_id"), "search_term", ["entity_id"], unique=False)
    op.create_index(
        "ix_search_term_prefix",
        "search_term",
        ["domain", "term"],
        unique=False,
        postgresql_ops={"term": "text_pattern_ops"},
    )
    op.create_table(
        "source_progress",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("lsn", sa.BigInteger(), nullable=True),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "topic", "partition", name=op.f("pk_source_progress")),
    )
    op.create_table(
        "source_record",
        sa.Column("rec_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("row", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("attributes", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("comparison", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("refs", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("rejected", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.Column("pos_order", sa.BigInteger(), nullable=False),
        sa.Column("pos_rank", sa.SmallInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("lsn", sa.BigInteger(), nullable=True),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_key", sa.Text(), nullable=True),
        sa.Column("unresolved", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rec_id", name=op.f("pk_source_record")),
        sa.UniqueConstraint("system", "type", "key", name=op.f("uq_source_record_system_type_key")),
    )
    op.create_index(
        "ix_source_record_country",
        "source_record",
        ["domain", sa.literal_column("(comparison->>'country')")],
        unique=False,
        postgresql_where=sa.text("not deleted and comparison->>'country' is not null"),
    )
    op.create_index(
        op.f("ix_source_record_domain_rec_id"),
        "source_record",
        ["domain", "rec_id"],
        unique=False,
        postgresql_where=sa.text("not deleted and domain is not null"),
    )
    op.create_index(
        "ix_source_record_rekeyed",
        "source_record",
        ["system", "type", "previous_key"],
        unique=False,
        postgresql_where=sa.text("previous_key is not null"),
    )
    op.create_table(
        "source_retirement",
        sa.Column("retirement_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retired_by", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored_by", sa.Text(), nullable=True),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restored_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(restored_by is null) = (state in ('retiring','retired'))", name=op.f("ck_source_retirement_restored")
        ),
        sa.CheckConstraint(
            "state in ('retiring','retired','restoring','restored')", name=op.f("ck_source_retirement_state")
        ),
        sa.PrimaryKeyConstraint("retirement_id", name=op.f("pk_source_retirement")),
    )
    op.create_index(
        "ix_source_retirement_now",
        "source_retirement",
        ["system"],
        unique=True,
        postgresql_where=sa.text("state <> 'restored'"),
    )
    op.create_table(
        "steward_task",
        sa.Column("task_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('open','resolved','obsolete')", name=op.f("ck_steward_task_status")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_steward_task")),
    )
    op.create_index(
        "ix_steward_task_a_open", "steward_task", ["a"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index(
        "ix_steward_task_answered",
        "steward_task",
        ["closed_at"],
        unique=False,
        postgresql_where=sa.text("status = 'resolved'"),
    )
    op.create_index(
        "ix_steward_task_b_open", "steward_task", ["b"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index(
        "ix_steward_task_open_age",
        "steward_task",
        ["opened_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_steward_task_open_kind",
        "steward_task",
        ["domain", "kind", "opened_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_steward_task_open_weight",
        "steward_task",
        ["weight"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "uq_steward_task_open", "steward_task", ["question"], unique=True, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "suppression_secret",
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("secret", name=op.f("pk_suppression_secret")),
    )
    op.create_table(
        "table_shape",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.Column("pos_order", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", name=op.f("pk_table_shape")),
    )
    op.create_table(
        "table_snapshot",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", name=op.f("pk_table_snapshot")),
    )
    op.create_table(
        "task_label",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "label", name=op.f("pk_task_label")),
    )
    op.create_table(
        "topic_life",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("life", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_topic_life")),
    )
    op.create_table(
        "truncation",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("pos_major", sa.BigInteger(), nullable=False),
        sa.Column("pos_minor", sa.BigInteger(), nullable=False),
        sa.Column("pos_order", sa.BigInteger(), nullable=False),
        sa.Column("pos_rank", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "type", "pos_major", "pos_minor", "pos_order", name=op.f("pk_truncation")),
    )
    op.create_table(
        "version_usage",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("deprecated", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("surface in ('api','events')", name=op.f("ck_version_usage_surface")),
        sa.PrimaryKeyConstraint("day", "caller", "surface", "version", "pinned", name=op.f("pk_version_usage")),
    )
    op.create_table(
        "audit_remark",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit.seq"], name=op.f("fk_audit_remark_seq")),
        sa.PrimaryKeyConstraint("seq", "name", name=op.f("pk_audit_remark")),
    )
    op.create_table(
        "blind_pair",
        sa.Column("pair_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sample_id", sa.BigInteger(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("a_system", sa.Text(), nullable=False),
        sa.Column("b_system", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.CheckConstraint("stratum in ('joined','asked','near','unmet','far')", name=op.f("ck_blind_pair_stratum")),
        sa.CheckConstraint("a < b", name=op.f("ck_blind_pair_ordered")),
        sa.ForeignKeyConstraint(["sample_id"], ["blind_sample.sample_id"], name=op.f("fk_blind_pair_sample_id")),
        sa.PrimaryKeyConstraint("pair_id", name=op.f("pk_blind_pair")),
    )
    op.create_index(op.f("ix_blind_pair_sample_id"), "blind_pair", ["sample_id"], unique=False)
    op.create_table(
        "bulk_item",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("seen", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["bulk_job.job_id"], name=op.f("fk_bulk_item_job_id")),
        sa.PrimaryKeyConstraint("job_id", "task_id", name=op.f("pk_bulk_item")),
    )
    op.create_index(
        "ix_bulk_item_open",
        "bulk_item",
        ["job_id", "task_id"],
        unique=False,
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("checkpoint_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_by is null) = (superseded_at is null)", name=op.f("ck_checkpoint_ended_by_somebody")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_checkpoint_entity_id")),
        sa.PrimaryKeyConstraint("checkpoint_id", name=op.f("pk_checkpoint")),
    )
    op.create_index(
        "uq_checkpoint_live",
        "checkpoint",
        ["entity_id", "name"],
        unique=True,
        postgresql_where=sa.text("superseded_at is null"),
    )
    op.create_table(
        "crosswalk",
        sa.Column("rec_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_crosswalk_entity_id")),
        sa.ForeignKeyConstraint(["rec_id"], ["source_record.rec_id"], name=op.f("fk_crosswalk_rec_id")),
        sa.PrimaryKeyConstraint("rec_id", name=op.f("pk_crosswalk")),
    )
    op.create_index(op.f("ix_crosswalk_entity_id"), "crosswalk", ["entity_id"], unique=False)
    op.create_table(
        "customer_relation",
        sa.Column("relation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("child", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind in ('legal_parent','bill_to','reporting_parent')", name=op.f("ck_customer_relation_kind")
        ),
        sa.CheckConstraint("parent is not null or kind = 'legal_parent'", name=op.f("ck_customer_relation_parent")),
        sa.CheckConstraint("parent <> child", name=op.f("ck_customer_relation_two_customers")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_customer_relation_period")),
        sa.ForeignKeyConstraint(["child"], ["entity.entity_id"], name=op.f("fk_customer_relation_child")),
        sa.ForeignKeyConstraint(["parent"], ["entity.entity_id"], name=op.f("fk_customer_relation_parent")),
        sa.PrimaryKeyConstraint("relation_id", name=op.f("pk_customer_relation")),
    )
    op.create_index(
        "ix_customer_relation_child",
        "customer_relation",
        ["child", "kind"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(op.f("ix_customer_relation_decision_id"), "customer_relation", ["decision_id"], unique=False)
    op.create_index(op.f("ix_customer_relation_ended_by"), "customer_relation", ["ended_by"], unique=False)
    op.create_index(op.f("ix_customer_relation_origin"), "customer_relation", ["origin"], unique=False)
    op.create_index(
        "ix_customer_relation_parent",
        "customer_relation",
        ["parent", "kind"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "dead_letter_fix",
        sa.Column("fix_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dead_letter_id", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dead_letter_id"], ["dead_letter.dead_letter_id"], name=op.f("fk_dead_letter_fix_dead_letter_id")
        ),
        sa.PrimaryKeyConstraint("fix_id", name=op.f("pk_dead_letter_fix")),
    )
    op.create_index(
        op.f("ix_dead_letter_fix_dead_letter_id_fix_id"), "dead_letter_fix", ["dead_letter_id", "fix_id"], unique=False
    )
    op.create_table(
        "erp_version",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("erp", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(reasons = '[]'::jsonb) = (version is not null and version = judged)",
            name=op.f("ck_erp_version_held_for_a_reason"),
        ),
        sa.CheckConstraint("(version is null) = (since is null)", name=op.f("ck_erp_version_served_since")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_erp_version_entity_id")),
        sa.PrimaryKeyConstraint("entity_id", "erp", name=op.f("pk_erp_version")),
    )
    op.create_index(
        "ix_erp_version_due",
        "erp_version",
        ["erp", "domain", "due"],
        unique=False,
        postgresql_where=sa.text("due is not null"),
    )
    op.create_index(
        "ix_erp_version_held",
        "erp_version",
        ["erp", "domain", "entity_id"],
        unique=False,
        postgresql_where=sa.text("reasons <> '[]'::jsonb"),
    )
    op.create_index(
        "ix_erp_version_order",
        "erp_version",
        ["erp", "domain", "since", "entity_id"],
        unique=False,
        postgresql_where=sa.text("version is not null"),
    )
    op.create_index(
        "ix_erp_version_untold", "erp_version", ["entity_id", "erp"], unique=False, postgresql_where=sa.text("not told")
    )
    op.create_table(
        "golden",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lineage", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("support", sa.LargeBinary(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_golden_entity_id")),
        sa.PrimaryKeyConstraint("entity_id", "version", name=op.f("pk_golden")),
    )
    op.create_index(
        "ix_golden_list",
        "golden",
        ["domain", "seq", "entity_id"],
        unique=False,
        postgresql_where=sa.text("known_to is null"),
    )
    op.create_index(
        "uq_golden_current", "golden", ["entity_id"], unique=True, postgresql_where=sa.text("known_to is null")
    )
    op.create_table(
        "onboarding_return",
        sa.Column("return_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(ended_by is null) = (ended_at is null)", name=op.f("ck_onboarding_return_ended_by_somebody")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_onboarding_return_entity_id")),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_onboarding_return")),
    )
    op.create_index(op.f("ix_onboarding_return_entity_id"), "onboarding_return", ["entity_id"], unique=False)
    op.create_index(
        "uq_onboarding_return_live",
        "onboarding_return",
        ["entity_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "proposal",
        sa.Column("proposal_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effect", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("demands", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("entities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("risk", sa.Integer(), server_default="1", nullable=False),
        sa.Column("stake", sa.Double(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status in ('open','approved','rejected','withdrawn','expired')", name=op.f("ck_proposal_status")
        ),
        sa.CheckConstraint(
            "status not in ('approved','rejected') or (decided_by is not null and decided_by <> author)",
            name=op.f("ck_proposal_two_persons"),
        ),
        sa.CheckConstraint("risk between 1 and 3 and stake >= 0", name=op.f("ck_proposal_at_stake")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"], name=op.f("fk_proposal_decision_id")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_at_stake", "proposal", ["status", "risk", "stake", "proposal_id"], unique=False)
    op.create_index(op.f("ix_proposal_author"), "proposal", ["author"], unique=False)
    op.create_index(
        "ix_proposal_command",
        "proposal",
        ["command"],
        unique=False,
        postgresql_using="hash",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        op.f("ix_proposal_decided_at"),
        "proposal",
        ["decided_at"],
        unique=False,
        postgresql_where=sa.text("decided_at is not null"),
    )
    op.create_index(
        "ix_proposal_discards",
        "proposal",
        ["proposal_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and kind = 'discard'"),
    )
    op.create_index("ix_proposal_entities", "proposal", ["entities"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_proposal_status_proposal_id"), "proposal", ["status", "proposal_id"], unique=False)
    op.create_index(
        "ix_proposal_task", "proposal", ["task_id"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "erp_question",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("erp", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("attributes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("served", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status = 'open' or proposal_id is not null", name=op.f("ck_erp_question_answered_when_asked")
        ),
        sa.CheckConstraint("status in ('open','approved','rejected')", name=op.f("ck_erp_question_status")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_erp_question_entity_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.proposal_id"], name=op.f("fk_erp_question_proposal_id")),
        sa.PrimaryKeyConstraint("entity_id", "erp", name=op.f("pk_erp_question")),
    )
    op.create_index("ix_erp_question_change", "erp_question", ["entity_id", "change"], unique=False)
    op.create_index(op.f("ix_erp_question_proposal_id"), "erp_question", ["proposal_id"], unique=False)
    op.create_table(
        "release_run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="running", nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("position", sa.Text(), server_default="", nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("digest_before", sa.Text(), nullable=True),
        sa.Column("digest_after", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('running','done','failed')", name=op.f("ck_release_run_status")),
        sa.CheckConstraint("what in ('simulation','activation','rollback')", name=op.f("ck_release_run_what")),
        sa.ForeignKeyConstraint(["release_id"], ["rule_release.release_id"], name=op.f("fk_release_run_release_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_release_run")),
    )
    op.create_index(op.f("ix_release_run_release_id_run_id"), "release_run", ["release_id", "run_id"], unique=False)
    op.create_table(
        "rules_in_force",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["rule_release.release_id"], name=op.f("fk_rules_in_force_release_id")),
        sa.PrimaryKeyConstraint("kind", "domain", name=op.f("pk_rules_in_force")),
    )
    op.create_table(
        "suppression",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("erasure_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.erasure_id"], name=op.f("fk_suppression_erasure_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_suppression")),
    )
    op.create_table(
        "task_priority",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("impact", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("amounts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("systems", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("business_units", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ranked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("put_off_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["steward_task.task_id"], name=op.f("fk_task_priority_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_priority")),
    )
    op.create_index(op.f("ix_task_priority_amount"), "task_priority", ["amount"], unique=False)
    op.create_index(
        "ix_task_priority_day",
        "task_priority",
        [sa.literal_column("((due_at at time zone 'UTC')::date)"), sa.literal_column("(-rank)"), "task_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_task_priority_due_at"),
        "task_priority",
        ["due_at"],
        unique=False,
        postgresql_include=["domain", "kind", "task_id"],
    )
    op.create_index(
        "ix_task_priority_kind",
        "task_priority",
        ["domain", "kind", sa.literal_column("(-rank)"), "task_id"],
        unique=False,
    )
    op.create_index(
        "ix_task_priority_order", "task_priority", [sa.literal_column("rank desc"), "task_id"], unique=False
    )
    op.create_index(
        "ix_task_priority_pair", "task_priority", ["systems", sa.literal_column("rank desc"), "task_id"], unique=False
    )
    op.create_index(
        "ix_task_priority_put_off",
        "task_priority",
        [sa.literal_column("rank desc"), "task_id"],
        unique=False,
        postgresql_where=sa.text("put_off_until is not null"),
    )
    op.create_index(op.f("ix_task_priority_ranked_at"), "task_priority", ["ranked_at"], unique=False)
    op.create_index(
        "ix_task_priority_taken", "task_priority", ["taken", sa.literal_column("rank desc"), "task_id"], unique=False
    )
    op.create_index(
        "ix_task_priority_where",
        "task_priority",
        ["countries", "regions", "business_units"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "task_work",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("assigned_by", sa.Text(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_by", sa.Text(), nullable=True),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"], name=op.f("fk_task_work_decision_id")),
        sa.ForeignKeyConstraint(["task_id"], ["steward_task.task_id"], name=op.f("fk_task_work_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_work")),
    )
    op.create_index(op.f("ix_task_work_assignee"), "task_work", ["assignee"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("erp", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("completeness", sa.Double(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_verdict_entity_id")),
        sa.PrimaryKeyConstraint("entity_id", "erp", name=op.f("pk_verdict")),
    )
    op.create_index(
        op.f("ix_verdict_erp_decision_entity_id"), "verdict", ["erp", "decision", "entity_id"], unique=False
    )
    op.create_index(op.f("ix_verdict_valid_until"), "verdict", ["valid_until"], unique=False)
    op.create_table(
        "waiver",
        sa.Column("waiver_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(approved_by is null) = (approved_at is null)", name=op.f("ck_waiver_approved_by_somebody")
        ),
        sa.CheckConstraint("(ended_by is null) = (superseded_at is null)", name=op.f("ck_waiver_ended_by_somebody")),
        sa.CheckConstraint("approved_by <> actor", name=op.f("ck_waiver_two_persons")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_waiver_entity_id")),
        sa.PrimaryKeyConstraint("waiver_id", name=op.f("pk_waiver")),
    )
    op.create_index(
        "uq_waiver_live",
        "waiver",
        ["entity_id", "code", "path"],
        unique=True,
        postgresql_where=sa.text("superseded_at is null"),
    )
    op.create_table(
        "blind_answer",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict in ('same','not_same','unsure')", name=op.f("ck_blind_answer_verdict")),
        sa.ForeignKeyConstraint(["pair_id"], ["blind_pair.pair_id"], name=op.f("fk_blind_answer_pair_id")),
        sa.PrimaryKeyConstraint("pair_id", "person", name=op.f("pk_blind_answer")),
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    raise CommandError("The schema only moves forward. To go back, restore the backup taken before the upgrade.")
