"""The baseline of clustering: strongest first, and never two tax numbers that clearly differ."""

import numpy as np

from bench.prototype import best_in_hindsight, follow


def entities(pairs: list[tuple[int, int, float]], tax: list[str | None]) -> list[int]:
    a, b, weight = (np.array(column) for column in zip(*pairs, strict=True))
    return follow(len(tax), a, b, weight.astype(np.float64), tax).tolist()


def test_the_stronger_pair_decides_whose_tax_number_a_record_without_one_gets() -> None:
    tax = ["DE111111111", None, "DE222222222"]

    first, middle, last = entities([(0, 1, 3.0), (1, 2, 5.0)], tax)
    assert middle == last != first

    first, middle, last = entities([(0, 1, 6.0), (1, 2, 5.0)], tax)
    assert first == middle != last


def test_a_number_mistyped_once_is_no_other_number() -> None:
    first, second = entities([(0, 1, 3.0)], ["DE111111111", "DE111111171"])
    assert first == second


def test_numbers_are_those_of_the_whole_group() -> None:
    tax = ["DE111111111", None, None, "DE222222222"]
    found = entities([(0, 1, 9.0), (2, 3, 8.0), (1, 2, 7.0)], tax)
    assert found[0] == found[1] != found[2] == found[3]


def test_hindsight_takes_the_threshold_that_parts_right_from_wrong_pairs() -> None:
    a, b = np.array([0, 2, 1]), np.array([1, 3, 2])
    truth = np.array([1, 1, 2, 2])

    threshold, best = best_in_hindsight(a, b, np.array([9.0, 9.0, 3.0]), [None] * 4, truth)

    assert (threshold, best.f1) == (4.0, 1.0)
