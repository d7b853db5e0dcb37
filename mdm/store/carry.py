"""Carries what people decided from the live tables into a scratch schema that replays the change log.

Decisions name records by the store's own numbers, which differ there, so they travel under crosswalk keys: `pack`
writes them down when the log is laid out, `unpack` gives them to the records that the replay has made.
"""

from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store.unit_of_work import UnitOfWork


def pack_judgements(work: UnitOfWork, scratch: str) -> None:
    """Write the live judgements down in the scratch schema."""
    work.execute(
        f"""create table "{scratch}".carried_judgement as
            select j.domain, j.verdict, j.author, j.reason, j.created_at, p.system as system_a, p.type as type_a,
                p.key as key_a, q.system as system_b, q.type as type_b, q.key as key_b
            from judgement j join source_record p on p.rec_id = j.a join source_record q on q.rec_id = j.b
            where j.superseded_at is null"""
    )


def pack_overrides(work: UnitOfWork, scratch: str) -> None:
    """Write the live overrides of golden values down in the scratch schema."""
    work.execute(
        f"""create table "{scratch}".carried_override as
            select o.override_id as n, o.domain, o.attribute, o.value, o.author, o.reason, o.decision_id, o.created_at,
                o.expires_at,
                (select jsonb_agg(jsonb_build_array(r.system, r.type, r.key) order by a.i)
                 from unnest(o.anchors) with ordinality a(id, i) join source_record r on r.rec_id = a.id) as anchors,
                (select coalesce(jsonb_agg(jsonb_build_array(r.system, r.type, r.key, e.x -> 1) order by e.i), '[]')
                 from jsonb_array_elements(o.overruled) with ordinality e(x, i)
                 join source_record r on r.rec_id = (e.x ->> 0)::bigint) as overruled
            from golden_override o where o.ended_at is null"""
    )


def pack_echoes(work: UnitOfWork, scratch: str) -> None:
    """Write down which statements are echoes: a replay, for which everything is past, could not find out."""
    work.execute(
        f"""create table "{scratch}".carried_echo as
            select r.system, r.type, r.key, e.attribute, e.said
            from echo e join source_record r using (rec_id)"""
    )


def pack_kept(work: UnitOfWork, scratch: str) -> None:
    """Give the scratch schema what people say of recycled identifiers: it names no records."""
    work.execute(f'insert into "{scratch}".identifier_kept select * from identifier_kept')


def unpack_echoes(work: UnitOfWork) -> set[CrosswalkKey]:
    """Give the carried marks of echoes to the records of the scratch schema; returns these."""
    rows = work.query(
        """with marked as (
               insert into echo (rec_id, attribute, said, batch_id)
               select r.rec_id, c.attribute, c.said, %s from carried_echo c
               join source_record r on (r.system, r.type, r.key) = (c.system, c.type, c.key)
               returning rec_id)
           select distinct r.system, r.type, r.key from marked join source_record r using (rec_id)
           where not r.deleted""",
        work.batch_id,
    )
    return {CrosswalkKey(*row) for row in rows}


def unpack_overrides(work: UnitOfWork) -> dict[Domain, set[RecordId]]:
    """Give the carried overrides to the records of the scratch schema; returns their anchors, by domain."""
    rows = work.query(
        """insert into golden_override (domain, attribute, value, anchors, overruled, author, reason, decision_id,
               created_at, expires_at)
           select c.domain, c.attribute, c.value,
               array(select r.rec_id from jsonb_array_elements(c.anchors) with ordinality e(x, i)
                     join source_record r on (r.system, r.type, r.key) = (e.x ->> 0, e.x ->> 1, e.x ->> 2)
                     order by e.i),
               (select coalesce(jsonb_agg(jsonb_build_array(r.rec_id, e.x -> 3) order by e.i), '[]')
                from jsonb_array_elements(c.overruled) with ordinality e(x, i)
                join source_record r on (r.system, r.type, r.key) = (e.x ->> 0, e.x ->> 1, e.x ->> 2)),
               c.author, c.reason, c.decision_id, c.created_at, c.expires_at
           from carried_override c order by c.n
           returning domain, anchors"""
    )
    concerned: dict[Domain, set[RecordId]] = {}
    for domain, anchors in rows:
        concerned.setdefault(Domain(domain), set()).update(map(RecordId, anchors))
    return concerned


def unpack_judgements(work: UnitOfWork) -> dict[Domain, set[RecordId]]:
    """Give the carried judgements to the records of the scratch schema.

    Returns:
        The records they are about, by domain: they have to be settled anew.
    """
    rows = work.query(
        """insert into judgement (domain, a, b, verdict, author, reason, created_at)
           select c.domain, least(a.rec_id, b.rec_id), greatest(a.rec_id, b.rec_id), c.verdict, c.author, c.reason,
               c.created_at
           from carried_judgement c
           join source_record a on (a.system, a.type, a.key) = (c.system_a, c.type_a, c.key_a)
           join source_record b on (b.system, b.type, b.key) = (c.system_b, c.type_b, c.key_b)
           returning domain, a, b"""
    )
    concerned: dict[Domain, set[RecordId]] = {}
    for domain, *pair in rows:
        concerned.setdefault(Domain(domain), set()).update(map(RecordId, pair))
    return concerned
