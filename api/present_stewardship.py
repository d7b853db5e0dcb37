"""Answers about stewardship: previews with values masked as everywhere else, decisions, tasks, remarks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.masking import show_lineage, show_name, show_value, show_values
from mdm.access import Eyes
from mdm.core.worklist import due_state, priority, waiting
from mdm.hub.steward import BulkPreview, Decided, Delegation, Job, Preview, Proposal, Remark, Similar, TaskState
from mdm.hub.steward.effects import exposure_json, key_json, letters_json, relations_json, summary
from mdm.model.stewardship import EntityEffect, TaskEffect
from mdm.store.read_queue import QueueRow
from mdm.store.read_review import Question
from mdm.store.read_stewardship import HeldOverride
from mdm.store.stewardship import StoredDecision


def decided_object(decided: Decided) -> dict[str, Any]:
    """The answer to a command."""
    return {
        "status": "done" if decided.done else "proposed",
        "decision_id": decided.decision_id,
        "kind": decided.kind,
        "effect": decided.effect,
        "repeated": decided.repeated,
        "proposal_id": decided.proposal_id,
        "demands": list(decided.demands),
    }


def preview_object(shown: Preview, eyes: Eyes) -> dict[str, Any]:
    """A preview as a role may see it."""
    effect = shown.effect
    return {
        "kind": shown.kind,
        "digest": shown.digest,
        "demands": [{"name": each.name, "because": each.because} for each in shown.demands],
        "entities": [_entity(each, eyes) for each in effect.entities],
        "moves": [
            {"record": key_json(each.record), "domain": each.domain.value, "left": each.left, "joined": each.joined}
            for each in effect.moves
        ],
        "tasks_closed": [_task(each) for each in effect.tasks_closed],
        "tasks_opened": [_task(each) for each in effect.tasks_opened],
        "erp": [key_json(each) for each in effect.erp],
        "exposure": exposure_json(effect),
        "announcements": dict(effect.announcements),
        "consumers": list(effect.consumers),
        "relations": relations_json(effect),
        "letters": letters_json(effect),
    }


def _entity(each: EntityEffect, eyes: Eyes) -> dict[str, Any]:
    before, after = show_values(each.domain, each.before, eyes), show_values(each.domain, each.after, eyes)
    return {
        "entity_id": each.entity_id,
        "domain": each.domain.value,
        "fate": each.fate,
        "merged_into": each.merged_into,
        "name": each.name,
        "version_before": each.version_before,
        "version_after": each.version_after,
        "members_before": [key_json(key) for key in each.members_before],
        "members_after": [key_json(key) for key in each.members_after],
        "changed": list(each.changed),
        "before": before.values,
        "after": after.values,
        "lineage": {name: show_lineage(each.domain, name, part, eyes) for name, part in each.lineage.items()},
        "masked": sorted({*before.masked, *after.masked}),
    }


def _task(each: TaskEffect) -> dict[str, Any]:
    return {
        "task_id": each.task_id,
        "question": each.question,
        "kind": each.kind,
        "domain": each.domain.value,
    }


def task_object(state: TaskState) -> dict[str, Any]:
    """Where a task stands."""
    return {
        "task_id": state.task_id,
        "token": state.token,
        "assignee": state.assignee,
        "assigned_by": state.assigned_by,
        "snoozed_until": state.snoozed_until,
    }


def task_entry_object(asked: Question, state: TaskState) -> dict[str, Any]:
    """A task with what it asks."""
    return {
        **task_object(state),
        "kind": asked.kind,
        "domain": asked.domain.value,
        "status": asked.status,
        "weight": asked.weight,
        "detail": asked.detail,
        "opened_at": asked.opened_at,
        "closed_at": asked.closed_at,
        "sides": [
            {"record": key_json(key), "entity_id": entity_id}
            for key, entity_id in zip(asked.records, asked.entities, strict=True)
        ],
    }


def queued_object(row: QueueRow, state: TaskState, now: datetime, eyes: Eyes) -> dict[str, Any]:
    """An open task of the queue: its priority now, with the reasons in the order of their weight."""
    parts: list[tuple[float, str]] = [*row.parts, waiting(row.opened_at, now)]
    return {
        **task_object(state),
        "kind": row.kind,
        "domain": row.domain.value,
        "weight": row.weight,
        "detail": row.detail,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "due": due_state(row.due_at, now),
        "priority": priority(row.rank, now),
        "reasons": [{"points": p, "reason": r} for p, r in sorted(parts, key=lambda part: -part[0]) if p],
        "close_impact": row.impact.get("close_impact"),
        "customer_exposure": row.impact.get("customer_exposure"),
        "amounts": dict(row.amounts),
        "countries": list(row.countries),
        "sides": [
            {
                "record": key_json(each.key),
                "entity_id": each.entity_id,
                "name": show_name(row.domain, each.name, eyes),
                "members": each.members,
            }
            for each in row.sides
        ],
    }


def remark_object(remark: Remark) -> dict[str, Any]:
    """A remark."""
    return {"comment_id": remark.comment_id, "author": remark.author, "text": remark.text, "at": remark.at}


def decision_object(decision: StoredDecision) -> dict[str, Any]:
    """A decision in history."""
    return {
        "decision_id": decision.decision_id,
        "kind": decision.kind,
        "domain": decision.domain,
        "actor": decision.actor,
        "reason": decision.reason,
        "command": decision.command,
        "effect": decision.effect,
        "task_id": decision.task_id,
        "proposal_id": decision.proposal_id,
        "approved_by": decision.approved_by,
        "undoes": decision.undoes,
        "undone_by": decision.undone_by,
        "at": decision.at,
    }


def proposal_object(proposal: Proposal, eyes: Eyes) -> dict[str, Any]:
    """A proposal; the value it would pin is masked like any other."""
    command = dict(proposal.command)
    if proposal.domain is not None and command.get("attribute") is not None and "value" in command:
        command["value"] = show_value(proposal.domain, command["attribute"], command["value"], eyes)
    return {
        "proposal_id": proposal.proposal_id,
        "kind": proposal.kind,
        "domain": proposal.domain,
        "command": command,
        "effect": proposal.effect,
        "digest": proposal.digest,
        "demands": proposal.demands,
        "entities": list(proposal.entities),
        "task_id": proposal.task_id,
        "author": proposal.author,
        "reason": proposal.reason,
        "status": proposal.status,
        "decided_by": proposal.decided_by,
        "on_behalf_of": proposal.on_behalf_of,
        "comment": proposal.comment,
        "decision_id": proposal.decision_id,
        "proposed_at": proposal.proposed_at,
        "expires_at": proposal.expires_at,
        "decided_at": proposal.decided_at,
        "risk": proposal.risk.word,
        "stake": proposal.stake,
    }


def delegation_object(delegation: Delegation) -> dict[str, Any]:
    """A delegation."""
    return {
        "delegation_id": delegation.delegation_id,
        "owner": delegation.owner,
        "delegate": delegation.delegate,
        "reason": delegation.reason,
        "since": delegation.since,
        "until": delegation.until,
    }


def override_object(held: HeldOverride, eyes: Eyes) -> dict[str, Any]:
    """A live override; pinned and overruled values are masked like golden ones."""
    override = held.override

    def shown(value: Any) -> Any:  # Any: the JSON form of the attribute
        return show_value(override.domain, override.attribute, value, eyes)

    return {
        "override_id": override.override_id,
        "entity_id": held.entity_id,
        "domain": override.domain.value,
        "attribute": override.attribute,
        "value": shown(override.value),
        "overruled": [{"record": key_json(key), "value": shown(value)} for key, value in held.overruled],
        "author": override.author,
        "reason": override.reason,
        "created_at": override.created_at,
        "expires_at": override.expires_at,
        "challenged": held.task_id is not None,
        "task_id": held.task_id,
    }


def similar_object(similar: Similar) -> dict[str, Any]:
    """A past decision on evidence that looked alike."""
    return {
        "decision_id": similar.decision.decision_id,
        "kind": similar.decision.kind,
        "actor": similar.decision.actor,
        "at": similar.decision.at,
        "reason": similar.decision.reason,
        "records": [key_json(key) for key in similar.records],
        "likeness": similar.likeness,
        "shared": list(similar.shared),
        "differing": list(similar.differing),
    }


def bulk_preview_object(shown: BulkPreview) -> dict[str, Any]:
    """What one answer to many would do; the sample tells ids, versions and tasks."""
    return {
        "items": shown.items,
        "possible": shown.possible,
        "held": shown.held,
        "refusals": [{"task_id": task_id, "detail": detail} for task_id, detail in shown.refusals],
        "waiting": _waiting(shown.waits),
        "merged": shown.merged,
        "moves": shown.moves,
        "tasks_closed": shown.tasks_closed,
        "erp": shown.erp,
        "exposure": dict(shown.exposure),
        "sample": [{"task_id": task_id, **summary(effect)} for task_id, effect in shown.sample],
    }


def _waiting(items: Sequence[tuple[int, int]]) -> list[dict[str, int]]:
    return [{"task_id": task_id, "proposal_id": proposal_id} for task_id, proposal_id in items]


def job_object(job: Job) -> dict[str, Any]:
    """How far a bulk job is."""
    return {
        "job_id": job.job_id,
        "purpose": job.purpose.value,
        "of_job": job.of_job,
        "actor": job.actor,
        "verdict": job.answer.verdict.value,
        "reason": job.answer.reason,
        "items": job.items,
        "settled": job.settled,
        "status": job.status,
        "outcomes": dict(job.outcomes),
        "refusals": [{"task_id": task_id, "detail": detail} for task_id, detail in job.refusals],
        "waiting": _waiting(job.waiting),
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
