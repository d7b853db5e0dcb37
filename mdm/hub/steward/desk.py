"""Where commands come in: decided for good, or previewed by the very same unit of work, which is then thrown away."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from mdm.access import Permission
from mdm.core.four_eyes import Demand, Policy, demands_of
from mdm.errors import Conflict, Invalid, Refused
from mdm.hub.reach import must_reach, must_reach_parts
from mdm.hub.sharing import without_a_trace
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.approvals import (
    check_approver,
    check_comment,
    check_picture,
    check_unanswered,
    close_proposal,
    find_proposal,
    write_proposal,
)
from mdm.hub.steward.carrying import Approval, carry_out
from mdm.hub.steward.commands import command_json, history_json
from mdm.hub.steward.discarding import plan_discard
from mdm.hub.steward.effects import named_in, summary, without_new_ids
from mdm.hub.steward.judging import plan_merge, plan_pair, plan_split, plan_task
from mdm.hub.steward.letting_through import plan_let_through, turn_down
from mdm.hub.steward.pins import plan_clear, plan_confirm, plan_pin, plan_restore
from mdm.hub.steward.policy import load_policy
from mdm.hub.steward.relating import plan_end_relation, plan_relate
from mdm.hub.steward.tokens import Expected, check_versions
from mdm.hub.steward.undoing import last_decision, plan_undo
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import EntityId
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    Discard,
    Effect,
    EndRelation,
    JudgePair,
    JudgeTask,
    LetThrough,
    Merge,
    Pin,
    Plan,
    Relate,
    Restore,
    Split,
    Undo,
)
from mdm.store.reading import snapshot
from mdm.store.stewardship import rules_agreed_to
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Longer reasons and comments are documents; they belong elsewhere.
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a command: done, or proposed to a second person because policy demands it.

    `repeated` when its key had been used before: nothing happened a second time.
    """

    kind: str
    #: Ids, versions and tasks (`mdm.hub.steward.effects.summary`); values are read from the golden records.
    effect: dict[str, Any]
    decision_id: int | None = None
    proposal_id: int | None = None
    #: Names of the policy's rules that ask for a second person.
    demands: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def done(self) -> bool:
        return self.decision_id is not None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would do now. `digest` names the picture; another digest later means that it has changed.

    `demands` are the rules of the policy that would ask for a second person.
    """

    kind: str
    effect: Effect
    digest: str
    demands: tuple[Demand, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandKey:
    """The name a client gave a command, so that sending it twice is harmless."""

    key: str


class _HeldBack(Exception):
    """Leaves a unit of work whose effect needs a second person."""

    def __init__(self, plan: Plan, shown: Effect, demands: tuple[Demand, ...]) -> None:
        super().__init__()
        self.plan = plan
        self.shown = shown
        self.demands = demands


def decide(
    hub: Workplace,
    actor: Actor,
    command: Command,
    expected: Expected | None = None,
    key: CommandKey | None = None,
    policy: Policy | None = None,
) -> Decided:
    """Carry out a command in one transaction with its audit row and announcements, or propose it.

    Args:
        policy: when a second person is needed; the shipped policy if not given.

    Raises:
        NotFound, Invalid: the command speaks of what is not there, or makes no sense.
        Stale: what the caller looked at (`expected`) has changed.
        Conflict: an earlier decision, an answer that waits, or somebody who was faster, stands against it.
        Refused: the actor is no steward.
    """
    actor.must(needed_for(command))
    must_reach(hub.engine, command)
    _check_texts(command)
    ruling = policy or load_policy()
    try:
        with unit_of_work(hub.engine, hub.clock, "steward") as work:
            if key is not None and (answer := _remembered(work, actor, key, command)) is not None:
                return answer
            check_unanswered(work, command)
            plan = plan_of(work, hub, actor, command, expected or Expected())
            decision_id, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
            if demands := asking(work, ruling, plan, effect):
                raise _HeldBack(plan, _shown(work, effect), demands)
            decided = Decided(plan.kind, summary(effect), decision_id)
            _remember(work, actor, key, command, decided)
            return decided
    except _HeldBack as held:
        with unit_of_work(hub.engine, hub.clock, "steward") as work:
            number = write_proposal(
                work, actor, command, held.plan, held.shown, digest_of(held.shown), held.demands, ruling
            )
            names = tuple(demand.name for demand in held.demands)
            decided = Decided(held.plan.kind, summary(held.shown), proposal_id=number, demands=names)
            _remember(work, actor, key, command, decided)
        return decided


def preview(
    hub: Workplace,
    actor: Actor,
    command: Command,
    expected: Expected | None = None,
    policy: Policy | None = None,
    *,
    proposal_id: int | None = None,
) -> Preview:
    """What `decide` would do now, found out by doing it and rolling everything back.

    Args:
        proposal_id: the proposal that the command is, if it is one.

    Raises:
        What `decide` raises.
    """
    actor.must(needed_for(command))
    must_reach(hub.engine, command)
    _check_texts(command)

    def look(work: UnitOfWork) -> Preview:
        check_unanswered(work, command, proposal_id)
        plan = plan_of(work, hub, actor, command, expected or Expected())
        _, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
        shown = _shown(work, effect)
        return Preview(plan.kind, shown, digest_of(shown), asking(work, policy or load_policy(), plan, effect))

    return without_a_trace(hub.engine, hub.clock, look)


def approve(
    hub: Workplace,
    approver: Actor,
    proposal_id: int,
    comment: str = "",
    digest: str | None = None,
    policy: Policy | None = None,
) -> Decided:
    """Let a proposal take effect, as its author's decision with the approver's agreement.

    Args:
        digest: of the preview that the approver saw; the picture of the proposal if not given.

    Raises:
        NotFound: there is no such proposal.
        Refused: the approver proposed it, or has no right to approve it.
        Conflict: it is not open any more, or what it asks is not possible any more.
        Stale: it would do something else now than the picture says.
    """
    check_comment(comment, needed=False)
    must_reach_parts(hub.engine, proposals=[proposal_id])
    ruling = policy or load_policy()
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        proposal = find_proposal(work, proposal_id, lock=True)
        owner = check_approver(work, approver, proposal, ruling)
        command, author = proposal.asked(), proposal.author_as_actor()
        plan = plan_of(work, hub, author, command, Expected())
        approval = Approval(proposal_id, approver.name)
        decision_id, effect = carry_out(work, hub.rules, plan, author.name, history_json(command), approval)
        check_picture(proposal, digest_of(_shown(work, effect)), digest)
        close_proposal(work, proposal, "approved", approver.name, comment, decision_id=decision_id, on_behalf_of=owner)
        return Decided(plan.kind, summary(effect), decision_id, proposal_id)


def preview_proposal(hub: Workplace, actor: Actor, proposal_id: int, policy: Policy | None = None) -> Preview:
    """What a proposal would do now."""
    actor.must(Permission.INSPECT)
    with snapshot(hub.engine) as work:
        proposal = find_proposal(work, proposal_id, now=hub.clock())
    if proposal.status != "open":
        raise Conflict(f"Proposal {proposal_id} is {proposal.status}.")
    return preview(hub, proposal.author_as_actor(), proposal.asked(), policy=policy, proposal_id=proposal_id)


def reject(hub: Workplace, approver: Actor, proposal_id: int, comment: str, policy: Policy | None = None) -> None:
    """Close a proposal without effect; the comment tells its author why.

    Raises:
        What `approve` raises.
    """
    check_comment(comment, needed=True)
    must_reach_parts(hub.engine, proposals=[proposal_id])
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        proposal = find_proposal(work, proposal_id, lock=True)
        owner = check_approver(work, approver, proposal, policy or load_policy())
        close_proposal(work, proposal, "rejected", approver.name, comment, on_behalf_of=owner)
        if proposal.kind == "let_through" and isinstance(asked := proposal.asked(), LetThrough):
            turn_down(work, asked)


def withdraw(hub: Workplace, author: Actor, proposal_id: int) -> None:
    """Take back one's own proposal.

    Raises:
        Refused: it is somebody else's.
        Conflict: it is not open any more.
    """
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        proposal = find_proposal(work, proposal_id, lock=True)
        if proposal.author != author.name:
            raise Refused("Only who proposed it can withdraw it.", action="Reject it instead.")
        if proposal.status != "open":
            raise Conflict(f"Proposal {proposal_id} is {proposal.status}.")
        close_proposal(work, proposal, "withdrawn", author.name, "")


def undo_last(
    hub: Workplace, actor: Actor, reason: str = "", key: CommandKey | None = None, policy: Policy | None = None
) -> Decided:
    """Take back the newest decision of the actor that still holds.

    Raises:
        NotFound: there is none.
        What `decide` raises.
    """
    with snapshot(hub.engine) as work:
        decision_id = last_decision(work, actor.name)
    return decide(hub, actor, Undo(decision_id, reason), key=key, policy=policy)


def plan_of(work: UnitOfWork, hub: Workplace, actor: Actor, command: Command, expected: Expected) -> Plan:
    """What a command comes to, on what the hub holds in this unit of work."""
    check_versions(work, expected)
    match command:
        case JudgeTask():
            return plan_task(work, hub.rules, actor, command, expected)
        case JudgePair():
            return plan_pair(work, hub.rules, actor.name, command)
        case Merge():
            return plan_merge(work, actor.name, command)
        case Split():
            return plan_split(work, hub.rules, actor.name, command)
        case Pin():
            return plan_pin(work, actor, command)
        case Clear():
            return plan_clear(work, actor, command)
        case Confirm():
            return plan_confirm(work, actor, command)
        case Restore():
            return plan_restore(work, actor, command)
        case Relate():
            return plan_relate(work, actor, command)
        case EndRelation():
            return plan_end_relation(work, command)
        case Discard():
            return plan_discard(work, command)
        case LetThrough():
            return plan_let_through(work, actor, command)
        case Undo():
            return plan_undo(work, command)


def asking(work: UnitOfWork, policy: Policy, plan: Plan, effect: Effect) -> tuple[Demand, ...]:
    """The rules of the policy that ask for a second person, for what a plan came to."""
    return demands_of(policy, plan, effect, rules_agreed_to(work, plan.supersede))


def needed_for(command: Command) -> Permission:
    """What somebody must be permitted in order to ask for this."""
    return Permission.MEND if isinstance(command, Discard) else Permission.DECIDE


def digest_of(effect: Effect) -> str:
    """Names a previewed effect: golden records with their values, which records move where, who belongs to whom, which
    refused messages are closed."""
    parts: tuple[object, ...] = (effect.entities, effect.moves, effect.relations)
    content = msgspec.json.encode((*parts, effect.letters) if effect.letters else parts, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


def _shown(work: UnitOfWork, effect: Effect) -> Effect:
    return without_new_ids(effect, *_issued(work, effect))


def _issued(work: UnitOfWork, effect: Effect) -> tuple[set[EntityId], set[int]]:
    """Ids of entities and overrides in an effect that this unit of work made."""
    entities, overrides = named_in(effect)
    founded = work.query(
        "select entity_id from entity where entity_id = any(%s::text[]) and founded_batch = %s",
        sorted(entities), work.batch_id,
    )  # fmt: skip
    pinned = work.query(
        """select override_id from golden_override o join decision d using (decision_id)
           where override_id = any(%s::bigint[]) and d.batch_id = %s""",
        sorted(overrides), work.batch_id,
    )  # fmt: skip
    return {EntityId(row[0]) for row in founded}, {row[0] for row in pinned}


def _check_texts(command: Command) -> None:
    reason = command.reason
    if len(reason) > MAX_TEXT:
        raise Invalid(f"A reason has at most {MAX_TEXT} characters.")
    if "\0" in reason:
        raise Invalid("A reason is text without NUL characters.")


def _fingerprint(command: Command) -> str:
    return hashlib.sha256(orjson.dumps(command_json(command), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _remembered(work: UnitOfWork, actor: Actor, key: CommandKey, command: Command) -> Decided | None:
    rows = work.query(
        "select fingerprint, answer::text from command_key where actor = %s and key = %s", actor.name, key.key
    )
    if not rows:
        return None
    if rows[0][0] != _fingerprint(command):
        raise Invalid(
            "This idempotency key was used for another command.", action="Use a new key for every new command."
        )
    answer = orjson.loads(rows[0][1])
    return Decided(
        answer["kind"], answer["effect"], answer["decision_id"], answer["proposal_id"], tuple(answer["demands"]), True
    )


def _remember(work: UnitOfWork, actor: Actor, key: CommandKey | None, command: Command, decided: Decided) -> None:
    if key is None:
        return
    answer = {
        "kind": decided.kind,
        "effect": decided.effect,
        "decision_id": decided.decision_id,
        "proposal_id": decided.proposal_id,
        "demands": decided.demands,
    }
    work.execute(
        "insert into command_key (actor, key, fingerprint, answer, at) values (%s, %s, %s, %s, %s)",
        actor.name, key.key, _fingerprint(command), orjson.dumps(answer).decode(), work.now,
    )  # fmt: skip
