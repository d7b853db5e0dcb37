"""What a feed did to a hub since an instant: read after it, by what is newer than that.

Rows and golden records carry the number of their unit of work, so nothing has to be taken down while the feed is read.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from mdm.model.arrivals import Arrivals, DomainArrivals, Fate, Refusals, Row, Since, Table
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.unit_of_work import UnitOfWork

# Named in every query; a newer unit of work is one of the feed's.
_SINCE = "since as (select %s::bigint as batch, %s::bigint as record, %s::timestamptz as instant)"
# Rows that came, with the golden record they are in: whether it was there before, and if not, whether somebody is asked
# about it, and about which other one; rather one from before, and then the likelier one.
_FRESH = f"""
with {_SINCE},
asked as materialized (
    select distinct on (c.entity_id) c.entity_id, o.entity_id as other, t.weight
    from since s join steward_task t on t.batch_id > s.batch and t.status = 'open'
    cross join lateral (values (t.a, t.b), (t.b, t.a)) x(mine, theirs)
    join crosswalk c on c.rec_id = x.mine
    join crosswalk k on k.rec_id = x.theirs join entity o on o.entity_id = k.entity_id
    order by c.entity_id, o.founded_batch <= s.batch desc, t.weight desc, o.entity_id),
fresh as materialized (
    select r.rec_id, r.domain, r.system, r.type, r.key, c.entity_id, a.other, a.weight,
        coalesce(r.attributes->>'name', r.attributes->>'number') as name,
        case when e.founded_batch <= s.batch then 'auto' when a.entity_id is not null then 'review' else 'new' end
            as fate
    from since s join source_record r on r.rec_id > s.record and not r.deleted and r.domain is not null
    join crosswalk c on c.rec_id = r.rec_id join entity e on e.entity_id = c.entity_id
    left join asked a on a.entity_id = c.entity_id)
"""
_TABLES = f"""
with {_SINCE}
select r.domain, r.system, r.type, count(*) filter (where r.rec_id > s.record and not r.deleted),
    count(*) filter (where r.rec_id <= s.record and not r.deleted),
    count(*) filter (where r.rec_id <= s.record and r.deleted)
from since s join source_record r on r.batch_id > s.batch
group by r.domain, r.system, r.type order by r.domain nulls last, r.system, r.type
"""
_FATES = f"{_FRESH} select system, type, fate, count(*) from fresh group by system, type, fate"
_ENTITIES = f"""{_FRESH}
select domain, count(distinct entity_id) filter (where fate = 'auto'),
    count(distinct entity_id) filter (where fate <> 'auto') from fresh group by domain
"""
_QUESTIONS = f"""
with {_SINCE}
select t.domain, t.kind, count(*), count(*) filter (where a.founded_batch <= s.batch and b.founded_batch <= s.batch)
from since s join steward_task t on t.batch_id > s.batch and t.status = 'open'
left join (crosswalk ca join entity a on a.entity_id = ca.entity_id) on ca.rec_id = t.a
left join (crosswalk cb join entity b on b.entity_id = cb.entity_id) on cb.rec_id = t.b
group by t.domain, t.kind order by t.domain, t.kind
"""
# Golden records from before of which there is a newer version, or which have ended.
_TOUCHED = f"""
with {_SINCE},
touched as materialized (
    select o.domain, o.entity_id, o.version, e.status, n.version as newer, exists (
        select from crosswalk c join source_record r on r.rec_id = c.rec_id
        where c.entity_id = coalesce(e.merged_into, e.entity_id) and r.system = any(%s) and not r.deleted) as in_erp
    from since s
    cross join lateral (
        select entity_id from golden where batch_id > s.batch
        union select entity_id from entity where changed_at > s.instant and status <> 'active') x
    cross join lateral (
        select domain, entity_id, version from golden
        where entity_id = x.entity_id and batch_id <= s.batch and (known_to is null or known_to >= s.instant)
        order by version desc limit 1) o
    join entity e on e.entity_id = o.entity_id
    left join golden n on n.entity_id = o.entity_id and n.known_to is null and n.version > o.version)
"""
_CHANGES = f"""{_TOUCHED}
select domain, count(*) filter (where newer is not null), count(*) filter (where status = 'merged'),
    count(*) filter (where status = 'retired'),
    count(*) filter (where in_erp and (newer is not null or status = 'merged'))
from touched group by domain
"""
_ATTRIBUTES = f"""{_TOUCHED}
select t.domain, a.name, count(*)
from touched t join golden o on o.entity_id = t.entity_id and o.version = t.version
join golden n on n.entity_id = t.entity_id and n.version = t.newer
cross join lateral (
    select coalesce(x.key, y.key) as name
    from jsonb_each(o."values") x full join jsonb_each(n."values") y on y.key = x.key
    where x.value is distinct from y.value) a
