"""Extension attributes survive one by one, each with its own lineage, and touch nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.model.ids import CrosswalkKey
from mdm.model.records import StoredRecord
from survivorship.values import AttributeLineage
from tests.unit.survivorship.members import golden, member


def crm(key: str, at: int = 0, **own: object) -> StoredRecord:
    return member(f"crm:{key}", at=at, name="Acme", ext={"crm": own})


def test_each_is_chosen_by_itself() -> None:
    result = golden(crm("1", at=2, source="Web"), crm("2", at=1, source="Fair", mood="good"))

    assert result.values["ext"] == {"crm": {"mood": "good", "source": "Web"}}
    lineage = result.lineage["ext"]
    assert isinstance(lineage, AttributeLineage)
    told = [(each.name, each.origin.record.key, each.rule) for each in lineage.elements]
    assert told == [("crm.mood", "2", "only_value"), ("crm.source", "1", "most_recent")]
    (lost,) = lineage.elements[1].runners_up
    assert (lost.record, lost.value, lost.lost_by) == (CrosswalkKey("crm", "table", "2"), "Fair", "most_recent")
    assert lineage.as_json()["elements"][0]["name"] == "crm.mood"


def test_one_name_of_two_platforms_is_two_things() -> None:
    result = golden(crm("1", source="Web"), member("billing:1", name="Acme", ext={"billing": {"source": "Import"}}))

    assert result.values["ext"] == {"billing": {"source": "Import"}, "crm": {"source": "Web"}}


def test_nothing_else_changes_with_them() -> None:
    bare = golden(member("crm:1", name="Acme", industry="Retail"))
    extended = golden(member("crm:1", name="Acme", industry="Retail", ext={"crm": {"source": "Web"}}))

    assert {name: value for name, value in extended.values.items() if name != "ext"} == bare.values
    assert (extended.name, extended.search_terms) == (bare.name, bare.search_terms)
    assert "ext" not in bare.values


def test_zero_and_no_are_said() -> None:
    assert golden(crm("1", seats=0, vip=False)).values["ext"] == {"crm": {"seats": 0, "vip": False}}


_SAID = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3)


@given(st.lists(st.tuples(_SAID, st.integers(0, 3)), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_any_order_of_members_gives_the_same(said: list[tuple[dict[str, int], int]], chance: object) -> None:
    members = [crm(str(number), at=at, **own) for number, (own, at) in enumerate(said)]
    turned = list(members)
    chance.shuffle(turned)  # type: ignore[attr-defined]  # a Random

    assert golden(*members).values == golden(*turned).values
