"""What people did about findings of reconciliation, and how many there were day by day."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from mdm.lifecycle.findings import Finding
from mdm.model.ids import CrosswalkKey
from mdm.store.unit_of_work import UnitOfWork

_COLUMNS = "rule, system, type, key, assignee, explanation, explained_by, explained_at, amount, currency"
_OF = f"""
select {_COLUMNS} from finding_work
join unnest(cast(:rules as text[]), cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[]))
  as f(rule, system, type, key) using (rule, system, type, key)
"""
_DAY = """
insert into reconciliation_day as d (rule, day, findings) values (:rule, :day, :findings)
on conflict (rule, day) do update set findings = excluded.findings
"""
_TREND = """
select d.day, coalesce(r.findings, 0) from reconciliation_day d
left join reconciliation_day r on r.rule = :rule and r.day = d.day
where d.rule = '' and d.day >= :since order by d.day
"""


class FindingName(NamedTuple):
    """Rule and subject, which name a finding."""

    rule: str
    subject: CrosswalkKey


@dataclass(frozen=True, slots=True)
class FindingWork:
    """Who looks after a finding and why it is as it is. `amount` is what was explained: another amount is not."""

    assignee: str | None = None
    explanation: str | None = None
    explained_by: str | None = None
    explained_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None

    def explains(self, finding: Finding) -> bool:
        """Whether there is an explanation, and for what the finding is worth now."""
        return self.explanation is not None and (self.amount, self.currency) == (finding.amount, finding.currency)


def name_of(finding: Finding) -> FindingName:
    return FindingName(finding.rule, finding.subject)


def works(connection: Connection, names: Collection[FindingName]) -> dict[FindingName, FindingWork]:
    """What was done about these findings; those that nobody touched are left out."""
    columns = {
        "rules": [each.rule for each in names],
        "systems": [each.subject.system for each in names],
        "types": [each.subject.type for each in names],
        "keys": [each.subject.key for each in names],
    }
    rows = connection.execute(text(_OF), columns)
    return {FindingName(row[0], CrosswalkKey(*row[1:4])): FindingWork(*row[4:]) for row in rows}


def taken_by(connection: Connection, actor: str) -> set[FindingName]:
    """The findings that somebody looks after."""
    rows = connection.execute(
        text("select rule, system, type, key from finding_work where assignee = :actor"), {"actor": actor}
    )
    return {FindingName(row[0], CrosswalkKey(*row[1:])) for row in rows}


def assignees(connection: Connection) -> dict[FindingName, str]:
    """Who looks after which finding, where anybody does; also of findings that are no more."""
    rows = connection.execute(
        text("select rule, system, type, key, assignee from finding_work where assignee is not null")
    )
    return {FindingName(row[0], CrosswalkKey(*row[1:4])): row[4] for row in rows}


def assignee_of(work: UnitOfWork, name: FindingName) -> str | None:
    """Who looks after a finding, from now on held until the unit of work ends."""
    work.execute(
        "insert into finding_work (rule, system, type, key) values (%s, %s, %s, %s) on conflict do nothing",
        name.rule, *name.subject,
    )  # fmt: skip
    found: str | None = work.query(
        """select assignee from finding_work where rule = %s and system = %s and type = %s and key = %s for update""",
        name.rule, *name.subject,
    )[0][0]  # fmt: skip
    return found


def assign(work: UnitOfWork, name: FindingName, assignee: str | None) -> None:
    """Note who looks after it."""
    work.execute(
        "update finding_work set assignee = %s where rule = %s and system = %s and type = %s and key = %s",
        assignee, name.rule, *name.subject,
    )  # fmt: skip


def explain(work: UnitOfWork, finding: Finding, explanation: str | None, actor: str) -> None:
    """Note why it is as it is, for what it is worth now; None takes the explanation back."""
    told = explanation is not None
    work.execute(
        """update finding_work set explanation = %s, explained_by = %s, explained_at = %s, amount = %s, currency = %s
           where rule = %s and system = %s and type = %s and key = %s""",
        explanation, actor if told else None, work.now if told else None, finding.amount if told else None,
        finding.currency if told else None, finding.rule, *finding.subject,
    )  # fmt: skip


def write_day(engine: Engine, day: date, findings: Sequence[Finding]) -> None:
    """Keep how many findings there are: of a day the last run counts. The rule '' is all of them together."""
    counts: Mapping[str, int] = Counter(each.rule for each in findings) | Counter({"": len(findings)})
    rows = [{"rule": rule, "day": day, "findings": number} for rule, number in sorted({"": 0, **counts}.items())]
    with engine.begin() as connection:
        connection.execute(text(_DAY), rows)
        connection.execute(
            text("delete from reconciliation_day where day = :day and rule <> all(:rules)"),
            {"day": day, "rules": [row["rule"] for row in rows]},
        )


def trend(connection: Connection, rule: str, since: date) -> Sequence[tuple[date, int]]:
    """The findings of a rule ('' for all) on each day on which reconciliation ran."""
    return [(row[0], row[1]) for row in connection.execute(text(_TREND), {"rule": rule, "since": since})]
