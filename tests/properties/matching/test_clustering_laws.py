"""Laws of clustering, on random graphs of records with random identifiers, weights and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching import support
from matching.clustering import Clustering, Edge, Pair, cluster
from matching.decision import Decision, decide
from matching.engines import linked as linked_sets
from matching.engines.links import Links
from matching.engines.table import TableFrame, feature_table
from matching.engines.whole import cluster_table
from matching.model import MatchModel, load_model

MODEL: MatchModel = load_model("customer")

Nodes = dict[int, dict[str, Any]]
Case = tuple[Nodes, list[Edge], set[Pair], set[Pair]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = draw(st.integers(min_value=1, max_value=9))
    nodes: Nodes = {}
    for number in range(size):
        node: dict[str, Any] = {"self": [f"crm:account:{number}"]}
        tax = draw(st.sampled_from([None, None, "111111111", "222222222", "222222223", "987654321"]))
        if tax:
            node["identifiers"] = [f"vat:nl:{tax}"]
        if draw(st.integers(0, 3)) == 0:
            node["distinct_in"] = draw(st.sampled_from(["crm:account", "erp:partner"]))
        if draw(st.booleans()) and number:
            node["parents"] = [f"crm:account:{draw(st.integers(0, number - 1))}"] if draw(st.booleans()) else []
        nodes[number] = node
    pairs = [(a, b) for a in range(size) for b in range(a + 1, size)]
    edges = []
    for a, b in draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []:
        # Few distinct weights, so that ties are common.
        weight = float(draw(st.integers(-1, 12)))
        edges.append(Edge(a, b, weight, decide(MODEL, weight, None)))
    judged = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4)) if pairs else []
    verdicts = [draw(st.booleans()) for _ in judged]
    same = {frozenset(pair) for pair, verdict in zip(judged, verdicts, strict=True) if verdict}
    not_same = {frozenset(pair) for pair, verdict in zip(judged, verdicts, strict=True) if not verdict}
    return nodes, edges, same, not_same


def by_name(nodes: Mapping[int, Mapping[str, Any]], clustering: Clustering) -> tuple[object, object]:
    """A clustering without the numbers of records."""
    name = {node: comparison["self"][0] for node, comparison in nodes.items()}
    groups = {frozenset(name[node] for node in group) for group in clustering.groups}
    refused = {(frozenset((name[item.a], name[item.b])), item.weight, item.reason) for item in clustering.refused}
    return groups, refused


def linked(nodes: Sequence[int], edges: Sequence[Edge], same: set[Pair]) -> list[set[int]]:
    """Sets of records closed under matches and `same` verdicts."""
    group = {node: {node} for node in nodes}
    joins = [(edge.a, edge.b) for edge in edges if edge.decision == "match"] + [tuple(sorted(pair)) for pair in same]
    for a, b in joins:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for node in group[b]:
                group[node] = group[a]
    return list({id(members): members for members in group.values()}.values())


@given(cases())
def test_every_record_is_in_exactly_one_group(case: Case) -> None:
    nodes, edges, same, not_same = case

    groups = cluster(MODEL, nodes, edges, same, not_same).groups

    assert sorted(node for group in groups for node in group) == sorted(nodes)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(case: Case, random: Any) -> None:
    nodes, edges, same, not_same = case
    numbers = list(nodes)
    random.shuffle(numbers)
    renamed = dict(zip(nodes, (number + 100 for number in numbers), strict=True))
    shuffled = [(renamed[node], comparison) for node, comparison in nodes.items()]
    random.shuffle(shuffled)
    moved = [
        Edge(renamed[e.b], renamed[e.a], *e[2:]) if random.random() < 0.5 else Edge(renamed[e.a], renamed[e.b], *e[2:])
        for e in edges
    ]
    random.shuffle(moved)

    there = cluster(
        MODEL,
        dict(shuffled),
        moved,
        {frozenset(renamed[node] for node in pair) for pair in same},
        {frozenset(renamed[node] for node in pair) for pair in not_same},
    )

    assert by_name(nodes, cluster(MODEL, nodes, edges, same, not_same)) == by_name(dict(shuffled), there)


@given(cases())
def test_records_judged_not_the_same_are_apart(case: Case) -> None:
    nodes, edges, same, not_same = case

    groups = cluster(MODEL, nodes, edges, same, not_same).groups

    assert not any(pair <= group for pair in not_same for group in groups)


@given(cases())
def test_records_judged_the_same_are_together(case: Case) -> None:
    nodes, edges, same, _ = case

    groups = cluster(MODEL, nodes, edges, same, set()).groups

    assert all(any(pair <= group for group in groups) for pair in same)


@given(cases())
def test_a_verdict_joins_two_groups_as_they_are_and_changes_nothing_else(case: Case) -> None:
    nodes, edges, same, _ = case
    alone = cluster(MODEL, nodes, edges, set(), set()).groups

    judged = cluster(MODEL, nodes, edges, same, set()).groups

    links = [tuple(sorted(group)) for group in alone] + [tuple(sorted(pair)) for pair in same]
    joined = [Edge(a, b, 99.0, decide(MODEL, 99.0, None)) for first, *rest in links for a in (first,) for b in rest]
    assert set(judged) == set(map(frozenset, linked(list(nodes), joined, set())))


@given(cases())
def test_a_linked_set_clusters_by_itself_as_it_does_among_all(case: Case) -> None:
    nodes, edges, same, not_same = case
    whole, refused = by_name(nodes, cluster(MODEL, nodes, edges, same, not_same))

    parts = [
        by_name(nodes, cluster(MODEL, {node: nodes[node] for node in part}, edges, same, not_same))
        for part in linked(list(nodes), edges, same)
    ]

    assert whole == set().union(*(groups for groups, _ in parts))  # type: ignore[arg-type]
    assert refused == set().union(*(questions for _, questions in parts))  # type: ignore[arg-type]


@given(cases())
def test_no_group_holds_two_tax_numbers_that_clearly_differ_unless_a_steward_said_so(case: Case) -> None:
    nodes, edges, _, not_same = case

    groups = cluster(MODEL, nodes, edges, set(), not_same).groups

    for group in groups:
        values = {value for node in group for value in nodes[node].get("identifiers", ())}
        assert not {"vat:nl:111111111", "vat:nl:987654321"} <= values


@given(cases())
def test_a_table_clusters_like_its_records(case: Case) -> None:
    check_a_table(MODEL, case)


@given(cases(), st.integers(2, 5))
def test_a_table_clusters_like_its_records_where_sets_are_cut(case: Case, cap: int) -> None:
    # Sets of three are scored whole, so that what is cut from a larger one is, too.
    with patch.object(support, "SCORED_WHOLE", 3), patch.object(linked_sets, "SCORED_WHOLE", 3):
        check_a_table(replace(MODEL, reach_cap=cap), case)


def check_a_table(model: MatchModel, case: Case) -> None:
    nodes, edges, same, not_same = case
    one_by_one = cluster(model, nodes, edges, same, not_same)

    table = feature_table(model, [nodes[number] for number in sorted(nodes)])
    kept = sorted((min(edge.a, edge.b), max(edge.a, edge.b), edge) for edge in edges)
    links = Links(
        np.array([a for a, _, _ in kept], dtype=np.int64),
        np.array([b for _, b, _ in kept], dtype=np.int64),
        np.array([edge.weight for _, _, edge in kept], dtype=np.float64),
        np.array([edge.decision is Decision.MATCH for _, _, edge in kept], dtype=np.bool_),
        np.full(len(kept), -1, dtype=np.int8),
        len(kept),
    )
    whole = cluster_table(model, table, TableFrame(model, table), links, same, not_same)

    groups: dict[int, set[int]] = {}
    for row, entity in enumerate(whole.entity.tolist()):
        groups.setdefault(entity, set()).add(row)
    assert set(map(frozenset, groups.values())) == set(one_by_one.groups)
    assert {(frozenset((each.a, each.b)), each.weight, each.reason) for each in whole.refused} == {
        (frozenset((each.a, each.b)), each.weight, each.reason) for each in one_by_one.refused
    }
