"""ERP onboarding: the verdict on a golden customer or a candidate, confirmations, waivers, and what codes mean."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from pydantic import Field

from api.auth import CallerDep, allows
from api.cursors import read_cursor, write_cursor
from api.deps import HubDep, ReadHub, ReadsDep, RulesDep
from api.errors import FORBIDDEN, INVALID_COMMAND, INVALID_CURSOR, INVALID_REQUEST, NOT_FOUND, refuse
from api.idempotency import OnceRoute
from api.present_verdict import verdict_object
from api.routes.parameters import EntityIdPath, Paged, Parameters
from api.routes.responses import CHECKED, COMMANDED, ENDED, GUARDED, TOO_LARGE, UNKNOWN, Responses
from api.schemas.given import Storable
from api.schemas.onboarding import (
    CheckpointKind,
    Erp,
    GivenConfirmation,
    GivenReturn,
    GivenTarget,
    GivenWaiver,
    NamedWaiver,
    OnboardingCode,
    OnboardingCodes,
    OnboardingHistory,
    OnboardingQuestion,
    Verdict,
    candidate_values,
)
from api.wire import answer
from mdm.access import Caller, Permission
from mdm.core.rules import Rules
from mdm.errors import OperatorError
from mdm.hub import checkpoints
from mdm.hub.onboarding import Aim, Candidate, golden_customer, verdict_on_candidate, verdict_on_golden
from mdm.hub.steward import Actor
from mdm.onboarding.checkpoint import CheckpointName, Waiver
from mdm.onboarding.ruleset import Rule, RuleSet, shipped_ruleset
from mdm.onboarding.subject import Account
from mdm.onboarding.verdict import document
from mdm.store.onboarding import words_about

_MOST_BYTES = 64 * 1024
FindingCode = Annotated[Storable, Path(max_length=64, description="As findings name it.")]

router = APIRouter(route_class=OnceRoute, prefix="/v1/onboarding", tags=["onboarding"], responses={**GUARDED})
customer_router = APIRouter(
    route_class=OnceRoute,
    prefix="/v1/customers",
    tags=["onboarding"],
    responses={**GUARDED, **CHECKED, **UNKNOWN, **ENDED},
)


def validate(question: Any, caller: CallerDep, hub: HubDep, rules: RulesDep) -> Response:
    """May this legal entity be created in ERP: is it valid, new, complete, approved?

    Name either a golden customer or a candidate. A candidate is compared with all golden customers by the released
    model; nothing is stored. Equal input and equal evidence give equal bytes.
    """
    if (question.entity_id is None) == (question.candidate is None):
        errors = [{"parameter": "body", "detail": "name either `entity_id` or `candidate`"}]
        raise refuse(INVALID_REQUEST, "The question names nobody, or two.", errors=errors)
    aim = _aim(question.target)
    now = hub.clock()
    if question.entity_id is not None:
        drawn = verdict_on_golden(hub.engine, rules.platforms, question.entity_id, now, aim)
        return _told(verdict_object(drawn, caller.eyes), now)
    stated = question.candidate
    candidate = Candidate(
        candidate_values(question),
        [each.model_dump() for each in stated.bank_accounts],
        stated.parent.model_dump(exclude_none=True) if stated.parent is not None else None,
    )
    return _told(document(verdict_on_candidate(hub.engine, rules, candidate, now, aim)), now)


def _told(verdict: dict[str, Any], now: datetime) -> Response:
    """A verdict, and beside it when it was drawn: equal input and evidence give equal bytes whenever that is."""
    return answer(verdict, headers={"X-Evaluated-At": now.astimezone(UTC).isoformat().replace("+00:00", "Z")})


#: What stands beside a verdict, and is no part of it.
BESIDE: Responses = {
    200: {
        "headers": {
            "X-Evaluated-At": {
                "description": "When the verdict was drawn. It is no part of the verdict, whose bytes are the same for "
                "equal input and evidence.",
                "schema": {"type": "string", "format": "date-time"},
            },
            "X-Trace-Id": {
                "description": "Names this answer in the log of the hub; that of `traceparent` if the request had one.",
                "schema": {"type": "string"},
            },
        }
    }
}


def _with_form(handler: Callable[..., Response]) -> Callable[..., Response]:
    """The handler with the body's form in its signature: the form is made at run time, annotations are read before."""
    handler.__annotations__["question"] = Annotated[OnboardingQuestion, Body()]
    return handler


router.post(
    "/validate",
    name="validate_onboarding",
    summary="May this legal entity be created in ERP?",
    response_model=Verdict,
    responses={**BESIDE, **TOO_LARGE, **CHECKED, **UNKNOWN, **ENDED},
    dependencies=[Depends(allows(Permission.READ))],
    max_body_size=_MOST_BYTES,
)(_with_form(validate))


