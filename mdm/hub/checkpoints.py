"""Confirmations and waivers of onboarding: given and taken back by people, audited, told to those who rely on them."""

from datetime import datetime

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import NotFound, OperatorError
from mdm.hub.onboarding import golden_customer
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Waiver
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.store import ledger
from mdm.store import onboarding as store
from mdm.store.unit_of_work import unit_of_work


def confirm(
    engine: Engine,
    clock: Clock,
    entity_id: str,
    name: CheckpointName,
    actor: str,
    reason: str,
    expires_at: datetime | None = None,
) -> Checkpoint:
    """Record that a checkpoint is passed, in place of an earlier confirmation of it.

    Raises:
        NotFound: there is no such live customer.
        OperatorError: no reason is given, or the end lies in the past.
    """
    _check(reason, expires_at, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        given = Checkpoint(name, actor, work.now, reason, expires_at)
        store.write_checkpoint(work, customer, given)
        detail = {"checkpoint": name.value, "reason": reason, "expires_at": expires_at and expires_at.isoformat()}
        ledger.write_audit(work, actor, "checkpoint_confirmed", customer, detail)
    return given


def withdraw(engine: Engine, clock: Clock, entity_id: str, name: CheckpointName, actor: str, reason: str) -> None:
    """Take a confirmation back.

    Raises:
        NotFound: there is no such live customer, or no such confirmation.
    """
    _check(reason, None, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        if not store.withdraw_checkpoint(work, customer, name):
            raise NotFound(f"{customer} has no confirmation of {name.value}.")
        ledger.write_audit(work, actor, "checkpoint_withdrawn", customer, {"checkpoint": name.value, "reason": reason})


def waive(
    engine: Engine,
    clock: Clock,
    entity_id: str,
    waiver: Waiver,
    role: str,
    rules: RuleSet | None = None,
) -> None:
    """Excuse a finding until a day. Only the roles that the rule names may, and never for ever.

    Raises:
        NotFound: there is no such live customer, or no such code.
        OperatorError: the rule cannot be waived, not by this role, without reason, or the end lies in the past.
    """
    rule = (rules or shipped_ruleset()).rules.get(waiver.code)
    if rule is None:
        raise NotFound(f"There is no code {waiver.code}.", action="`mdm onboarding codes` lists all codes.")
    if role not in rule.waivable_by:
        allowed = " or ".join(rule.waivable_by)
        raise OperatorError(
            f"{waiver.code} cannot be waived{f' by a {role}' if allowed else ''}.",
            action=f"Ask somebody with the role {allowed}." if allowed else rule.hint,
        )
    _check(waiver.reason, waiver.expires_at, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        store.write_waiver(work, customer, waiver)
        detail = {"code": waiver.code, "path": waiver.path, "reason": waiver.reason}
        detail["expires_at"] = waiver.expires_at.isoformat()
        ledger.write_audit(work, waiver.actor, "finding_waived", customer, detail)


def unwaive(engine: Engine, clock: Clock, entity_id: str, code: str, path: str, actor: str, reason: str) -> None:
    """Take a waiver back.

    Raises:
        NotFound: there is no such live customer, or no such waiver.
    """
    _check(reason, None, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        if not store.withdraw_waiver(work, customer, code, path):
            raise NotFound(f"{customer} has no waiver of {code}{f' at {path}' if path else ''}.")
        detail = {"code": code, "path": path, "reason": reason}
        ledger.write_audit(work, actor, "waiver_withdrawn", customer, detail)


def _live_customer(engine: Engine, entity_id: str) -> str:
    with engine.connect() as connection:
        return golden_customer(connection, entity_id).entity_id


def _check(reason: str, expires_at: datetime | None, now: datetime) -> None:
    if not reason.strip():
        raise OperatorError("A reason is needed.", action="Say on what grounds; it is kept in the audit.")
    if expires_at is not None and expires_at <= now:
        raise OperatorError("The end lies in the past.", action="Give a day to come.")
