"""How pairs become entities, case by case."""

from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest

from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision, decide
from matching.merging import PARTED, RIVAL, WORD
from matching.model import load_model

MODEL = load_model("customer")


def record(name: str, **values: Any) -> dict[str, Any]:
    return {"self": [f"crm:account:{name}"], **values}


def match(a: int, b: int, weight: float) -> Edge:
    return Edge(a, b, weight, Decision.MATCH)


def possible(a: int, b: int, weight: float) -> Edge:
    return Edge(a, b, weight, Decision.POSSIBLE)


def groups(clustering: Clustering) -> set[frozenset[int]]:
    return set(clustering.groups)


def test_matches_join_and_possible_matches_do_not() -> None:
    nodes = {1: record("a"), 2: record("b"), 3: record("c")}

    found = cluster(MODEL, nodes, [match(1, 2, 9.0), possible(2, 3, 2.0)], set(), set())

    assert groups(found) == {frozenset({1, 2}), frozenset({3})}
    assert found.refused == ()


def test_a_chain_does_not_join_two_different_tax_numbers() -> None:
    nodes = {
        1: record("a", identifiers=["vat:nl:nl111111111b01"]),
        2: record("b"),
        3: record("c", identifiers=["vat:nl:nl987654321b01"]),
    }

    found = cluster(MODEL, nodes, [match(1, 2, 12.0), match(2, 3, 11.0)], set(), set())

    assert groups(found) == {frozenset({1, 2}), frozenset({3})}
    assert [(item.a, item.b, item.reason) for item in found.refused] == [(2, 3, "identifiers differ")]


def test_a_mistyped_tax_number_is_no_contradiction() -> None:
    nodes = {
        1: record("a", identifiers=["vat:nl:nl111111111b01"]),
        2: record("b", identifiers=["vat:nl:nl111111171b01"]),
    }

    assert groups(cluster(MODEL, nodes, [match(1, 2, 9.0)], set(), set())) == {frozenset({1, 2})}


def test_a_stated_parent_is_never_its_subsidiary() -> None:
    nodes = {1: record("head"), 2: record("branch", parents=["crm:account:head"])}

    found = cluster(MODEL, nodes, [match(1, 2, 20.0)], set(), set())

    assert groups(found) == {frozenset({1}), frozenset({2})}
    assert len(found.refused) == 1


def test_one_strong_pair_does_not_melt_two_entities() -> None:
    nodes = {number: record(str(number)) for number in range(6)}
    inside = [match(a, b, 15.0) for a, b in ((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5))]

    found = cluster(MODEL, nodes, [*inside, match(2, 3, 9.0)], set(), set())

    assert groups(found) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    assert [item.reason for item in found.refused] == ["weak join of two groups"]


#: Pairs of four records, of which one was never compared where weights are negative, so that it weighs the prior: more
#: on average than attaching needs, and less than joining two groups.
IN_THE_BAND = {
    "customer": (1.75, 1.75, 1.75, 1.75),
    "contract": (4.3, 4.3, 4.3, None),
    "product": (3.8, 3.8, 3.8, None),
}


@pytest.mark.parametrize(("domain", "weights"), IN_THE_BAND.items())
def test_in_the_band_a_record_is_attached_and_two_entities_are_not_joined(
    domain: str, weights: tuple[float | None, ...]
) -> None:
    """Hysteresis without a memory: what joins is decided by the groups that there are, not by who came first."""
    model = load_model(domain)
    assert model.thresholds.attach < model.thresholds.groups

    def found(left: tuple[int, ...], right: tuple[int, ...], more: float = 0.0) -> Clustering:
        inside = [match(a, b, 60.0) for group in (left, right) for a, b in combinations(group, 2)]
        pairs = zip(product(left, right), weights, strict=True)
        between = [match(a, b, weight + more) for (a, b), weight in pairs if weight is not None]
        nodes = {number: record(str(number)) for number in (*left, *right)}
        return cluster(model, nodes, [*inside, *between], set(), set())

    attached, apart, joined = found((0,), (1, 2, 3, 4)), found((0, 1), (2, 3)), found((0, 1), (2, 3), 0.3)

    assert groups(attached) == {frozenset(range(5))}
    assert groups(apart) == {frozenset({0, 1}), frozenset({2, 3})}
    assert {item.reason for item in apart.refused} == {"weak join of two groups"}
    assert groups(joined) == {frozenset(range(4))}


