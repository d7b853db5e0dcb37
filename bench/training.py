"""A model trained, without labels, on a sample of a store whose candidate pairs are known.

What `mdm match train --hub` does with a large hub, but for the common words: those that the table was made with.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from bench.companies import rows
from bench.company_tables import comparisons
from bench.meter import Meter
from matching.model import MatchModel
from matching.training.stores import Store
from matching.training.train import Options, train


@dataclass(frozen=True, slots=True)
class Chosen:
    """Places of records: of everybody in the sample, ascending, and of its seeds; and the pairs among all of these."""

    records: Sequence[int]
    seeds: frozenset[int]
    pairs: NDArray[np.intp]


def sample_of(packed: NDArray[np.int64], records: int, most: int) -> Chosen:
    """Seeds drawn at random, each with everybody whom it is compared with, until there are `most` records."""
    order = np.random.default_rng(1).permutation(records)
    share = most / (1 + 2 * len(packed) / records)
    drawn = order[: int(1.5 * share) + 10]
    is_drawn = np.zeros(records, dtype=np.bool_)
    is_drawn[drawn] = True
    mates: defaultdict[int, list[int]] = defaultdict(list)
    for start in range(0, len(packed), 1_000_000):
        part = packed[start : start + 1_000_000]
        left, right = part >> 32, part & 0xFFFFFFFF
        near = is_drawn[left] | is_drawn[right]
        for a, b in zip(left[near].tolist(), right[near].tolist(), strict=True):
            mates[a].append(b)
            mates[b].append(a)
    chosen: set[int] = set()
    seeds: list[int] = []
    for place in drawn.tolist():
        if len(chosen) >= most:
            break
        seeds.append(place)
        chosen.update((place, *mates[place]))
    everybody = np.array(sorted(chosen), dtype=np.int64)
    place = np.full(records, -1, dtype=np.int32)
    place[everybody] = np.arange(len(everybody))
    parts = []
    for start in range(0, len(packed), 1_000_000):
        part = packed[start : start + 1_000_000]
        left, right = place[part >> 32], place[part & 0xFFFFFFFF]
        inside = (left >= 0) & (right >= 0)
        parts.append(np.stack([left[inside], right[inside]]))
    return Chosen(everybody.tolist(), frozenset(seeds), np.concatenate(parts, axis=1).astype(np.intp))


def trained_on_sample(
    model: MatchModel,
    packed: NDArray[np.int64],
    records: int,
    seed: int,
    most: int,
    meter: Meter,
    *,
    afresh: bool = False,
) -> MatchModel:
    """The model of the same profile and common words with weights learned from a sample of these pairs.

    Without labels: from the weights of the model, as `mdm match train` does, or `afresh`, as with its `--afresh`.
    """
    with meter.stage("train"):
        chosen = sample_of(packed, records, most)
    with meter.stage("standardise the sample (or read)"):
        wanted = set(chosen.records)
        forms = comparisons([row for place, row in enumerate(rows(records, seed)) if place in wanted])
    with meter.stage("train"):
        places = {place: number for number, place in enumerate(chosen.records)}
        seeds = frozenset(places[place] for place in chosen.seeds)
        store = Store(forms, seeds=seeds, of=records, pairs=chosen.pairs)
        profile = (files("matching") / "models" / f"{model.domain}.yaml").read_text("utf-8")
        options = Options(common=sorted(model.common_tokens), start=model, afresh=afresh)
        return train(profile, [store], options).model()
