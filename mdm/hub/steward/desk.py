"""Where commands come in: decided for good, or previewed by the very same unit of work, which is then thrown away."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from mdm.errors import Invalid
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.carrying import Approval, carry_out
from mdm.hub.steward.commands import command_json, history_json
from mdm.hub.steward.effects import summary, without_new_ids
from mdm.hub.steward.judging import plan_merge, plan_pair, plan_split, plan_task
from mdm.hub.steward.tokens import Expected, check_versions
from mdm.hub.steward.undoing import last_decision, plan_undo
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import EntityId
from mdm.model.stewardship import Command, Effect, JudgePair, JudgeTask, Merge, Plan, Split, Undo
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Longer reasons and comments are documents; they belong elsewhere.
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a command. `repeated` when its key had been used before: nothing happened a second time."""

    decision_id: int
    kind: str
    #: Ids, versions and tasks (`mdm.hub.steward.effects.summary`); values are read from the golden records.
    effect: dict[str, Any]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would do now. `digest` names the picture; another digest later means that it has changed."""

    kind: str
    effect: Effect
    digest: str


@dataclass(frozen=True, slots=True)
class CommandKey:
    """The name a client gave a command, so that sending it twice is harmless."""

    key: str


def decide(
    hub: Workplace,
    actor: Actor,
    command: Command,
    expected: Expected | None = None,
    key: CommandKey | None = None,
) -> Decided:
    """Carry out a command in one transaction with its audit row and announcements.

    Raises:
        NotFound, Invalid: the command speaks of what is not there, or makes no sense.
        Stale: what the caller looked at (`expected`) has changed.
        Conflict: an earlier decision, or somebody who was faster, stands against it.
        Refused: the actor is no steward.
    """
    actor.must_be_steward()
    _check_texts(command)
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        if key is not None and (answer := _remembered(work, actor, key, command)) is not None:
            return answer
        plan = plan_of(work, hub, actor.name, command, expected or Expected())
        decision_id, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
        decided = Decided(decision_id, plan.kind, summary(effect))
        if key is not None:
            _remember(work, actor, key, command, decided)
    return decided


def preview(hub: Workplace, actor: Actor, command: Command, expected: Expected | None = None) -> Preview:
    """What `decide` would do now, found out by doing it and rolling everything back.

    Raises:
        What `decide` raises.
    """
    actor.must_be_steward()
    _check_texts(command)
    with _discarded(hub) as work:
        plan = plan_of(work, hub, actor.name, command, expected or Expected())
        _, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
        founded = _founded(work)
    shown = without_new_ids(effect, founded)
    return Preview(plan.kind, shown, digest_of(shown))


def undo_last(hub: Workplace, actor: Actor, reason: str = "", key: CommandKey | None = None) -> Decided:
    """Take back the newest decision of the actor that still holds.

    Raises:
        NotFound: there is none.
        What `decide` raises.
    """
    with snapshot(hub.engine) as work:
        decision_id = last_decision(work, actor.name)
    return decide(hub, actor, Undo(decision_id, reason), key=key)


def plan_of(work: UnitOfWork, hub: Workplace, actor: str, command: Command, expected: Expected) -> Plan:
    """What a command comes to, on what the hub holds in this unit of work."""
    check_versions(work, expected)
    match command:
        case JudgeTask():
            return plan_task(work, actor, command, expected)
        case JudgePair():
            return plan_pair(work, actor, command)
        case Merge():
            return plan_merge(work, actor, command)
        case Split():
            return plan_split(work, hub.rules, actor, command)
        case Undo():
            return plan_undo(work, command)
    raise Invalid(f"{type(command).__name__} is not a command.")


def digest_of(effect: Effect) -> str:
    """Names a previewed effect, values included."""
    content = msgspec.json.encode(effect, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


class _Discard(Exception):
    """Leaves a unit of work without a trace."""


@contextmanager
def _discarded(hub: Workplace) -> Iterator[UnitOfWork]:
    try:
        with unit_of_work(hub.engine, hub.clock, "preview") as work:
            yield work
            raise _Discard
    except _Discard:
        pass


def _founded(work: UnitOfWork) -> set[EntityId]:
    rows = work.query("select entity_id from entity where founded_batch = %s", work.batch_id)
    return {EntityId(row[0]) for row in rows}


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
    return Decided(answer["decision_id"], answer["kind"], answer["effect"], repeated=True)


def _remember(work: UnitOfWork, actor: Actor, key: CommandKey, command: Command, decided: Decided) -> None:
    answer = {"decision_id": decided.decision_id, "kind": decided.kind, "effect": decided.effect}
    work.execute(
        "insert into command_key (actor, key, fingerprint, answer, at) values (%s, %s, %s, %s, %s)",
        actor.name, key.key, _fingerprint(command), orjson.dumps(answer).decode(), work.now,
    )  # fmt: skip


__all__ = ["Approval", "CommandKey", "Decided", "Preview", "decide", "digest_of", "preview"]
