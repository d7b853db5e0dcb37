"""The queue finds what fits filters in several ways; whichever is taken, it is what all tasks in a row would show."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Row, text

from mdm.model.ids import Domain
from mdm.store import queue_order
from mdm.store.queue_order import QueueFilters, QueuePlace, count_queue, tasks_in_order
from mdm.store.read_queue import next_in_queue, previous_in_queue

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
_TASKS = 600

# Numbers that have nothing to do with each other, so that every filter cuts through every other. Tasks with the same
# remainder by 7 share a rank; those by 11 are closed.
_FILL = (
    """insert into steward_task (task_id, question, kind, domain, a, b, weight, status, batch_id, opened_at)
       overriding system value
       select n, 'q' || n, (array['possible_match', 'conflict', 'oversize'])[1 + mod(n * 7, 3)],
         (array['customer', 'product'])[1 + mod(n * 31 / 10, 2)], n, n + 1, mod(n * 13, 20) / 2.0,
         case when mod(n, 11) = 0 then 'resolved' else 'open' end, 1, :noon - mod(n * 37, 240) * interval '1 hour'
       from generate_series(1, :tasks) n""",
    """insert into task_work (task_id, version, assignee, snoozed_until)
       select n, 1, case when mod(n, 3) = 0 then 'ann' end,
         case when mod(n, 5) = 0 then :noon + (mod(n, 9) - 4) * interval '1 day' end
       from generate_series(1, :tasks) n where mod(n, 2) = 0""",
    """insert into task_priority (task_id, domain, kind, weight, opened_at, rank, parts, amount, amounts, countries,
         systems,
         regions, business_units, due_at, ranked_at, taken, put_off_until)
       select n, t.domain, t.kind, t.weight, t.opened_at, mod(n * 53, 7), '[]', mod(n * 17, 100), '{}',
         case when mod(n, 4) = 0 then '{DE,FR}' when mod(n, 50) = 1 then '{JP}' else '{}' end::text[],
         case when mod(n, 10) = 3 then '{crm,erp}' else '{crm,crm}' end::text[],
         case when mod(n, 6) = 0 then '{EMEA}' when mod(n, 6) = 1 then '{*}' else '{APAC}' end::text[],
         case when mod(n, 8) = 0 then '{sales}' else '{}' end::text[],
         :noon + (mod(n * 29, 300) - 200) * interval '1 hour', :noon, w.assignee is not null, w.snoozed_until
       from generate_series(1, :tasks) n join steward_task t on t.task_id = n left join task_work w on w.task_id = n
       where t.status = 'open'""",
    """insert into proposal (kind, command, effect, digest, demands, entities, task_id, author, author_role, status,
         proposed_at, expires_at)
       select 'same', '{}', '{}', '', '[]', '{}', n, 'ann', 'steward',
         case when mod(n, 9) = 0 then 'withdrawn' else 'open' end, :noon, :noon + (mod(n, 4) - 1) * interval '1 day'
       from generate_series(1, :tasks) n where mod(n, 3) = 0""",
)
_ALL = """
select t.*, p.rank, p.amount, p.countries, p.systems, p.regions, p.business_units, p.due_at,
  w.assignee, w.snoozed_until,
  (select max(expires_at) from proposal o where o.task_id = t.task_id and o.status = 'open') as answer_until
