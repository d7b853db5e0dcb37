"""Quantiles of a histogram as Prometheus reckons them (`histogram_quantile`)."""

from math import inf

import pytest

from mdm.observability.quantiles import quantile

BOUNDS = (0.0, 1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("buckets", "share", "expected"),
    [
        ([(1.0, 10)], 0.5, 0.5),
        ([(2.0, 10)], 0.5, 1.5),
        ([(1.0, 50), (4.0, 50)], 0.5, 1.0),
        ([(1.0, 50), (4.0, 50)], 0.99, 3.96),
        ([(1.0, 1), (inf, 99)], 0.99, 4.0),
    ],
)
def test_observations_lie_evenly_within_their_bucket(
    buckets: list[tuple[float, int]], share: float, expected: float
) -> None:
    assert quantile(buckets, share, BOUNDS) == pytest.approx(expected)
