"""Training is repeatable, refuses what it cannot answer for, and finds the people in a list with and without labels."""

import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from matching.assessment import Assessment, assess
from matching.model import MatchModel, profile_model, read_model
from matching.training import train as training
from matching.training.estimate import COLD_PRIOR, prior_of
from matching.training.parity import Parity
from matching.training.plausibility import LEAST, Disagreement, Turned
from matching.training.stores import Store, common_tokens, read_store
from matching.training.train import Options, Released, train
from mdm.errors import ConfigurationInvalid, OperatorError
from tests.unit.matching.profiles import PEOPLE, people

RECORDS, ENTITIES = people(60)


def assessed(model: MatchModel) -> Assessment:
    return assess(model, RECORDS, ENTITIES)


def best_f1(model: MatchModel) -> float:
    best = assessed(model).best_entities.entities
    assert best is not None
    return best.pairs.quality.f1


@pytest.fixture(scope="module")
def unlabelled() -> Released:
    return train(PEOPLE, [Store(RECORDS)], Options())


@pytest.fixture(scope="module")
def labelled() -> Released:
    return train(PEOPLE, [Store(RECORDS, ENTITIES)], Options())


def test_people_are_found_without_labels(unlabelled: Released) -> None:
    assert best_f1(unlabelled.model()) > 0.8


def test_with_labels_probabilities_are_kept(labelled: Released) -> None:
    assert best_f1(labelled.model()) > 0.75
    assert assessed(labelled.model()).calibration_error < 0.02


def reweighed(comparison: str, level: str, bits: float, model: MatchModel) -> MatchModel:
    """The model with another weight of one level."""
    comparisons = tuple(
        replace(each, levels=tuple(replace(at, weight=bits) if at.label == level else at for at in each.levels))
        if each.name == comparison
        else each
        for each in model.comparisons
    )
    return replace(model, comparisons=comparisons)


def beside(start: MatchModel) -> Disagreement | None:
    return train(PEOPLE, [Store(RECORDS)], Options(start=start, afresh=True)).disagreement


def test_weights_agree_with_themselves(unlabelled: Released) -> None:
    found = beside(unlabelled.model())

    assert found is not None
    assert (found.no_longer, found.newly, found.turned, found.large) == (0, 0, (), False)
    assert found.held_before == found.held_now > LEAST


def test_a_level_that_says_the_opposite_is_told_with_the_pairs_that_it_parts(unlabelled: Released) -> None:
    before = unlabelled.model()
    phone = next(each for each in before.comparisons if each.name == "phone").levels[0]

    found = beside(reweighed("phone", "same phone", -4.0, before))

    assert found is not None
    (turned,) = found.turned
    assert turned == Turned("phone", "same phone", -4.0, round(phone.weight, 2), turned.pairs)
    assert found.newly > LEAST
    assert found.no_longer == 0
    assert found.large
    assert "phone: same phone (-4.00 before" in found.words


def test_afresh_nothing_is_learned_from_the_weights_before(unlabelled: Released) -> None:
    other = reweighed("phone", "same phone", -4.0, unlabelled.model())

    found = train(PEOPLE, [Store(RECORDS)], Options(start=other, afresh=True))

    assert found.model().comparisons == unlabelled.model().comparisons


def test_labels_say_more_than_the_weights_before(labelled: Released, unlabelled: Released) -> None:
    other = reweighed("phone", "same phone", -4.0, unlabelled.model())

    found = train(PEOPLE, [Store(RECORDS, ENTITIES)], Options(start=other))

    assert found.model().comparisons == labelled.model().comparisons


def test_weights_for_other_comparisons_are_no_measure_and_no_start(unlabelled: Released) -> None:
    other = PEOPLE.replace("percent: 50", "percent: 60")
    moved = PEOPLE.replace("match: 0", "match: 2")

    start = Options(start=unlabelled.model())

    elsewhere = train(other, [Store(RECORDS)], start)
    assert elsewhere.disagreement is None
    assert "started_from" not in elsewhere.model().provenance
    same = train(moved, [Store(RECORDS)], start).disagreement
    assert same is not None
    assert not same.large, "the thresholds of the new profile are both's"


@pytest.mark.parametrize(
    ("before", "now", "no_longer", "newly", "large"),
    [
        (1000, 1000, 90, 90, False),
        (1000, 900, 101, 1, True),
        (900, 1000, 0, 100, False),
        (900, 1001, 0, 101, True),
        (30, 11, 19, 0, False),
        (30, 10, 20, 0, True),
        (0, 0, 0, 0, False),
    ],
)
def test_more_than_a_tenth_of_either_models_matches_is_large(
    before: int, now: int, no_longer: int, newly: int, large: bool
) -> None:
    assert Disagreement("x", 5000, before, now, no_longer, newly, ()).large is large


def test_the_same_records_give_the_same_documents(unlabelled: Released) -> None:
    assert train(PEOPLE, [Store(RECORDS)], Options()) == unlabelled


def test_a_model_says_what_it_was_made_from_and_that_it_scores_like_splink(unlabelled: Released) -> None:
    provenance = unlabelled.model().provenance

    assert provenance["records"] == len(RECORDS)
    assert provenance["versions"].keys() >= {"splink", "duckdb"}
    assert provenance["parity"]["weight"] <= 1e-9
    assert provenance["parity"]["pairs"] > provenance["candidate_pairs"], "pairs made for every level are among them"


