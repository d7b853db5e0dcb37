"""The last verdicts on golden customers, as they are kept for each ERP: listed and counted, never drawn."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import EntityId
from mdm.store.scoped import visible_text

_IN_ERP = """exists (select from crosswalk x join source_record r using (rec_id)
    where x.entity_id = v.entity_id and r.system = any(:erps) and not r.deleted)"""
#: What a verdict rests on by itself; whether other evidence is newer, a recheck finds out.
_STANDS = "(v.version = g.version and v.ruleset = :ruleset and (v.valid_until is null or v.valid_until > :now))"
_FROM = "from verdict v join golden g on g.entity_id = v.entity_id and g.known_to is null"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which verdicts; what is None is not asked."""

    decision: str | None = None
    code: str | None = None
    country: str | None = None
    in_erp: bool | None = None


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """The last verdict on a customer. `codes` failed or could not be verified; `stands` says that record and rules are
    those that it saw, and that it has not expired."""

    entity_id: EntityId
    name: str | None
    country: str | None
    decision: str
    codes: Sequence[str]
    completeness: float
    version: int
    evaluated_at: datetime
    valid_until: datetime | None
    stands: bool
    in_erp: bool


def kept_verdicts(
    connection: Connection,
    erps: Collection[str],
    erp: str,
    ruleset: str,
    narrowed: Narrowed,
    now: datetime,
    after: str | None,
    limit: int,
) -> list[KeptVerdict]:
    """Those that fit, by id, behind one; customers that the connection does not reach are not there.

    Args:
        erps: the platforms whose live rows make a customer one that is in ERP.
        erp: the target that was judged for.
    """
    conditions, parameters = _conditions(connection, narrowed)
    if after is not None:
        conditions.append("v.entity_id > :after")
    rows = connection.execute(
        text(
            f"""select v.entity_id, g.name, g.values->>'country', v.decision, v.codes, v.completeness, v.version,
                    v.evaluated_at, v.valid_until, {_STANDS}, {_IN_ERP}
                {_FROM} where {" and ".join(conditions)} order by v.entity_id limit :limit"""
        ),
        {**parameters, "erps": list(erps), "erp": erp, "ruleset": ruleset, "now": now, "after": after, "limit": limit},
    )
    return [KeptVerdict(EntityId(row[0]), *row[1:]) for row in rows]


def count_verdicts(connection: Connection, erp: str) -> tuple[Mapping[str, int], Mapping[str, int], int]:
    """Customers by decision, by code that failed or could not be verified, and how many have no verdict yet."""
    conditions, granted = _conditions(connection, Narrowed())
    fitting, known = " and ".join(conditions), {**granted, "erp": erp}
    reach, _ = visible_text(connection, "g.entity_id")
    decisions = connection.execute(
        text(f"select v.decision, count(*) {_FROM} where {fitting} group by v.decision"), known
    )
    codes = connection.execute(
        text(f"select code, count(*) {_FROM} cross join unnest(v.codes) code where {fitting} group by code"), known
    )
    unjudged = connection.scalar(
        text(
            f"""select count(*) from golden g where g.domain = 'customer' and g.known_to is null
                and not exists (select from verdict v where v.entity_id = g.entity_id and v.erp = :erp)
                {"and " + reach if reach else ""}"""
        ),
        known,
    )
    return {row[0]: row[1] for row in decisions}, {row[0]: row[1] for row in codes}, unjudged or 0


def _conditions(connection: Connection, narrowed: Narrowed) -> tuple[list[str], dict[str, Any]]:
    asked: list[tuple[str, str, Any]] = [
        ("v.decision = :decision", "decision", narrowed.decision),
        (":code = any(v.codes)", "code", narrowed.code),
        ("g.values->>'country' = :country", "country", narrowed.country),
        (f"{_IN_ERP} = :in_erp", "in_erp", narrowed.in_erp),
    ]
    reach, granted = visible_text(connection, "v.entity_id")
    given = [each for each in asked if each[2] is not None]
    conditions = ["v.erp = :erp", *((reach,) if reach else ()), *(condition for condition, _, _ in given)]
    return conditions, {**granted, **{name: value for _, name, value in given}}
