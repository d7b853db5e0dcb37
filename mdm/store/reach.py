"""Walking from records along match links, steward verdicts and shared entities, a whole frontier at a time."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from mdm.model.ids import EntityId, RecordId
from mdm.model.neighbourhood import LiveLink
from mdm.store.unit_of_work import UnitOfWork

Verdict = frozenset[RecordId]


@dataclass(slots=True)
class Reached:
    """Everything that was reached, with all live links and verdicts that touch it.

    `home` is the entity of each record that has one. Records that are no longer live may be among those reached.
    """

    home: dict[RecordId, EntityId | None] = field(default_factory=dict)
    links: dict[int, LiveLink] = field(default_factory=dict)
    same: set[Verdict] = field(default_factory=set)
    not_same: set[Verdict] = field(default_factory=set)

    def held_by(self) -> Mapping[int, Sequence[Hashable]]:
        """What holds each record together with others: its entity, match links, verdicts "the same"."""
        holding: dict[int, list[Hashable]] = {rec: [] if home is None else [home] for rec, home in self.home.items()}
        for link in self.links.values():
            if link.decision == "match":
                for end in (link.a, link.b):
                    holding[end].append(link.link_id)
        for pair in self.same:
            for end in pair:
                holding[end].append(pair)
        return holding

    def parted(self, parts: Sequence[Collection[RecordId]]) -> list["Reached"]:
        """The same in parts that nothing holds together; a link or verdict between two of them is in both."""
        place = {rec: number for number, part in enumerate(parts) for rec in part}
        found = [Reached({rec: self.home[rec] for rec in part}) for part in parts]
        for link in self.links.values():
            for number in {place[end] for end in (link.a, link.b) if end in place}:
                found[number].links[link.link_id] = link
        for verdicts, name in ((self.same, "same"), (self.not_same, "not_same")):
            for pair in verdicts:
                for number in {place[end] for end in pair if end in place}:
                    getattr(found[number], name).add(pair)
        return found


def links_of(work: UnitOfWork, ids: Collection[RecordId]) -> list[LiveLink]:
    """The live links of these records, each once."""
    rows = work.probe(
        """select l.link_id, l.a, l.b, l.decision, l.weight, l.veto from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select link_id, a, b, decision, weight, veto from link where a = i.id and superseded_at is null
               union all
               select link_id, a, b, decision, weight, veto from link where b = i.id and superseded_at is null) l""",
        list(ids),
    )
    return list({row[0]: LiveLink(row[0], RecordId(row[1]), RecordId(row[2]), *row[3:]) for row in rows}.values())


def members_of(work: UnitOfWork, entities: Collection[EntityId]) -> dict[RecordId, EntityId]:
    """The records that carry a crosswalk to these entities."""
    rows = work.probe(
        """select c.rec_id, e.id from unnest(%s::text[]) as e(id)
           cross join lateral (select rec_id from crosswalk where entity_id = e.id offset 0) c""",
        list(entities),
    )
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}


def reach(work: UnitOfWork, seeds: Collection[RecordId], entities: Collection[EntityId]) -> Reached:
    """The smallest set that holds the seeds and the members of the entities and is closed: under match links, under
    verdicts "the same", and under entities, for members that no link reaches any more must be settled with the others.
    """
    found = Reached()
    frontier = set(seeds) | members_of(work, entities).keys()
    while frontier:
        found.home |= dict.fromkeys(frontier)
        homes, links, same, not_same = _around(work, frontier)
        found.home |= homes
        found.links |= {link.link_id: link for link in links}
        found.same |= same
        found.not_same |= not_same
        further = {end for link in links if link.decision == "match" for end in (link.a, link.b)}
        further |= {end for pair in same for end in pair}
        further |= members_of(work, {home for rec in frontier if (home := found.home[rec]) is not None}).keys()
        frontier = further - found.home.keys()
    return found


def homes_of(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, EntityId]:
    """The entity of each of these records that has one."""
    rows = work.probe(
        """select i.id, c.entity_id from unnest(%s::bigint[]) as i(id)
           cross join lateral (select entity_id from crosswalk where rec_id = i.id offset 0) c""",
        list(ids),
    )
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}


def connected(work: UnitOfWork, entities: Collection[EntityId]) -> set[frozenset[EntityId]]:
    """Pairs with one of these entities that a live link or a judgement, whatever it says, holds beside each other."""
    rows = work.probe(
        """select distinct e.id, o.entity_id from unnest(%s::text[]) as e(id)
           cross join lateral (select rec_id from crosswalk where entity_id = e.id offset 0) m
           cross join lateral (
               select b as other from link where a = m.rec_id and superseded_at is null
               union all
               select a from link where b = m.rec_id and superseded_at is null
               union all
               select b from judgement where a = m.rec_id and superseded_at is null
               union all
               select a from judgement where b = m.rec_id and superseded_at is null) n
           cross join lateral (select entity_id from crosswalk where rec_id = n.other offset 0) o""",
        list(entities),
    )
    return {frozenset((EntityId(one), EntityId(other))) for one, other in rows}


def _around(
    work: UnitOfWork, ids: Collection[RecordId]
) -> tuple[dict[RecordId, EntityId], list[LiveLink], set[Verdict], set[Verdict]]:
    """The homes of these records, their live links, and the verdicts "the same" and "not the same" on them."""
    homes: dict[RecordId, EntityId] = {}
    links: dict[int, LiveLink] = {}
    verdicts: dict[str, set[Verdict]] = {"same": set(), "not_same": set()}
    for link_id, a, b, word, weight, veto in work.probe(
        """select n.* from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select null::bigint, i.id, null::bigint, entity_id, null::float8, null from crosswalk where rec_id = i.id
               union all
               select link_id, a, b, decision, weight, veto from link where a = i.id and superseded_at is null
               union all
               select link_id, a, b, decision, weight, veto from link where b = i.id and superseded_at is null
               union all
               select null, a, b, verdict, null, null from judgement where a = i.id and superseded_at is null
               union all
               select null, a, b, verdict, null, null from judgement where b = i.id and superseded_at is null) n""",
        list(ids),
    ):
        if link_id is not None:
            links[link_id] = LiveLink(link_id, RecordId(a), RecordId(b), word, weight, veto)
        elif b is None:
            homes[RecordId(a)] = EntityId(word)
        elif word in verdicts:
            verdicts[word].add(frozenset((RecordId(a), RecordId(b))))
    return homes, list(links.values()), verdicts["same"], verdicts["not_same"]