@router.get(
    "/codes",
    name="list_onboarding_codes",
    summary="The catalogue of finding codes",
    response_model=OnboardingCodes,
    dependencies=[Depends(allows(Permission.READ))],
)
def list_codes() -> Response:
    """Every code with its check, its effect, who acts, who may waive it, and what to do."""
    rules = shipped_ruleset()
    items = [_code(rules, rule) for rule in rules.rules.values()]
    return answer({"version": rules.version, "hash": f"sha256:{rules.digest}", "items": items})


@router.get(
    "/codes/{code}",
    name="get_onboarding_code",
    summary="What one code means and what to do",
    response_model=OnboardingCode,
    responses={**CHECKED, **UNKNOWN},
    dependencies=[Depends(allows(Permission.READ))],
)
def get_code(code: FindingCode) -> Response:
    """The runbook of one finding code."""
    rules = shipped_ruleset()
    if code not in rules.rules:
        raise refuse(NOT_FOUND, "There is no such code.")
    return answer(_code(rules, rules.rules[code]))


class TargetParameters(Parameters):
    """For which ERP."""

    erp: Erp | None = Field(None, description="The rule set's own ERP when absent.")


@customer_router.get(
    "/{id}/readiness",
    name="get_customer_readiness",
    summary="May this customer be created in ERP?",
    response_model=Verdict,
    responses=BESIDE,
    dependencies=[Depends(allows(Permission.READ))],
)
def get_readiness(
    id: EntityIdPath, aim: Annotated[TargetParameters, Query()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """The verdict on a golden customer; an absorbed id is answered for its survivor."""
    now = hub.clock()
    drawn = verdict_on_golden(hub.engine, rules.platforms, id, now, Aim(aim.erp))
    return _told(verdict_object(drawn, caller.eyes), now)


class HistoryParameters(Paged):
    """How much."""


@customer_router.get(
    "/{id}/onboarding-history",
    name="get_onboarding_history",
    summary="What people said about the onboarding of a customer",
    response_model=OnboardingHistory,
    dependencies=[Depends(allows(Permission.INSPECT))],
)
def get_history(id: EntityIdPath, page: Annotated[HistoryParameters, Query()], reads: ReadsDep) -> Response:
    """Confirmations, waivers and returns, the latest first, also those that have ended; an absorbed id is answered for
    its survivor."""
    with reads.snapshot() as connection:
        found = golden_customer(connection, id).entity_id
        scope = page.scope(f"onboarding of {found}")
        words = words_about(connection, found, page.limit + 1, _after(page.cursor, scope))
    shown = words[: page.limit]
    last = shown[-1] if len(words) > page.limit else None
    return answer(
        {
            "items": [asdict(each) for each in shown],
            "next": write_cursor(scope, [last.at.isoformat(), last.kind, last.about]) if last is not None else None,
        }
    )


def _after(cursor: str | None, scope: str) -> tuple[datetime, str, str] | None:
    if cursor is None:
        return None
    at, kind, about = map(str, read_cursor(cursor, scope, (str, str, str)))
    try:
        return datetime.fromisoformat(at), kind, about
    except ValueError:
        raise refuse(INVALID_CURSOR, "This cursor was not made by this list.") from None


@customer_router.put(
    "/{id}/checkpoints/{checkpoint}",
    name="confirm_checkpoint",
    summary="Confirm a checkpoint of onboarding",
    response_model=Verdict,
    responses={**BESIDE, **TOO_LARGE},
    dependencies=[Depends(allows(Permission.CONFIRM))],
    max_body_size=_MOST_BYTES,
)
def confirm(
    id: EntityIdPath,
    checkpoint: CheckpointKind,
    given: Annotated[GivenConfirmation, Body()],
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
) -> Response:
    """Record that a checkpoint is passed, in place of an earlier confirmation. Audited. Answers the new verdict."""
    end = None if given.expires_on is None else datetime.combine(given.expires_on, time.max, UTC)
    name = CheckpointName(checkpoint)
    _asking(lambda: checkpoints.confirm(hub.engine, hub.clock, id, name, _actor(caller), given.reason, end))
    return _verdict_now(hub, rules, id, caller)


class Reason(Parameters):
    """Why."""

    reason: Storable = Field(min_length=1, max_length=500, description="Kept in the audit.")


@customer_router.delete(
    "/{id}/checkpoints/{checkpoint}",
    name="withdraw_checkpoint",
    summary="Take a confirmation back",
    response_model=Verdict,
    responses=BESIDE,
    dependencies=[Depends(allows(Permission.CONFIRM))],
)
def withdraw(
    id: EntityIdPath,
    checkpoint: CheckpointKind,
    why: Annotated[Reason, Query()],
    caller: CallerDep,
    hub: HubDep,
    rules: RulesDep,
) -> Response:
    """Audited. Answers the new verdict."""
    checkpoints.withdraw(hub.engine, hub.clock, id, CheckpointName(checkpoint), _actor(caller), why.reason)
    return _verdict_now(hub, rules, id, caller)


@customer_router.post(
    "/{id}/waivers",
    name="waive_finding",
    summary="Excuse a finding until a day",
    response_model=Verdict,
    responses={**BESIDE, **TOO_LARGE},
    dependencies=[Depends(allows(Permission.WAIVE))],
    max_body_size=_MOST_BYTES,
)
def waive(
    id: EntityIdPath, given: Annotated[GivenWaiver, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """Only the roles that the code's rule names may waive it. Where it blocks, another person must agree. Audited.
    Answers the new verdict."""
    rule = shipped_ruleset().rules.get(given.code)
    if rule is not None and not checkpoints.may_waive(caller.role, rule):
        why = " ".join(checkpoints.not_waived(caller.role, given.code, rule))
        raise refuse(FORBIDDEN, why, waivable_by=list(rule.waivable_by))
    end = datetime.combine(given.expires_on, time.max, UTC)
    waiver = Waiver(given.code, given.path, _actor(caller), given.reason, end)
    _asking(lambda: checkpoints.waive(hub.engine, hub.clock, id, waiver, caller.role))
    return _verdict_now(hub, rules, id, caller)


@customer_router.post(
    "/{id}/waivers/approve",
    name="approve_waiver",
    summary="Agree to a waiver that somebody else wrote",
    response_model=Verdict,
    responses={**BESIDE, **COMMANDED, **TOO_LARGE},
    dependencies=[Depends(allows(Permission.WAIVE))],
    max_body_size=_MOST_BYTES,
)
def approve_waiver(
    id: EntityIdPath, named: Annotated[NamedWaiver, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """What blocks a customer is excused by two people. Audited. Answers the new verdict."""
    actor = Actor(_actor(caller), caller.role)
    checkpoints.approve_waiver(hub.engine, hub.clock, id, named.code, named.path, actor)
    return _verdict_now(hub, rules, id, caller)


@customer_router.put(
    "/{id}/return",
    name="return_to_requester",
    summary="Send a customer back to whoever asked for it",
    response_model=Verdict,
    responses={**BESIDE, **COMMANDED, **TOO_LARGE},
    dependencies=[Depends(allows(Permission.CONFIRM))],
    max_body_size=_MOST_BYTES,
)
def send_back(
    id: EntityIdPath, given: Annotated[GivenReturn, Body()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """Blocked until somebody takes it up again; the verdict says by whom and why. Audited. Answers the new verdict."""
    _asking(lambda: checkpoints.return_to_requester(hub.engine, hub.clock, id, _actor(caller), given.reason))
    return _verdict_now(hub, rules, id, caller)


@customer_router.delete(
    "/{id}/return",
    name="take_up",
    summary="Look again at a customer that was sent back",
    response_model=Verdict,
    responses=BESIDE,
    dependencies=[Depends(allows(Permission.CONFIRM))],
)
def take_up(
    id: EntityIdPath, why: Annotated[Reason, Query()], caller: CallerDep, hub: HubDep, rules: RulesDep
) -> Response:
    """The reason says what was mended. Audited. Answers the new verdict."""
    _asking(lambda: checkpoints.take_up(hub.engine, hub.clock, id, _actor(caller), why.reason))
    return _verdict_now(hub, rules, id, caller)


def _verdict_now(hub: ReadHub, rules: Rules, entity_id: str, caller: Caller) -> Response:
    """The verdict after what was just said about a customer."""
    now = hub.clock()
    drawn = verdict_on_golden(hub.engine, rules.platforms, entity_id, now)
    return _told(verdict_object(drawn, caller.eyes), now)


def _asking(command: Callable[[], object]) -> None:
    """Run a command; what it refuses for its arguments is the caller's to mend."""
    try:
        command()
    except OperatorError as error:
        errors = [{"parameter": "body", "detail": f"{error.message} {error.advice}".strip()}]
        raise refuse(INVALID_COMMAND, error.message, errors=errors) from error


def _actor(caller: Caller) -> str:
    return f"{caller.label} ({caller.key_id})"


def _aim(target: GivenTarget) -> Aim:
    return Aim(target.erp, Account(**target.account.model_dump()))


def _code(rules: RuleSet, rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "check": rule.check,
        "title": rules.checks[rule.check],
        "severity": rule.severity.value,
        "effect": rule.effect.value,
        "unverified": rule.unverified.value,
        "evidence": rule.evidence,
        "source": rule.source,
        "owner": rule.owner,
        "waivable_by": list(rule.waivable_by),
        "hint": rule.hint,
        "rule": {"id": rule.rule_id, "version": rule.version},
    }
