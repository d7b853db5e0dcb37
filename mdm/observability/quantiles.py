"""Quantiles of a histogram, reckoned as Prometheus does, so that a page and a dashboard show the same number."""

from bisect import bisect_left
from collections.abc import Sequence

from mdm.observability.catalogue import METRICS

_BOUNDS = (0.0, *METRICS["mdm_freshness_seconds"].buckets)


def quantile(buckets: Sequence[tuple[float, int]], share: float, bounds: Sequence[float] = _BOUNDS) -> float:
    """The duration that this share of the observations does not exceed: within a bucket they are taken to lie evenly.

    Args:
        buckets: upper bound and number of observations, by bound; buckets without any may be missing.
        bounds: all finite bounds, from 0. What lies above the last one is told as the last one.
    """
    wanted = share * sum(number for _, number in buckets)
    below = 0
    for upper, number in buckets:
        if below + number >= wanted:
            place = bisect_left(bounds, upper)
            if place == len(bounds):
                break
            lower = bounds[place - 1]
            return lower + (upper - lower) * (wanted - below) / number
        below += number
    return bounds[-1]
