"""Join high, part low, and never flap: laws of the band between attaching a record and joining two groups.

Clustering begins from scratch each time, so nothing here remembers. What keeps an entity still is that only related
records have a say, and that two groups need more than a record and a group. Weights are drawn around the thresholds of
the models that ship.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise, product
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision, decide
from matching.merging import UNIT
from matching.model import MatchModel, load_model

MODELS = {domain: load_model(domain) for domain in ("customer", "contract", "product")}
of_every_model = pytest.mark.parametrize("domain", MODELS)
few = settings(max_examples=100)

#: More than any weight between groups, so that these are groups before a match between them is looked at.
INSIDE = 60.0

#: Weights of the pairs between two groups; None: never compared, so that clustering scores it itself.
Between: TypeAlias = Sequence[float | None]
#: Sizes of two groups, and what is between them.
Case: TypeAlias = tuple[int, int, Between]


def edge(model: MatchModel, a: int, b: int, weight: float) -> Edge:
    return Edge(a, b, weight, decide(model, weight, None))


def nodes(names: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Records that say nothing: a pair of them weighs the prior where no edge says otherwise."""
    return {name: {"self": [f"crm:account:{name:03}"]} for name in names}


def units(model: MatchModel, between: Between) -> int:
    """What the pairs weigh in total, in millionths of bits."""
    return sum(round((model.prior if each is None else each) * UNIT) for each in between)


def matched(model: MatchModel, between: Between) -> bool:
    return any(each is not None and each >= model.thresholds.match for each in between)


def joined(model: MatchModel, case: Case) -> bool:
    """Whether the two groups become one."""
    left, right, between = case
    groups = range(left), range(left, left + right)
    edges = [edge(model, a, b, INSIDE) for group in groups for a, b in combinations(group, 2)]
    edges += [
        edge(model, a, b, weight)
        for (a, b), weight in zip(product(*groups), between, strict=True)
        if weight is not None
    ]
    found = set(cluster(model, nodes(range(left + right)), edges, set(), set()).groups)
    assert found in ({frozenset(range(left + right))}, set(map(frozenset, groups)))
    return len(found) == 1


@st.composite
def betweens(draw: st.DrawFn, domain: str, pairs: int, low: float, high: float, noise: float = 0.0) -> Between:
    """Weights of so many pairs that are about as much on average as something from `low` to `high`."""
    model = MODELS[domain]
    average = draw(st.floats(low, high))
    unknown = draw(st.integers(0, pairs - 1))
    known = pairs - unknown
    each = (average * pairs - unknown * model.prior) / known
    shift = draw(st.floats(0.0, 2.0)) if known > 1 else 0.0
    weights = [each + shift, each - shift, *[each] * known][:known]
    weights = [weight + draw(st.floats(-noise, noise)) for weight in weights] if noise else weights
    assume(all(model.thresholds.possible <= weight < INSIDE - 1 for weight in weights))
    return draw(st.permutations([*weights, *[None] * unknown]))


@st.composite
def cases(draw: st.DrawFn, domain: str) -> Case:
    left, right = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    thresholds = MODELS[domain].thresholds
    low, high = thresholds.attach - 1, max(thresholds.match, thresholds.groups) + 1
    return left, right, draw(betweens(domain, left * right, low, high, noise=0.5))


@of_every_model
@few
@given(data=st.data())
def test_two_alone_need_a_match_a_record_and_a_group_attach_on_average_and_two_groups_what_groups_need(
    domain: str, data: st.DataObject
) -> None:
    model = MODELS[domain]
    left, right, between = case = data.draw(cases(domain))
    needed = model.thresholds.attach if 1 in (left, right) else model.thresholds.groups

    enough = left == right == 1 or units(model, between) >= round(needed * UNIT) * len(between)

    assert joined(model, case) == (matched(model, between) and enough)


@of_every_model
@few
@given(data=st.data())
def test_weights_that_wobble_within_the_band_move_nothing(domain: str, data: st.DataObject) -> None:
    """A record stays attached and two groups stay apart, whichever of them the same weights are between."""
    model = MODELS[domain]
    in_band = betweens(domain, 4, model.thresholds.attach + 1e-3, model.thresholds.groups - 1e-3)
    wobbling = [each for each in data.draw(st.lists(in_band, min_size=2, max_size=6)) if matched(model, each)]
    assume(len(wobbling) > 1)

    assert {joined(model, (1, 4, each)) for each in wobbling} == {True}
    assert {joined(model, (2, 2, each)) for each in wobbling} == {False}


