"""Laws of survivorship that hold for any members: Hypothesis looks for the exception."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.model.canonical import ATTRIBUTES, Attribute, Shape
from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.records import Provenance, StoredRecord
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from survivorship.union import identity

#: Few different words, so that members agree, differ and differ in spelling only.
_WORDS = st.sampled_from(["Acme", "ACME", "acme", "Acme Tools", "Äcme", "Acme &amp; Co", "山田", "X1", "x-1", "", "12"])
_CODES = st.sampled_from(["DE", "AT", "active", "merged", "inactive"])
_NUMBERS = st.sampled_from(["0", "12", "12.0", "7.50", "100"])
_STATES = st.sampled_from(["valid", "invalid", "unverifiable"])
_KEYS = st.sampled_from(["1", "2"])

_SHAPES: dict[Shape, st.SearchStrategy[Any]] = {
    Shape.TEXT: _WORDS,
    Shape.CODE: _CODES,
    Shape.BOOLEAN: st.booleans(),
    Shape.INTEGER: st.integers(0, 3),
    Shape.DECIMAL: _NUMBERS,
    Shape.DATE: st.sampled_from(["2024-01-31", "2025-06-01"]),
    Shape.TEXTS: st.lists(_WORDS.filter(bool), max_size=3, unique=True),
    Shape.ADDRESS: st.fixed_dictionaries({"city": _WORDS}, optional={"street": _WORDS, "country": _CODES}),
    Shape.IDENTIFIERS: st.lists(
        st.fixed_dictionaries(
            {"type": st.just("vat"), "country": _CODES, "value": _KEYS, "normal": _KEYS, "state": _STATES}
        ),
        max_size=3,
    ),
    Shape.PHONES: st.lists(
        st.fixed_dictionaries({"value": _KEYS, "e164": st.sampled_from(["+1", "+2", None]), "valid": st.booleans()}),
        max_size=3,
    ),
    Shape.EMAILS: st.lists(
        st.fixed_dictionaries({"value": st.sampled_from(["a@x.de", "A@x.de", "b@x.de"]), "shared": st.booleans()}),
        max_size=3,
    ),
    Shape.REFERENCE: st.fixed_dictionaries({"system": st.just("crm"), "type": st.just("account"), "key": _KEYS}),
    Shape.LINES: st.lists(st.fixed_dictionaries({"quantity": _NUMBERS, "unit_price": _NUMBERS}), max_size=2),
}
_TRUST = {"erp": 0.9, "crm": 0.8, "billing": 0.8, "product": 0.5}
_START = datetime(2025, 1, 1, tzinfo=UTC)


def _trust(system: str, _type: str, _attribute: str) -> float:
    return _TRUST[system]


def _attributes(domain: Domain) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={each.name: _SHAPES[each.shape] for each in ATTRIBUTES[domain]})


@st.composite
def entities(draw: st.DrawFn, domain: Domain) -> list[StoredRecord]:
    """One to six members that often tie: the same times, positions and values."""
    keys = draw(
        st.lists(st.tuples(st.sampled_from(sorted(_TRUST)), st.integers(0, 9)), min_size=1, max_size=6, unique=True)
    )
    return [
        StoredRecord(
            rec_id=RecordId(place),
            key=CrosswalkKey(system, "table", str(key)),
            domain=domain,
            attributes=draw(_attributes(domain)),
            comparison=draw(st.fixed_dictionaries({}, optional={"name": _KEYS, "street": _KEYS, "city": _KEYS})),
            provenance=Provenance(
                Place(system, 0, place),
                SourcePosition(draw(st.integers(0, 1)), 0, 0, 1),
                _START + timedelta(days=draw(st.integers(0, 2))),
            ),
        )
        for place, (system, key) in enumerate(keys)
    ]


any_entity = st.sampled_from(list(Domain)).flatmap(entities)
RULESETS = {domain: load_ruleset(domain) for domain in Domain}
SHAPES = {domain: {each.name: each for each in ATTRIBUTES[domain]} for domain in Domain}


@given(any_entity, st.randoms(use_true_random=False))
def test_the_order_of_the_members_does_not_matter(members: list[StoredRecord], random: Any) -> None:
    shuffled = list(members)
    random.shuffle(shuffled)
    ruleset = RULESETS[members[0].domain]

    assert consolidate(ruleset, shuffled, _trust) == consolidate(ruleset, members, _trust)


@given(any_entity)
def test_every_golden_value_is_stated_by_the_member_that_its_lineage_names(members: list[StoredRecord]) -> None:
    domain = members[0].domain
    by_key = {each.key: each.attributes for each in members}
    result = consolidate(RULESETS[domain], members, _trust)

    for name, lineage in result.lineage.items():
        golden = result.values[name]
        if lineage.elements:
            for value, element in zip(golden, lineage.elements, strict=True):
                assert value in _stated_anywhere(by_key[element.origin.record])
        else:
            assert golden in (by_key[lineage.origin.record].get(name), *_stated_anywhere(by_key[lineage.origin.record]))


def _stated_anywhere(attributes: Any) -> list[Any]:
    """All texts and elements of lists that a record states: a number may come from the list of other numbers."""
    found = []
    for value in attributes.values():
        found += value if isinstance(value, list) else [value]
    return found


@given(any_entity)
def test_every_golden_value_has_one_lineage_and_none_is_empty(members: list[StoredRecord]) -> None:
    result = consolidate(RULESETS[members[0].domain], members, _trust)

    assert list(result.values) == list(result.lineage)
    assert all(value not in (None, "", [], {}) for value in result.values.values())
    assert {lineage.ruleset for lineage in result.lineage.values()} <= {RULESETS[members[0].domain].fingerprint}


@given(any_entity)
def test_an_attribute_that_somebody_states_survives(members: list[StoredRecord]) -> None:
    domain = members[0].domain
    grouped = {name for rule in RULESETS[domain].rules if rule.shape is None for name in rule.attributes}
    result = consolidate(RULESETS[domain], members, _trust)

    for name in SHAPES[domain].keys() - grouped - {"alternate_names", "other_numbers", "other_codes"}:
        if any(each.attributes.get(name) or each.attributes.get(name) == 0 for each in members):
            assert name in result.values


@given(any_entity)
def test_a_record_that_says_what_is_golden_is_golden_itself(members: list[StoredRecord]) -> None:
    ruleset = RULESETS[members[0].domain]
    golden = consolidate(ruleset, members, _trust).values
    # Of a platform that no rule holds back.
    key = CrosswalkKey("crm", "table", "0")
    single = StoredRecord(members[0].rec_id, key, members[0].domain, golden, {}, members[0].provenance)

    again = consolidate(ruleset, [single], _trust).values

    # Elements of unions are compared without their order, in which the standing of their records has a part.
    unions = {rule.name for rule in ruleset.rules if rule.union_of}
    assert again.keys() == golden.keys()
    for name, value in golden.items():
        assert again[name] == value or (name in unions and sorted(again[name], key=str) == sorted(value, key=str))


@given(any_entity)
def test_no_element_of_a_union_appears_twice(members: list[StoredRecord]) -> None:
    domain = members[0].domain
    values = consolidate(RULESETS[domain], members, _trust).values

    for rule in RULESETS[domain].rules:
        if rule.union_of and rule.name in values:
            identities = [identity(rule.shape, element) for element in values[rule.name]]
            assert len(identities) == len(set(identities))


@pytest.mark.parametrize("domain", list(Domain))
def test_the_laws_are_tried_on_every_canonical_attribute(domain: Domain) -> None:
    attribute: Attribute
    for attribute in ATTRIBUTES[domain]:
        assert attribute.shape in _SHAPES
