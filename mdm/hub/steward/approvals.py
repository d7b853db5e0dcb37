"""Four eyes: what policy holds back is proposed, and takes effect when another person agrees to that very picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from mdm.access import Permission, Role, either, may_see, read_role
from mdm.core.four_eyes import Demand, Policy, Risk, may_approve, risk_of, stake_of
from mdm.errors import AnswerWaits, Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub.steward.actor import HUB, Actor
from mdm.hub.steward.commands import command_json, read_command
from mdm.hub.steward.effects import summary
from mdm.hub.steward.pins import attribute_of
from mdm.hub.steward.policy import load_policy
from mdm.model.ids import Domain
from mdm.model.stewardship import Command, Effect, JudgeTask, Plan
from mdm.store.ledger import write_audit, write_audits
from mdm.store.unit_of_work import UnitOfWork
from mdm.store.waiting import is_over, waits


@dataclass(frozen=True, slots=True)
class Proposal:
    """A command that waits, or waited, for a second person."""

    proposal_id: int
    kind: str
    #: Of the records it is about; None for refused messages.
    domain: Domain | None
    command: dict[str, Any]
    effect: dict[str, Any]
    digest: str
    #: Name and reason of each rule that asked for a second person.
    demands: list[dict[str, Any]]
    entities: tuple[str, ...]
    task_id: int | None
    author: str
    author_role: Role
    reason: str
    status: str
    decided_by: str | None
    on_behalf_of: str | None
    comment: str
    decision_id: int | None
    proposed_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    #: What was at stake when it was proposed, by the policy; `stake` is the money as a multiple of its limits.
    risk: Risk
    stake: float

    @property
    def place(self) -> "ProposalPlace":
        """Where it stands in a list."""
        return ProposalPlace(self.risk, self.stake, self.proposal_id)

    def asked(self) -> Command:
        """The command."""
        return read_command(self.command)

    def author_as_actor(self) -> Actor:
        """Who proposed it, with the role of then."""
        return Actor(self.author, self.author_role)


class ProposalOrder(StrEnum):
    """What comes first in a list of proposals."""

    NEWEST = "newest"
    RISK = "risk"


class ProposalPlace(NamedTuple):
    """Where a page of proposals ended, in any order."""

    risk: int
    stake: float
    proposal_id: int


_PROPOSAL = """proposal_id, kind, domain, command::text, effect::text, digest, demands::text, entities, task_id, author,
               author_role, reason, status, decided_by, on_behalf_of, comment, decision_id, proposed_at, expires_at,
               decided_at, risk, stake"""

_SORT = {
    ProposalOrder.NEWEST: "proposal_id desc",
    ProposalOrder.RISK: "risk desc, stake desc, proposal_id desc",
}


def write_proposal(
    work: UnitOfWork, actor: Actor, command: Command, plan: Plan, effect: Effect, digest: str,
    demands: Sequence[Demand], policy: Policy,
) -> int:  # fmt: skip
    """Keep a command for a second person; returns its number.

    Raises:
        Conflict: the same is proposed already.
    """
    asked = orjson.dumps(command_json(command)).decode()
    same = work.query(
        """select proposal_id, author, expires_at <= %s from proposal
           where status = 'open' and (command = %s::jsonb or task_id = %s::bigint)""",
        work.now, asked, plan.task_id,
    )  # fmt: skip
    end_expired(work, [row[0] for row in same if row[2]])
    if rows := [row for row in same if not row[2]]:
        raise Conflict(
            f"{rows[0][1]} has proposed this already (proposal {rows[0][0]}).",
            action="Approve or reject that proposal; its author can withdraw it.",
        )
    kept = summary(effect)
    told = [
        {"name": each.name, "because": each.because, "approvers": sorted(map(str, each.approvers))} for each in demands
    ]
    proposal_id: int = work.query(
        """insert into proposal (kind, domain, command, effect, digest, demands, entities, task_id, author, author_role,
               reason, proposed_at, expires_at, risk, stake)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning proposal_id""",
        plan.kind, plan.domain.value if plan.domain else None, asked,
        orjson.dumps(kept).decode(), digest, orjson.dumps(told).decode(),
        [each.entity_id for each in effect.entities if each.entity_id is not None], plan.task_id, actor.name,
        str(actor.role), plan.reason, work.now, work.now + timedelta(days=policy.days),
        int(risk_of(demands)), stake_of(policy, effect),
    )[0][0]  # fmt: skip
    detail: dict[str, object] = {"kind": plan.kind, "reason": plan.reason, "demands": [each.name for each in demands]}
    write_audit(work, actor.name, "steward.propose", f"proposal {proposal_id}", detail)
    return proposal_id


def check_unanswered(work: UnitOfWork, command: Command, besides: int | None = None) -> None:
    """One question, one answer at a time: the second would take the ground from under whoever is to agree to the first.

    Args:
        besides: the proposal that the command is.

    Raises:
        AnswerWaits: the question is under a proposal that waits.
    """
    if isinstance(command, JudgeTask):
        rows = work.query(
            f"""select proposal_id, author from proposal
                where {waits("%s")} and task_id = %s and proposal_id is distinct from %s order by proposal_id""",
            work.now, command.task_id, besides,
        )  # fmt: skip
        for proposal_id, author in rows:
            raise AnswerWaits(proposal_id, author)


def end_expired(work: UnitOfWork, proposals: Sequence[int]) -> None:
    """End those of these proposals that are open and whose time is up."""
    rows = work.probe(
        f"""update proposal set status = 'expired', decided_at = %s
            where {is_over("%s")} and proposal_id = any(%s) returning proposal_id""",
        work.now, work.now, list(proposals),
    )  # fmt: skip
    for (proposal_id,) in sorted(rows):
        write_audit(work, HUB, "steward.proposal_expired", f"proposal {proposal_id}", {})


def find_proposal(work: UnitOfWork, proposal_id: int, *, lock: bool = False, now: datetime | None = None) -> Proposal:
    """A proposal as it stands now; one whose time is up has expired, whoever has ended it yet or not.

    Raises:
        NotFound: there is none with this number.
    """
    query = f"select {_PROPOSAL} from proposal where proposal_id = %s {'for update' if lock else ''}"
    rows = work.query(query, proposal_id)
    if not rows:
        raise NotFound(f"There is no proposal {proposal_id}.")
    return _proposal(rows[0], now or work.now)


def list_proposals(
    work: UnitOfWork,
    status: str | None,
    author: str | None,
    after: ProposalPlace | None,
    limit: int,
    order: ProposalOrder = ProposalOrder.NEWEST,
    now: datetime | None = None,
) -> Sequence[Proposal]:
    """Up to `limit` proposals behind the place `after`: the newest, or those with most at stake, first."""
    condition, place = _behind(after, order)
    at = now or work.now
    state = {"open": waits("%s"), "expired": f"(status = 'expired' or {is_over('%s')})"}.get(status or "")
    wanted = (at,) if state is not None else (status, status)
    rows = work.query(
        f"""select {_PROPOSAL} from proposal
            where {state or "(%s::text is null or status = %s)"} and (%s::text is null or author = %s)
              and {condition}
            order by {_SORT[order]} limit %s""",
        *wanted, author, author, *place, limit,
    )  # fmt: skip
    return [_proposal(row, at) for row in rows]


def _behind(after: ProposalPlace | None, order: ProposalOrder) -> tuple[str, tuple[object, ...]]:
    """The condition of what follows a place in an order, and its parameters."""
    if after is None:
        return "true", ()
    if order is ProposalOrder.NEWEST:
        return "proposal_id < %s", (after.proposal_id,)
    return "(risk, stake, proposal_id) < (%s, %s, %s)", tuple(after)


@dataclass(frozen=True, slots=True)
class Say:
    """Whether somebody answers an open proposal: in whose right (None: in their own), or what stands against it."""

    on_behalf_of: str | None = None
    against: Refused | None = None


Lent = Sequence[tuple[str, Role]]


def check_approver(work: UnitOfWork, approver: Actor, proposal: Proposal, policy: Policy) -> str | None:
    """Whose right the approver uses: None for their own, else who delegated it.

    Raises:
        Refused: they proposed it themselves, or have no right to approve it.
        Conflict: it is not open any more.
    """
    if proposal.status != "open":
        raise Conflict(f"Proposal {proposal.proposal_id} is {proposal.status}.", action="Decide the matter anew.")
    say = say_over(proposal, approver, policy, _lent_to(work, approver))
    if say.against is not None:
        raise say.against
    return say.on_behalf_of


def against_answering(
    work: UnitOfWork, actor: Actor, proposals: Sequence[Proposal], policy: Policy | None = None
) -> dict[int, Refused]:
    """What keeps somebody from answering open proposals, by their numbers; those that they may answer are left out."""
    ruling, lent = policy or load_policy(), _lent_to(work, actor)
    said = {each.proposal_id: say_over(each, actor, ruling, lent) for each in proposals if each.status == "open"}
    return {number: say.against for number, say in said.items() if say.against is not None}


def say_over(proposal: Proposal, actor: Actor, policy: Policy, lent: Lent) -> Say:
    """Whether an actor answers a proposal; `lent` names who lets them approve in their place, and with what role."""
    if actor.name == proposal.author:
        said = "Nobody approves what they proposed themselves."
        return Say(against=Refused(said, action="Ask somebody else to look at it."))
    # Whoever uses another's right must be one who approves, too: it lends the subject, not the office.
    approves = actor.role.may(Permission.APPROVE)
    needed = [_demand(each, policy) for each in proposal.demands]
    for owner, role in ((None, actor.role), *(lent if approves else ())):
        if owner != proposal.author and may_approve(needed, role) and _sees(role, proposal):
            return Say(on_behalf_of=owner)
    roles = either(sorted({role for each in proposal.demands for role in each["approvers"]}))
    said = f"The role {str(actor.role)!r} does not approve this; it takes {roles}."
    return Say(against=Refused(said, action=f"Ask one of them{', or have one of them delegate to you' * approves}."))


def _lent_to(work: UnitOfWork, actor: Actor) -> Lent:
    """Who lets somebody approve in their place now, with the role that they lend."""
    rows = work.query(
        """select owner, role from delegation
           where delegate = %s and owner <> %s and since <= %s and until > %s and ended_at is null order by owner""",
        actor.name, actor.name, work.now, work.now,
    )  # fmt: skip
    return [(str(owner), read_role(role)) for owner, role in rows]


def check_picture(proposal: Proposal, digest: str, seen: str | None) -> None:
    """Raises Stale when what would happen now is not the picture that the approver saw."""
    if digest != (seen or proposal.digest):
        raise Stale(
            f"What proposal {proposal.proposal_id} would do has changed since it was looked at.",
            action="Look at its preview again, and approve with the new digest.",
        )


def close_proposal(
    work: UnitOfWork, proposal: Proposal, status: str, by: str, comment: str, *,
    decision_id: int | None = None, on_behalf_of: str | None = None,
) -> None:  # fmt: skip
    """Write how a proposal ended."""
    work.execute(
        """update proposal set status = %s, decided_by = %s, on_behalf_of = %s, comment = %s, decision_id = %s,
               decided_at = %s where proposal_id = %s""",
        status, by, on_behalf_of, comment, decision_id, work.now, proposal.proposal_id,
    )  # fmt: skip
    detail: dict[str, object] = {"author": proposal.author, "comment": comment, "decision": decision_id}
    if on_behalf_of is not None:
        detail["on_behalf_of"] = on_behalf_of
    write_audit(work, by, f"steward.{status}", f"proposal {proposal.proposal_id}", detail)


def withdraw_of_job(work: UnitOfWork, author: str, job_id: int) -> list[tuple[int, int]]:
    """Take back what a job of the author proposed and nobody has decided on; returns task and proposal of each."""
    rows = work.query(
        f"""update proposal p set status = 'withdrawn', decided_by = %s, decided_at = %s from bulk_item i
           where i.job_id = %s and i.outcome = 'proposed' and p.task_id = i.task_id
             and i.detail = 'proposal ' || p.proposal_id and {waits("%s", of="p.")} and p.author = %s
           returning p.task_id, p.proposal_id""",
        author, work.now, job_id, work.now, author,
    )  # fmt: skip
    detail = {"author": author, "comment": "", "decision": None, "job": job_id}
    write_audits(work, author, "steward.withdrawn", [(f"proposal {proposal}", detail) for _, proposal in rows])
    return [(task, proposal) for task, proposal in rows]


def check_comment(comment: str, *, needed: bool) -> None:
    """Raises Invalid for a missing or overlong comment."""
    if needed and not comment.strip():
        raise Invalid("A rejection needs a comment.", action="Say in a sentence what speaks against it.")
    if len(comment) > 4000 or "\0" in comment:
        raise Invalid("A comment has at most 4000 characters.")


def _sees(role: Role, proposal: Proposal) -> bool:
    domain, attribute = proposal.domain, proposal.command.get("attribute")
    names = proposal.command.get("attributes", ()) if attribute is None else (attribute,)
    return domain is None or all(may_see(role, attribute_of(domain, each).data_class) for each in names)


def _demand(told: dict[str, Any], policy: Policy) -> Demand:
    """The rule as it is now; as it was when it is gone."""
    current = next((each for each in policy.demands if each.name == told["name"]), None)
    return current or Demand(told["name"], told["because"], frozenset(map(read_role, told["approvers"])))


def _proposal(row: Sequence[Any], now: datetime) -> Proposal:
    found = Proposal(
        row[0], row[1], None if row[2] is None else Domain(row[2]), orjson.loads(row[3]),
        orjson.loads(row[4]), row[5], orjson.loads(row[6]),
        tuple(row[7]), row[8], row[9], read_role(row[10]), *(*row[11:20], Risk(row[20]), row[21]),
    )  # fmt: skip
    return replace(found, status="expired") if found.status == "open" and found.expires_at <= now else found
