"""Which id a cluster carries through merges, splits, departures and returns."""

from datetime import UTC, datetime, timedelta

from mdm.core.succession import Assignment, assign
from mdm.model.delta import KnownEntity
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
) -> Assignment:
    return assign(
        Domain.CUSTOMER,
        [frozenset(map(RecordId, group)) for group in groups],
        NAMES,
        {RecordId(rec): EntityId(name) for rec, name in (membership or {}).items()},
        {RecordId(rec): EntityId(name) for rec, name in (departed or {}).items()},
        {each.entity_id: each for each in entities},
        {RecordId(rec): EntityId(name) for rec, name in (claims or {}).items()},
        NOON,
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
