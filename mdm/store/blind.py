"""Drawing pairs for a blind sample, keeping what people say of them, and reading it."""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from mdm.model.blind import BlindVerdict, DrawnPair, DrawnStratum, Judged, SampleHead, Stratum
from mdm.model.candidates import Pair
from mdm.model.ids import Domain, RecordId
from mdm.store.evidence import evidence_pairs
from mdm.store.pairs import blocked_pairs
from mdm.store.unit_of_work import UnitOfWork

#: A word that more golden records have than this tells nothing about two of them.
_RARE = 50
_AT_A_TIME = 200


def joined(work: UnitOfWork, domain: Domain, number: int, chance: random.Random) -> tuple[int, list[Pair]]:
    """How many pairs of records are in one golden record, and some of them, each as likely as any other."""
    groups = work.query(
        """select x.entity_id, count(*) from crosswalk x join source_record r using (rec_id)
           where r.domain = %s and not r.deleted group by x.entity_id having count(*) > 1 order by x.entity_id""",
        domain.value,
    )
    weights = [size * (size - 1) // 2 for _, size in groups]
    total = sum(weights)
    if not total:
        return 0, []
    chosen = chance.choices(range(len(groups)), weights, k=min(4 * number, 4 * total))
    members: dict[str, list[RecordId]] = defaultdict(list)
    for entity, rec in work.query(
        "select entity_id, rec_id from crosswalk where entity_id = any(%s) order by rec_id",
        sorted({groups[each][0] for each in chosen}),
    ):
        members[entity].append(RecordId(rec))
    found: dict[Pair, None] = {}
    for each in chosen:
        there = members[groups[each][0]]
        if len(there) > 1 and len(found) < number:
            a, b = sorted(chance.sample(there, 2))
            found[a, b] = None
    return total, list(found)


_ASKED = """
from link l join crosswalk x on x.rec_id = l.a join crosswalk y on y.rec_id = l.b
where l.superseded_at is null and l.domain = %s and x.entity_id <> y.entity_id"""


def asked(work: UnitOfWork, domain: Domain, number: int, seed: str) -> tuple[int, list[tuple[Pair, float]]]:
    """How many pairs are linked across golden records, and some of them with their weights."""
    [(total,)] = work.query(f"select count(*) {_ASKED}", domain.value)
    rows = work.query(
        f"select l.a, l.b, l.weight {_ASKED} order by md5(%s || l.a || ':' || l.b) limit %s", domain.value, seed, number
    )
    return int(total), [((RecordId(a), RecordId(b)), float(weight)) for a, b, weight in rows]


def seeds(work: UnitOfWork, domain: Domain, number: int, seed: str) -> tuple[int, list[RecordId]]:
    """How many live records a domain has, and some of them by a hash of their names."""
    [(total,)] = work.query("select count(*) from source_record where domain = %s and not deleted", domain.value)
    rows = work.query(
        """select rec_id from source_record where domain = %s and not deleted
           order by md5(%s || system || chr(31) || type || chr(31) || key) limit %s""",
        domain.value, seed, number,
    )  # fmt: skip
    return int(total), [RecordId(row[0]) for row in rows]


def compared(work: UnitOfWork, domain: Domain, ids: Sequence[RecordId], cap: int) -> set[Pair]:
    """Pairs that the hub compares one of these records in."""
    found: set[Pair] = set()
    for start in range(0, len(ids), _AT_A_TIME):
        part = ids[start : start + _AT_A_TIME]
        found |= blocked_pairs(work, part, cap) | evidence_pairs(work, domain, part, cap)
    return found


def sharing_a_word(work: UnitOfWork, domain: Domain, ids: Sequence[RecordId]) -> set[Pair]:
    """Pairs of one of these records with one of another golden record that has a rare word of its names."""
    rows = work.probe(
        """select distinct i.id, x.rec_id from unnest(%s::bigint[]) as i(id)
           cross join lateral (select entity_id from crosswalk where rec_id = i.id offset 0) own
           cross join lateral (
               select term from search_term where entity_id = own.entity_id and length(term) > 3 offset 0) t
           cross join lateral (
               select array_agg(o.entity_id) as others from (
                   select entity_id from search_term where domain = %s and term = t.term limit %s) o) w
           cross join lateral unnest(w.others) as e(entity_id)
           join crosswalk x on x.entity_id = e.entity_id
           where cardinality(w.others) <= %s and e.entity_id <> own.entity_id""",
        list(ids), domain.value, _RARE + 1, _RARE,
    )  # fmt: skip
    return {(min(a, b), max(a, b)) for a, b in ((RecordId(row[0]), RecordId(row[1])) for row in rows)}


def linked(work: UnitOfWork, pairs: Collection[Pair]) -> set[Pair]:
    """Those of these pairs that are linked, or in one golden record."""
    rows = work.probe(
        """select p.a, p.b from unnest(%s::bigint[], %s::bigint[]) as p(a, b)
           where exists (select from link l where l.a = p.a and l.b = p.b and l.superseded_at is null)
              or exists (select from crosswalk x join crosswalk y using (entity_id)
                         where x.rec_id = p.a and y.rec_id = p.b)""",
        [a for a, _ in pairs],
        [b for _, b in pairs],
    )
    return {(RecordId(a), RecordId(b)) for a, b in rows}


def systems_of(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, str]:
    """The platform of each record."""
    rows = work.query("select rec_id, system from source_record where rec_id = any(%s)", sorted(ids))
    return {RecordId(rec): system for rec, system in rows}


def write_sample(
    work: UnitOfWork, domain: Domain, seed: str, model: str, drawn: Sequence[DrawnStratum], actor: str
) -> int:
    """Keep a sample; returns its number."""
    strata = {
        each.stratum.value: {"size": each.size, "counted": each.counted, "drawn": len(each.pairs)} for each in drawn
    }
    [(sample_id,)] = work.query(
        """insert into blind_sample (domain, seed, model, strata, drawn_by, drawn_at)
           values (%s, %s, %s, %s::jsonb, %s, %s) returning sample_id""",
        domain.value, seed, model, orjson.dumps(strata).decode(), actor, work.now,
    )  # fmt: skip
    work.copy(
        "blind_pair",
        ("sample_id", "stratum", "a", "b", "a_system", "b_system", "weight"),
        (
            (sample_id, each.stratum.value, pair.a, pair.b, *pair.systems, pair.weight)
            for each in drawn
            for pair in each.pairs
        ),
    )
    return int(sample_id)


def open_sample(work: UnitOfWork, domain: Domain) -> int | None:
    """The sample of a domain that people work on."""
    rows = work.query("select sample_id from blind_sample where domain = %s and closed_at is null", domain.value)
    return int(rows[0][0]) if rows else None


_HEADS = """
select s.sample_id, s.domain, s.drawn_by, s.drawn_at, s.model, s.closed_at,
  (select count(*) from blind_pair p where p.sample_id = s.sample_id) as pairs,
  (select count(*) from blind_pair p where p.sample_id = s.sample_id and
     (select count(*) >= 3 or (count(*) = 2 and count(distinct verdict) = 1)
      from blind_answer a where a.pair_id = p.pair_id)) as complete,
  (select count(*) from blind_pair p join blind_answer a using (pair_id) where p.sample_id = s.sample_id) as answers
from blind_sample s {} order by s.sample_id desc limit :most
"""


def heads(connection: Connection, most: int, sample_id: int | None = None) -> list[SampleHead]:
    """Samples, the newest first."""
    query = _HEADS.format("where s.sample_id = :id" if sample_id is not None else "")
    rows = connection.execute(text(query), {"most": most, "id": sample_id} if sample_id is not None else {"most": most})
    return [SampleHead(row[0], Domain(row[1]), *row[2:]) for row in rows]


def sizes(connection: Connection, sample_id: int) -> dict[Stratum, Mapping[str, Any]]:
    """The strata of a sample: size, counted or estimated, drawn."""
    found = connection.scalar(text("select strata from blind_sample where sample_id = :id"), {"id": sample_id})
    return {each: found[each.value] for each in Stratum if found and each.value in found}


_JUDGED = """
select p.pair_id, p.stratum, p.a_system, p.b_system, p.weight,
  ra.system || ':' || ra.type || ':' || ra.key as a, rb.system || ':' || rb.type || ':' || rb.key as b,
  coalesce((select json_agg(json_build_array(n.person, n.verdict) order by n.at, n.person)
            from blind_answer n where n.pair_id = p.pair_id), '[]') as answers
from blind_pair p join source_record ra on ra.rec_id = p.a join source_record rb on rb.rec_id = p.b
where p.sample_id = :id order by p.pair_id
"""


def judged(connection: Connection, sample_id: int) -> list[tuple[int, Judged, float | None, str, str]]:
    """Every pair of a sample with its answers, its weight and the names of its rows."""
    rows = connection.execute(text(_JUDGED), {"id": sample_id})
    return [
        (
            row.pair_id,
            Judged(
                Stratum(row.stratum),
                (row.a_system, row.b_system),
                tuple((person, BlindVerdict(verdict)) for person, verdict in row.answers),
            ),
            row.weight, row.a, row.b,
        )
        for row in rows
    ]  # fmt: skip


#: In an order of everybody's own, so that nobody sees pairs beside the same neighbours as another one. Of a pair whose
#: record is gone nothing can be said any more.
_NEXT = """
select p.pair_id, p.a, p.b, s.domain from blind_pair p join blind_sample s using (sample_id)
join source_record ra on ra.rec_id = p.a and not ra.deleted
join source_record rb on rb.rec_id = p.b and not rb.deleted
cross join lateral (
    select count(*) as said, count(distinct verdict) as different, count(*) filter (where person = :person) as mine
    from blind_answer n where n.pair_id = p.pair_id) n
where s.sample_id = :id and s.closed_at is null and n.mine = 0
  and (n.said < 2 or (n.said = 2 and n.different = 2))
order by md5(:person || ':' || p.pair_id) limit 1
"""


def next_pair(connection: Connection, sample_id: int, person: str) -> tuple[int, RecordId, RecordId, Domain] | None:
    """The pair that this person should look at next; None when nothing is left for them."""
    row = connection.execute(text(_NEXT), {"id": sample_id, "person": person}).one_or_none()
    return None if row is None else (row.pair_id, RecordId(row.a), RecordId(row.b), Domain(row.domain))


def answer(work: UnitOfWork, pair_id: int, person: str, verdict: BlindVerdict) -> bool:
    """Keep what somebody says of a pair; False where they said something of it before."""
    return bool(
        work.query(
            """insert into blind_answer (pair_id, person, verdict, at) values (%s, %s, %s, %s)
               on conflict do nothing returning 1""",
            pair_id, person, verdict.value, work.now,
        )
    )  # fmt: skip


def drawn(pairs: Collection[Pair], systems: Mapping[RecordId, str], weights: Mapping[Pair, float]) -> list[DrawnPair]:
    """Pairs with what is told of them later."""
    return [DrawnPair(a, b, (systems[a], systems[b]), weights.get((a, b))) for a, b in pairs]