@pytest.mark.parametrize("domain", IN_THE_BAND)
def test_two_records_alone_are_joined_from_a_match_on(domain: str) -> None:
    model = load_model(domain)
    nodes = {number: record(str(number)) for number in range(2)}

    def joined(weight: float) -> bool:
        edge = Edge(0, 1, weight, decide(model, weight, None))
        return len(cluster(model, nodes, [edge], set(), set()).groups) == 1

    assert joined(model.thresholds.match)
    assert not joined(model.thresholds.match - 0.001)


def test_no_third_record_brings_together_what_a_rule_keeps_apart() -> None:
    names = {1: "fund 2 invest", 2: "fund 3 invest", 3: "invest"}
    nodes = {number: {**record(str(number)), "name": name} for number, name in names.items()}
    kept = possible(1, 2, 30.0)._replace(veto="name_number_differs")

    never_compared = cluster(MODEL, nodes, [match(1, 3, 40.0), match(2, 3, 39.0)], set(), set())
    compared = cluster(MODEL, nodes, [match(1, 3, 40.0), match(2, 3, 39.0), kept], set(), set())

    assert groups(never_compared) == groups(compared) == {frozenset({1, 3}), frozenset({2})}
    assert [({item.a, item.b}, item.reason) for item in never_compared.refused] == [({2, 3}, PARTED)]
    assert never_compared.refused == compared.refused


def test_what_only_makes_a_pair_doubtful_a_third_record_may_settle() -> None:
    """A number of which the check digit is wrong is no fact about a company, and no bar to its other records."""
    nodes = {
        1: record("a", weak_identifiers=["vat:nl:nl111111111b01"]),
        2: record("b", weak_identifiers=["vat:nl:nl987654321b01"]),
        3: record("c"),
    }
    doubted = possible(1, 2, 30.0)._replace(veto="vat_differs")

    found = cluster(MODEL, nodes, [match(1, 3, 40.0), match(2, 3, 39.0), doubted], set(), set())

    assert groups(found) == {frozenset({1, 2, 3})}


def test_two_groups_join_when_the_pairs_between_them_agree() -> None:
    nodes = {number: record(str(number)) for number in range(4)}
    inside = [match(0, 1, 15.0), match(2, 3, 15.0)]
    between = [match(a, b, 9.0) for a in (0, 1) for b in (2, 3)]

    assert groups(cluster(MODEL, nodes, inside + between, set(), set())) == {frozenset({0, 1, 2, 3})}


def test_a_steward_joins_what_no_edge_would() -> None:
    nodes = {
        1: record("a", identifiers=["vat:nl:nl111111111b01"]),
        2: record("b", identifiers=["vat:nl:nl987654321b01"]),
    }

    assert groups(cluster(MODEL, nodes, [], {frozenset({1, 2})}, set())) == {frozenset({1, 2})}


def test_a_steward_parts_what_every_edge_would_join_and_is_not_asked_again() -> None:
    nodes = {1: record("a"), 2: record("b"), 3: record("c")}
    edges = [match(1, 2, 20.0), match(2, 3, 15.0), match(1, 3, 14.0)]

    found = cluster(MODEL, nodes, edges, set(), {frozenset({1, 3})})

    assert groups(found) == {frozenset({1, 2}), frozenset({3})}
    assert found.refused == ()


def test_between_contradicting_verdicts_parting_wins() -> None:
    nodes = {1: record("a"), 2: record("b"), 3: record("c")}
    same = {frozenset({1, 2}), frozenset({2, 3})}

    found = cluster(MODEL, nodes, [], same, {frozenset({1, 3})})

    assert groups(found) == {frozenset({1, 2}), frozenset({3})}


def test_ties_are_broken_by_the_names_of_records_not_by_their_numbers() -> None:
    # Without rivals a record that fits two groups equally well is joined to one of them.
    guessing = replace(MODEL, thresholds=replace(MODEL.thresholds, rival=None))

    def taxes(first: str, second: str, third: str) -> Clustering:
        nodes = {
            1: record(first, identifiers=["vat:nl:nl111111111b01"]),
            2: record(second),
            3: record(third, identifiers=["vat:nl:nl987654321b01"]),
        }
        return cluster(guessing, nodes, [match(1, 2, 9.0), match(2, 3, 9.0)], set(), set())

    assert frozenset({1, 2}) in taxes("a", "b", "c").groups
    assert frozenset({2, 3}) in taxes("c", "b", "a").groups


def test_a_record_that_fits_two_homonyms_equally_well_is_joined_to_neither_and_asked_about() -> None:
    nodes = {
        0: {"self": ["crm:account:0"], "identifiers": ["vat:nl:111111111"]},
        1: {"self": ["crm:account:1"], "identifiers": ["vat:nl:987654321"]},
        2: {"self": ["product:tenant:2"]},
    }
    edges = [match(0, 2, 5.0), match(1, 2, 5.0), possible(0, 1, 3.0)]

    found = cluster(MODEL, nodes, edges, set(), set())

    assert {2} in found.groups
    assert {(each.a, each.b, each.reason, each.rival) for each in found.refused} == {
        (0, 2, RIVAL, 1),
        (1, 2, RIVAL, 0),
    }


