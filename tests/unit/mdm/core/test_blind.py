"""What blind answers tell: intervals that hold what they promise, agreement, and when a third person is asked."""

import random
from itertools import product

import pytest

from mdm.core.blind import agreement, outcome, report, wanted, wilson
from mdm.model.blind import BlindVerdict, Judged, Stratum

SAME, NOT, UNSURE = BlindVerdict.SAME, BlindVerdict.NOT_SAME, BlindVerdict.UNSURE


def judged(stratum: Stratum, *verdicts: BlindVerdict, systems: tuple[str, str] = ("crm", "erp")) -> Judged:
    return Judged(stratum, systems, tuple((f"p{number}", each) for number, each in enumerate(verdicts)))


@pytest.mark.parametrize(
    ("verdicts", "asks", "means"),
    [
        ((), True, None),
        ((SAME,), True, None),
        ((SAME, SAME), False, True),
        ((NOT, NOT), False, False),
        ((SAME, NOT), True, None),
        ((SAME, NOT, SAME), False, True),
        ((SAME, NOT, UNSURE), False, None),
        ((UNSURE, UNSURE), False, None),
        ((SAME, UNSURE), True, None),
    ],
)
def test_two_say_and_a_third_decides(verdicts: tuple[BlindVerdict, ...], asks: bool, means: bool | None) -> None:
    each = judged(Stratum.JOINED, *verdicts)

    assert wanted(each.answers) is asks
    assert outcome(each.answers) is means


def test_agreement_is_told_beyond_what_chance_would_give() -> None:
    # 20 of 50 and 15 of 50 of Cohen's own example: 0.7 by share, 0.4 beyond chance.
    cells = {(SAME, SAME): 20, (SAME, NOT): 5, (NOT, SAME): 10, (NOT, NOT): 15}
    some = [judged(Stratum.NEAR, *each) for each, times in cells.items() for _ in range(times)]

    found = agreement(some)

    assert found.of == 50
    assert found.share == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert agreement([judged(Stratum.NEAR, SAME)]).share is None


def test_the_limits_of_a_share_are_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_recall_weighs_strata_by_their_sizes() -> None:
    sizes = {Stratum.JOINED: 900.0, Stratum.ASKED: 100.0, Stratum.NEAR: 1000.0}
    some = [judged(Stratum.JOINED, SAME, SAME)] * 9 + [judged(Stratum.JOINED, NOT, NOT)]
    some += [judged(Stratum.ASKED, SAME, SAME), judged(Stratum.ASKED, NOT, NOT)]
    some += [judged(Stratum.NEAR, SAME, SAME)] + [judged(Stratum.NEAR, NOT, NOT)] * 99

    found = report(sizes, some).whole

    assert found.precision.value == pytest.approx(0.9)
    assert found.auto_recall.value == pytest.approx(810 / (810 + 50 + 10))
    assert found.recall.value == pytest.approx(860 / (860 + 10))


def test_recall_is_not_told_before_every_stratum_has_an_answer() -> None:
    found = report({Stratum.JOINED: 10.0, Stratum.FAR: 10.0}, [judged(Stratum.JOINED, SAME, SAME)]).whole

    assert found.precision.value == 1.0
    assert found.auto_recall.value is None


def test_a_platform_is_told_by_the_pairs_that_it_has_a_record_in() -> None:
    some = [judged(Stratum.JOINED, SAME, SAME, systems=("crm", "erp"))] * 3
    some += [judged(Stratum.JOINED, NOT, NOT, systems=("billing", "crm"))]

    found = report({Stratum.JOINED: 100.0}, some).by_source

    assert {source: each.precision.value for source, each in found.items()} == {
        "crm": 0.75, "erp": 1.0, "billing": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(("precision", "missed"), list(product((0.8, 0.97), (0.01, 0.1))))
def test_intervals_hold_the_truth_as_often_as_they_say(precision: float, missed: float) -> None:
    """Drawn again and again from a population whose truth is known: 95 of 100 intervals must hold it, or nearly so."""
    sizes = {Stratum.JOINED: 10_000.0, Stratum.NEAR: 5_000.0}
    truth = 10_000 * precision / (10_000 * precision + 5_000 * missed)
    chance, held = random.Random(7), [0, 0]
    for _ in range(400):
        some = [judged(Stratum.JOINED, *[SAME if chance.random() < precision else NOT] * 2) for _ in range(80)]
        some += [judged(Stratum.NEAR, *[SAME if chance.random() < missed else NOT] * 2) for _ in range(60)]
        found = report(sizes, some).whole
        for place, (each, true) in enumerate(((found.precision, precision), (found.auto_recall, truth))):
            assert each.low is not None
            assert each.high is not None
            held[place] += each.low <= true <= each.high

    assert min(held) >= 0.92 * 400, held
