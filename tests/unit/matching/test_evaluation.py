"""Figures of quality, against values worked out by hand."""

import pytest

from matching.assessment import assess
from matching.evaluation import Quality, candidate_recall, evaluate, evaluate_part
from matching.model import load_model

TRUTH = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 3}


def test_a_perfect_clustering_has_nothing_to_improve() -> None:
    report = evaluate(TRUTH, TRUTH)

    assert report.pairs.quality == Quality(1.0, 1.0)
    assert report.b_cubed == Quality(1.0, 1.0)
    assert report.true_entities == 3


def test_pairwise_figures_count_pairs() -> None:
    # {a, b, d} and {c}, {e, f}: ab is right; ad, bd and ef are wrong; ac, bc and de are missed.
    found = {"a": "x", "b": "x", "d": "x", "c": "y", "e": "z", "f": "z"}

    report = evaluate(found, TRUTH)

    assert report.pairs.quality == Quality(1 / 4, 1 / 4)
    assert report.pairs.quality.f1 == pytest.approx(1 / 4)
    assert report.largest_cluster == 3
    assert (report.mixed_clusters, report.mixed_records) == (2, 5)


def test_b_cubed_figures_are_means_over_records() -> None:
    found = {"a": "x", "b": "x", "d": "x", "c": "y", "e": "z", "f": "z"}

    report = evaluate(found, TRUTH)

    assert report.b_cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 / 2 + 1 / 2) / 6)
    assert report.b_cubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2 + 1) / 6)


def test_records_without_truth_are_left_out() -> None:
    report = evaluate({**TRUTH, "stranger": 1}, TRUTH)

    assert report.records == 6
    assert report.pairs.quality.precision == 1.0


def test_nothing_found_is_precise_and_finds_nothing() -> None:
    report = evaluate({record: record for record in TRUTH}, TRUTH)

    assert report.pairs.quality == Quality(1.0, 0.0)
    assert report.pairs.quality.f1 == 0.0


def test_candidate_recall_ignores_direction_and_repetition() -> None:
    assert candidate_recall([("a", "b"), ("b", "a"), ("a", "f"), ("d", "d")], TRUTH) == pytest.approx(1 / 4)
    assert candidate_recall([], {"a": 1}) == 1.0


def test_nobody_is_asked_about_what_a_veto_forbids() -> None:
    name = {"name": "oakridge foundry", "name_compact": "oakridgefoundry", "country": "de"}
    records = [
        {**name, "self": ["crm:account:head"]},
        {**name, "self": ["crm:account:branch"], "parents": ["crm:account:head"]},
    ]

    found = assess(load_model("customer"), records, ["a", "b"])

    assert found.candidates == 1
    assert found.automatic.precision == 0.0, "their weight alone would join them"
    assert found.questions.pairs == 0
    assert found.operating.largest_cluster == 1


def test_parts_add_up_to_the_whole() -> None:
    found = {1: "x", 2: "x", 3: "x", 4: "y", 5: "y", 6: "z"}
    truth = {1: "a", 2: "a", 3: "b", 4: "b", 5: "b", 6: "c"}

    whole = evaluate(found, truth)
    parts = [evaluate_part(found, truth, each) for each in ({"a", "c"}, {"b"})]

    for name in ("true_positives", "false_positives", "false_negatives"):
        assert sum(getattr(pairs, name) for pairs, _ in parts) == 2 * getattr(whole.pairs, name), "one for each record"
    assert [pairs.false_positives for pairs, _ in parts] == [2, 2], "a wrong pair between two parts is half of either"
    weighed = [(quality, records) for (_, quality), records in zip(parts, (3, 3), strict=True)]
    for name in ("precision", "recall"):
        mean = sum(getattr(quality, name) * records for quality, records in weighed) / 6
        assert mean == pytest.approx(getattr(whole.b_cubed, name))


def test_of_no_entity_nothing_is_wrong() -> None:
    pairs, cubed = evaluate_part({1: "x", 2: "x"}, {1: "a", 2: "a"}, set())

    assert (pairs.true_positives, pairs.false_positives, pairs.false_negatives) == (0, 0, 0)
    assert (cubed.precision, cubed.recall) == (1.0, 1.0)
