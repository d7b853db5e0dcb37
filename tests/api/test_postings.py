"""The pre-posting check over HTTP: what ERP would refuse, who may ask, who is told what, and what it costs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from api.app import ApiOptions, attach
from api.present_postings import planned
from api.schemas.postings import GivenPosting, PostingVerdicts
from mdm.access import Role, Scope
from mdm.errors import ConfigurationInvalid
from mdm.hub.prepost import MOST_POSTINGS, check_postings, load_documents
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.prepost import reason_codes
from mdm.model.ids import CrosswalkKey, Domain
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName
from mdm.store import api_keys, closing, onboarding
from mdm.store.tables import metadata
from mdm.store.unit_of_work import unit_of_work
from tests.api.conftest import As, Surroundings
from tests.api.rows import ACME, NOON, HubRows

_ADDRESS = "/v1/postings/validate"
_PARTNER = CrosswalkKey("erp", "business_partner", "0001000001")
_ITEM = CrosswalkKey("erp", "item", "KIT-GATE")
_CUSTOMER = ACME | {"tax_classification": "eu_reverse_charge", "validated": True, "blocked": False}
_PRODUCT = {"name": "Kite Gateway", "code": "KIT-GATE", "unit": "call", "revenue_account": "4010", "tax_code": "S1"}


def posting(reference: str = "JE1", **differs: Any) -> dict[str, Any]:
    return {
        "reference": reference, "company_code": "1000", "posting_date": "2025-05-10", "currency": "EUR",
        "partner": _PARTNER.key,
        "lines": [{"account": "1200", "amount": "100.00"},
                  {"account": "4010", "product": _ITEM.key, "amount": "-100.00"}],
    } | differs  # fmt: skip


def checked(client: TestClient, *postings: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(_ADDRESS, json={"postings": list(postings)})
    assert answer.status_code == 200, answer.text
    PostingVerdicts.model_validate(answer.json())
    body: dict[str, Any] = answer.json()
    return body


def codes(client: TestClient, given: Mapping[str, Any]) -> list[str]:
    (verdict,) = checked(client, given)["postings"]
    assert verdict["decision"] == ("block" if verdict["reasons"] else "pass")
    return [each["code"] for each in verdict["reasons"]]


@pytest.fixture
def acme(rows: HubRows) -> str:
    """A customer with a partner in ERP, and a product that ERP sells."""
    rows.golden(Domain.PRODUCT, _ITEM, _PRODUCT)
    return rows.golden(Domain.CUSTOMER, _PARTNER, _CUSTOMER)


def test_a_posting_that_erp_would_take_passes(acme: str, client_of: As) -> None:
    found = checked(client_of(Role.ERP), posting())

    assert (found["decision"], found["passed"], found["blocked"]) == ("pass", 1, 0)
    assert found["postings"] == [{"reference": "JE1", "decision": "pass", "customer": acme, "reasons": []}]
    assert set(found["documents"]) == {"accounts", "tax_codes", "usage_revenue"}


def test_a_batch_is_answered_in_its_order_with_owner_and_action(acme: str, client_of: As) -> None:
    found = checked(
        client_of(Role.ERP),
        posting("first", currency="TRY"),
        posting("second"),
        posting("third", partner="4711", company_code="2000"),
    )

    assert (found["decision"], found["passed"], found["blocked"]) == ("block", 1, 2)
    assert [each["reference"] for each in found["postings"]] == ["first", "second", "third"]
    assert found["postings"][0]["reasons"] == [
        {
            "code": "CURRENCY_NOT_MAINTAINED", "path": "/currency",
            "message": "Company code 1000 does not book in TRY on 2025-05-10.", "owner": "finance-accounting",
            "action": reason_codes()["CURRENCY_NOT_MAINTAINED"].action,
        }
    ]  # fmt: skip
    assert [each["code"] for each in found["postings"][2]["reasons"]] == ["PARTNER_UNKNOWN", "COMPANY_UNKNOWN"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"blocked": True}, "PARTNER_BLOCKED"),
        ({"validated": False}, "PARTNER_NOT_APPROVED"),
        ({"tax_classification": None}, "TAX_CATEGORY_MISSING"),
        ({"tax_classification": "domestic"}, "TAX_CODE_MISSING"),
        ({"country": "US"}, "TAX_CODE_MISSING"),
    ],
)
def test_golden_values_of_the_customer_block(rows: HubRows, client_of: As, values: dict[str, Any], code: str) -> None:
    rows.golden(Domain.PRODUCT, _ITEM, _PRODUCT)
    rows.golden(Domain.CUSTOMER, _PARTNER, _CUSTOMER | values)

    assert codes(client_of(Role.ERP), posting()) == [code]


@pytest.mark.parametrize(
    ("values", "code"),
    [({"revenue_account": None}, "ACCOUNT_UNMAPPED"), ({"revenue_account": "4100"}, "ACCOUNT_DIFFERS")],
)
def test_golden_values_of_the_product_block(rows: HubRows, client_of: As, values: dict[str, Any], code: str) -> None:
    rows.golden(Domain.PRODUCT, _ITEM, _PRODUCT | values)
    rows.golden(Domain.CUSTOMER, _PARTNER, _CUSTOMER)

    assert codes(client_of(Role.ERP), posting()) == [code]


def test_a_customer_is_named_by_its_golden_id_and_must_have_a_partner(acme: str, rows: HubRows, client_of: As) -> None:
    bolt = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "B"), _CUSTOMER | {"name": "Bolt"})
    loser = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "L"), _CUSTOMER)
    rows.merge(loser, acme, at=NOON)
    client = client_of(Role.ERP)

    assert codes(client, posting(partner=None, customer=acme)) == []
    assert codes(client, posting(customer=loser)) == [], "an absorbed id means its survivor"
    assert codes(client, posting(partner=None, customer=bolt)) == ["PARTNER_MISSING"]
    assert codes(client, posting(customer=bolt)) == ["PARTNER_DIFFERS"]
    assert codes(client, posting(partner=None)) == ["PARTNER_NOT_STATED"]


def test_what_erp_deleted_is_told_as_gone(acme: str, rows: HubRows, client_of: As) -> None:
    for key, domain in ((CrosswalkKey("erp", "business_partner", "9"), Domain.CUSTOMER),
                        (CrosswalkKey("erp", "item", "OLD"), Domain.PRODUCT)):  # fmt: skip
        rows.source(key, domain=domain, deleted=True)
    lines = [{"account": "4010", "product": "OLD"}]

    (verdict,) = checked(client_of(Role.ERP), posting(partner="9", lines=lines))["postings"]

    assert [(each["code"], each["message"]) for each in verdict["reasons"]] == [
        ("PARTNER_GONE", "The business partner 9 is not there any more."),
        ("PRODUCT_UNKNOWN", "Item OLD was deleted in ERP."),
    ]


def test_a_confirmation_counts_before_the_word_of_a_platform(acme: str, engine: Engine, client_of: As) -> None:
    client = client_of(Role.ERP)
    for expires, expected in ((NOON, ["PARTNER_NOT_APPROVED"]), (None, [])):
        with unit_of_work(engine, lambda: NOON, "test") as work:
            point = Checkpoint(CheckpointName.LEGAL_ENTITY_VALIDATED, "finn", NOON, "seen", expires)
            onboarding.write_checkpoint(work, acme, point)
        assert codes(client, posting()) == expected
    answer = client_of(Role.STEWARD).put(f"/v1/customers/{acme}/return", json={"reason": "no VAT number"})
    assert answer.status_code < 300, answer.text
    assert codes(client, posting()) == ["PARTNER_NOT_APPROVED"]


def test_a_month_is_closed_by_two_signatures_until_they_are_taken_back(
    acme: str, engine: Engine, client_of: As
) -> None:
    def sign(step: Callable[..., object], *said: object) -> list[str]:
        with unit_of_work(engine, lambda: NOON, "test") as work:
            step(work, *said)
        return codes(client_of(Role.ERP), posting())

    assert sign(closing.insert, "2025-05", (), "ines", "") == [], "one signature closes nothing"
    number = 1
    assert sign(closing.review, number, "noor", "") == ["PERIOD_CLOSED"]
    assert codes(client_of(Role.ERP), posting(posting_date="2025-06-01")) == []
    assert sign(closing.withdraw, number, "noor", "an invoice was missing") == []


def place(engine: Engine, customer: str, **labels: str) -> None:
    """Let a customer belong somewhere; what is not named is unassigned. Products are everywhere."""
    dimensions = ("regions", "business_units", "legal_entities", "sources")
    values = {each: labels.get(each, "unassigned").split(",") for each in dimensions}
    with engine.begin() as connection:
        connection.execute(metadata.tables["placement"].delete())
        connection.execute(
            metadata.tables["placement"].insert(), {"entity_id": customer, "domain": "customer", **values}
        )
        connection.execute(
            text("insert into placement select entity_id, domain, '{*}', '{*}', '{*}', '{*}' from entity "
                 "where domain = 'product'")
        )  # fmt: skip


def test_a_company_code_is_open_where_placement_says(acme: str, engine: Engine, client_of: As) -> None:
    found = []
    for labels in ("NL01", "1000,NL01", "unassigned"):
        place(engine, acme, legal_entities=labels)
        found.append(codes(client_of(Role.ERP), posting()))

    assert found == [["COMPANY_NOT_OPENED"], [], []]


def test_the_documents_of_the_settings_decide(
    acme: str, app: FastAPI, surroundings: Surroundings, client_of: As, tmp_path: Path
) -> None:
    accounts, tax_codes = tmp_path / "accounts.yaml", tmp_path / "taxes.yaml"
    accounts.write_text(
        'version: "7"\ncompanies:\n  - code: "1000"\n    country: "NL"\n    currencies: ["EUR"]\n    accounts:\n'
        '      - {number: "1200", kind: receivable}\n      - {number: "4010", kind: revenue, to: 2025-05-09}\n'
    )
    tax_codes.write_text('version: "8"\nrows:\n  - {country: "NL", category: eu_reverse_charge, code: "V9"}\n')
    client = client_of(Role.ERP)
    attach(app, surroundings, ApiOptions(remember_keys_seconds=0, accounts=accounts, tax_codes=tax_codes))

    found = checked(client, posting())
    assert [each["code"] for each in found["postings"][0]["reasons"]] == ["ACCOUNT_NOT_DEFINED"]
    assert (found["documents"]["accounts"]["version"], found["documents"]["tax_codes"]["version"]) == ("7", "8")
    assert codes(client, posting(posting_date="2025-05-09")) == []
    accounts.write_text(accounts.read_text().replace('"4010"', "4010"))
    with pytest.raises(ConfigurationInvalid, match="line 8: number must stand in quotation marks"):
        attach(app, surroundings, ApiOptions(accounts=accounts))


def test_hidden_values_are_not_told_in_words(rows: HubRows, client_of: As) -> None:
    rows.golden(Domain.PRODUCT, _ITEM, _PRODUCT | {"revenue_account": "4100"})
    rows.golden(Domain.CUSTOMER, _PARTNER, _CUSTOMER | {"tax_classification": "export"})
    given = posting(lines=[{"account": "4010", "product": _ITEM.key}])

    for_erp, for_viewer = (checked(client_of(role), given)["postings"][0] for role in (Role.ERP, Role.VIEWER))

    assert [each["code"] for each in for_viewer["reasons"]] == ["ACCOUNT_DIFFERS", "TAX_CODE_MISSING"]
    assert [each["code"] for each in for_erp["reasons"]] == ["ACCOUNT_DIFFERS", "TAX_CODE_MISSING"]
    assert "4100" in for_erp["reasons"][0]["message"]
    assert "export" in for_erp["reasons"][1]["message"]
    for secret in ("4100", "export"):
        assert secret not in str(for_viewer)


def test_a_customer_outside_the_scope_is_not_known(acme: str, engine: Engine, client_of: As) -> None:
    def limited(region: str) -> list[list[str]]:
        with engine.begin() as connection:
            scope = Scope(regions=frozenset({region}))
            key = api_keys.issue_key(connection, Role.ERP, region, scope)
        client = client_of(Role.ERP)
        client.headers["Authorization"] = f"Bearer {key}"
        return [codes(client, each) for each in (posting(), posting(partner=None, customer=acme))]

    place(engine, acme, regions="EMEA")

    assert limited("EMEA") == [[], []]
    assert limited("AMER") == [["PARTNER_UNKNOWN"], ["PARTNER_UNKNOWN"]]


def test_whoever_reads_may_ask_and_nobody_else(acme: str, client_of: As) -> None:
    body = {"postings": [posting()]}

    assert client_of(None).post(_ADDRESS, json=body).status_code == 401
    assert client_of(Role.VENDOR).post(_ADDRESS, json=body).status_code == 403
    for role in (Role.VIEWER, Role.ERP, Role.APPROVER_FINANCE, Role.AUDITOR):
        assert client_of(role).post(_ADDRESS, json=body, headers={"Idempotency-Key": None}).status_code == 200


_GARBAGE: list[Any] = [
    {},
    {"postings": []},
    {"postings": [posting()] * (MOST_POSTINGS + 1)},
    {"postings": "all"},
    {"postings": [7]},
    {"postings": [posting()], "force": True},
    *({"postings": [each]} for each in (
        posting(lines=[]),
        posting(lines=[{"amount": 100}]),
        posting(lines=[{"amount": "1e9"}]),
        posting(lines=[{"amount": "NaN"}]),
        posting(lines=[{"account": ""}]),
        posting(lines=[{"account": "12\x0000"}]),
        posting(lines=[{"acount": "1200"}]),
        posting(currency="eur"),
        posting(posting_date="10.05.2025"),
        posting(posting_date="2025-02-30"),
        posting(posting_date=None),
        posting(company_code=1000),
        posting(partner="  "),
        posting(partner="x" * 101),
        posting(reference=""),
        {"reference": "JE1"},
    )),
]  # fmt: skip


@pytest.mark.parametrize("body", _GARBAGE, ids=range(len(_GARBAGE)))
def test_what_is_no_batch_of_postings_is_refused(client_of: As, body: Any) -> None:
    answer = client_of(Role.ERP).post(_ADDRESS, json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request"), answer.text
    assert answer.json()["errors"]


def test_more_than_a_body_may_hold_is_refused(client_of: As) -> None:
    answer = client_of(Role.ERP).post(_ADDRESS, content=b" " * (5 << 20), headers={"content-type": "application/json"})

    assert answer.status_code == 413


def test_strange_text_is_unknown_and_never_a_failure(acme: str, client_of: As) -> None:
    strange = ["'; drop table entity; --", "%", "\N{ZERO WIDTH SPACE}x", "0001000001 ", "cus_" + "0" * 26]
    for each in strange:
        found = codes(client_of(Role.ERP), posting(partner=each, company_code="1", lines=[{"product": each}]))
        assert found == ["PARTNER_UNKNOWN", "COMPANY_UNKNOWN", "PRODUCT_UNKNOWN"], each


def test_a_batch_costs_as_many_statements_as_one_posting_and_stores_nothing(acme: str, engine: Engine) -> None:
    statements: list[str] = []
    catalogue, documents = load_catalogue(None), load_documents()
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def asked(*given: Mapping[str, Any]) -> list[str]:
        statements.clear()
        batch = [planned(GivenPosting.model_validate(each)) for each in given]
        assert len(check_postings(engine, catalogue, documents, batch, NOON).judgements) == len(given)
        return list(statements)

    one = asked(posting())
    many = asked(*(posting(str(n), partner=str(n), customer=f"cus_{n}") for n in range(100)), *[posting()] * 200)

    assert one == many
    assert len(one) <= 15
    assert {each.split(None, 1)[0].lower() for each in one} <= {"select", "with"}
