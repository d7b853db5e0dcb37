"""Objects of ERP systems: what they show, what they report, and that nothing is cut."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.hub.projections import lengths_of, shipped_targets
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.projection.document import Lengths, read_target
from mdm.projection.project import Projected, Subject, broken, narrowed, project

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
ACME: dict[str, Any] = {
    "name": "Acme Anvils B.V.",
    "country": "NL",
    "language": "nl",
    "status": "active",
    "blocked": False,
    "identifiers": [{"type": "vat", "country": "NL", "value": "NL 1699.63.937 B05", "normal": "NL169963937B05"}],
    "phones": [{"value": "030 972 5926", "e164": "+31309725926"}],
    "address": {"street": "Aliciaboulevard", "house_number": "4", "city": "Groningen", "country": "NL"},
}


def shown(erp: str, values: dict[str, Any], *, domain: Domain = Domain.CUSTOMER, **more: Any) -> Projected:
    subject = Subject("cus_1", 3, NOON, values, more.pop("masked", frozenset()))
    return project(shipped_targets()[erp].forms[domain], subject, more.pop("keys", {}))


def codes(projected: Projected) -> set[tuple[str, str]]:
    return {(each.code, each.field) for each in projected.findings}


def test_a_customer_speaks_the_language_of_each_target() -> None:
    sap, odoo, erpnext, netsuite = (shown(erp, ACME).values for erp in ("sap", "odoo", "erpnext", "netsuite"))

    assert (sap["OrganizationBPName1"], sap["Language"]) == ("Acme Anvils B.V.", "NL")
    assert sap["to_BusinessPartnerTax"] == [{"BPTaxType": "NL0", "BPTaxLongNumber": "NL169963937B05"}]
    assert sap["to_BusinessPartnerAddress"][0]["StreetName"] == "Aliciaboulevard"
    assert (odoo["vat"], odoo["street"], odoo["lang"]) == ("NL169963937B05", "Aliciaboulevard 4", "nl_NL")
    assert (erpnext["customer_type"], erpnext["disabled"], erpnext["tax_id"]) == ("Company", False, "NL169963937B05")
    assert erpnext["customer_primary_address"][0]["address_line1"] == "Aliciaboulevard 4"
    assert (netsuite["externalId"], netsuite["companyName"]) == ("cus_1", "Acme Anvils B.V.")


def test_a_long_name_is_broken_between_words() -> None:
    name = "Internationale Gesellschaft für Fabelwerke und Nordlichter mit beschränkter Haftung"

    found = shown("sap", ACME | {"name": name}).values

    lines = [found[f"OrganizationBPName{number}"] for number in range(1, 5)]
    assert " ".join(line for line in lines if line) == name
    assert all(line is None or len(line) <= 40 for line in lines)


def test_what_is_too_long_is_given_whole_and_reported() -> None:
    street = "x" * 61

    found = shown("sap", ACME | {"address": {**ACME["address"], "street": street}})

    assert found.values["to_BusinessPartnerAddress"][0]["StreetName"] == street
    assert ("ERP_FIELD_TOO_LONG", "to_BusinessPartnerAddress/0/StreetName") in codes(found)
    assert not found.fits
    assert [each.params for each in found.findings if each.code == "ERP_FIELD_TOO_LONG"] == [
        {"length": "61", "limit": "60"}
    ]


def test_a_name_of_five_lines_stays_whole_on_the_last() -> None:
    name = " ".join(["Nordlichterfabelwerksgesellschaft"] * 5)

    found = shown("sap", ACME | {"name": name})

    lines = [found.values[f"OrganizationBPName{number}"] for number in range(1, 5)]
    assert " ".join(lines) == name
    assert ("ERP_FIELD_TOO_LONG", "OrganizationBPName4") in codes(found)


@pytest.mark.parametrize(("text", "expected"), [("a b", ["a b"]), ("", []), ("abcdef g h i", ["abcdef", "g h i"])])
def test_words_are_never_cut(text: str, expected: list[str]) -> None:
    assert broken(text, 2, 3) == expected


def test_a_code_without_a_counterpart_is_left_empty_and_reported() -> None:
    found = shown("netsuite", ACME | {"status": "dreaming", "currency": "EUR"})

    assert found.values["entityStatus"] is None
    assert ("ERP_CODE_UNMAPPED", "entityStatus") in codes(found)


def test_what_the_target_requires_and_nobody_knows_is_reported() -> None:
    assert ("ERP_FIELD_MISSING", "currency") in codes(shown("netsuite", ACME))


def test_the_targets_own_keys_are_shown_of_the_record_and_of_what_it_refers_to() -> None:
    contract = {
        "number": "CT-1",
        "customer": {"system": "crm", "type": "account", "key": "A1", "entity_id": "cus_2"},
        "lines": [{"product": {"entity_id": "prd_9"}, "quantity": "2", "unit_price": "10.00"}],
    }
    keys = {"cus_1": ["C-1"], "cus_2": ["0001000001", "0001000007"], "prd_9": ["SKU-9"]}

    found = shown("sap", contract, domain=Domain.CONTRACT, keys=keys)

    assert (found.values["SalesContract"], found.values["SoldToParty"]) == ("C-1", "0001000001")
    assert found.values["to_Item"] == [{"Material": "SKU-9", "RequestedQuantity": "2", "NetPriceAmount": "10.00"}]
    assert ("ERP_KEY_AMBIGUOUS", "SoldToParty") in codes(found)


def test_a_customer_that_the_target_does_not_know_must_be_created_first() -> None:
    contract = {"number": "CT-1", "customer": {"system": "crm", "type": "account", "key": "A1", "entity_id": "cus_2"}}

    found = shown("sap", contract, domain=Domain.CONTRACT)

    assert ("ERP_REFERENCE_UNKNOWN", "SoldToParty") in codes(found)


def test_nothing_is_said_about_values_that_may_not_be_seen() -> None:
    hidden = [{"type": "vat", "country": "NL", "value": "***7B05", "normal": "***7B05"}]
    values = ACME | {"identifiers": hidden, "payment_terms": "***"}

    found = shown("sap", values, masked=frozenset({"identifiers", "payment_terms"}))

    assert found.values["to_BusinessPartnerTax"] == [{"BPTaxType": "NL", "BPTaxLongNumber": "***7B05"}]
    assert "to_BusinessPartnerTax/0/BPTaxLongNumber" in found.masked
    assert "PaymentTerms" in found.masked
    assert not [each for each in found.findings if each.attribute in ("identifiers", "payment_terms")]


def test_narrowing_keeps_what_is_to_be_said_about_what_stays() -> None:
    found = shown("sap", ACME | {"address": {"street": "x" * 61, "country": "NL"}})

    assert narrowed(found, {"Language"}).findings == []
    assert narrowed(found, {"to_BusinessPartnerAddress"}).findings


@pytest.mark.parametrize("erp", list(shipped_targets()))
def test_every_length_that_onboarding_tests_is_that_of_a_field(erp: str) -> None:
    target = shipped_targets()[erp]
    form = target.forms[Domain.CUSTOMER]
    fields = [*form.fields, *(field for each in form.collections for field in each.fields)]
    lengths = {field.name: field.length for field in fields}

    told = lengths_of(shipped_ruleset().targets[erp]).by_field

    names = {name for name in told if not name.startswith("OrganizationBPName1-4")}
    assert {name: lengths[name] for name in names} == {name: told[name] for name in names}


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [("NL", "Noord-Holland", "NH"), ("DE", "Bayern", "BY"), ("US", "ca", "CA"), ("US", "California", "CA"),
     ("CN", "Beijing", "BJ"), ("BR", "Sao Paulo", "SP"), ("IT", "Milano", "MI"),
     ("DE", "Bavaria", "BY"), ("IT", "Tuscany", "52"), ("IT", "Toscane", "52"), ("JP", "東京", "13")],
)  # fmt: skip
def test_sap_gets_codes_of_regions_and_not_their_names(country: str, region: str, code: str) -> None:
    found = shown("sap", ACME | {"address": {"country": country, "region": region, "city": "Somewhere"}})

    assert found.values["to_BusinessPartnerAddress"][0]["Region"] == code


def test_a_region_that_is_none_is_left_empty_and_told() -> None:
    found = shown("sap", ACME | {"address": {"country": "NL", "region": "Bayern", "city": "Somewhere"}})

    assert found.values["to_BusinessPartnerAddress"][0]["Region"] is None
    assert ("ERP_CODE_UNMAPPED", "to_BusinessPartnerAddress/0/Region") in codes(found)


def test_every_text_of_sap_has_a_length() -> None:
    for form in shipped_targets()["sap"]:
        unbound = [field.name for field in form.fields if field.kind == "Edm.String" and field.length is None]
        assert unbound == []


_DOCUMENT = """
title: Mine
release: "1"
system: mine
tables: {}
objects:
  customers:
    object: partner
    fields:
      FIELD
"""


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("city: {from: address.city, length: 9}", "stated by the onboarding rules"),
        ("x: {from: shoe_size}", "no attribute 'shoe_size'"),
        ("x: {form: name}", "expected a mapping"),
        ("x: {length: 3}", "say where it comes from"),
        ("x: {from: name, kind: Edm.Guess}", "not in the form"),
    ],
)
def test_a_faulty_document_is_refused_with_the_field_to_mend(field: str, told: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=told):
        read_target("mine", _DOCUMENT.replace("FIELD", field), Lengths({"city": 40}, 1, 80))
