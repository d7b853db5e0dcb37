"""A model as numbers: what the compiled scorer reads instead of conditions.

Every condition becomes a chain of tests of leaves, each of which says where to go on. Parts of a condition are left out
as soon as the others decide it, and what a leaf says is found out once a pair.
"""

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching import kernels
from matching.conditions import All, AnyOf, Condition, Missing, Not
from matching.decision import asking, parting
from matching.features.values import Kind
from matching.frequencies import Frequencies
from matching.likeness import MARGIN
from matching.model import Comparison, MatchModel
from matching.operators import Covered, Equal, Inside, JaroWinklerAtLeast, LevenshteinAtMost, Overlap, Within
from matching.shared import Shared, Side
from matching.vetoes import Effect, Veto

Numbers = NDArray[np.int64]
#: Ways out of a test: an instruction, and which of its operands says where to go on.
_Exits: TypeAlias = list[tuple[int, int]]


#: Numbers of a leaf; see `_Writer._leaf`.
WIDTH = 8
#: Columns that one word of what a record has can tell.
WORD = 64


class Code(NamedTuple):
    """A program.

    Attributes:
        steps: a row per instruction. One that tests a leaf: the leaf, the truth that is wanted of it, and where to go
            on where it has that truth and where not. Others: what they do, two operands, and where to go on.
        weights: what a level weighs, per instruction that finds it.
        leaves: a row per leaf: what it compares, its columns, and what else the operator needs.
        limits: a threshold, already less the margin where it is of likeness, or a distance per leaf.
        named: per leaf that looks for missing values, a bit per column.
        forbids: per veto, whether it forbids.
        sizes: pairs of lists that are compared, columns that are compared letter by letter, nearnesses of lists, and
            comparisons.
    """

    steps: NDArray[np.uint32]
    weights: NDArray[np.float64]
    leaves: NDArray[np.uint32]
    limits: NDArray[np.float64]
    named: NDArray[np.uint64]
    forbids: NDArray[np.bool_]
    sizes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Program:
    """A model as arrays, and the columns that they name by their places.

    `spelt` are those that are compared letter by letter, texts or lists; `worth` the lists whose values tell more or
    less, with what says how much.
    """

    code: Code
    texts: tuple[str, ...]
    lists: tuple[str, ...]
    numbers: tuple[str, ...]
    spelt: tuple[str, ...]
    worth: tuple[tuple[str, Frequencies], ...]


