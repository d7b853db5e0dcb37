"""Nobody is their own second or third person: refused by the database, whoever writes and whatever the code forgot."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

Sql = Callable[..., None]


@pytest.fixture
def sql(engine: Engine) -> Sql:
    """Runs statements in one transaction, as whoever owns the tables would by hand."""

    def run(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return run


_RELEASE = """insert into rule_release (kind, domain, title, version, fingerprint, document, author,
                                        drafted_at, changed_at)
              values ('survivorship', 'customer', 'Newest first', '1', 'f', 'd', 'ada', now(), now())"""
_PROPOSAL = """insert into proposal (kind, domain, command, effect, digest, demands, entities, author, author_role,
                                     proposed_at, expires_at)
               values ('pin', 'customer', '{}', '{}', 'd', '[]', '{}', 'ada', 'steward', now(), now())"""
_ERASURE = (
    "insert into erasure (records, kept, reason, requested_by, requested_at) values ('{}', '{}', 'x', 'ada', now())"
)
_BATCH = "insert into batch (cause) values ('steward')"
_DECISION = """insert into decision (kind, domain, actor, command, effect, records, entities, batch_id, at)
               select 'merge', 'customer', 'ada', '{}', '{}', '{}', '{}', max(batch_id), now() from batch"""
_DELEGATION = """insert into delegation (owner, role, delegate, since, until)
                 values ('ada', 'senior_steward', 'ben', now(), now() + interval '1 day')"""

_CUSTOMER = """insert into entity (entity_id, domain, status, founder, founded_batch, founded_at, changed_at)
               values ('cus_1', 'customer', 'active', 1, 1, now(), now())"""
_WAIVER = """insert into waiver (entity_id, code, path, actor, reason, at, expires_at)
             values ('cus_1', 'BLOCKED_BY_ERP', '', 'ada', 'x', now(), now() + interval '1 day')"""

_APPROVED = "update rule_release set status = 'approved', approver = 'ben', simulation_id = 1"
_ACTIVE = "update rule_release set status = 'active', releaser = 'clara'"


def test_three_people_carry_a_release(sql: Sql) -> None:
    sql(_RELEASE, _APPROVED, _ACTIVE)


@pytest.mark.parametrize(
    "statements",
    [
        ("update rule_release set status = 'approved', approver = 'ada', simulation_id = 1",),
        ("update rule_release set status = 'approved', simulation_id = 1",),
        ("update rule_release set status = 'active', releaser = 'clara'",),
        (_APPROVED, "update rule_release set status = 'active'"),
        (_APPROVED, "update rule_release set status = 'active', releaser = 'ada'"),
        (_APPROVED, "update rule_release set status = 'active', releaser = 'ben'"),
        (_APPROVED, "update rule_release set approver = 'dora'"),
        (_APPROVED, "update rule_release set author = 'dora'"),
        (_APPROVED, "update rule_release set approver = null, status = 'draft'"),
        (_APPROVED, "update rule_release set document = 'another'"),
        (_APPROVED, _ACTIVE, "update rule_release set releaser = 'ben'"),
        (_APPROVED, _ACTIVE, "update rule_release set releaser = 'dora'"),
        ("update rule_release set author = 'dora'",),
    ],
)
def test_a_release_in_fewer_hands_is_refused(sql: Sql, statements: tuple[str, ...]) -> None:
    sql(_RELEASE, *statements[:-1])

    with pytest.raises(IntegrityError, match=r"check constraint|written once"):
        sql(statements[-1])


@pytest.mark.parametrize(
    ("made", "good"),
    [
        (_PROPOSAL, "update proposal set status = 'approved', decided_by = 'ben'"),
        (_ERASURE, "update erasure set status = 'carried_out', decided_by = 'ben'"),
        (f"{_BATCH}; {_DECISION}", "update decision set approved_by = 'ben'"),
        (_DELEGATION, "update delegation set ended_at = now()"),
        (f"{_CUSTOMER}; {_WAIVER}", "update waiver set approved_by = 'ben', approved_at = now()"),
    ],
)
def test_two_people_do(sql: Sql, made: str, good: str) -> None:
    sql(*made.split("; "), good)


@pytest.mark.parametrize(
    ("made", "statements"),
    [
        (_PROPOSAL, ("update proposal set status = 'approved', decided_by = 'ada'",)),
        (_PROPOSAL, ("update proposal set status = 'rejected', decided_by = 'ada'",)),
        (_PROPOSAL, ("update proposal set status = 'approved'",)),
        (_PROPOSAL, ("update proposal set author = 'dora', status = 'approved', decided_by = 'ada'",)),
        (_PROPOSAL, ("update proposal set status = 'approved', decided_by = 'ben'",
                     "update proposal set decided_by = 'dora'")),
        (_ERASURE, ("update erasure set status = 'carried_out', decided_by = 'ada'",)),
        (_ERASURE, ("update erasure set status = 'carried_out'",)),
        (_ERASURE, ("update erasure set requested_by = 'dora', status = 'carried_out', decided_by = 'ada'",)),
        (f"{_BATCH}; {_DECISION}", ("update decision set approved_by = 'ada'",)),
        (f"{_BATCH}; {_DECISION}", ("update decision set actor = 'dora', approved_by = 'ada'",)),
        (f"{_CUSTOMER}; {_WAIVER}", ("update waiver set approved_by = 'ada', approved_at = now()",)),
        (f"{_CUSTOMER}; {_WAIVER}", ("update waiver set actor = 'dora', approved_by = 'ada', approved_at = now()",)),
        (_DELEGATION, ("update delegation set delegate = 'ada'",)),
        (_DELEGATION, ("update delegation set delegate = 'dora'",)),
    ],
)  # fmt: skip
def test_one_person_does_not(sql: Sql, made: str, statements: tuple[str, ...]) -> None:
    sql(*made.split("; "), *statements[:-1])

    with pytest.raises(IntegrityError, match=r"check constraint|written once"):
        sql(statements[-1])
