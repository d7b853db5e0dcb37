"""The Python client against the real service."""

import json
from itertools import pairwise
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from mdm.access import Role
from mdm.cli.app import app as command_line
from mdm.client import Hub, Problem
from mdm.errors import OperatorError
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows
from tests.api.test_reading_along import read_until

#: As ingest writes identifiers.
_VAT = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
_FULL = ACME | {"identifiers": [_VAT], "address": {**ACME["address"], "postal_code": "9721 XA"}}


class Through(httpx.BaseTransport):
    """Hands requests to the service in this process; answers 503 first, if told to."""

    def __init__(self, app: FastAPI, failures: int = 0) -> None:
        self._client = TestClient(app, follow_redirects=False)
        self.failures = failures

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            self.failures -= 1
            return httpx.Response(503, headers={"Retry-After": "7"}, json={})
        answer = self._client.request(
            request.method, str(request.url), headers=dict(request.headers), content=request.read()
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def hub(app: FastAPI, keys: dict[Role, str]) -> Hub:
    return Hub("http://testserver", keys[Role.ERP], transport=Through(app))


def test_records_are_read_searched_and_resolved(rows: HubRows, hub: Hub) -> None:
    ids = {rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", str(n)), ACME, terms=["acme"]) for n in range(5)}

    assert {each.id for each in hub.search("customers", q="acme", limit=2)} == ids
    first = hub.resolve("crm", "account", "0")
    assert hub.record("customers", first).values["country"] == "NL"
    assert {each.id for each in hub.export("customers")} == ids


def test_a_merged_id_leads_to_its_survivor(rows: HubRows, hub: Hub) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=NOON)

    assert hub.record("customers", loser).id == survivor
    assert hub.classify([loser, "cus_x"])[loser]["current_id"] == survivor


def test_changes_are_followed_and_candidates_ranked(rows: HubRows, hub: Hub) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    changes, place = hub.changes()

    assert [each.type for each in changes] == ["customer.created"]
    assert hub.changes(since=place) == ([], place)
    assert hub.match("customers", {"name": "Nobody Knows"}).advice == "create"


def test_a_refusal_is_told_by_its_type(hub: Hub) -> None:
    with pytest.raises(Problem) as refused:
        hub.record("customers", "cus_never")

    assert (refused.value.status, refused.value.type) == (404, "/problems/not-found")


def test_a_busy_hub_is_asked_again_after_the_time_it_names(app: FastAPI, keys: dict[Role, str]) -> None:
    slept: list[Any] = []
    hub = Hub("http://testserver", keys[Role.ERP], transport=Through(app, failures=2), sleep=slept.append)

    assert hub.get("/v1/customers")["items"] == []
    assert slept == [7.0, 7.0]


def test_an_export_of_a_busy_hub_is_asked_for_again_after_the_time_it_names(
    rows: HubRows, app: FastAPI, keys: dict[Role, str]
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    slept: list[Any] = []
    hub = Hub("http://testserver", keys[Role.ERP], transport=Through(app, failures=2), sleep=slept.append)

    assert [each.id for each in hub.export("customers")] == [acme]
    assert slept == [7.0, 7.0]


def test_tasks_are_listed_by_urgency_page_by_page_and_read_one_by_one(
    rows: HubRows, app: FastAPI, keys: dict[Role, str]
) -> None:
    names = [CrosswalkKey("crm", "account", str(n)) for n in range(4)]
    ids = {name: rows.golden(Domain.CUSTOMER, name, ACME) for name in names}
    for a, b in pairwise(names):
        rows.task(a, b, 3.5)
    hub = Hub("http://testserver", keys[Role.STEWARD], transport=Through(app))

    found = list(hub.tasks(domain="customer", assigned=False, limit=2))

    assert len({each.task_id for each in found}) == 3
    first = found[0]
    assert (first.kind, first.domain, first.weight, first.assignee) == ("possible_match", "customer", 3.5, None)
    assert {side["entity_id"] for side in first.sides} <= set(ids.values())
    assert [each.task_id for each in found] == [each["task_id"] for each in hub.get("/v1/tasks")["items"]]
    assert all(each.priority for each in found)
    assert hub.task(first.task_id).token == first.token
    assert list(hub.tasks(assigned=True)) == []
    with pytest.raises(Problem):
        hub.task(0)


def test_facts_lead_to_golden_records_and_a_chain_from_order_to_invoice(rows: HubRows, hub: Hub) -> None:
    subscription, sales = CrosswalkKey("billing", "subscription", "S1"), CrosswalkKey("erp", "sales_contract", "4/1 a")
    contract = rows.golden(Domain.CONTRACT, subscription, {"number": "CT-1"})
    rows.source(sales, domain=Domain.CONTRACT, entity_id=contract)
    order, number = CrosswalkKey("erp", "sales_order", "77"), CrosswalkKey("billing", "invoice#number", "INV-1")
    invoice = CrosswalkKey("billing", "invoice", "I1")
    rows.source(order, domain=None, kind="order", references=[("contract", sales)])
    rows.source(invoice, domain=None, kind="invoice", references=[("contract", subscription)], aliases=[number])

    facts = list(hub.facts("contracts", contract))

    assert [(each.kind, each.key, each.references[0]["entity_id"]) for each in facts] == [
        ("order", "77", contract),
        ("invoice", "I1", contract),
    ]
    assert [each.key for each in hub.facts("contracts", contract, kind="invoice")] == ["I1"]
    chain = hub.trace(*order)
    assert [step["key"] for step in chain.steps] == ["S1", "4/1 a", "77", "I1"]
    assert [gap["code"] for gap in chain.gaps] == ["POSTING_MISSING"]
    assert chain.complete
    alias = CrosswalkKey("erp", "sales_contract#former", "9/9")
    rows.source(CrosswalkKey("erp", "sales_contract", "9"), domain=Domain.CONTRACT, entity_id=contract, aliases=[alias])
    assert hub.resolve(*alias) == contract
    assert hub.trace(*number).raw["record"]["key"] == "I1"
    assert [step["key"] for step in hub.trace(*sales).steps if step["level"] == 0] == ["S1", "4/1 a", "9"]


def test_golden_records_come_in_the_fields_of_an_erp(rows: HubRows, hub: Hub) -> None:
    ids = [rows.golden(Domain.CUSTOMER, CrosswalkKey("erp", "business_partner", str(n)), _FULL) for n in range(3)]

    assert [each.id for each in hub.projections("sap", "customers", limit=2)] == ids
    one = hub.projected("sap", "customers", ids[0])
    assert (one.object, one.values["BusinessPartner"], one.fits) == ("A_BusinessPartner", "0", True)
    with pytest.raises(Problem) as refused:
        hub.projected("sap", "customers", ids[0], require="ready")
    assert refused.value.type == "/problems/not-ready"


def test_the_command_line_reads_as_an_erp_and_tells_what_does_not_fit(
    rows: HubRows, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    street = "x" * 61
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, _FULL | {"address": {"street": street, "country": "NL"}})
    monkeypatch.setattr("mdm.cli.get.Hub", lambda url, key: Hub(url, key, transport=Through(app)))
    monkeypatch.setenv("MDM_URL", "http://testserver")
    monkeypatch.setenv("MDM_API_KEY", keys[Role.ERP])

    shown = CliRunner().invoke(command_line, ["get", f"customers/{acme}?view=newest", "--as", "sap"])
    held = CliRunner().invoke(command_line, ["get", f"customers/{acme}", "--as", "sap"])

    assert "\n  ERP_FIELD_TOO_LONG: to_BusinessPartnerAddress/0/StreetName" in str(held.exception)
    assert "is held back: " in shown.stderr
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["values"]["to_BusinessPartnerAddress"][0]["StreetName"] == street
    assert "StreetName: The value has 61 characters" in shown.stderr
    for address in (f"customers/{acme}", f"customers/{acme}?fields=Language"):
        refused = CliRunner().invoke(command_line, ["get", address, "--as", "sap", "--require-ready"])
        assert "409" in str(refused.exception)
        assert "\n  CHECKPOINT_MISSING: " in str(refused.exception)
    misspelt = CliRunner().invoke(command_line, ["get", f"customers/{acme}?feilds=name"])
    assert "query.feilds: is not known here" in str(misspelt.exception)
    read_until(rows.engine, 17)
    early = CliRunner().invoke(command_line, ["get", f"customers/{acme}?after=crm:crm.public.account/0/18&wait=0"])
    assert "the hub is at 17 of crm:crm.public.account/0/18" in str(early.exception)
    alone = CliRunner().invoke(command_line, ["get", f"customers/{acme}", "--require-ready"])
    assert "needs an ERP" in str(alone.exception)


def test_the_command_line_reads_whatever_an_address_gives(
    rows: HubRows, app: FastAPI, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    monkeypatch.setattr("mdm.cli.get.Hub", lambda url, key: Hub(url, key, transport=Through(app)))
    monkeypatch.setenv("MDM_API_KEY", keys[Role.ERP])

    def read(*words: str) -> str:
        shown = CliRunner().invoke(command_line, ["get", *words])
        assert shown.exit_code == 0, (words, shown.exception)
        return shown.stdout

    assert list(json.loads(read(f"customers/{acme}?fields=country"))["values"]) == ["country"]
    for same in (f"customers/{acme}", f"v1/customers/{acme}", f"/v1/customers/{acme}"):
        assert json.loads(read(same))["id"] == acme
    assert read("customers/export?format=csv").splitlines()[1].startswith(acme)
    assert json.loads(read("customers/export"))["id"] == acme, "one line for each record"
    assert read("/metrics").startswith("# HELP")


def test_the_command_line_tells_where_no_hub_answers() -> None:
    shown = CliRunner().invoke(command_line, ["get", "status", "--url", "http://127.0.0.1:9", "--key", "mdm_x"])

    assert isinstance(shown.exception, OperatorError)
    assert "No hub answers at http://127.0.0.1:9" in shown.exception.message
    assert "--url" in shown.exception.advice


def test_postings_are_judged_before_they_are_made(rows: HubRows, hub: Hub) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"validated": True})
    given = {
        "company_code": "1000", "posting_date": "2025-05-10", "currency": "EUR", "partner": ERP_ACME.key,
        "lines": [{"account": "1200"}],
    }  # fmt: skip
    strange = {**given, "reference": "JE500", "currency": "TRY"}

    found = hub.validate_postings([{**given, "reference": f"JE{number}"} for number in range(500)] + [strange])

    assert [each.reference for each in found] == [f"JE{number}" for number in range(501)]
    assert {(each.passes, each.customer) for each in found[:-1]} == {(True, acme)}
    (reason,) = found[-1].reasons
    assert (found[-1].passes, reason.code, reason.owner) == (False, "CURRENCY_NOT_MAINTAINED", "finance-accounting")
    assert hub.validate_postings([]) == []