from steward_task t join task_priority p using (task_id) left join task_work w using (task_id) where t.status = 'open'
"""

# What each filter means, said of one task.
_MEANS: Mapping[str, Callable[[Row[Any], Any], bool]] = {
    "domain": lambda task, given: task.domain == given,
    "kind": lambda task, given: task.kind == given,
    "systems": lambda task, given: task.systems == list(given),
    "country": lambda task, given: given in task.countries,
    "region": lambda task, given: given in task.regions or "*" in task.regions,
    "business_unit": lambda task, given: given in task.business_units,
    "weight_from": lambda task, given: task.weight >= given,
    "weight_to": lambda task, given: task.weight < given,
    "amount_from": lambda task, given: task.amount >= given,
    "opened_before": lambda task, given: task.opened_at < given,
    "due_before": lambda task, given: task.due_at < given,
    "due_after": lambda task, given: task.due_at >= given,
    "rank_from": lambda task, given: task.rank >= given,
    "assignee": lambda task, given: task.assignee == given,
    "unassigned": lambda task, given: (task.assignee is None) is given,
    "awake_at": lambda task, given: task.snoozed_until is None or task.snoozed_until <= given,
    "asleep_at": lambda task, given: task.snoozed_until is not None and task.snoozed_until > given,
    "unanswered_at": lambda task, given: task.answer_until is None or task.answer_until <= given,
}
_LATE = {"due_before": NOON}
_SOON = {"due_after": NOON, "due_before": NOON + DAY}
_TO_COME = {"due_after": NOON + DAY}
_LOOKS: list[dict[str, Any]] = [
    {}, {"awake_at": NOON}, {"asleep_at": NOON}, {"awake_at": NOON, "unanswered_at": NOON}, _LATE, _SOON, _TO_COME,
    *({name: given} for name, given in (
        ("domain", Domain.PRODUCT), ("kind", "conflict"), ("systems", ("crm", "erp")), ("country", "JP"),
        ("country", "XX"), ("region", "EMEA"), ("business_unit", "sales"), ("weight_from", 9.0), ("weight_to", 0.5),
        ("amount_from", Decimal(97)), ("opened_before", NOON - 3 * DAY), ("rank_from", 5.0), ("assignee", "ann"),
        ("unassigned", True), ("unassigned", False),
    )),
    {"awake_at": NOON, **_TO_COME, "domain": Domain.CUSTOMER}, {"awake_at": NOON, **_SOON, "country": "DE"},
    {"asleep_at": NOON, "unassigned": True}, {"asleep_at": NOON, **_TO_COME, "kind": "oversize"},
    {"awake_at": NOON, "systems": ("crm", "erp"), "unassigned": False, "weight_from": 3.0},
    {"awake_at": NOON, "assignee": "ann", **_LATE, "rank_from": 2.0},
    {"awake_at": NOON, "domain": Domain.PRODUCT, "kind": "conflict"},
]  # fmt: skip


@pytest.fixture
def queue(engine: Engine) -> Engine:
    with engine.begin() as connection:
        for statement in _FILL:
            connection.execute(text(statement), {"noon": NOON, "tasks": _TASKS})
    return engine


def _told(look: Mapping[str, Any]) -> str:
    return ",".join(look) or "all"


# Looking ahead finds it; what fits is found first and put in order; the order is walked, in slices where it has some.
@pytest.mark.parametrize(("ahead", "few"), [(5000, 10_000), (3, 10_000), (3, 0)], ids=["ahead", "few", "many"])
def test_what_fits_is_found_in_order_in_every_way(
    queue: Engine, monkeypatch: pytest.MonkeyPatch, ahead: int, few: int
) -> None:
    monkeypatch.setattr(queue_order, "_AHEAD", ahead)
    monkeypatch.setattr(queue_order, "_FEW", few)
    with queue.connect() as connection:
        every = connection.execute(text(_ALL)).all()
        for look in _LOOKS:
            fitting = sorted(
                (task for task in every if all(_MEANS[name](task, given) for name, given in look.items())),
                key=lambda task: (-task.rank, task.task_id),
            )
            _holds(connection, QueueFilters(**look), fitting, _told(look))


def _holds(connection: Connection, filters: QueueFilters, fitting: list[Row[Any]], told: str) -> None:
    """Pages forth and back, the neighbours of a task and the count are those of `fitting`."""
    wanted = [task.task_id for task in fitting]
    places = {task.task_id: QueuePlace(task.rank, task.task_id) for task in fitting}
    assert count_queue(connection, filters, _TASKS) == len(wanted), told
    assert count_queue(connection, filters, 2) == min(2, len(wanted)), told
    assert tasks_in_order(connection, filters, 40) == wanted[:40], told
    assert tasks_in_order(connection, filters, 40, few=True) == wanted[:40], told
    if not wanted:
        return
    first, middle, last = wanted[0], wanted[len(wanted) // 2], wanted[-1]
    at = len(wanted) // 2
    assert tasks_in_order(connection, filters, 40, after=places[middle]) == wanted[at + 1 : at + 41], told
    assert tasks_in_order(connection, filters, 40, before=places[middle]) == wanted[:at][::-1][:40], told
    assert previous_in_queue(connection, filters, places[first]) is None, told
    # Behind the last one it begins again, and with none but this one it ends.
    assert next_in_queue(connection, filters, places[last]) == (first if len(wanted) > 1 else None), told
