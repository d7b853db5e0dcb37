"""Which id a cluster carries through merges, splits, departures and returns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mdm.core.succession import Assignment, assign
from mdm.model.delta import KnownEntity, Recall
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
NAMES = {RecordId(number): CrosswalkKey("crm", "account", f"r{number}") for number in range(1, 7)}


def entity(name: str, founder: int, age_days: int, status: str = "active") -> KnownEntity:
    founded_at = NOON - timedelta(days=age_days)
    return KnownEntity(EntityId(name), Domain.CUSTOMER, status, RecordId(founder), founded_at)


def settle(
    groups: list[set[int]],
    membership: dict[int, str] | None = None,
    entities: tuple[KnownEntity, ...] = (),
    departed: dict[int, str] | None = None,
    claims: dict[int, str] | None = None,
    left: dict[int, str] | None = None,
    absorbers: dict[str, str] | None = None,
    now: datetime = NOON,
) -> Assignment:
    return assign(
        Domain.CUSTOMER,
        [frozenset(map(RecordId, group)) for group in groups],
        NAMES,
        {RecordId(rec): EntityId(name) for rec, name in (membership or {}).items()},
        {RecordId(rec): EntityId(name) for rec, name in (departed or {}).items()},
        {each.entity_id: each for each in entities},
        {RecordId(rec): EntityId(name) for rec, name in (claims or {}).items()},
        now,
        Recall(
            {RecordId(rec): EntityId(name) for rec, name in (left or {}).items()},
            {EntityId(name): EntityId(by) for name, by in (absorbers or {}).items()},
        ),
    )


def fates(found: Assignment) -> dict[str, tuple[str, str | None]]:
    return {change.entity_id: (change.status, change.merged_into) for change in found.succession}


def test_a_group_without_history_founds_an_entity() -> None:
    found = settle([{1, 2}])

    assert found.ids[0].startswith("cus_")
    assert [founding.founder for founding in found.founded] == [1]


def test_the_same_facts_at_the_same_instant_issue_the_same_id() -> None:
    assert settle([{1, 2}]).ids == settle([{1, 2}]).ids


def test_a_record_that_joins_takes_the_id_of_the_entity() -> None:
    found = settle([{1, 2}], {1: "old"}, (entity("old", 1, 9),))

    assert found.ids == ("old",)
    assert found.founded == found.succession == ()


def test_when_two_entities_merge_the_older_id_survives_and_the_other_redirects() -> None:
    found = settle([{1, 2}], {1: "young", 2: "old"}, (entity("young", 1, 1), entity("old", 2, 9)))

    assert found.ids == ("old",)
    assert fates(found) == {"young": ("merged", "old")}


def test_a_split_leaves_the_id_with_the_part_that_holds_the_founding_record() -> None:
    found = settle([{1}, {2, 3}], {1: "old", 2: "old", 3: "old"}, (entity("old", 1, 9),))

    assert found.ids[0] == "old"
    assert found.ids[1] != "old"
    assert found.succession == ()


def test_without_its_founder_the_larger_part_keeps_the_id() -> None:
    found = settle([{1}, {2, 3}], {1: "old", 2: "old", 3: "old"}, (entity("old", 6, 9),))

    assert found.ids[1] == "old"


def test_undoing_a_merge_gives_the_absorbed_id_back() -> None:
    old, young = entity("old", 1, 9), entity("young", 2, 1, status="merged")

    found = settle([{1}, {2}], {1: "old", 2: "old"}, (old, young))

    assert found.ids == ("old", "young")
    assert fates(found) == {"young": ("active", None)}


def test_an_entity_without_members_is_retired() -> None:
    found = settle([], entities=(entity("old", 1, 9),), departed={1: "old"})

    assert fates(found) == {"old": ("retired", None)}


def test_a_record_that_returns_brings_its_retired_id_back() -> None:
    found = settle([{1}], entities=(entity("old", 4, 9, status="retired"),), claims={1: "old"})

    assert found.ids == ("old",)
    assert fates(found) == {"old": ("active", None)}


def test_a_re_keyed_record_keeps_the_id_when_old_and_new_key_change_together() -> None:
    found = settle([{2}], entities=(entity("old", 1, 9),), departed={1: "old"}, claims={2: "old"})

    assert found.ids == ("old",)
    assert found.succession == found.founded == ()


def test_a_claim_on_an_entity_that_lives_elsewhere_is_no_claim() -> None:
    found = settle([{2}], entities=(entity("old", 1, 9),), claims={2: "old"})

    assert found.ids != ("old",)


def test_taking_back_gives_the_id_that_was_left_although_another_is_older() -> None:
    """The older id came to record 2 without being founded by it, and a decision then joined both under it."""
    older, kept = entity("older", 6, 9), entity("kept", 1, 1, status="merged")

    found = settle([{1}, {2}], {1: "older", 2: "older"}, (older, kept), left={1: "kept"})

    assert found.ids == ("kept", "older")
    assert fates(found) == {"kept": ("active", None)}


def test_an_id_that_had_been_absorbed_is_absorbed_again_by_the_same_one() -> None:
    ids = (entity("first", 1, 9), entity("second", 2, 5), entity("third", 3, 1))

    found = settle(
        [{1, 3}, {2}], {1: "first", 2: "second", 3: "third"}, ids, left={3: "first"}, absorbers={"third": "second"}
    )

    assert found.ids == ("first", "second")
    assert fates(found) == {"third": ("merged", "second")}


def test_no_redirect_is_given_back_that_would_lead_to_itself() -> None:
    """Since the decision, the one that had absorbed it was absorbed by it."""
    other = replace(entity("other", 2, 5, status="merged"), merged_into=EntityId("back"), absorbed_by=EntityId("back"))

    found = settle([{1}], {1: "back"}, (entity("back", 6, 9), entity("kept", 1, 1, "retired"), other),
                   left={1: "kept"}, absorbers={"back": "other"})  # fmt: skip

    assert found.ids == ("kept",)
    assert fates(found) == {"back": ("retired", None), "kept": ("active", None)}


def test_an_id_that_lives_on_elsewhere_is_not_given_again() -> None:
    found = settle([{1}], {1: "here"}, (entity("here", 1, 1), entity("elsewhere", 5, 9)), left={1: "elsewhere"})

    assert found.ids == ("here",)
    assert found.succession == ()


class Ids:
    """Which id every record has and what became of every id, as the store would keep it."""

    def __init__(self) -> None:
        self.home: dict[int, str] = {}
        self.known: dict[str, KnownEntity] = {}

    def regroup(self, groups: list[set[int]], hour: int, recall: Recall = Recall()) -> tuple[Assignment, Recall]:
        """Give the groups their ids; returns what taking it back needs."""
        before = dict(self.home)
        found = settle(
            groups, before, tuple(self.known.values()), None, None, dict(recall.homes), dict(recall.absorbers),
            NOON + timedelta(hours=hour),
        )  # fmt: skip
        for each in found.founded:
            at = NOON + timedelta(hours=hour)
            self.known[each.entity_id] = KnownEntity(each.entity_id, Domain.CUSTOMER, "active", each.founder, at)
        for change in found.succession:
            self.known[change.entity_id] = replace(
                self.known[change.entity_id], status=change.status, absorbed_by=change.merged_into
            )
        self.home = {rec: found.ids[index] for index, group in enumerate(groups) for rec in group}
        for name, each in self.known.items():
            end = each
            while end.absorbed_by is not None:
                end = self.known[end.absorbed_by]
            self.known[name] = replace(each, merged_into=end.entity_id if each.status == "merged" else None)
        return found, Recall(
            {RecordId(rec): EntityId(home) for rec, home in before.items() if home != self.home[rec]},
            {each.entity_id: each.absorbed_by for each in found.succession if each.absorbed_by is not None},
        )

    def picture(self) -> tuple[dict[int, str], dict[str, tuple[str, str | None]]]:
        return dict(self.home), {name: (each.status, each.merged_into) for name, each in self.known.items()}


@given(
    past=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=6),
    decisions=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5),
)
def test_whatever_the_history_taking_back_restores_every_id_and_every_redirect(
    past: list[list[int]], decisions: list[list[int]]
) -> None:
    ids, hour = Ids(), 0
    for labels in past:
        ids.regroup(grouped(labels), hour := hour + 1)
    current, trail = grouped(past[-1]), []
    for labels in decisions:
        before = ids.picture()
        _, recall = ids.regroup(grouped(labels), hour := hour + 1)
        trail.append((current, before, recall))
        current = grouped(labels)

    for groups, before, recall in reversed(trail):
        ids.regroup(groups, hour := hour + 1, recall)
        home, states = ids.picture()
        assert (home, {name: states[name] for name in before[1]}) == before


def grouped(labels: list[int]) -> list[set[int]]:
    """Records 1 to 6 by label, groups in the order of their first record."""
    groups: dict[int, set[int]] = {}
    for number, label in enumerate(labels):
        groups.setdefault(label, set()).add(number + 1)
    return list(groups.values())
