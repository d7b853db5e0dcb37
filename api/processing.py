"""How far contracts and usage batches got, as somebody reaches them and is told of it.

The same run as findings (`api.last_run`), whose rules look at everything: what somebody may not see must not look as if
it were missing. Told is what is about customers and contracts within reach.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine

from api.masking import show_value
from api.present import key_object
from mdm.access import Eyes
from mdm.lifecycle.process import Blocker, NextStep, Stage
from mdm.lifecycle.quote_to_cash import QuoteToCash
from mdm.lifecycle.usage_to_revenue import UsageToRevenue
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import scope_of, visible_ids

P = TypeVar("P", QuoteToCash, UsageToRevenue)
#: So many are asked about at once, whether they are within reach.
_AT_ONCE = 500


def contract_of(each: QuoteToCash) -> EntityId:
    return each.contract


def batch_of(each: UsageToRevenue) -> CrosswalkKey:
    return each.batch


def named(found: Sequence[P], place_of: Callable[[P], Any], name: Any) -> P | None:
    """The one of this name, in the order of names."""
    index = bisect_left(found, name, key=place_of)
    return found[index] if index < len(found) and place_of(found[index]) == name else None


def behind(found: Sequence[P], place_of: Callable[[P], Any], after: Any | None) -> Sequence[P]:
    """Those behind a place."""
    return found if after is None else found[bisect_right(found, after, key=place_of) :]


def within_reach(engine: Engine, found: Iterator[P]) -> Iterator[P]:
    """Those about customers and contracts that are reached with this engine; all where it is not limited."""
    if not scope_of(engine).limits_rows:
        yield from found
        return
    while chunk := [each for each, _ in zip(found, range(_AT_ONCE), strict=False)]:
        parties = [{id_ for id_ in (each.customer, each.contract) if id_ is not None} for each in chunk]
        with engine.connect() as connection:
            reached = visible_ids(connection, set().union(*parties))
        yield from (each for each, ids in zip(chunk, parties, strict=True) if ids and ids <= reached)


def quote_object(each: QuoteToCash, as_of: datetime, eyes: Eyes) -> dict[str, Any]:
    """A contract (`api.schemas.process.QuoteToCashForm`)."""
    return {
        "contract": each.contract,
        "customer": each.customer,
        "number": show_value(Domain.CONTRACT, "number", each.number, eyes),
        "status": show_value(Domain.CONTRACT, "status", each.status, eyes),
        **_standing(each),
        "as_of": as_of,
    }


def usage_object(each: UsageToRevenue, as_of: datetime) -> dict[str, Any]:
    """A usage batch (`api.schemas.process.UsageToRevenueForm`)."""
    return {
        "batch": key_object(each.batch),
        "customer": each.customer,
        "contract": each.contract,
        "product": each.product,
        "subscription": _key(each.subscription),
        "invoice": _key(each.invoice),
        "repeats": _key(each.repeats),
        **_standing(each),
        "as_of": as_of,
    }


def _standing(each: QuoteToCash | UsageToRevenue) -> dict[str, Any]:
    at = each.at
    return {
        "stage": at.name,
        "state": at.state.value,
        "since": at.since,
        "next_step": _step_object(at.next_step),
        "stages": [_stage_object(stage) for stage in each.stages],
    }


def _stage_object(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "state": stage.state.value,
        "since": stage.since,
        "rows": [key_object(row) for row in stage.rows],
        "count": stage.count,
        "blocked_by": [_blocker_object(blocker) for blocker in stage.blocked_by],
        "next_step": _step_object(stage.next_step),
    }


def _blocker_object(blocker: Blocker) -> dict[str, Any]:
    return {
        "code": blocker.code,
        "rule": blocker.rule,
        "subject": key_object(blocker.subject),
        "owner": blocker.owner,
        "action": blocker.action,
    }


def _step_object(step: NextStep | None) -> dict[str, str] | None:
    return None if step is None else {"action": step.action, "owner": step.owner}


def _key(key: CrosswalkKey | None) -> dict[str, str] | None:
    return None if key is None else key_object(key)
