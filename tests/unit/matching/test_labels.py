"""Labels: one large entity does not outvote the others, and a threshold is chosen that reaches what is wanted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import yaml

from matching.assessment import assess
from matching.model import Thresholds, load_model
from matching.training.estimate import PairSet
from matching.training.labelled import MATCHES_A_RECORD, Known, evened
from matching.training.stores import Store
from matching.training.thresholds import Aim, with_threshold
from matching.training.train import Options, Released, train
from mdm.errors import ConfigurationInvalid, OperatorError
from tests.unit.matching.profiles import PEOPLE, people

RECORDS, ENTITIES = people(120)


def known(sizes: Sequence[int]) -> Known:
    """Entities of so many records, of which every two are compared, as are the first records of every two entities."""
    names = [str(number) for number, size in enumerate(sizes) for _ in range(size)]
    firsts = [names.index(str(number)) for number in range(len(sizes))]
    pairs = [
        (a, b)
        for a in range(len(names))
        for b in range(a + 1, len(names))
        if names[a] == names[b] or (a in firsts and b in firsts)
    ]
    left, right = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
    return Known(PairSet([{}] * len(names), left, right), np.array(names))


def matches_of(data: Known) -> Counter[str]:
    return Counter(data.entities[data.pairs.left[data.matching]].tolist())


def test_all_pairs_of_small_entities_teach() -> None:
    data = known([2, 5, 11])

    assert evened(data) is data


def test_a_large_entity_teaches_by_so_many_pairs_for_each_of_its_records() -> None:
    found = evened(known([40, 3, 2, 30]))

    assert matches_of(found) == {"0": 40 * MATCHES_A_RECORD, "1": 3, "2": 1, "3": 30 * MATCHES_A_RECORD}
    assert (~found.matching).sum() == 6, "pairs that differ are all there"


def test_what_teaches_is_the_same_whenever_it_is_drawn() -> None:
    one, other = evened(known([40, 30])), evened(known([40, 30]))

    assert one.pairs.left.tolist() == other.pairs.left.tolist()
    assert one.pairs.right.tolist() == other.pairs.right.tolist()


def family(size: int) -> tuple[list[dict[str, Any]], list[str]]:
    """One entity of people of different names and phones in one city, so that all of them are compared."""
    records = [{"name": f"kin {n}", "words": ["kin", str(n)], "phones": [str(n)], "city": "x"} for n in range(size)]
    return [{**each, "self": [f"k:{number}"]} for number, each in enumerate(records)], ["kin"] * size


def test_people_are_told_apart_beside_a_family_that_is_labelled_one() -> None:
    more, kin = family(100)

    model = train(PEOPLE, [Store(RECORDS + more, ENTITIES + kin)], Options()).model()

    assert model.provenance["matching_pairs"] > 100 * 99 // 2
    assert model.provenance["of_these_learned_from"] < 100 * MATCHES_A_RECORD + 400
    # By all 4,950 pairs of the family whoever lives in one city is one person: .05.
    assert assess(model, RECORDS, ENTITIES).operating.pairs.quality.precision > 0.7


@pytest.fixture(scope="module")
def precise() -> Released:
    return train(PEOPLE, [Store(RECORDS, ENTITIES)], Options(aim=Aim(0.98)))


def test_a_threshold_is_chosen_that_is_as_precise(precise: Released) -> None:
    model = precise.model()
    own = train(PEOPLE, [Store(RECORDS, ENTITIES)], Options()).model()

    assert own.thresholds.match == 0
    told = model.provenance["thresholds"]
    assert told["aim"] == 0.98
    assert told["own"]["match"] == 0
    assert told["own"]["precision"] < 0.98, "or there were nothing to choose"
    assert told["chosen"]["match"] == model.thresholds.match > 0
    assert told["chosen"]["precision"] >= 0.98
    assert told["chosen"]["recall"] < told["own"]["recall"]
    assert assess(model, RECORDS, ENTITIES).operating.pairs.quality.precision >= 0.98
    assert [each.levels for each in model.comparisons] == [each.levels for each in own.comparisons], "weights stay"


def test_the_best_is_no_worse_than_the_threshold_of_the_profile() -> None:
    moved = PEOPLE.replace("match: 0,", "match: 7,  # far too high\n ")

    released = train(moved, [Store(RECORDS, ENTITIES)], Options(aim=Aim()))

    told = released.model().provenance["thresholds"]
    assert told["aim"] == "best"
    assert told["own"]["match"] == 7
    assert told["chosen"]["match"] < 7
    assert told["chosen"]["b_cubed_f1"] > told["own"]["b_cubed_f1"] + 0.05
    assert "# far too high" in released.profile


def test_what_no_threshold_reaches_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"No threshold is as precise as 0\.99999, .* the most is 0\.9"):
        train(PEOPLE, [Store(RECORDS, swapped(ENTITIES))], Options(aim=Aim(0.99999)))


def swapped(entities: Sequence[str]) -> list[str]:
    """The same with every twentieth record of somebody else: labels that nobody can follow."""
    return [entities[number - 20] if number % 20 == 19 else each for number, each in enumerate(entities)]


def test_too_few_labels_choose_no_threshold() -> None:
    few, theirs = people(30)

    with pytest.raises(OperatorError, match="too few to choose a threshold") as refused:
        train(PEOPLE, [Store(few, theirs)], Options(aim=Aim()))

    assert "--aim" in refused.value.advice


LIMITS = Thresholds(match=0, possible=-2, groups=0, attach=-1, absent=-5)


def test_a_threshold_changes_nothing_else_of_a_profile() -> None:
    text = with_threshold(PEOPLE, LIMITS, 1.5)

    assert text == PEOPLE.replace("match: 0,", "match: 1.5,")


def test_people_are_asked_from_the_threshold_on_at_the_latest() -> None:
    text = with_threshold(PEOPLE, LIMITS, -3)

    assert text == PEOPLE.replace("match: 0, possible: -2,", "match: -3, possible: -3,")


def test_a_profile_in_blocks_keeps_its_comments() -> None:
    model = load_model("customer")
    profile = model.texts[0]

    text = with_threshold(profile, model.thresholds, 2.25)

    changed = [(one, other) for one, other in zip(profile.split("\n"), text.split("\n"), strict=True) if one != other]
    assert len(changed) == 1
    assert changed[0][1].startswith("  match: 2.25 ")
    assert changed[0][0].split("#")[1] == changed[0][1].split("#")[1]


@pytest.mark.parametrize(
    "thresholds",
    ["thresholds: &t {match: 0}\nother: *t", "thresholds: 3", "thresholds: {possible: 0, match: [1]}", "domain: x"],
)
def test_thresholds_that_cannot_be_changed_are_refused(thresholds: str) -> None:
    assert isinstance(yaml.safe_load(thresholds), dict)

    with pytest.raises(ConfigurationInvalid, match="does not say its thresholds"):
        with_threshold(thresholds, LIMITS, 1)
