"""Keep the order of the review queue up to date: ranks of open tasks are made when they are first looked for."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from mdm.core.rules import Rules
from mdm.core.worklist import rank
from mdm.model.ids import Domain
from mdm.store import worklist

#: What a rank rests on (open invoices, running contracts) may be this old.
_FRESH_FOR = timedelta(hours=1)
#: Tasks ranked in one transaction, and at most by one call; the rest waits for the next look.
_BATCH, _AT_MOST = 2000, 20_000


def rank_open_tasks(engine: Engine, rules: Rules, now: datetime) -> int:
    """Rank open tasks that have no rank or an old one. Returns how many. Harmless when repeated, also at once."""
    limits: dict[Domain, tuple[float, float]] = {
        domain: (model.thresholds.possible, model.thresholds.match) for domain, model in rules.models.items()
    }
    done = 0
    while done < _AT_MOST:
        with engine.begin() as connection:
            if not worklist.unranked(connection, now - _FRESH_FOR):
                break
            facts = worklist.read_task_facts(connection, now - _FRESH_FOR, _BATCH, limits)
            worklist.write_ranks(connection, [rank(each) for each in facts], now)
        done += len(facts)
    return done
