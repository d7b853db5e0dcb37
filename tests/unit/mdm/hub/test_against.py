"""What speaks against joining two entities, told so that a person can check it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from matching.merging import LITTLE_SUPPORT, TOO_MANY, WEAK_JOIN
from matching.model import load_model
from mdm.core.identity import group
from mdm.hub.against import Against, Differing, Rival, against
from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import LiveLink, Neighbourhood
from mdm.model.records import Provenance, StoredRecord

ONE, TWO = CrosswalkKey("crm", "account", "1"), CrosswalkKey("crm", "account", "2")


def hood_of(
    forms: Mapping[int, Mapping[str, Any]],
    matches: Mapping[tuple[int, int], float],
    domain: Domain = Domain.CUSTOMER,
) -> Neighbourhood:
    """Records of one entity each, and their matches."""
    provenance = Provenance(Place("crm.account", 0, 0), SourcePosition(0, 0, 0, 0), datetime(2026, 1, 1, tzinfo=UTC))
    records = {
        RecordId(number): StoredRecord(
            rec_id=RecordId(number),
            key=CrosswalkKey("crm", "account", str(number)),
            domain=domain,
            attributes={},
            comparison={"self": [f"crm:account:{number}"], **form},
            provenance=provenance,
            entity_id=EntityId(f"cus_{number}"),
        )
        for number, form in forms.items()
    }
    links = [
        LiveLink(number, RecordId(a), RecordId(b), "match", weight, None)
        for number, ((a, b), weight) in enumerate(matches.items())
    ]
    return Neighbourhood(domain, records, links=links)


def told(hood: Neighbourhood, first: int, second: int) -> Against | None:
    model = load_model(hood.domain)
    return against(model, hood, group(hood, model), {RecordId(first)}, {RecordId(second)})


def against_group(hood: Neighbourhood, first: set[int], second: set[int]) -> Against | None:
    model = load_model(hood.domain)
    return against(model, hood, group(hood, model), set(map(RecordId, first)), set(map(RecordId, second)))


def test_the_stated_parent_is_named_whichever_of_the_two_is_asked_about() -> None:
    hood = hood_of({1: {}, 2: {"parents": ["crm:account:1"]}}, {(1, 2): 20.0})

    forth, back = told(hood, 1, 2), told(hood, 2, 1)

    assert forth is not None
    assert back is not None
    assert forth.parent == back.parent == (TWO, ONE)
    assert (forth.match, back.match) == ((ONE, TWO), (TWO, ONE))
    assert forth.words == "crm:account:1 is stated to be the parent of crm:account:2"


def test_identifiers_that_differ_are_told_with_whose_they_are() -> None:
    forms = {1: {"identifiers": ["vat:nl:nl111111111b01"]}, 2: {"identifiers": ["vat:nl:nl987654321b01"]}}

    why = told(hood_of(forms, {(1, 2): 20.0}), 2, 1)

    assert why is not None
    assert why.identifiers == (Differing("vat:nl", ("nl987654321b01",), ("nl111111111b01",)),)
    assert why.words == "identifiers differ (vat:nl)"


def test_contracts_are_told_the_customers_that_differ() -> None:
    forms = {1: {"customer": "cus_a"}, 2: {"customer": "cus_b"}}

    why = told(hood_of(forms, {(1, 2): 20.0}, Domain.CONTRACT), 1, 2)

    assert why is not None
    assert why.identifiers == (Differing("customer", ("cus_a",), ("cus_b",)),)
    assert why.words == "customers differ"


def test_a_rule_that_keeps_two_records_apart_is_told_with_the_two() -> None:
    forms = {
        1: {"name": "fund 2 invest", "country": "de"},
        2: {"name": "fund 3 invest", "country": "de"},
        3: {"name": "invest", "country": "de"},
    }
    hood = hood_of(forms, {(1, 3): 20.0, (2, 3): 19.0})

    why = against_group(hood, {2}, {1, 3})

    assert why is not None
    assert why.rule is not None
    assert (why.rule.veto, why.rule.records) == ("name_number_differs", (TWO, ONE))
    assert why.words == (
        "a rule keeps records of the two apart: crm:account:2 and crm:account:1 (The numbers in the names differ)"
    )


def test_what_is_one_or_never_matched_was_not_refused() -> None:
    assert told(hood_of({1: {}, 2: {}}, {(1, 2): 20.0}), 1, 2) is None
    assert told(hood_of({1: {}, 2: {}}, {}), 1, 2) is None


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            Against("fits another entity as well", (ONE, TWO), rival=Rival(TWO, EntityId("cus_9"))),
            "fits another entity as well: crm:account:2 in cus_9",
        ),
        (Against("fits another entity as well", (ONE, TWO)), "fits another entity as well"),
        (
            Against(LITTLE_SUPPORT, (ONE, TWO)),
            "too little support in the group: taken together, the records of the two do not resemble each other enough",
        ),
        (
            Against(WEAK_JOIN, (ONE, TWO)),
            "weak join of two groups: taken together, the records of the two do not resemble each other enough",
        ),
        (Against(TOO_MANY, (ONE, TWO)), TOO_MANY),
    ],
)
def test_a_reason_is_told_with_what_it_names(why: Against, words: str) -> None:
    assert why.words == words
