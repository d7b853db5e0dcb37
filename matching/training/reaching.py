"""Pairs made to reach every level of every comparison of a model: what stored records happen to hold is never enough.

For each comparison, the columns that it reads are filled from shipped records and the model's own tables, and the other
side says the same, nothing, something near or something else, column by column, until every level was met some times.
The same model gives the same pairs. What records of this kind could never say together is among them: both scorers read
columns, and must agree about any.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matching.conditions import Condition
from matching.features import Features, Kind
from matching.model import Comparison, MatchModel
from matching.operators import Equal, Inside, Overlap, Within
from matching.scoring import score_features
from matching.training.estimate import SEED, PairSet
from matching.training.examples import foreign

#: Pairs kept of each level.
_KEPT = 12
#: Pairs that are made at a time, and how often, for a comparison of which a level was not met yet.
_MADE, _ROUNDS = 2_000, 12
#: Values of a column that are taken from records, and of its table of frequencies: the most frequent and the rarest.
_VALUES, _COUNTED = 300, 60
#: Where neither has any.
_TEXTS = ("ann abel", "ann abell", "jörg groß", "王伟", "Ω", "a b c d e f", "1", "２")
_NUMBERS = (0.0, 1.0, 365.0, 19_000.0, 100.005)

Value = str | tuple[str, ...] | float


@dataclass(frozen=True, slots=True)
class Reached:
    """Pairs, and the levels that none of them reaches, each as `comparison: level`."""

    pairs: PairSet
    unreached: tuple[str, ...]


def reaching(model: MatchModel, records: Sequence[Features]) -> Reached:
    """Pairs that reach every level of every comparison of the model, as far as they can be found.

    Args:
        records: what values are taken from; without any, from the model's tables and some texts and numbers.
    """
    draw = np.random.default_rng(SEED)
    made: list[Features] = []
    unreached: list[str] = []
    for number, comparison in enumerate(model.comparisons):
        maker = _Maker(model, comparison, records, draw)
        met: defaultdict[int, int] = defaultdict(int)
        for _ in range(_ROUNDS):
            pairs = [maker.pair() for _ in range(_MADE)]
            flat = [side for pair in pairs for side in pair]
            left = np.arange(0, len(flat), 2, dtype=np.intp)
            levels = score_features(model, flat, left, left + 1).levels[:, number]
            for pair, level in zip(pairs, levels.tolist(), strict=True):
                if met[level] < _KEPT:
                    met[level] += 1
                    made.extend(pair)
            if all(met[level] for level in range(len(comparison.levels) + 1)):
                break
        unreached += [name for level, name in enumerate(names_of(comparison)) if not met[level]]
    left = np.arange(0, len(made), 2, dtype=np.intp)
    return Reached(PairSet(made, left, left + 1), tuple(unreached))


def names_of(comparison: Comparison) -> list[str]:
    """The levels of a comparison for people, the one of what is unknown first."""
    return [f"{comparison.name}: {label}" for label in ("unknown", *(level.label for level in comparison.levels))]


class _Maker:
    """Makes pairs for one comparison."""

    def __init__(
        self, model: MatchModel, comparison: Comparison, records: Sequence[Features], draw: np.random.Generator
    ) -> None:
        self._draw = draw
        self._records = records
        conditions = [comparison.unknown, *(level.condition for level in comparison.levels)]
        parts = list(_parts(conditions))
        tabled = {level.term_frequency.table.column for level in comparison.levels if level.term_frequency is not None}
        self._columns = sorted({name for part in parts for name, _ in part.columns()} | tabled)
        self._kinds = {name: model.kinds[name] for name in self._columns}
        self._partners = _partners(parts)
        self._steps = _steps(parts)
        self._pool = {name: self._values(model, name) for name in self._columns}

    def pair(self) -> tuple[Features, Features]:
        """Two records that say the same in some of the columns, and nothing or something else in the others."""
        left: dict[str, Value] = {}
        right: dict[str, Value] = {}
        same, silent, filled = self._draw.choice((0.0, 0.3, 0.6, 0.9)), self._draw.choice((0.0, 0.05, 0.4)), 0.6
        base = self._records[int(self._draw.integers(len(self._records)))] if self._records else {}
        luck = self._draw.random((len(self._columns), 4)).tolist()
        for name, (a, b, c, d) in zip(self._columns, luck, strict=True):
            value = base.get(name)
            if value is None and a < filled:
                value = self._any(name)
            if value is not None and b >= silent:
                left[name] = value
            if c < silent:
                continue
            other = value if value is not None and d < same else self._other(name, value, left)
            if other is not None:
                right[name] = other
        if self._draw.random() < 0.25:
            left, right = _in_other_letters(left), _in_other_letters(right)
        return left, right

    def _values(self, model: MatchModel, name: str) -> list[Value]:
        kind = self._kinds[name]
        stated = [record[name] for record in self._records if name in record]
        found: list[Value] = [*dict.fromkeys(stated)][:: max(1, len(stated) // _VALUES)]
        table = model.frequencies.get(name)
        if table is not None:
            counted = sorted(table.counts, key=lambda value: (-table.counts[value], value))
            some = [*counted[:_COUNTED], *counted[-_COUNTED:]]
            found += some if kind is Kind.TEXT else [(value,) for value in some]
        if found:
            return found
        if kind is Kind.NUMBER:
            return list(_NUMBERS)
        return list(_TEXTS) if kind is Kind.TEXT else [tuple(sorted(text.split())) for text in _TEXTS]

    def _any(self, name: str) -> Value:
        pool = self._pool[name]
        return pool[self._draw.integers(len(pool))]

    def _other(self, name: str, value: Value | None, left: Mapping[str, Value]) -> Value | None:
        """What the other side may say: near what this one says here or in a column that is compared with it."""
        partners = [left[each] for each in self._partners[name] if each in left and each != name]
        if partners and self._draw.random() < 0.5:
            value = partners[self._draw.integers(len(partners))]
            if self._kinds[name] is not Kind.NUMBER and self._draw.random() < 0.6:
                return value
        if value is None or self._draw.random() < 0.3:
            return self._any(name)
        if isinstance(value, float | int):
            return float(value) + float(self._draw.choice(self._steps))
        return self._misspelt(value) if isinstance(value, str) else self._reshaped(name, value)

    def _misspelt(self, text: str) -> str:
        """One or two letters, or a word, more, less or other than this; never empty."""
        words = text.split()
        what = self._draw.integers(6)
        if what == 0 and len(words) > 1:
            return " ".join(words[:-1])
        if what == 1 and len(words) > 1:
            return " ".join(reversed(words))
        for _ in range(2 if what == 2 else 1):
            place = int(self._draw.integers(len(text)))
            letter = str(self._draw.choice(list("axe1ß山")))
            head, tail = text[:place], text[place + 1 :]
            text = (head + letter + tail, head + tail, text + letter)[what % 3].strip() or "x"
        return text

    def _reshaped(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """Some of these values, more than these, or these but for spelling."""
        what = self._draw.integers(4)
        more = self._any(name)
        if what == 0:
            kept: Iterable[str] = values[: max(1, len(values) // 2)]
        elif what == 1:
            kept = (*values, *(more if isinstance(more, tuple) else ()))
        elif what == 2:
            kept = (values[0], *(more if isinstance(more, tuple) else ()))
        else:
            kept = (self._misspelt(value) for value in values)
        return tuple(sorted(set(kept)))


def _in_other_letters(columns: Mapping[str, Value]) -> dict[str, Value]:
    """The same in other letters, lists sorted and distinct as columns are."""
    told = {name: foreign(value) for name, value in columns.items()}
    return {name: tuple(sorted(set(value))) if isinstance(value, tuple) else value for name, value in told.items()}


def _parts(conditions: Iterable[Condition | None]) -> Iterable[Condition]:
    """Every condition and everything that it is made of."""
    waiting: list[Any] = list(conditions)
    while waiting:
        condition = waiting.pop()
        if condition is not None:
            yield condition
            waiting += [*getattr(condition, "parts", ()), getattr(condition, "part", None)]


def _partners(parts: Iterable[Condition]) -> Mapping[str, list[str]]:
    """The columns that each column is compared with."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        if isinstance(part, Equal | Overlap | Within):
            both = [(part.first, part.second)]
        elif isinstance(part, Inside):
            both = list(zip(part.inner, part.outer, strict=True))
        else:
            continue
        for one, other in both:
            found[one].add(other)
            found[other].add(one)
    return defaultdict(list, {name: sorted(others) for name, others in found.items()})


def _steps(parts: Iterable[Condition]) -> list[float]:
    """How far apart numbers are put: at what the conditions allow, within it and beyond."""
    limits = {part.distance for part in parts if isinstance(part, Within)}
    limits |= {abs(part.slack) for part in parts if isinstance(part, Inside)}
    found = {0.0, 400.0}
    for limit in limits:
        found |= {limit, limit / 2, limit + max(1.0, limit)}
    return sorted({sign * step for step in found for sign in (1, -1)})
