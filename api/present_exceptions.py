"""Answers about what could not be processed, as a caller may see it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.masking import show_value
from mdm.access import Eyes, may_see
from mdm.core.refused_order import priority, waiting
from mdm.hub.exceptions import Replayed
from mdm.model.canonical import DataClass
from mdm.model.refused import AtStake, Matter, named

_SHOWN = (
    "id", "status", "place", "code", "reason", "action", "owner", "assignee", "system", "type", "row_key", "seen",
    "first_seen", "last_seen", "tier", "due_at",
)  # fmt: skip


def group_object(group: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A group of refused messages, with its priority and the reasons."""
    ranked = group["rank"] is not None
    parts = [*group["parts"], waiting(group["first_seen"], now)] if ranked else []
    same = ("rows", "topic", "code", "reason", "action", "owner", "assignees", "first_seen", "last_seen")
    return {name: group[name] for name in same} | {
        "newest": group["newest_id"],
        "messages": group["letters"],
        "stake": {"amounts": group["amounts"], "rows": group["rows"], "known": group["known"]},
        "priority": round(priority(group["rank"], now), 1) if ranked else None,
        "because": [{"points": points, "reason": reason} for points, reason in parts],
        "close_impact": (group["impact"] or {}).get("close_impact"),
        "customer_exposure": (group["impact"] or {}).get("customer_exposure"),
    }


def letter_object(letter: Mapping[str, Any]) -> dict[str, Any]:
    """A refused message without what it said."""
    return {name: letter[name] for name in _SHOWN} | {
        "name": named(Matter.DEAD_LETTER, letter["id"]),
        "mended": letter["fixed"],
        "stake": stake_object(letter["stake"]),
    }


def whole_letter_object(letter: Mapping[str, Any], proposals: list[int], eyes: Eyes) -> dict[str, Any]:
    """A refused message whole; what it said only for those who see confidential values."""
    legible = may_see(eyes, DataClass.CONFIDENTIAL)
    place = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
    fixes = [
        {"author": fix["author"], "reason": fix["reason"], "at": fix["created_at"], "value": _text(fix["value"])}
        for fix in letter["fixes"]
    ]
    same = ("alike_open", "later_events", "held", "closed_at", "closed_by", "closed_reason")
    return letter_object({**letter, "place": place, "fixed": bool(fixes)}) | {name: letter[name] for name in same} | {
        "behind": None if letter["behind"] is None else named(Matter.DEAD_LETTER, letter["behind"]),
        "legible": legible,
        "key": _text(letter["key"]) if legible else None,
        "value": _text(letter["value"]) if legible else None,
        "fixes": fixes if legible else [],
        "proposals": proposals,
    }  # fmt: skip


def exception_object(found: Mapping[str, Any]) -> dict[str, Any]:
    """A difference from a contract, or another matter for an owner."""
    return {**found, "name": named(Matter.EXCEPTION, found["id"])}


def stake_object(stake: AtStake) -> dict[str, Any]:
    """What hangs on rows; amounts as decimal text."""
    amounts = {currency: format(amount, "f") for currency, amount in stake.amounts.items()}
    return {"amounts": amounts, "rows": stake.rows, "known": stake.known}


def replayed_object(done: Replayed, eyes: Eyes, *, kept: bool) -> dict[str, Any]:
    """What a replay did, or would do; golden values masked as everywhere else."""
    outcomes: Counter[str] = Counter()
    for (_, outcome), number in done.report.outcomes.items():
        outcomes[outcome.value] += number
    return {
        "outcomes": dict(outcomes),
        "kept": kept,
        "effects": [
            {
                "domain": each.domain.value,
                "entity_id": each.entity_id,
                "name": each.name,
                "what": each.what,
                "merged_into": each.merged_into,
                "fields": [
                    {
                        "field": one.field,
                        "before": show_value(each.domain, one.field, one.before, eyes),
                        "after": show_value(each.domain, one.field, one.after, eyes),
                    }
                    for one in each.fields
                ],
            }
            for each in done.effects
        ],
    }


def _text(part: bytes | memoryview | None) -> str | None:
    return None if part is None else bytes(part).decode(errors="backslashreplace")
