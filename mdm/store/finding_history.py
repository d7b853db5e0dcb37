"""What reconciliation found from when to when: each finding from the first run that saw it to the first that did not.

A run is written as a whole, in three statements. Runs may overlap; one that began before what is written already says
nothing any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection, Engine, text

from mdm.lifecycle.findings import Finding
from mdm.model.ids import CrosswalkKey

#: The row of the newest run; whoever has changed it is alone until the transaction ends.
_RUN = """
insert into reconciliation_run as r (one, began_at, as_of) values (true, :at, :as_of)
on conflict (one) do update set began_at = excluded.began_at, as_of = excluded.as_of
where r.began_at <= excluded.began_at returning true
"""
_FOUND = """unnest(cast(:rules as text[]), cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[]),
            cast(:amounts as numeric[]), cast(:currencies as text[]))
     as f(rule, system, type, key, amount, currency)"""
_SAME = "f.rule = s.rule and f.system = s.system and f.type = s.type and f.key = s.key"
_CLOSE = f"""
update finding_seen s set closed_at = :at
where closed_at is null and not exists (select from {_FOUND} where {_SAME})
"""
_SEE = f"""
update finding_seen s set last_seen = :at, amount = f.amount, currency = f.currency from {_FOUND}
where s.closed_at is null and {_SAME}
"""
_OPEN = f"""
insert into finding_seen (rule, system, type, key, first_seen, last_seen, amount, currency)
select f.rule, f.system, f.type, f.key, :at, :at, f.amount, f.currency from {_FOUND}
where not exists (select from finding_seen s where s.closed_at is null and {_SAME})
on conflict (rule, system, type, key, first_seen) do update
set closed_at = null, last_seen = excluded.last_seen, amount = excluded.amount, currency = excluded.currency
"""
_ON = """from finding_seen
where first_seen < :end and (closed_at is null or closed_at >= :end)
and (cast(:rule as text) is null or rule = :rule)"""
_PAGE = f"""
select rule, system, type, key, first_seen, last_seen, closed_at, amount, currency {_ON}
and (cast(:after as boolean) is not true
     or (rule, system, type, key) > (cast(:a as text), cast(:b as text), cast(:c as text), cast(:d as text)))
order by rule, system, type, key limit :limit
"""
_SUMS = f"select currency, sum(abs(amount)) {_ON} and amount is not null and currency is not null group by currency"
_RESOLVED = """
select first_seen, closed_at from finding_seen where closed_at >= :since and closed_at < :until
order by closed_at desc limit :most
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding from the first run that saw it to the first that did not (`closed_at`, None while it is open).

    `amount` is what it was worth when it was seen last.
    """

    rule: str
    subject: CrosswalkKey
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None
    amount: Decimal | None
    currency: str | None

    @property
    def hours(self) -> float | None:
        """How long it was open; None while it is."""
        return None if self.closed_at is None else (self.closed_at - self.first_seen).total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class Run:
    """The newest run that is written: when it began, and the newest event that it knew of."""

    began_at: datetime
    as_of: datetime


def write_run(engine: Engine, run: Run, findings: Sequence[Finding]) -> bool:
    """Keep what a run found; false when a run that began later is kept already. Safe to repeat."""
    named = {(each.rule, each.subject): each for each in findings}
    columns = {
        "at": run.began_at,
        "rules": [rule for rule, _ in named],
        "systems": [subject.system for _, subject in named],
        "types": [subject.type for _, subject in named],
        "keys": [subject.key for _, subject in named],
        "amounts": [each.amount for each in named.values()],
        "currencies": [each.currency for each in named.values()],
    }
    with engine.begin() as connection:
        asked = {"at": run.began_at, "as_of": run.as_of}
        if connection.scalar(text(_RUN), asked) is None:
            return False
        for statement in (_CLOSE, _SEE, _OPEN):
            connection.execute(text(statement), columns)
    return True


def newest_run(connection: Connection) -> Run | None:
    """The newest run that is written; None before the first."""
    row = connection.execute(text("select began_at, as_of from reconciliation_run")).one_or_none()
    return None if row is None else Run(*row)


def open_on(connection: Connection, day: date, rule: str | None, after: Sequence[str] | None, limit: int) -> list[Seen]:
    """Up to `limit` findings that were open at the end of a day (UTC), of today at this moment, by rule and subject,
    behind a place of those four."""
    a, b, c, d = after or ("", "", "", "")
    asked = {"after": after is not None, "a": a, "b": b, "c": c, "d": d, "limit": limit}
    rows = connection.execute(text(_PAGE), {**_on(day, rule), **asked})
    return [Seen(row[0], CrosswalkKey(*row[1:4]), *row[4:]) for row in rows]


def counted_on(connection: Connection, day: date, rule: str | None) -> tuple[int, dict[str, Decimal]]:
    """How many were open at the end of a day, and what they were worth by currency, whatever the sign."""
    number = connection.scalar(text(f"select count(*) {_ON}"), _on(day, rule)) or 0
    sums = {row[0]: row[1] for row in connection.execute(text(_SUMS), _on(day, rule))}
    return number, sums


def resolved(connection: Connection, since: datetime, until: datetime, most: int) -> list[tuple[datetime, datetime]]:
    """When findings that ended in a time were seen first, and no more; of more than `most` the newest."""
    rows = connection.execute(text(_RESOLVED), {"since": since, "until": until, "most": most})
    return [(row[0], row[1]) for row in rows]


def _on(day: date, rule: str | None) -> dict[str, object]:
    return {"end": datetime.combine(day + timedelta(days=1), time.min, UTC), "rule": rule}
