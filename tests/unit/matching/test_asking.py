"""What a model asks about whatever it weighs is a question, no more and no less, in every way of scoring."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matching.batch import resolve
from matching.clustering import Edge, cluster
from matching.decision import Decision, decide
from matching.engines.links import score_links
from matching.engines.table import TableFrame, feature_table
from matching.engines.whole import cluster_table
from matching.model import profile_model
from matching.scoring import FEW, explain_pair
from matching.vetoes import Effect
from mdm.core.linking import decide_links
from mdm.model.ids import RecordId

_UNTRAINED = profile_model(
    """
domain: people
columns: {texts: name city passport, lists: phones self}
thresholds: {match: 2, possible: 0, groups: 0, attach: -1, absent: -5}
blocking: [{rule: city, columns: [city]}]
comparisons:
  - name: name
    unknown: {missing: name}
    levels:
      - {label: same, expected: 5, when: {equal: name}}
    otherwise: {label: different, expected: -4}
vetoes:
  - {name: passport, when: {equal: passport}, effect: ask, reason: One passport.}
  - {name: phones, when: {not: {overlap: phones}}, effect: review, reason: Other phones.}
""",
    (),
)
_NAME = _UNTRAINED.comparisons[0]
_SAME, _OTHER = (replace(level, weight=bits) for level, bits in zip(_NAME.levels, (5.0, -4.0), strict=True))
MODEL = replace(_UNTRAINED, comparisons=(replace(_NAME, levels=(_SAME, _OTHER)),))


def person(name: str, passport: str | None = None, phone: str | None = None, number: int = 0) -> dict[str, Any]:
    stated = {"passport": passport, "phones": [phone] if phone else None}
    return {
        "name": name,
        "city": "ulm",
        "self": [f"p:{name}:{number}"],
        **{name: value for name, value in stated.items() if value},
    }


TABLED = {**person("ann", "x"), "distinct_in": "crm:person"}


@pytest.mark.parametrize(
    ("left", "right", "decision", "veto"),
    [
        pytest.param(person("ann"), person("bea"), Decision.NONE, None, id="nothing agrees"),
        pytest.param(person("ann", "x"), person("bea", "x"), Decision.POSSIBLE, "passport", id="asked"),
        pytest.param(person("ann", "x"), person("ann", "x"), Decision.MATCH, None, id="joined anyway"),
        pytest.param(person("ann", "x", "1"), person("ann", "x", "2"), Decision.POSSIBLE, "phones", id="demoted"),
        pytest.param(person("ann", "x", "1"), person("bea", "x", "2"), Decision.POSSIBLE, "passport", id="too light"),
        pytest.param(TABLED, {**TABLED, "name": "bea"}, Decision.NONE, "same_source", id="forbidden"),
    ],
)
def test_one_pair(left: dict[str, Any], right: dict[str, Any], decision: Decision, veto: str | None) -> None:
    score = explain_pair(MODEL, left, right)

    assert decide(MODEL, score.weight, score.veto) is decision
    assert score.veto == veto
    assert score.asked is (veto == "passport")


@pytest.mark.parametrize("others", [1, 2 * FEW], ids=["few", "many"])
def test_few_pairs_and_many_give_the_same_links(others: int) -> None:
    """Many pairs are given up early where they cannot be a link; what is asked about is none of these."""
    records = {RecordId(number): person(f"name {number}", number=number) for number in range(others)}
    asked = {RecordId(9001): person("ann", "x", "1"), RecordId(9002): person("bea", "x", "2")}
    pairs = [(a, b) for a in [*records, RecordId(9001)] for b in asked if a != b]

    (link,) = decide_links(MODEL, pairs, {**records, **asked})

    assert (link.a, link.b, link.decision, link.veto) == (9001, 9002, "possible", "passport")
    assert link.weight < MODEL.thresholds.possible


def test_a_whole_store_has_the_same_links_and_joins_nothing_for_being_asked() -> None:
    """The pair of the two passports supports no join: it counts as what it weighs, as if it were not kept."""
    records = [
        person("ann", "x"), person("ann", number=1), person("bea", "x", number=2), person("bea", number=3),
    ]  # fmt: skip
    table = feature_table(MODEL, records)
    frame = TableFrame(MODEL, table)
    pairs = np.array([a << 32 | b for a in range(4) for b in range(a + 1, 4)], dtype=np.int64)

    links = score_links(MODEL, frame, pairs, 1)
    whole = cluster_table(MODEL, table, frame, links)
    resolution = resolve(MODEL, records)

    found = {(edge.a, edge.b): (edge.decision is Decision.MATCH, edge.veto) for edge in resolution.edges}
    assert found == {(0, 1): (True, None), (0, 2): (False, "passport"), (2, 3): (True, None)}
    names = [*(veto.name for veto in MODEL.vetoes), None]
    ends = zip(links.a.tolist(), links.b.tolist(), strict=True)
    assert found == dict(zip(ends, zip(links.match.tolist(), [names[n] for n in links.veto], strict=True), strict=True))
    assert set(resolution.clustering.groups) == {frozenset({0, 1}), frozenset({2, 3})}
    assert whole.entity.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("effect", "groups"),
    [(Effect.REVIEW, {frozenset({0, 1}), frozenset({2})}), (Effect.DOUBT, {frozenset({0, 1, 2})})],
)
def test_a_whole_store_keeps_apart_what_a_rule_keeps_apart_and_not_what_is_doubtful(
    effect: Effect, groups: set[frozenset[int]]
) -> None:
    """The two that the rule is about never share a block, so that their pair is weighed for the group alone."""
    model = replace(MODEL, vetoes=(*MODEL.vetoes[:-1], replace(MODEL.vetoes[-1], effect=effect)))
    assert model.vetoes[-1].name == "phones"
    records = [person("ann", phone="1"), person("ann", number=1), person("ann", phone="2", number=2)]
    table = feature_table(model, records)
    frame = TableFrame(model, table)
    never_compared = np.array([0 << 32 | 1, 1 << 32 | 2], dtype=np.int64)
    compared = np.array([0 << 32 | 1, 0 << 32 | 2, 1 << 32 | 2], dtype=np.int64)

    for pairs in (never_compared, compared):
        for workers in (1, 2):
            whole = cluster_table(model, table, frame, score_links(model, frame, pairs, 1), workers=workers)
            found = whole.entity.tolist()
            assert {frozenset(np.flatnonzero(whole.entity == entity).tolist()) for entity in found} == groups
    assert set(resolve(model, records).clustering.groups) == groups


def test_a_question_about_a_pair_does_not_let_a_third_record_bring_it_together() -> None:
    """The rule that parts them has nothing to demote where the pair weighs too little, and still parts them."""
    one, other = person("ann", "x", "1"), person("bea", "x", "2", number=2)
    between = {**person("ann", number=1), "alternate": "bea"}
    nodes = {0: one, 1: between, 2: other}
    edges = [Edge(*pair, 5.0, Decision.MATCH) for pair in ((0, 1), (1, 2))]
    edges.append(Edge(0, 2, -4.0, Decision.POSSIBLE, "passport"))

    found = cluster(MODEL, nodes, edges, set(), set())

    assert set(found.groups) == {frozenset({0, 1}), frozenset({2})}
    without = [{key: value for key, value in each.items() if key != "phones"} for each in (one, between, other)]
    assert set(cluster(MODEL, dict(enumerate(without)), edges, set(), set()).groups) == {frozenset({0, 1, 2})}