group by t.domain, a.name order by t.domain, count(*) desc, a.name
"""
_REFUSED = """
select system, type, code, owner, sum(seen)::bigint from dead_letter where first_seen >= %s
group by system, type, code, owner order by 5 desc, system, type, code, owner
"""
# What is least certain first; ids of golden records that the feed itself has made are told to nobody, for they are new
# whenever it is read.
_ROWS = f"""{_FRESH}
select f.domain, f.system, f.type, f.key, f.name,
    case when f.fate = 'auto' then f.entity_id when o.founded_batch <= s.batch then f.other end,
    g.name, case f.fate when 'auto' then l.weight else f.weight end
from since s cross join fresh f
left join entity o on o.entity_id = f.other
left join golden g on g.entity_id = case when f.fate = 'auto' then f.entity_id else f.other end and g.known_to is null
left join lateral (
    select max(k.weight) as weight from (
        select b as other, weight from link where a = f.rec_id and superseded_at is null and decision = 'match'
        union all select a, weight from link where b = f.rec_id and superseded_at is null and decision = 'match') k
    join crosswalk c on c.rec_id = k.other and c.entity_id = f.entity_id
    where f.fate = 'auto' and k.other <= s.record) l on true
where f.fate = %s
order by
    case f.fate when 'auto' then l.weight else -f.weight end nulls last,
    f.domain, f.system, f.type, f.key
limit %s
"""


def state_before(work: UnitOfWork, instant: datetime) -> Since:
    """The state before a feed comes; `instant` is when the hub knows it."""
    rows = work.query(
        "select (select coalesce(max(batch_id), 0) from batch), (select coalesce(max(rec_id), 0) from source_record)"
    )
    ((batch, record),) = rows
    return Since(batch, record, instant)


def read_arrivals(work: UnitOfWork, since: Since, rows: int | None, erps: Collection[str]) -> Arrivals:
    """What came since then.

    Args:
        rows: how many rows to tell of each fate; None for all of them.
        erps: the platforms that count as ERP.
    """
    fates: defaultdict[tuple[str, str], dict[Fate, int]] = defaultdict(dict)
    for system, type_, fate, number in work.query(_FATES, *since):
        fates[system, type_][Fate(fate)] = number
    tables = [
        Table(domain and Domain(domain), system, type_, rows_, changed, deleted, fates.get((system, type_), {}))
        for domain, system, type_, rows_, changed, deleted in work.query(_TABLES, *since)
    ]
    refused = [Refusals(*row) for row in work.query(_REFUSED, since.instant)]
    found = [row for fate in Fate for row in _rows(work, since, fate, rows)]
    return Arrivals(tables, _domains(work, since, list(erps)), refused, found)


def _domains(work: UnitOfWork, since: Since, erps: list[str]) -> dict[Domain, DomainArrivals]:
    entities = {row[0]: row[1:] for row in work.query(_ENTITIES, *since)}
    changes = {row[0]: row[1:] for row in work.query(_CHANGES, *since, erps)}
    questions: defaultdict[str, dict[str, int]] = defaultdict(dict)
    between: defaultdict[str, int] = defaultdict(int)
    for domain, kind, number, known in work.query(_QUESTIONS, *since):
        questions[domain][kind] = number
        between[domain] += known
    attributes: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for domain, name, number in work.query(_ATTRIBUTES, *since, erps):
        attributes[domain][name] = number
    found: dict[Domain, DomainArrivals] = {}
    for domain in Domain:
        if {domain.value} & {*entities, *changes, *questions}:
            joined, founded = entities.get(domain, (0, 0))
            changed, merged, retired, in_erp = changes.get(domain, (0, 0, 0, 0))
            found[domain] = DomainArrivals(
                joined=joined, founded=founded, questions=questions[domain], between=between[domain],
                changed=changed, merged=merged, retired=retired, in_erp=in_erp, attributes=attributes[domain],
            )  # fmt: skip
    return found


def _rows(work: UnitOfWork, since: Since, fate: Fate, most: int | None) -> list[Row]:
    return [
        Row(
            Domain(domain),
            CrosswalkKey(system, type_, key),
            name,
            fate,
            entity_id and EntityId(entity_id),
            entity_name,
            weight,
        )
        for domain, system, type_, key, name, entity_id, entity_name, weight in work.query(_ROWS, *since, fate, most)
    ]
