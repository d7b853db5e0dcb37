"""Carries what people decided from the live tables into a scratch schema that replays the change log.

Decisions name records by the store's own numbers, which differ there, so they travel under crosswalk keys: `pack`
writes them down when the log is laid out, `unpack` gives them to the records that the replay has made.
"""

from mdm.model.ids import Domain, RecordId
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
