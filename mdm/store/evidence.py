"""Evidence: what is stated about records, about how many, and whom that makes candidates of each other.

Every query starts from known keys, as those of `mdm.store.pairs` do.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from mdm.model.candidates import Pair, Stated, owners_to_compare, pairs_within
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store.pairs import columns_of
from mdm.store.unit_of_work import UnitOfWork


def evidence_pairs(work: UnitOfWork, domain: Domain, ids: Collection[RecordId], cap: int) -> set[Pair]:
    """Pairs of one of these records with any other about which the same thing is stated."""
    return pairs_of_owners(work, domain, ids, evidence_owners(work, ids, cap), cap)


def evidence_owners(work: UnitOfWork, ids: Collection[RecordId], cap: int) -> dict[str, set[CrosswalkKey]]:
    """What is stated about any of these records, each with all about whom it is stated: one more than `cap` at most."""
    if not ids:
        return {}
    tokens = work.probe(
        """select distinct e.token from unnest(%s::bigint[]) as i(id)
           cross join lateral (select system, type, key from source_record where rec_id = i.id offset 0) r
           cross join lateral (
               select token from record_evidence
               where system = r.system and type = r.type and key = r.key offset 0) e""",
        list(ids),
    )
    return owners_of(work, [row[0] for row in tokens], cap + 1)


def pairs_of_owners(
    work: UnitOfWork, domain: Domain, ids: Collection[RecordId], owners: Mapping[str, set[CrosswalkKey]], cap: int
) -> set[Pair]:
    """Pairs of one of these records with any other that owns the same evidence, where at most `cap` own it."""
    records = _records(work, {owner for each in owners.values() for owner in each}, domain)
    groups = ([records[owner] for owner in each if owner in records] for each in owners.values() if len(each) <= cap)
    return pairs_within(groups, set(ids))


def stated_about(work: UnitOfWork, names: Collection[CrosswalkKey]) -> set[str]:
    """What is stated about these records."""
    found = work.probe(
        """select distinct e.token from unnest(%s::text[], %s::text[], %s::text[]) as n(s, t, k)
           cross join lateral (
               select token from record_evidence where system = n.s and type = n.t and key = n.k offset 0) e""",
        *columns_of(names),
    )
    return {row[0] for row in found}


def oversized_evidence(
    work: UnitOfWork, domain: Domain, cap: int, tokens: Collection[str] | None = None
) -> dict[str, tuple[int, list[CrosswalkKey]]]:
    """Evidence of live records of a domain that is stated about more than `cap` records: how many, and some of them.

    Args:
        tokens: look at these only.
    """
    among = "" if tokens is None else "where token = any(%s)"
    found = work.query(
        f"""select o.token, count(*), (array_agg(array[o.system, o.type, o.key] order by o.system, o.type, o.key))[1:5]
            from (select distinct token, system, type, key from record_evidence {among}) o
            left join source_record r on r.system = o.system and r.type = o.type and r.key = o.key
                and not r.deleted and r.domain = %s
            group by o.token having count(*) > %s and count(r.rec_id) > 0""",
        *(() if tokens is None else (sorted(tokens),)),
        domain.value,
        cap,
    )
    return {token: (number, [CrosswalkKey(*name) for name in some]) for token, number, some in found}


def too_frequent_evidence(work: UnitOfWork, cap: int) -> set[str]:
    """Evidence that is stated about more than `cap` records, live or not yet arrived, of whatever domain."""
    found = work.query(
        """select token from (select distinct token, system, type, key from record_evidence) o
           group by token having count(*) > %s""",
        cap,
    )
    return {row[0] for row in found}


def owners_of(work: UnitOfWork, tokens: Collection[str], most: int) -> dict[str, set[CrosswalkKey]]:
    """Up to `most` records about which each token is stated, whether they have arrived or not."""
    owners: dict[str, set[CrosswalkKey]] = defaultdict(set)
    for token, *owner in work.probe(
        """select t.token, e.system, e.type, e.key from unnest(%s::text[]) as t(token)
           cross join lateral (
               select distinct x.system, x.type, x.key from (
                   select system, type, key from record_evidence where token = t.token offset 0) x limit %s) e""",
        list(tokens),
        most,
    ):
        owners[token].add(CrosswalkKey(*owner))
    return owners


def records_by_evidence(work: UnitOfWork, domain: Domain, evidence: Collection[Stated], cap: int) -> set[RecordId]:
    """Live records whose comparison may differ because evidence about them came or went."""
    if not evidence:
        return set()
    # Nothing is gained by knowing of more owners than these: the token was above the cap before and is now.
    owners = owners_of(work, {token for _, token in evidence}, cap + len(evidence) + 1)
    tokens: dict[CrosswalkKey, list[str]] = defaultdict(list)
    for *owner, token in work.probe(
        """select n.s, n.t, n.k, e.token from unnest(%s::text[], %s::text[], %s::text[]) as n(s, t, k)
           cross join lateral (
               select token from record_evidence where system = n.s and type = n.t and key = n.k offset 0) e""",
        *columns_of({owner for owner, _ in evidence}),
    ):
        tokens[CrosswalkKey(*owner)].append(token)
    return set(_records(work, owners_to_compare(evidence, owners, tokens, cap), domain).values())


def _records(work: UnitOfWork, names: Collection[CrosswalkKey], domain: Domain) -> dict[CrosswalkKey, RecordId]:
    """The live records of a domain among these names."""
    rows = work.probe(
        """select r.system, r.type, r.key, r.rec_id from unnest(%s::text[], %s::text[], %s::text[]) as n(s, t, k)
           cross join lateral (
               select system, type, key, rec_id, domain from source_record
               where system = n.s and type = n.t and key = n.k and not deleted offset 0) r
           where r.domain = %s""",
        *columns_of(names),
        domain.value,
    )
    return {CrosswalkKey(*row[:3]): RecordId(row[3]) for row in rows}