def test_rivals_that_a_word_made_one_are_no_reason_any_more() -> None:
    """The word is about two records; that it joins no third has to be said as it is."""
    nodes = {
        0: {"self": ["crm:account:0"], "identifiers": ["vat:nl:111111111"]},
        1: {"self": ["crm:account:1"], "identifiers": ["vat:nl:987654321"]},
        2: {"self": ["product:tenant:2"]},
    }
    edges = [match(0, 2, 5.0), match(1, 2, 5.0), possible(0, 1, 3.0)]

    found = cluster(MODEL, nodes, edges, {frozenset({0, 1})}, set())

    assert groups(found) == {frozenset({0, 1}), frozenset({2})}
    assert [(each.b, each.reason) for each in found.refused] == [(2, WORD)]
    assert {found.refused[0].a, found.refused[0].rival} == {0, 1}
    third = {3: {"self": ["crm:account:3"], "identifiers": ["vat:nl:555555555"]}}
    still = cluster(MODEL, nodes | third, [*edges, match(2, 3, 5.0)], {frozenset({0, 1})}, set())
    assert {each.reason for each in still.refused} == {RIVAL}


def test_two_groups_that_agree_too_little_to_become_one_are_rivals() -> None:
    """Nothing they state differs, and they resemble each other; still no match between them would join them."""
    between = (MODEL.thresholds.attach + MODEL.thresholds.groups) / 2
    nodes = {number: record(str(number)) for number in range(5)}
    inside = [match(0, 1, 15.0), match(2, 3, 15.0)]
    alike = [possible(a, b, between) for a in (0, 1) for b in (2, 3)]
    fits_both = [match(number, 4, 3.0) for number in range(4)]

    found = cluster(MODEL, nodes, [*inside, *alike, *fits_both], set(), set())

    assert groups(found) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4})}
    assert {each.reason for each in found.refused} == {RIVAL}


@pytest.mark.parametrize(("weight", "numbers", "joined"), [
    (3.0, ("", ""), False),  # the name only
    (9.0, ("", ""), True),
    (9.0, ("vat:nl:111111111", "vat:nl:987654321"), False),  # two companies, whatever the third weighs with either
])  # fmt: skip
def test_beside_a_sure_match_only_another_company_is_a_rival(
    weight: float, numbers: tuple[str, str], joined: bool
) -> None:
    """A company that was renamed: its bill says both names, its account the old one and its tenant the new one."""
    bill, account, tenant = range(3)
    stated = [{"identifiers": [number]} if number else {} for number in numbers]
    nodes = {bill: record("bill"), account: record("account", **stated[0]), tenant: record("tenant", **stated[1])}
    edges = [match(bill, account, weight), match(bill, tenant, weight - 0.1)]

    found = cluster(MODEL, nodes, edges, set(), set())

    assert (frozenset({bill, account}) in {group & {bill, account} for group in found.groups}) is joined


def test_a_record_that_fits_one_homonym_clearly_better_is_joined_to_it() -> None:
    nodes = {
        0: {"self": ["crm:account:0"], "identifiers": ["vat:nl:111111111"]},
        1: {"self": ["crm:account:1"], "identifiers": ["vat:nl:987654321"]},
        2: {"self": ["product:tenant:2"]},
    }
    edges = [match(0, 2, 9.0), match(1, 2, 5.0), possible(0, 1, 3.0)]

    assert {0, 2} in cluster(MODEL, nodes, edges, set(), set()).groups


def test_a_verdict_brings_in_no_rival() -> None:
    """Without the verdict nobody links the subsidiary with the others, so it cannot stand between them."""
    nodes = {
        0: record("0"),
        1: record("1", identifiers=["vat:nl:222222222"], parents=["crm:account:0"]),
        4: record("4"),
        6: record("6", identifiers=["vat:nl:222222222"]),
    }
    edges = [match(4, 6, 2.0), match(0, 4, 2.0), possible(0, 6, 0.5), possible(0, 1, -0.5)]

    assert groups(cluster(MODEL, nodes, edges, set(), set())) == {frozenset({0, 4, 6}), frozenset({1})}
    assert groups(cluster(MODEL, nodes, edges, {frozenset({0, 1})}, set())) == {frozenset({0, 1, 4, 6})}