class _Writer:
    def __init__(self, model: MatchModel) -> None:
        kinds: dict[str, Kind | None] = {}
        for name, kind in sorted(model.columns(), key=lambda use: (use[0], use[1] or "")):
            kinds[name] = kinds.get(name) or kind
        kinds = {name: kind or model.kinds[name] for name, kind in kinds.items()}
        self.texts = [name for name, kind in kinds.items() if kind is Kind.TEXT]
        self.lists = [name for name, kind in kinds.items() if kind is Kind.LIST]
        self.numbers = [name for name, kind in kinds.items() if kind is Kind.NUMBER]
        self.code: list[list[int]] = []
        self.weights: list[float] = []
        self.leaves: dict[Condition, int] = {}
        self.rows: list[tuple[list[int], float]] = []
        self.overlaps: dict[tuple[str, str], int] = {}
        self.spelt: list[str] = []
        self.nears: dict[tuple[str, float], int] = {}
        self.worth: dict[str, Frequencies] = {}

    def emit(self, what: int, first: int = 0, second: int = 0, weight: float = 0.0) -> int:
        """Write an instruction that goes on with the next one; its place."""
        self.code.append([what, first, second, len(self.code) + 1])
        self.weights.append(weight)
        return len(self.code) - 1

    def here(self, exits: Iterable[tuple[int, int]]) -> None:
        """Let these ways out (instruction, which of its operands) lead here."""
        for place, operand in exits:
            self.code[place][operand] = len(self.code)

    def comparison(self, number: int, comparison: Comparison) -> None:
        """Write how the level of a comparison is found."""
        leaving, other = self.test(comparison.unknown, 2)
        self.here(other)
        *others, last = enumerate(comparison.levels, start=1)
        for level, each in others:
            if each.condition is not None:
                found, other = self.test(each.condition, 2)
                self.here(found)
                leaving.append((self.emit(kernels.LEVEL, number, level, each.weight), 3))
                self.here(other)
        self.emit(kernels.LEVEL, number, last[0], last[1].weight)
        self.here(leaving)

    def vetoes(self, vetoes: Iterable[tuple[int, Veto]], what: int) -> None:
        """Write how the first of these that holds is found."""
        leaving = []
        for number, veto in vetoes:
            found, other = self.test(veto.condition, 2)
            self.here(found)
            leaving.append((self.emit(what, number), 3))
            self.here(other)
        self.here(leaving)

    def test(self, condition: Condition, wanted: int) -> tuple[_Exits, _Exits]:
        """Write how it is found out whether a condition is true (2) or false (0); the ways out where it is, and not.

        That all parts are true is that each is, that not all are is that one is false: no third truth is left to be
        combined.
        """
        if isinstance(condition, Not):
            return self.test(condition.part, 2 - wanted)
        if not isinstance(condition, All | AnyOf):
            place = self.emit(self._leaf_number(condition), wanted)
            return [(place, 2)], [(place, 3)]
        every = isinstance(condition, All) == (wanted == 2)
        yes: _Exits = []
        no: _Exits = []
        for number, part in enumerate(condition.parts):
            found, other = self.test(part, wanted)
            if number == len(condition.parts) - 1:
                yes, no = yes + found, no + other
            elif every:
                self.here(found)
                no += other
            else:
                self.here(other)
                yes += found
        return yes, no

    def _leaf_number(self, condition: Condition) -> int:
        if condition not in self.leaves:
            self.leaves[condition] = len(self.rows)
            numbers, limit = self._leaf(condition)
            self.rows.append(([*numbers, *[0] * (WIDTH - len(numbers))], limit))
        return self.leaves[condition]

    def _leaf(self, leaf: Condition) -> tuple[list[int], float]:
        """What a leaf compares, with its columns by their places, and its limit."""
        match leaf:
            case Missing():
                return [kernels.MISSING], 0.0
            case Equal(first=a, second=b):
                return [kernels.EQUAL, self.texts.index(a), self.texts.index(b)], 0.0
            case Overlap(first=a, second=b, at_least=at_least):
                number = self.overlaps.setdefault((a, b), len(self.overlaps))
                return [kernels.OVERLAP, self.lists.index(a), self.lists.index(b), number], float(at_least)
            case JaroWinklerAtLeast(column, threshold):
                return [kernels.ALIKE, self.texts.index(column), self._spelt(column)], threshold - MARGIN
            case LevenshteinAtMost(column, edits):
                return [kernels.EDITS, self.texts.index(column), self._spelt(column)], float(edits)
            case Covered(column, near, at_most, fewer):
                return [
                    kernels.COVERED,
                    self.lists.index(column),
                    *self._near(column, near),
                    at_most,
                    int(fewer),
                ], near - MARGIN
            case Within(a, b, distance):
                return [kernels.WITHIN, self.numbers.index(a), self.numbers.index(b)], distance
            case Inside(inner, outer, slack):
                return [kernels.INSIDE, *map(self.numbers.index, (*inner, *outer))], slack
            case Shared(column, frequencies, bits, percent, of, near):
                self.worth[column] = frequencies
                beside = (0, 0) if near is None else self._near(column, near)
                asked = [round(bits * 100), percent, int(of is Side.MORE), list(self.worth).index(column)]
                limit = kernels.UNLIKE if near is None else near - MARGIN
                return [kernels.SHARED, self.lists.index(column), *beside, *asked], limit
        raise TypeError(f"the compiled scorer knows no {type(leaf).__name__}")

    def _spelt(self, column: str) -> int:
        if column not in self.spelt:
            self.spelt.append(column)
        return self.spelt.index(column)

    def _near(self, column: str, near: float) -> tuple[int, int]:
        return self._spelt(column), self.nears.setdefault((column, near), len(self.nears))

    def named(self) -> NDArray[np.uint64]:
        """Per leaf, the columns that it looks for, a bit for each; texts come first, then lists, then numbers."""
        places = {name: place for place, name in enumerate((*self.texts, *self.lists, *self.numbers))}
        words = [[0] * words_for(len(places)) for _ in self.leaves]
        for leaf, number in self.leaves.items():
            for name in leaf.names if isinstance(leaf, Missing) else ():
                words[number][places[name] // WORD] |= 1 << places[name] % WORD
        return np.array(words, dtype=np.uint64).reshape(len(words), words_for(len(places)))


def words_for(columns: int) -> int:
    """How many words tell which of so many columns a record has."""
    return max(1, -(-columns // WORD))


def program_of(model: MatchModel) -> Program:
    """The program of a model, written once."""
    program = _PROGRAMS.get(id(model))
    if program is None:
        # All threads go on with one program: rows that are made for another count as none.
        written = write_program(model)
        program = _PROGRAMS.setdefault(id(model), written)
        if program is written:
            # Another model may come to lie where this one was.
            weakref.finalize(model, _PROGRAMS.pop, id(model), None)
    return program


_PROGRAMS: dict[int, Program] = {}


def write_program(model: MatchModel) -> Program:
    """The program of a model."""
    writer = _Writer(model)
    for number, comparison in enumerate(model.comparisons):
        writer.comparison(number, comparison)
    writer.vetoes(parting(model), kernels.VETO)
    weigh = writer.emit(kernels.WEIGH)
    writer.vetoes(asking(model), kernels.ASK)
    writer.here([(weigh, 2)])
    writer.emit(kernels.STOP)

    return Program(
        code=Code(
            steps=np.array(writer.code, dtype=np.uint32),
            weights=np.array(writer.weights),
            leaves=np.array([numbers for numbers, _ in writer.rows], dtype=np.uint32).reshape(-1, WIDTH),
            limits=np.array([limit for _, limit in writer.rows]),
            named=writer.named(),
            forbids=np.array([each.effect is Effect.FORBID for each in model.vetoes], dtype=np.bool_),
            sizes=np.array([len(writer.overlaps), len(writer.spelt), len(writer.nears), len(model.comparisons)]),
        ),
        texts=tuple(writer.texts),
        lists=tuple(writer.lists),
        numbers=tuple(writer.numbers),
        spelt=tuple(writer.spelt),
        worth=tuple(writer.worth.items()),
    )
