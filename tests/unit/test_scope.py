"""Scopes: what they permit, and that the conditions of queries say the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.access import EVERYTHING, Caller, Placement, Purpose, Role, Scope, permits, read_scope
from mdm.access.scope import PURPOSES
from mdm.core.placing import place_customer, product_placement, shipped_plan
from mdm.errors import Invalid
from mdm.hub.tokens import claimed_scope
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain

labels = st.frozensets(st.sampled_from(["EMEA", "AMER", "unassigned", "X-1"]), max_size=3)
scopes = st.builds(
    Scope,
    regions=st.none() | labels,
    business_units=st.none() | labels,
    legal_entities=st.none() | labels,
    domains=st.none() | st.frozensets(st.sampled_from(list(Domain))),
    data_class=st.none() | st.sampled_from(list(DataClass)),
    sources=st.none() | labels,
    purpose=st.none() | st.sampled_from(list(Purpose)),
)
placements = st.builds(Placement, st.sampled_from(list(Domain)), labels, labels, labels, labels)


@given(placements)
def test_whoever_has_no_limits_reaches_everything(placement: Placement) -> None:
    assert permits(EVERYTHING, placement)


@given(scopes, scopes, placements)
def test_wider_scopes_reach_at_least_as_much(one: Scope, other: Scope, placement: Placement) -> None:
    def wider(a: Any, b: Any) -> Any:
        return None if a is None or b is None else a | b

    both = Scope(
        wider(one.regions, other.regions),
        wider(one.business_units, other.business_units),
        wider(one.legal_entities, other.legal_entities),
        wider(one.domains, other.domains),
        sources=wider(one.sources, other.sources),
    )
    assert permits(both, placement) or not permits(one, placement)


@given(scopes)
def test_a_scope_survives_its_json_form(scope: Scope) -> None:
    assert read_scope(scope.as_json()) == scope


@given(scopes)
def test_products_are_reached_by_every_scope_that_names_something(scope: Scope) -> None:
    dimensions = (scope.regions, scope.business_units, scope.legal_entities, scope.sources)
    named = all(each is None or each for each in dimensions)
    allowed = scope.domains is None or Domain.PRODUCT in scope.domains
    assert permits(scope, product_placement()) is (named and allowed)


@pytest.mark.parametrize(
    "given_",
    [{"planets": ["x"]}, {"regions": "a,b"}, {"regions": [1]}, {"regions": ["a b"]}, {"domains": ["invoice"]},
     {"data_class": "secret"}, {"regions": {"a": 1}}],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_never_wider(given_: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_scope(given_)
    assert claimed_scope(given_) is None


def test_a_claim_gives_a_scope_and_its_absence_only_where_none_is_required() -> None:
    assert claimed_scope({"regions": ["EMEA"], "data_class": "public"}) == Scope(
        regions=frozenset({"EMEA"}), data_class=DataClass.PUBLIC
    )
    assert claimed_scope(None) == EVERYTHING
    assert claimed_scope(None, required=True) is None
    assert claimed_scope("EMEA") is None


@given(st.sampled_from(list(Role)), scopes)
def test_eyes_never_see_more_than_the_role(role: Role, scope: Scope) -> None:
    order = list(DataClass)
    own = order.index(Caller("k", role, "l").eyes)
    assert order.index(Caller("k", role, "l", scope).eyes) <= own


@pytest.mark.parametrize(
    ("values", "region"),
    [
        ({"country": "NL"}, "EMEA"),
        ({"country": "NO"}, "EMEA"),  # YAML would read a bare NO as false
        ({"country": "BR"}, "AMER"),
        ({"country": "JP"}, "APAC"),
        ({"country": None, "address": {"country": "JP"}}, "APAC"),
        ({"country": "ZZ"}, "unassigned"),
        ({}, "unassigned"),
    ],
)
def test_the_region_of_a_customer_comes_from_its_country(values: dict[str, Any], region: str) -> None:
    assert place_customer(shipped_plan(), values, {"erp"}).regions == {region}


def test_the_business_units_of_a_customer_come_from_the_platforms_that_know_it() -> None:
    placement = place_customer(shipped_plan(), {}, {"crm", "erp", "billing", "unheard of"})

    assert placement.business_units == {"sales", "finance"}
    assert placement.legal_entities == {"unassigned"}


def test_every_country_has_a_region() -> None:
    import pycountry

    unplaced = [
        each.alpha_2
        for each in pycountry.countries
        if place_customer(shipped_plan(), {"country": each.alpha_2}, ()).regions == {"unassigned"}
    ]
    assert sorted(unplaced) == ["AQ", "BV", "TF"], "nobody has a seat there"


@given(st.sampled_from(list(Role)), scopes)
def test_a_scope_lowers_what_a_role_sees_and_never_raises_it(role: Role, scope: Scope) -> None:
    order = list(DataClass).index
    eyes = Caller("k", role, "l", scope).eyes

    assert order(eyes) <= order(role.sees)
    if scope.data_class is not None:
        assert order(eyes) <= order(scope.data_class)
    if scope.purpose is not None:
        assert order(eyes) <= order(PURPOSES[scope.purpose])
    if scope.data_class is None and scope.purpose is None:
        assert eyes is role.sees


def test_every_purpose_says_what_it_needs() -> None:
    assert set(PURPOSES) == set(Purpose)


def test_a_customer_belongs_to_the_platforms_that_know_it() -> None:
    placement = place_customer(shipped_plan(), {"country": "NL"}, {"crm", "billing"})

    assert placement.sources == {"crm", "billing"}
    assert permits(Scope(sources=frozenset({"billing"})), placement)
    assert not permits(Scope(sources=frozenset({"erp"})), placement)
