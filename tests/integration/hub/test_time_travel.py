"""What is computed for an instant is what was served then: versions, stewards' values, their end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.hub import steward
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules, remember_rules
from mdm.hub.steward import Actor
from mdm.hub.steward.expiry import expire_due
from mdm.hub.time_travel import Instant, golden_then
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Clear, Pin, Undo
from tests.integration.hub.test_exceptions import accounts, at

MAUD = Actor("maud", Role.ADMIN)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Story:
    """A few accounts of CRM that change, and a steward; an hour passes between two things that happen."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self.now = START
        rules = load_rules(catalogue)
        remember_rules(engine, rules)
        self.pipeline = Pipeline(engine, lambda: self.now, catalogue, rules)
        self.messages = accounts(6)
        self.lsn = 9_000_000_000_000
        process(self.pipeline, "test", self.messages)

    def passes(self) -> None:
        self.now += HOUR

    def row_changes(self, number: int, **columns: str) -> None:
        self.passes()
        self.lsn += 1
        message = at(self.messages[number], 1_000_000 + self.lsn % 100_000, self.lsn, **columns)
        process(self.pipeline, "test", [message])

    def entity(self, number: int) -> EntityId:
        with self.pipeline.engine.connect() as connection:
            ids = connection.scalars(
                text("select entity_id from golden where known_to is null and domain = 'customer' order by entity_id")
            ).all()
        return EntityId(ids[number % len(ids)])

    def decides(self, command: object) -> int | None:
        self.passes()
        decided = steward.decide(self.pipeline, MAUD, command)  # type: ignore[arg-type]  # one of the commands
        if not decided.done:
            assert decided.proposal_id is not None
            decided = steward.approve(self.pipeline, Actor("noor", Role.ADMIN), decided.proposal_id)
        return decided.decision_id

    def every_version_agrees(self) -> int:
        """Each stored version equals what is computed for the instant at which it was known, under its rules."""
        with self.pipeline.engine.connect() as connection:
            versions = connection.execute(
                text(
                    """select entity_id, version, "values", known_from, known_to, ruleset from golden
                       where domain = 'customer' order by entity_id, version"""
                )
            ).all()
        for entity_id, version, values, known_from, known_to, ruleset in versions:
            instants = [known_from, known_to - timedelta(microseconds=1) if known_to else self.now + HOUR]
            for known_at in instants:
                if known_at < known_from:
                    continue
                then = golden_then(
                    self.pipeline.engine, self.pipeline.catalogue, self.pipeline.rules, Domain.CUSTOMER, entity_id,
                    Instant(known_at, None, ruleset),
                )  # fmt: skip
                assert then is not None, (entity_id, version)
                assert dict(then.values) == values, (entity_id, version, known_at)
        return len(versions)


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("row"), st.integers(0, 5), st.sampled_from(["Retail", "Energy", ""])),
        st.tuples(st.just("pin"), st.integers(0, 5), st.sampled_from(["industry", "segment"])),
        st.tuples(st.just("pin for an hour"), st.integers(0, 5), st.just("industry")),
        st.tuples(st.just("clear"), st.integers(0, 5), st.just("")),
        st.tuples(st.just("undo"), st.integers(0, 5), st.just("")),
        st.tuples(st.just("expire"), st.just(0), st.just("")),
    ),
    min_size=2,
    max_size=7,
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_at_of_every_version_gives_its_values(engine: Engine, catalogue: Catalogue, seed: int) -> None:
    """Hypothesis writes the story once per seed; the database is the same for all of it."""
    told: list[list[tuple[str, int, str]]] = []

    @settings(max_examples=4, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(happenings)
    def collect(story: list[tuple[str, int, str]]) -> None:
        told.append(story)

    collect()
    story = Story(engine, catalogue)
    made: list[int] = []
    for what, number, word in told[seed % len(told)] + told[-seed]:
        if what == "row":
            story.row_changes(number, industry=word)
        elif what == "expire":
            story.passes()
            expire_due(story.pipeline)
        elif what == "clear":
            with engine.connect() as connection:
                found = connection.scalar(text("select max(override_id) from golden_override where ended_at is null"))
            if found is not None:
                story.decides(Clear(int(found), "enough"))
        elif what == "undo":
            if made:
                story.decides(Undo(made.pop(), "a mistake"))
        else:
            end = story.now + 2 * HOUR if what == "pin for an hour" else None
            decision = story.decides(
                Pin(story.entity(number), word, f"pinned {number}", reason="known", expires_at=end)
            )
            if decision is not None:
                made.append(decision)

    assert story.every_version_agrees() >= 6


def test_an_override_counts_from_its_decision_to_its_end_with_its_author(engine: Engine, catalogue: Catalogue) -> None:
    story = Story(engine, catalogue)
    entity_id = story.entity(0)
    before = story.now
    story.decides(Pin(entity_id, "segment", "pinned", reason="known", expires_at=story.now + 5 * HOUR))
    pinned = story.now
    story.now += 6 * HOUR
    expire_due(story.pipeline)
    after = story.now

    def at_instant(known_at: datetime, valid_at: datetime | None = None) -> tuple[object, list[tuple[str, object]]]:
        then = golden_then(
            engine, catalogue, story.pipeline.rules, Domain.CUSTOMER, entity_id, Instant(known_at, valid_at, None)
        )
        assert then is not None
        return then.values.get("segment"), [(each.author, each.expires_at) for each in then.overrides]

    told = ("pinned", [("maud", pinned + 4 * HOUR)])
    assert at_instant(before)[0] != "pinned"
    assert at_instant(pinned) == told
    assert at_instant(pinned + HOUR, pinned + HOUR) == told
    assert at_instant(after)[0] != "pinned"
    assert at_instant(after, pinned + HOUR) == told, "what held then is still known"
    assert at_instant(after, pinned + 5 * HOUR)[0] != "pinned"
    assert story.every_version_agrees() >= 7
