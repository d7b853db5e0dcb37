"""What comes to its end date by itself: verdicts, overrides, proposals. Cheap when nothing is due, so run it often."""

from datetime import timedelta

from mdm.hub.steward.actor import HUB
from mdm.hub.steward.approvals import end_expired
from mdm.hub.steward.carrying import carry_out
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import RESOLUTION_ORDER, Domain
from mdm.model.stewardship import Plan
from mdm.store import stewardship as store
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.waiting import is_over

#: A client that repeats a command does so within minutes; its key is kept this long.
_KEYS_KEPT = timedelta(days=7)


def expire_due(hub: Workplace) -> list[int]:
    """End what is due and settle what that reaches. Returns the decisions this took; harmless when repeated."""
    taken: list[int] = []
    if not _anything_due(hub):
        return taken
    for domain in RESOLUTION_ORDER:
        with unit_of_work(hub.engine, hub.clock, "expire") as work:
            plan = _plan(work, domain)
            if plan is not None:
                decision_id, _ = carry_out(work, hub.rules, plan, HUB, {"command": "expire"})
                taken.append(decision_id)
    with unit_of_work(hub.engine, hub.clock, "expire") as work:
        due = work.query(f"select proposal_id from proposal where {is_over('%s')}", work.now)
        end_expired(work, [row[0] for row in due])
        work.execute("delete from command_key where at < %s", work.now - _KEYS_KEPT)
    return taken


def _anything_due(hub: Workplace) -> bool:
    now = hub.clock()
    with hub.engine.connect() as connection:
        return bool(
            connection.exec_driver_sql(
                f"""select exists (select 1 from judgement where superseded_at is null and until <= %(now)s)
                   or exists (select 1 from golden_override where ended_at is null and expires_at <= %(now)s)
                   or exists (select 1 from proposal where {is_over("%(now)s")})
                   or exists (select 1 from command_key where at < %(old)s)""",
                {"now": now, "old": now - _KEYS_KEPT},
            ).scalar()
        )


def _plan(work: UnitOfWork, domain: Domain) -> Plan | None:
    verdicts = store.due_judgements(work, domain)
    overrides = store.due_overrides(work, domain)
    if not verdicts and not overrides:
        return None
    return Plan(
        kind="expire",
        domain=domain,
        records=frozenset(rec for each in verdicts for rec in (each.a, each.b))
        | frozenset(rec for each in overrides for rec in each.anchors),
        reason="the end date has come",
        cause="expiry",
        supersede=tuple(each.judgement_id for each in verdicts),
        end_overrides=tuple(each.override_id for each in overrides),
    )
