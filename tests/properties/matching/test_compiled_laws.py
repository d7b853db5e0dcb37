"""Compiled code scores like the one-by-one path, whatever a model may say: every operator, nested as deep as you like,
on random records of a random domain of its own, as a batch and as a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.conditions import All, AnyOf, Condition, Missing, Not
from matching.engines.table import TableFrame
from matching.features import DISTINCT_IN, Features, Kind
from matching.frame import Frame
from matching.frequencies import count_values
from matching.model import Comparison, Level, MatchModel, TermFrequency, load_model
from matching.operators import Covered, Equal, Inside, JaroWinklerAtLeast, LevenshteinAtMost, Overlap, Within
from matching.scoring import score_columns, score_few
from matching.shared import Shared, Side
from matching.vetoes import SAME_SOURCE, Effect, Veto

_ARROW = {Kind.TEXT: pa.string(), Kind.LIST: pa.list_(pa.string()), Kind.NUMBER: pa.float64()}
_LONG = ("a" * 63, "a" * 64, "b" + "a" * 64, "ab" * 150, "漢" * 22, "\x00")
_LIKE = (0.01, 0.7, 0.8, 0.86, 0.9, 0.92, 1.0)


@dataclass
class World:
    """Draws records and a model that compares them."""

    draw: Random

    def __post_init__(self) -> None:
        pick = self.draw
        # Columns fill one word of bits, or more than two.
        many = pick.choice([1, 2, 5, 50])
        self.texts, self.lists, self.numbers = ([f"{kind}{i}" for i in range(many)] for kind in "tln")
        short = ["".join(pick.choice("abcé 1") for _ in range(pick.randint(1, 9))) for _ in range(8)]
        self.words = [*short, *(word[1:] + word[0] for word in short), *(word + "x" for word in short), *_LONG]
        self.told = [pick.choice(self.words) for _ in range(40)]
        self.counted = count_values("any", self.told, at_least=2)
        self.leaves = [self.leaf() for _ in range(pick.choice([3, 30]))]

    def records(self) -> list[Features]:
        return [self.record(self.draw.choice([0, 0.2, 0.6, 1])) for _ in range(self.draw.randint(0, 8))]

    def record(self, told: float) -> Features:
        pick, found = self.draw, dict[str, str | tuple[str, ...] | float]()
        size = pick.choice([1, 2, 4, 70])
        draws = {
            **dict.fromkeys(self.texts, lambda: pick.choice(self.words)),
            **dict.fromkeys(self.lists, lambda: tuple(sorted({self.word(size) for _ in range(size)}))),
            **dict.fromkeys(self.numbers, lambda: pick.choice([-4.0, 0.0, 1.0, 1.5, 2.0, 100.25])),
            DISTINCT_IN: lambda: pick.choice("xy"),
        }
        for name, value in draws.items():
            if pick.random() < told:
                found[name] = value()
        return found

    def word(self, size: int) -> str:
        return self.draw.choice(self.words) + (str(self.draw.randrange(99)) if size > 4 else "")

    def two(self, names: list[str]) -> tuple[str, str]:
        first = self.draw.choice(names)
        return first, self.draw.choice([first, self.draw.choice(names)])

    def leaf(self) -> Condition:
        pick = self.draw
        text, words = pick.choice(self.texts), pick.choice(self.lists)
        few, like = pick.randint(0, 3), pick.choice(_LIKE)
        shared = pick.choice([0.0, 1.0, 4.5]), pick.choice([0, 50, 100]), pick.choice(list(Side))
        found: list[Condition] = [
            Missing((text, words)),
            Missing((pick.choice(self.numbers),)),
            Equal(*self.two(self.texts)),
            Overlap(*self.two(self.lists), at_least=few + 1),
            JaroWinklerAtLeast(text, like),
            LevenshteinAtMost(text, few),
            Covered(words, like, few, fewer=pick.random() < 0.5),
            Within(*self.two(self.numbers), distance=few / 2),
            Inside(self.two(self.numbers), self.two(self.numbers), few / 2),
            Shared(words, self.counted, *shared, near=pick.choice([None, like])),
        ]
        return pick.choice(found)

    def condition(self, depth: int = 4) -> Condition:
        kind = self.draw.random()
        if depth == 0 or kind < 0.4:
            return self.draw.choice(self.leaves)
        if kind < 0.6:
            return Not(self.condition(depth - 1))
        parts = tuple(self.condition(depth - 1) for _ in range(self.draw.randint(1, 4)))
        return All(parts) if kind < 0.8 else AnyOf(parts)

    def comparison(self, rarity: bool) -> Comparison:
        levels = [self.level(self.condition()) for _ in range(self.draw.randint(0, 4))]
        if rarity:
            column = self.draw.choice(self.texts)
            rule = TermFrequency(count_values(column, self.told), 0.5, 0.001, 0.05)
            levels += [self.level(condition, rule) for condition in (Equal(column, column), self.condition())]
        return Comparison("any", self.condition(), (*levels, self.level(None)), worst=-20, best=20)

    def level(self, condition: Condition | None, rule: TermFrequency | None = None) -> Level:
        return Level("any", condition, 0.5, 0.5, self.draw.choice([0.0, self.draw.uniform(-6, 6)]), None, rule)

    def model(self) -> MatchModel:
        pick, rarity = self.draw, self.draw.random() < 0.3
        vetoes = [Veto("any", self.condition(), pick.choice(list(Effect)), "any") for _ in range(pick.choice([0, 9]))]
        match = pick.uniform(-5, 5)
        return replace(
            load_model("product"),
            domain="any",
            prior=pick.uniform(-6, 3),
            comparisons=tuple(self.comparison(rarity and pick.random() < 0.5) for _ in range(pick.choice([1, 6]))),
            vetoes=(SAME_SOURCE, *vetoes),
            thresholds=replace(
                load_model("product").thresholds, match=match, possible=match - pick.choice([0, pick.uniform(0, 6)])
            ),
            kinds=self.kinds(),
            key_kinds={},
        )

    def kinds(self) -> Mapping[str, Kind]:
        named = zip((self.texts, self.lists, self.numbers), Kind, strict=True)
        return {DISTINCT_IN: Kind.TEXT, **{name: kind for names, kind in named for name in names}}


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_whatever_a_model_says_compiled_code_scores_as_one_by_one(draw: Random) -> None:
    world = World(draw)
    model, records = world.model(), world.records()
    left, right = (side.ravel() for side in np.indices((len(records), len(records))))
    expected = score_few(model, records, left, right)
    columns = {name: [record.get(name) for record in records] for name in model.kinds}
    table = pa.table({name: pa.array(values, _ARROW[model.kinds[name]]) for name, values in columns.items()})

    for frame in (Frame(records), TableFrame(model, table)):
        found = score_columns(model, frame, left, right)

        for name in ("weight", "levels", "vetoes", "parting"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