#: Records in order of arrival, by the number in their name, and how much pairs of them weigh.
World: TypeAlias = tuple[list[int], dict[tuple[int, int], float]]


@st.composite
def worlds(draw: st.DrawFn, domain: str, names: Sequence[int]) -> World:
    """Pairs of these records that weigh about what a match needs, or what a join of groups does, now and then far more.

    Of few distinct weights, so that ties are common.
    """
    thresholds = MODELS[domain].thresholds
    weights = st.sampled_from([
        *(thresholds.match + step / 4 for step in range(-3, 4)), thresholds.groups, thresholds.possible, 14.0, 30.0,
    ])  # fmt: skip
    pairs = draw(st.lists(st.sampled_from(list(combinations(sorted(names), 2))), unique=True))
    return list(names), {pair: draw(weights) for pair in pairs}


def clustered(
    model: MatchModel, arrived: Sequence[int], weights: dict[tuple[int, int], float], questions: Sequence[Edge] = ()
) -> Clustering:
    """What becomes of the records that have arrived; `questions` are pairs that somebody is only asked about."""
    edges = [edge(model, a, b, weight) for (a, b), weight in weights.items() if {a, b} <= set(arrived)]
    edges += [each for each in questions if {each.a, each.b} <= set(arrived)]
    return cluster(model, nodes(arrived), edges, set(), set())


def together(clustering: Clustering, pair: tuple[int, int]) -> bool:
    return any(set(pair) <= group for group in clustering.groups)


@of_every_model
@few
@given(data=st.data(), random=st.randoms(use_true_random=False))
def test_after_each_arrival_neither_its_order_nor_what_comes_twice_shows(
    domain: str, data: st.DataObject, random: Any
) -> None:
    model = MODELS[domain]
    names, weights = data.draw(worlds(domain, data.draw(st.permutations(range(7)))))
    for many in range(1, len(names) + 1):
        arrived = names[:many]
        known = clustered(model, arrived, weights)

        numbered = dict(zip(arrived, random.sample(range(100), many), strict=True))
        edges = [edge(model, *pair, weight) for pair, weight in weights.items() if set(pair) <= set(arrived)]
        twice = [each for one in edges for each in (one, one._replace(a=one.b, b=one.a))]
        random.shuffle(twice)
        comparisons = nodes(arrived)
        again = cluster(
            model,
            {numbered[name]: comparisons[name] for name in random.sample(arrived, many)},
            [each._replace(a=numbered[each.a], b=numbered[each.b]) for each in twice],
            set(),
            set(),
        )

        name = {number: called for called, number in numbered.items()}
        assert {frozenset(name[each] for each in group) for group in again.groups} == set(known.groups)
        assert {(frozenset((name[each.a], name[each.b])), each.reason) for each in again.refused} == {
            (frozenset((each.a, each.b)), each.reason) for each in known.refused
        }


@of_every_model
@few
@given(data=st.data())
def test_arrivals_that_no_match_connects_with_two_records_never_move_them(domain: str, data: st.DataObject) -> None:
    """Neither matches among those that arrive, nor questions about them and these, nor names that stand between theirs,
    nor that they are too many to be one set."""
    model = replace(MODELS[domain], reach_cap=data.draw(st.integers(2, 9)))
    named = data.draw(st.permutations(range(11)))
    known, between = data.draw(worlds(domain, named[:6]))
    others, beside = data.draw(worlds(domain, named[6:]))
    strangers = data.draw(st.lists(st.tuples(st.sampled_from(known), st.sampled_from(others)), unique=True))
    questions = [Edge(a, b, data.draw(st.sampled_from([1.0, INSIDE])), Decision.POSSIBLE) for a, b in strangers]

    states = [
        clustered(model, [*known, *others[:many]], between | beside, questions) for many in range(len(others) + 1)
    ]

    for pair in combinations(known, 2):
        seen = [together(state, pair) for state in states]
        assert sum(before != after for before, after in pairwise(seen)) == 0
    about = [[each for each in state.refused if {each.a, each.b} <= set(known)] for state in states]
    assert all(each == about[0] for each in about)