def test_better_levels_weigh_more(labelled: Released) -> None:
    for comparison in labelled.model().comparisons:
        weights = [round(level.weight, 6) for level in comparison.levels]
        assert weights == sorted(weights, reverse=True)


def test_a_model_that_scores_unlike_splink_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "check_parity", lambda *_: Parity(10, 0.3, 0.3))

    with pytest.raises(ConfigurationInvalid, match=r"0\.3 bits"):
        train(PEOPLE, [Store(RECORDS, ENTITIES)], Options())


def test_weights_do_not_fit_other_tables_or_other_comparisons(unlabelled: Released) -> None:
    other_tables = json.loads(unlabelled.frequencies or "")
    other_tables["name"]["total"] += 1

    with pytest.raises(ConfigurationInvalid, match="other term frequencies"):
        read_model(unlabelled.profile, unlabelled.weights, json.dumps(other_tables))
    with pytest.raises(ConfigurationInvalid, match="other term frequencies"):
        replace(unlabelled, frequencies=None).model()
    with pytest.raises(ConfigurationInvalid, match="other comparisons"):
        replace(unlabelled, profile=PEOPLE.replace("percent: 50", "percent: 60")).model()


def test_thresholds_may_change_without_training(unlabelled: Released) -> None:
    moved = replace(unlabelled, profile=PEOPLE.replace("match: 0", "match: 2")).model()

    assert moved.thresholds.match == 2
    assert moved.fingerprint != unlabelled.model().fingerprint


def test_a_threshold_is_no_slip_because_training_told_little_apart(unlabelled: Released) -> None:
    """What any pair weighs is a matter of the records; the profile was written before them."""
    least = sum(min(0.0, *(level.weight for level in each.levels)) for each in unlabelled.model().comparisons)
    low = replace(
        unlabelled, profile=PEOPLE.replace("possible: -2", "possible: -20").replace("absent: -5", "absent: -20")
    )
    lower = replace(unlabelled, profile=PEOPLE.replace("possible: -2", "possible: -20.1"))

    assert low.model().thresholds.possible < unlabelled.model().prior + least
    with pytest.raises(ConfigurationInvalid, match=r"possible: -20\.1 bits are less than any pair weighs"):
        lower.model()


def test_a_level_that_neither_data_nor_expert_can_weigh_is_named() -> None:
    silent = PEOPLE.replace("{label: same phone, expected: 4,", "{label: same phone,")
    without_phones = [{key: value for key, value in record.items() if key != "phones"} for record in RECORDS]
    said: list[str] = []

    model = train(silent, [Store(without_phones, ENTITIES)], Options(), said.append).model()

    assert any("same phone" in each for each in said)
    assert any("same phone" in each for each in model.provenance["unmet"])


def test_nothing_can_be_learned_from_nothing() -> None:
    with pytest.raises(OperatorError, match="too few"):
        train(PEOPLE, [Store(RECORDS[:2])], Options())
    with pytest.raises(OperatorError, match="blocking key"):
        train(PEOPLE, [Store([{"name": f"a{i}", "city": f"c{i}", "self": [str(i)]} for i in range(9)])], Options())


def test_a_handful_of_pairs_teaches_nothing() -> None:
    few = [{"name": "ann abel", "words": ["ann", "abel"], "city": "ulm", "self": [str(i)]} for i in range(3)]

    with pytest.raises(OperatorError, match="only 3 pairs") as told:
        train(PEOPLE, [Store(few)], Options())

    assert "Give more records" in told.value.advice


def test_pairs_that_all_match_say_no_more_than_so_few_can() -> None:
    """A list of duplicates only: that every pair will match is not what thirty of them show."""
    twins = [
        {"name": f"{name} abel", "words": [name, "abel"], "city": str(i), "phones": [str(i)], "self": [f"{i}:{copy}"]}
        for i, name in enumerate("abcdefghijklmnopqrstuvwxyzäöüß")
        for copy in range(2)
    ]

    model = train(PEOPLE, [Store(twins)], Options()).model()

    assert model.provenance["candidate_pairs"] == model.provenance["matching_pairs"] == 30
    assert COLD_PRIOR < model.prior < 2.5


@pytest.mark.parametrize(("matches", "others"), [(3_000, 30_000), (30_000, 10_000)])
def test_among_thousands_of_pairs_what_was_expected_counts_for_nothing(matches: int, others: int) -> None:
    assert prior_of(matches, others) == pytest.approx(math.log2(matches / others), abs=0.005)


def test_frequent_name_tokens_are_common() -> None:
    store = Store([{"name": f"{word} company"} for word in ("acme", "nord", "kiln", "bolt")], ["1", "2", "3", "4"])

    assert common_tokens([store], 0.1) == ["company"]


def test_a_line_that_is_no_record_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text('{"comparison": {"name": "a"}}\n{"name": "b"}\n', "utf-8")

    with pytest.raises(OperatorError, match="comparison"):
        read_store(file)


@pytest.mark.parametrize("domain", ["customer", "contract", "product"])
def test_shipped_weights_name_every_level_once(domain: str) -> None:
    weights = json.loads((files("matching") / "models" / f"{domain}.weights.json").read_text("utf-8"))
    neutral = profile_model((files("matching") / "models" / f"{domain}.yaml").read_text("utf-8"), ())

    assert {name: list(levels) for name, levels in weights["comparisons"].items()} == {
        comparison.name: [level.label for level in comparison.levels] for comparison in neutral.comparisons
    }
