"""Why two source records are, or are not, one entity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from sqlalchemy import Engine

from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair
from mdm.core.identity import group
from mdm.core.rules import Rules
from mdm.errors import Invalid, NotFound, RowDeleted
from mdm.hub.against import Against, against, within_reach
from mdm.hub.judged import Judged, parting_word, word_about
from mdm.hub.reach import must_reach_parts, reachable
from mdm.hub.shared_keys import SharedKey, shared_keys
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import neighbourhood, reach
from mdm.store.read_identity import OFFER_ROLE
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Found:
    """A live record and the entity it belongs to."""

    rec_id: RecordId
    key: CrosswalkKey
    domain: Domain
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """Everything that speaks for and against two records being one.

    `shared_keys` are the blocking rules under which they were compared; without one that few enough records have, they
    never were. `word` is what a steward decided, `veto` why the model decides less than their weight
    says. `path` is the chain of matches and stewards' words that joins them. What keeps their entities apart is a
    steward's word (`parting`), or what speaks against joining them along any match (`refused`).
    """

    a: Found
    b: Found
    together: bool
    score: PairScore
    decision: str
    shared_keys: tuple[SharedKey, ...]
    word: Judged | None
    veto: str | None
    path: tuple[CrosswalkKey, ...]
    parting: Judged | None
    refused: Against | None

    @property
    def judgement(self) -> str | None:
        """What a steward decided about the two: same, not_same or unsure."""
        return None if self.word is None else self.word.verdict

    @property
    def parted_by(self) -> tuple[CrosswalkKey, CrosswalkKey] | None:
        """The two records whose "not the same" keeps their entities apart."""
        return None if self.parting is None else (self.parting.a, self.parting.b)

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        return self._why_together() if self.together else self._why_apart()

    @property
    def compared(self) -> bool:
        """Whether they have something in common that few enough have."""
        return any(key.usable for key in self.shared_keys)

    def _why_together(self) -> str:
        if self.word is not None and self.word.verdict == "same":
            return f"One entity: a steward judged them the same ({self.word.words})."
        if self.decision == "match" and (self.compared or len(self.path) == 2):
            return f"One entity: they match with {self.score.weight:.1f} bits."
        via = ": " + " - ".join(map(str, self.path)) if self.path else ""
        return f"One entity through other records{via}."

    def _why_apart(self) -> str:
        if self.word is not None and self.word.verdict == "not_same":
            return f"Not one entity: a steward judged them not the same ({self.word.words})."
        apart = self.parting
        parted = f"a steward judged {apart.a} and {apart.b} not the same ({apart.words})" if apart else ""
        if self.judgement == "same":
            other = f"another word parts their entities: {parted}" if parted else "words about other records part them"
            return f"Not one entity: a steward judged them the same and that word stands, but {other}."
        if not self.shared_keys:
            return "Not one entity: they share no blocking key, so they were never compared."
        if not self.compared:
            return self._too_many()
        if self.decision == "match":
            return f"Not one entity although the pair matches: {parted or self._why_refused()}."
        if self.veto is not None and self.score.asked:
            return f"Not one entity: a question for a steward, whatever they weigh. {self.veto}"
        if self.veto is not None:
            effect = "a question for a steward" if self.decision == "possible" else "never joined by the model"
            return f"Not one entity: {effect}, though they weigh {self.score.weight:.1f} bits. {self.veto}"
        if self.decision == "possible":
            return f"Not one entity: a possible match ({self.score.weight:.1f} bits) that waits for a steward."
        return f"Not one entity: {self.score.weight:.1f} bits are too little evidence."

    def _why_refused(self) -> str:
        if self.refused is None:
            return "joining their entities was refused; see the open task"
        return f"joining their entities was refused: {self.refused.words}; see the open task"

    def _too_many(self) -> str:
        """What it takes to compare them, by the key that is closest to being usable."""
        nearest = min(self.shared_keys, key=lambda key: (key.carriers or 0) / (key.most or 1))
        would = {"match": "They would match", "possible": "They would be a question"}.get(self.decision)
        told = (
            f"{would} with {self.score.weight:.1f} bits: decide about them by hand."
            if would
            else f"They would not match anyway, with {self.score.weight:.1f} bits."
        )
        asked = sorted({key.asked for key in self.shared_keys if key.asked is not None})
        codes = f" The exceptions {' and '.join(asked)} say what is too frequent." if asked else ""
        return (
            "Not one entity: they were never compared, because too many records share each key that both have. Nearest "
            f"comes {nearest.rule}, with {nearest.carriers} records: no more than {nearest.most} are compared by it. "
            f"{told}{codes}"
        )


def explain_two(engine: Engine, rules: Rules, first: CrosswalkKey, second: CrosswalkKey) -> PairExplanation:
    """Explain a pair.

    Raises:
        RowDeleted: one of the records was deleted in its platform.
        NotFound: one of the records is not live in a resolved domain, or they are of different domains.
        Invalid: they are one record.
    """
    if first == second:
        raise Invalid(
            f"{first} is one record: there is nothing to compare it with.", action="Name another one, or only this one."
        )
    must_reach_parts(engine, rows=[first, second])
    with snapshot(unrestricted(engine)) as work:
        a, b = find_live(engine, work, first), find_live(engine, work, second)
        if a.domain is not b.domain:
            raise NotFound(f"{first} is a {a.domain} and {second} a {b.domain}; only records of one domain compare.")
        model = rules.models[a.domain]
        comparisons = neighbourhood.load_comparisons(work, a.domain, [a.rec_id, b.rec_id])
        score = explain_pair(model, comparisons[a.rec_id], comparisons[b.rec_id])
        decision = decide(model, score.weight, score.veto)
        together = a.entity_id == b.entity_id
        found = PairExplanation(
            a=a,
            b=b,
            together=together,
            score=score,
            decision=decision.value,
            shared_keys=shared_keys(work, model, comparisons, [(a.rec_id, b.rec_id)])[a.rec_id, b.rec_id],
            word=word_about(work, a.rec_id, b.rec_id),
            veto=None if decision is decide(model, score.weight, None) else score.reasons[0],
            path=_path(work, a, b),
            parting=parting_word(work, a.entity_id, b.entity_id),
            refused=None if together or decision is not Decision.MATCH else _refused(work, model, a, b),
        )
    (refused,) = within_reach(engine, [found.refused])
    return replace(found, refused=refused)


def _refused(work: UnitOfWork, model: MatchModel, a: Found, b: Found) -> Against | None:
    """What speaks against joining the entities of two records."""
    hood = neighbourhood.load_neighbourhood(work, a.domain, (), [a.rec_id, b.rec_id], {})
    one, other = ({rec for rec, each in hood.records.items() if each.entity_id == end.entity_id} for end in (a, b))
    return against(model, hood, group(hood, model), one, other)


def find_live(engine: Engine, work: UnitOfWork, key: CrosswalkKey) -> Found:
    """The live record of this name.

    Raises:
        RowDeleted: its platform deleted it.
        NotFound: no customer, contract or product row has it.
    """
    rows = work.query(
        """select rec_id, domain, entity_id from source_record join crosswalk using (rec_id)
           where system = %s and type = %s and key = %s""",
        *key,
    )
    if not rows:
        _tell_deleted(engine, work, key)
        whose = _offer_of(work, key)
        raise NotFound(
            f"There is no live customer, contract or product record {key}.",
            action=f"It is an offer of {whose}: explain that one."
            if whose is not None
            else "Check platform, table and key; `mdm export crosswalk --domain D` lists all records.",
        )
    return Found(RecordId(rows[0][0]), key, Domain(rows[0][1]), EntityId(rows[0][2]))


def _tell_deleted(engine: Engine, work: UnitOfWork, key: CrosswalkKey) -> None:
    """Say of a row that was deleted when, and what it belonged to last; to nobody who could not have seen it."""
    rows = work.query(
        """select r.event_time, r.topic, r.partition, r."offset", h.entity_id from source_record r
           join lateral (select entity_id from crosswalk_history where rec_id = r.rec_id
                         order by until desc limit 1) h on true
           where r.system = %s and r.type = %s and r.key = %s and r.deleted""",
        *key,
    )
    for at, topic, partition, offset, last in rows:
        if last in reachable(engine, [last]):
            raise RowDeleted(
                f"{key} was deleted in its platform, as message {offset} of {topic}, partition {partition}, said at "
                f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC. It last belonged to {last}.",
                action=f"`GET /v1/ids/{last}` says what became of that.",
                last_entity=last,
            )


def _offer_of(work: UnitOfWork, key: CrosswalkKey) -> CrosswalkKey | None:
    """The product row that a price belongs to: the price is in no entity, and crosswalks list it beside it."""
    rows = work.query(
        """select p.system, p.type, p.key from source_record o
           join record_reference r on r.rec_id = o.rec_id and r.role = %s
           join source_record p on (p.system, p.type, p.key) = (r.system, r.type, r.key)
           where o.system = %s and o.type = %s and o.key = %s and not o.deleted""",
        OFFER_ROLE,
        *key,
    )
    return CrosswalkKey(*rows[0]) if rows else None


def _path(work: UnitOfWork, a: Found, b: Found) -> tuple[CrosswalkKey, ...]:
    """The shortest chain of matches and stewards' words inside the entity, or nothing when there is none."""
    if a.entity_id != b.entity_id:
        return ()
    rows = work.query("select rec_id, system, type, key from crosswalk join source_record using (rec_id) "
                      "where entity_id = %s", a.entity_id)  # fmt: skip
    names = {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}
    steps: dict[RecordId, list[RecordId]] = {rec: [] for rec in names}
    joined = {(link.a, link.b) for link in reach.links_of(work, list(names)) if link.decision == "match"}
    joined |= {
        (RecordId(row[0]), RecordId(row[1]))
        for row in work.query(
            "select a, b from judgement where a = any(%s) and verdict = 'same' and superseded_at is null", list(names)
        )
    }
    for one, other in joined:
        if one in names and other in names:
            steps[one].append(other)
            steps[other].append(one)
    came_from: dict[RecordId, RecordId | None] = {a.rec_id: None}
    frontier: Sequence[RecordId] = [a.rec_id]
    while frontier and b.rec_id not in came_from:
        reached = []
        for rec in frontier:
            for other in sorted(steps[rec], key=names.__getitem__):
                if other not in came_from:
                    came_from[other] = rec
                    reached.append(other)
        frontier = reached
    if b.rec_id not in came_from:
        return ()
    chain: list[CrosswalkKey] = []
    step: RecordId | None = b.rec_id
    while step is not None:
        chain.append(names[step])
        step = came_from[step]
    return tuple(reversed(chain))
