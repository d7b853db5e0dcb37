"""Confirmations, waivers and returns of onboarding: given and taken back by people, audited, told to those who rely on
them."""

from datetime import datetime

from sqlalchemy import Engine

from mdm.access import Role, either, read_role
from mdm.clock import Clock
from mdm.errors import Conflict, NotFound, OperatorError, Refused
from mdm.hub.onboarding import golden_customer
from mdm.hub.steward.actor import Actor
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Return, Waiver
from mdm.onboarding.ruleset import Rule, RuleSet, shipped_ruleset
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
        if not store.withdraw_checkpoint(work, customer, name, actor, reason.strip()):
            raise NotFound(f"{customer} has no confirmation of {name.value}.")
        ledger.write_audit(work, actor, "checkpoint_withdrawn", customer, {"checkpoint": name.value, "reason": reason})


def waive(
    engine: Engine,
    clock: Clock,
    entity_id: str,
    waiver: Waiver,
    role: Role,
    rules: RuleSet | None = None,
) -> None:
    """Excuse a finding until a day. Only the roles that the rule names may, and never for ever. Where its failure would
    block the customer, it excuses nothing before another person agrees (`approve_waiver`).

    Raises:
        NotFound: there is no such live customer, or no such code.
        OperatorError: the rule cannot be waived, not by this role, without reason, or the end lies in the past.
    """
    rule = (rules or shipped_ruleset()).rules.get(waiver.code)
    if rule is None:
        raise NotFound(f"There is no code {waiver.code}.", action="`mdm onboarding codes` lists all codes.")
    if not may_waive(role, rule):
        why, instead = not_waived(role, waiver.code, rule)
        raise OperatorError(why, action=instead)
    _check(waiver.reason, waiver.expires_at, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        store.write_waiver(work, customer, waiver)
        detail = {"code": waiver.code, "path": waiver.path, "reason": waiver.reason}
        detail["expires_at"] = waiver.expires_at.isoformat()
        ledger.write_audit(work, waiver.actor, "finding_waived", customer, detail)


def approve_waiver(
    engine: Engine, clock: Clock, entity_id: str, code: str, path: str, actor: Actor, rules: RuleSet | None = None
) -> None:
    """Agree to a waiver that somebody else wrote; from then on it excuses the finding.

    Raises:
        NotFound: there is no such live customer, code or waiver.
        Refused: the actor wrote it, or has no role that waives this code.
        Conflict: somebody has agreed already, or it has expired.
    """
    rule = (rules or shipped_ruleset()).rules.get(code)
    if rule is None:
        raise NotFound(f"There is no code {code}.", action="`mdm onboarding codes` lists all codes.")
    if not may_waive(actor.role, rule):
        why, instead = not_waived(actor.role, code, rule)
        raise Refused(why, action=instead)
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        waiver = store.find_waiver(work, customer, code, path)
        if waiver is None:
            raise NotFound(f"{customer} has no waiver of {code}{f' at {path}' if path else ''}.")
        if waiver.actor == actor.name:
            raise Refused("Nobody agrees to a waiver that they wrote.", action="Ask somebody else to look at it.")
        if waiver.approved_by is not None or waiver.expires_at <= work.now:
            state = "has expired" if waiver.approved_by is None else f"was agreed to by {waiver.approved_by}"
            raise Conflict(f"The waiver {state}.", action="Look at the verdict again.")
        store.approve_waiver(work, customer, code, path, actor.name)
        detail = {"code": code, "path": path, "by": waiver.actor}
        ledger.write_audit(work, actor.name, "waiver_approved", customer, detail)


def may_waive(role: Role, rule: Rule) -> bool:
    """Whether one of the held roles may excuse a failure of this rule."""
    return any(read_role(each) in role for each in rule.waivable_by)


def not_waived(role: Role, code: str, rule: Rule) -> tuple[str, str]:
    """Why this role excuses no failure of the rule, and what to do instead: who may, or how to mend what nobody may."""
    if not rule.waivable_by:
        return f"Nobody may waive {code}.", rule.hint
    return f"A {role} may not waive {code}.", f"Ask somebody with the role {either(rule.waivable_by)}."


def unwaive(engine: Engine, clock: Clock, entity_id: str, code: str, path: str, actor: str, reason: str) -> None:
    """Take a waiver back.

    Raises:
        NotFound: there is no such live customer, or no such waiver.
    """
    _check(reason, None, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        if not store.withdraw_waiver(work, customer, code, path, actor, reason.strip()):
            raise NotFound(f"{customer} has no waiver of {code}{f' at {path}' if path else ''}.")
        detail = {"code": code, "path": path, "reason": reason}
        ledger.write_audit(work, actor, "waiver_withdrawn", customer, detail)


def return_to_requester(engine: Engine, clock: Clock, entity_id: str, actor: str, reason: str) -> None:
    """Send a customer back to whoever asked for it. It is blocked until somebody takes it up again.

    Raises:
        NotFound: there is no such live customer.
        OperatorError: no reason is given.
        Conflict: it was sent back already.
    """
    _check(reason, None, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        if not store.write_return(work, customer, Return(actor, work.now, reason.strip())):
            raise Conflict(f"{customer} was returned already.", action="Its verdict says by whom and why.")
        ledger.write_audit(work, actor, "onboarding_returned", customer, {"reason": reason.strip()})


def take_up(engine: Engine, clock: Clock, entity_id: str, actor: str, reason: str) -> None:
    """Look again at a customer that was sent back; the reason says what was mended.

    Raises:
        NotFound: there is no such live customer, or nobody had sent it back.
        OperatorError: no reason is given.
    """
    _check(reason, None, clock())
    customer = _live_customer(engine, entity_id)
    with unit_of_work(engine, clock, "onboarding") as work:
        if not store.end_return(work, customer, actor, reason.strip()):
            raise NotFound(f"Nobody has returned {customer}.")
        ledger.write_audit(work, actor, "onboarding_taken_up", customer, {"reason": reason.strip()})


def _live_customer(engine: Engine, entity_id: str) -> str:
    with engine.connect() as connection:
        return golden_customer(connection, entity_id).entity_id


def _check(reason: str, expires_at: datetime | None, now: datetime) -> None:
    if not reason.strip():
        raise OperatorError("A reason is needed.", action="Say on what grounds; it is kept in the audit.")
    if expires_at is not None and expires_at <= now:
        raise OperatorError("The end lies in the past.", action="Give a day to come.")
