"""A change of sensitive attributes by a platform, as a decision: what ERPs are served before and after it, agreed to by
somebody, or turned down."""

from collections.abc import Mapping
from typing import Any

import orjson

from mdm.errors import Conflict, Refused
from mdm.hub.steward.actor import HUB, Actor
from mdm.model.ids import Domain
from mdm.model.stewardship import Effect, EntityEffect, LetThrough, Plan
from mdm.store import erp_questions
from mdm.store import stewardship as store
from mdm.store.exposure import consumer_labels, exposure_of
from mdm.store.unit_of_work import UnitOfWork


def plan_let_through(work: UnitOfWork, actor: Actor, command: LetThrough) -> Plan:
    """Let ERPs have the change.

    Raises:
        Refused: somebody else than the hub asks for it.
        Conflict: the golden record has ended.
    """
    if actor.name != HUB:
        raise Refused("Only the hub asks whether a change may reach ERP.", action="Answer the proposal that it made.")
    domain, _, _ = store.live_entity(work, command.entity_id)
    return Plan(
        "let_through", domain, frozenset(), command.reason, entities=(command.entity_id,),
        attributes=frozenset(command.attributes), let_through=command,
    )  # fmt: skip


def let_it_through(work: UnitOfWork, command: LetThrough) -> Effect:
    """Note that the change was agreed to; the gates let it pass when they judge next.

    Raises:
        Conflict: no ERP waits for it any more.
    """
    if not erp_questions.note_answer(work, command.entity_id, command.change, "approved"):
        raise Conflict(
            "No ERP waits for this change any more: the values are as they were, or others.",
            action="Look for a newer proposal about the record.",
        )
    return picture(work, command)


def turn_down(work: UnitOfWork, command: LetThrough) -> None:
    """Note that the change was not agreed to: it stays held back until the values are others."""
    erp_questions.note_answer(work, command.entity_id, command.change, "rejected")


def picture(work: UnitOfWork, command: LetThrough) -> Effect:
    """The sensitive attributes as they are served, and as they would be, with where the new values come from."""
    rows = work.query(
        """select version, domain, name, "values"::text, lineage::text from golden
           where entity_id = %s and version in (%s, %s)""",
        command.entity_id, command.served, command.version,
    )  # fmt: skip
    versions = {row[0]: row for row in rows}
    after = versions[command.version]
    before = orjson.loads(versions[command.served][3]) if command.served in versions else {}
    members = tuple(each.key for each in store.members(work, [command.entity_id]).get(command.entity_id, ()))
    entity = EntityEffect(
        entity_id=command.entity_id,
        domain=Domain(after[1]),
        fate="let_through",
        merged_into=None,
        name=after[2],
        version_before=command.served,
        version_after=command.version,
        members_before=members,
        members_after=members,
        before=_only(command, before),
        after=_only(command, orjson.loads(after[3])),
        lineage=_only(command, orjson.loads(after[4])),
    )
    return Effect(
        entities=(entity,),
        erp=tuple(sorted(key for key in members if key.system == "erp")),
        exposure=exposure_of(work, [command.entity_id]),
        announcements={f"{after[1]}.erp_changed": 1},
        consumers=consumer_labels(work),
    )


def _only(command: LetThrough, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parts[name] for name in command.attributes if name in parts}
