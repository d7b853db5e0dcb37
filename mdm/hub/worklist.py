"""Keep the order of the review queue and of refused messages up to date: ranks are made when they are looked for."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from mdm.core.four_eyes import Policy, measures_of
from mdm.core.refused_order import rank_group
from mdm.core.rules import Rules
from mdm.core.worklist import rank
from mdm.hub.steward.policy import load_policy
from mdm.lifecycle.close import close_of, current_close
from mdm.lifecycle.policy import Policy as Reconciling
from mdm.lifecycle.policy import shipped_policy
from mdm.model.ids import Domain
from mdm.model.worklist import CutOff
from mdm.store import closing, stake, worklist
from mdm.store.affected import AsOf
from mdm.store.reading import within
from mdm.store.scoped import unrestricted
from mdm.store.stake import Looked

#: What a rank rests on (open invoices, running contracts) may be this old.
_FRESH_FOR = timedelta(hours=1)
#: Tasks looked at together, and at most by one call; the rest waits for the next look.
_BATCH, _AT_MOST = 2000, 20_000
#: Ranks written in one transaction, which keeps whoever decides on one of these tasks waiting.
_WRITTEN = 200

#: So many tasks may be numbered before one that is there already, by units of work that end later.
_OUT_OF_ORDER = 100_000

#: Before every rank: only tasks that have none are ranked.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def rank_open_tasks(engine: Engine, rules: Rules, now: datetime, policy: Policy | None = None) -> int:
    """Rank open tasks that have no rank or an old one. Returns how many. Harmless when repeated, also at once.

    What is much money is said by the policy of the second person; by the shipped one if none is given.
    """
    with unrestricted(engine).begin() as connection:
        worklist.forget_labels(connection)
    return _rank(engine, rules, now, now - _FRESH_FOR, policy)


def rank_new_tasks(engine: Engine, rules: Rules, now: datetime, policy: Policy | None = None, known: int = 0) -> None:
    """Rank open tasks that have no rank yet, or were opened again.

    `known` is the newest task of a state in which all had one: then only those behind it are looked at, and some before
    it, for tasks do not come in the order of their numbers.
    """
    _rank(engine, rules, now, _NEVER, policy, max(0, known - _OUT_OF_ORDER))


def state_of_tasks(engine: Engine) -> tuple[int, int]:
    """Names a state of the hub: while it stays, no task is opened, so none has to be looked for."""
    with unrestricted(engine).connect() as connection:
        return worklist.state(connection)


def old_ranks(engine: Engine, now: datetime) -> bool:
    """Whether an open task has an old rank, which can wait a little."""
    with unrestricted(engine).connect() as connection:
        return worklist.unranked(connection, now - _FRESH_FOR)


def rank_refused(
    engine: Engine,
    now: datetime,
    policy: Policy | None = None,
    *,
    at_once: int | None = None,
    reconciling: Reconciling | None = None,
) -> int:
    """Rank groups of open dead letters that have no rank, have changed, or have an old one. Returns how many. Harmless
    when repeated, also at once.

    `reconciling` says on which day books are closed; the shipped rules if none are given.
    `at_once`: only such as changed, and only as many as have so many letters together, those without a rank first.
    """
    which = Looked(now, now - _FRESH_FOR) if at_once is None else Looked(now, budget=at_once)
    told = reconciling or shipped_policy()
    done = 0
    while True:
        with unrestricted(engine).begin() as connection:
            cut_off = cut_off_at(connection, now, told)
            measures = measures_of(policy or load_policy(), cut_off)
            groups = stake.unranked_groups(connection, which, _as_of(cut_off, now, told))
            written = stake.write_group_ranks(connection, [rank_group(each, measures) for each in groups], now)
        done += written
        if not written or at_once is not None:
            return done


def refused_unranked(engine: Engine, now: datetime) -> bool:
    """Whether a group of open dead letters has no rank, has changed, or has an old one."""
    with unrestricted(engine).connect() as connection:
        return stake.group_waits(connection, Looked(now, now - _FRESH_FOR))


def _rank(engine: Engine, rules: Rules, now: datetime, stale: datetime, policy: Policy | None, since: int = 0) -> int:
    limits: dict[Domain, tuple[float, float]] = {
        domain: (model.thresholds.possible, model.thresholds.match) for domain, model in rules.models.items()
    }
    done = 0
    while done < _AT_MOST:
        with unrestricted(engine).begin() as connection:
            if not worklist.unranked(connection, stale, since):
                break
            cut_off = cut_off_at(connection, now, rules.reconciliation)
            as_of = _as_of(cut_off, now, rules.reconciliation)
            facts = worklist.read_task_facts(connection, stale, _BATCH, limits, as_of, rules.platforms.erps, since)
        measures = measures_of(policy or load_policy(), cut_off)
        ranked = [rank(each, measures) for each in facts]
        written = 0
        for start in range(0, len(ranked), _WRITTEN):
            with unrestricted(engine).begin() as connection:
                written += worklist.write_ranks(connection, ranked[start : start + _WRITTEN], now)
        done += written
        if not written:  # what is left is held by somebody, who changes it just now
            break
    return done


def cut_off_at(connection: Connection, now: datetime, reconciling: Reconciling) -> CutOff:
    """Until when the month that is being closed is open: the running one where the one before is closed by two."""
    business_days = reconciling.close_on
    close = current_close(now.date(), business_days)
    with within(connection) as work:
        signed = closing.standing(work, close.month)
    if signed is not None and signed.reviewed_at is not None:
        close = close_of(f"{close.last + timedelta(days=1):%Y-%m}", business_days)
    return CutOff(close.month, close.due, close.days_left(now.date()))


def _as_of(cut_off: CutOff, now: datetime, reconciling: Reconciling) -> AsOf:
    return AsOf(cut_off.month, now.date(), reconciling.words["entitlement_usable"])
