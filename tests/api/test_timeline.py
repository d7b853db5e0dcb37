"""What happened with a customer, in the order of the business: every row once, with what it belongs to."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from mdm.access import Role, Scope
from mdm.client import Hub
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_timeline import KINDS, Window, timeline_of
from tests.api.conftest import As
from tests.api.paging import pages
from tests.api.rows import ACME, CRM_ACME, NOON, HubRows
from tests.api.test_client import Through
from tests.api.test_scopes import Client, TwoRegions, lines, regions, with_scope

__all__ = ["lines", "regions", "with_scope"]

BILLED = CrosswalkKey("billing", "customer", "B1")
SIGNED, SUBSCRIPTION = CrosswalkKey("crm", "contract", "C1"), CrosswalkKey("billing", "subscription", "S1")
NUMBER = CrosswalkKey("billing", "invoice#number", "INV-1")
INVOICE = CrosswalkKey("billing", "invoice", "I1")


def fact(rows: HubRows, kind: str, name: str, attributes: dict[str, Any], **references: CrosswalkKey) -> None:
    system, type_, key = name.split("/")
    rows.source(
        CrosswalkKey(system, type_, key), domain=None, kind=kind, attributes=attributes, references=references.items(),
        aliases=[NUMBER] if kind == "invoice" and key == "I1" else [],
    )  # fmt: skip


def lived(rows: HubRows) -> tuple[str, str]:
    """A customer from opportunity to posting; its id, and that of its contract."""
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(BILLED, attributes=ACME, entity_id=acme)
    agreed = {"number": "CT-1", "customer": CRM_ACME._asdict(), "status": "active", "value": "1200.00",
              "currency": "EUR", "start_date": "2025-01-01"}  # fmt: skip
    contract = rows.golden(Domain.CONTRACT, SIGNED, agreed, references=[("customer", CRM_ACME)])
    rows.source(
        SUBSCRIPTION, domain=Domain.CONTRACT, entity_id=contract, references=[("customer", BILLED)],
        attributes={"number": "S1", "status": "active", "start_date": "2025-01-02", "currency": "EUR"},
    )  # fmt: skip
    won = {"name": "Deal", "stage": "Closed Won", "amount": "1200.00", "currency": "EUR", "close_date": "2024-12-10"}
    fact(rows, "opportunity", "crm/opportunity/O1", won, customer=CRM_ACME)
    fact(rows, "order", "erp/sales_order/77", {"number": "77", "order_date": "2024-12-20"}, contract=SIGNED)
    right = {"valid_from": "2025-01-03", "quantity": 5, "status": "active"}
    fact(rows, "entitlement", "product/entitlement/E1", right, contract=SUBSCRIPTION)
    used = {"quantity": "900", "period_start": "2025-01-01", "period_end": "2025-01-31"}
    fact(rows, "usage_batch", "product/usage_batch/1", used, customer=BILLED)
    billed = {"number": "INV-1", "status": "paid", "total": "100.00", "currency": "EUR",
              "issued_at": "2025-02-03T10:00:00.000000Z"}  # fmt: skip
    fact(rows, "invoice", "billing/invoice/I1", billed, customer=BILLED, contract=SUBSCRIPTION)
    fact(rows, "invoice_line", "billing/invoice_line/L1", {"amount": "100.00"}, invoice=INVOICE)
    booked = {"journal_entry": "J1", "amount": "100.00", "currency": "EUR", "posting_date": "2025-02-04",
              "status": "posted"}  # fmt: skip
    fact(rows, "posting", "erp/posting/J1|1", booked, invoice=NUMBER)
    fact(rows, "payment", "billing/payment/P1", {"amount": "100.00", "status": "succeeded"}, invoice=INVOICE)
    return acme, contract


def told(client: TestClient, customer: str, **asked: Any) -> list[dict[str, Any]]:
    return pages(client, f"/v1/customers/{customer}/timeline", **asked)


def test_everything_is_told_in_the_order_in_which_it_happened(rows: HubRows, client_of: As) -> None:
    acme, contract = lived(rows)

    events = told(client_of(Role.STEWARD), acme)

    assert [(each["kind"], each["key"], each["date"]) for each in events] == [
        ("opportunity", "O1", "2024-12-10"), ("order", "77", "2024-12-20"), ("contract", "C1", "2025-01-01"),
        ("subscription", "S1", "2025-01-02"), ("entitlement", "E1", "2025-01-03"), ("usage_batch", "1", "2025-01-31"),
        ("invoice", "I1", "2025-02-03"), ("posting", "J1|1", "2025-02-04"), ("payment", "P1", "2025-06-01"),
    ]  # fmt: skip
    by_kind = {each["kind"]: each for each in events}
    assert set(by_kind) == set(KINDS)
    assert {kind for kind, each in by_kind.items() if each["contract"] == contract} == set(KINDS) - {
        "opportunity", "usage_batch",
    }  # fmt: skip
    for kind in ("subscription", "entitlement", "invoice", "posting", "payment"):
        assert by_kind[kind]["subscription"] == SUBSCRIPTION._asdict(), kind
    assert (by_kind["order"]["subscription"], by_kind["contract"]["subscription"]) == (None, None)
    assert by_kind["payment"]["invoice"] == by_kind["posting"]["invoice"] == INVOICE._asdict()
    invoice, payment = by_kind["invoice"], by_kind["payment"]
    assert (invoice["number"], invoice["amount"], invoice["currency"], invoice["state"]) == (
        "INV-1", "100.00", "EUR", "paid",
    )  # fmt: skip
    assert (invoice["at"], invoice["dated_by"], payment["dated_by"]) == (
        "2025-02-03T10:00:00.000000Z", "issued_at", "event_time",
    )  # fmt: skip
    assert (by_kind["opportunity"]["state"], by_kind["contract"]["amount"]) == ("Closed Won", "1200.00")
    assert (by_kind["posting"]["number"], by_kind["entitlement"]["quantity"]) == ("J1", "5")
    place = invoice["position"]
    assert (place["topic"], place["partition"], place["offset"] > 0) == ("billing.public.invoice", 0, True)


def test_open_findings_stand_with_the_rows_that_they_are_about(rows: HubRows, client_of: As) -> None:
    acme, contract = lived(rows)
    late = {"number": "INV-2", "status": "open", "total": "70.00", "currency": "EUR", "period_start": "2025-03-01",
            "issued_at": "2025-03-03T10:00:00.000000Z"}  # fmt: skip
    fact(rows, "invoice", "billing/invoice/I2", late, customer=BILLED, contract=SUBSCRIPTION)

    events = {each["key"]: each for each in told(client_of(Role.STEWARD), acme)}

    assert [(each["code"], each["owner"], each["subject"]["key"]) for each in events["I2"]["findings"]] == [
        ("POSTING_MISSING", "finance-accounting", "I2")
    ]
    assert events["P1"]["findings"] == []
    assert events["I2"]["contract"] == contract
    assert {each["findings"] is None for each in told(client_of(Role.ERP_READER), acme)} == {True}


def test_days_and_kinds_narrow_it_and_pages_leave_nothing_out(rows: HubRows, erp: TestClient) -> None:
    acme, _ = lived(rows)
    everything = told(erp, acme)

    assert told(erp, acme, limit=2) == told(erp, acme, limit=1) == everything
    assert [each["key"] for each in told(erp, acme, since="2025-01-02", until="2025-02-03")] == ["S1", "E1", "1", "I1"]
    assert [each["key"] for each in told(erp, acme, kinds="invoice,payment", limit=1)] == ["I1", "P1"]
    assert told(erp, acme, since="2026-01-01") == told(erp, acme, until="2020-01-01") == []


@pytest.mark.parametrize(
    "asked",
    ["since=soon", "until=2025-13-01", "kinds=invoice,love", "kinds=", "kinds=invoice,", "cursor=AAAA", "kind=invoice",
     "limit=0", "since=2025-01-01T00:00:00Z"],
)  # fmt: skip
def test_what_is_not_understood_is_refused(rows: HubRows, erp: TestClient, asked: str) -> None:
    acme, _ = lived(rows)

    assert erp.get(f"/v1/customers/{acme}/timeline?{asked}").status_code in (400, 422)


def test_what_is_no_time_is_not_taken_for_one(rows: HubRows, engine: Engine) -> None:
    acme, _ = lived(rows)
    fact(rows, "invoice", "billing/invoice/I8", {"issued_at": "soon", "period_start": "2025-01-15"}, customer=BILLED)
    fact(rows, "order", "erp/sales_order/78", {"order_date": "after Easter"}, customer=BILLED)

    with engine.connect() as connection:
        found = timeline_of(connection, EntityId(acme), (), Window(kinds=("invoice", "order")), 50)

    told_at = {each.key.key: (each.at[:10], each.dated_by) for each in found}
    assert (told_at["I8"], told_at["78"]) == (("2025-01-15", "period_start"), (f"{NOON:%Y-%m-%d}", None))


def test_a_cursor_belongs_to_its_filters(rows: HubRows, erp: TestClient) -> None:
    acme, _ = lived(rows)
    cursor = erp.get(f"/v1/customers/{acme}/timeline?limit=1").json()["next"]

    answer = erp.get(f"/v1/customers/{acme}/timeline?limit=1&kinds=invoice&cursor={cursor}")

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-cursor")


def test_who_may_not_see_amounts_sees_what_happened_without_them(rows: HubRows, client_of: As) -> None:
    acme, _ = lived(rows)

    events = {each["key"]: each for each in told(client_of(Role.VIEWER), acme)}

    assert {key for key, each in events.items() if "amount" in each["masked"]} == {"O1", "C1", "I1", "J1|1", "P1"}
    assert {each["amount"] for each in events.values()} <= {None, "***"}
    assert (events["I1"]["state"], events["I1"]["date"], events["I1"]["number"]) == ("paid", "2025-02-03", "INV-1")
    assert events["E1"]["masked"] == ["quantity"]


def test_a_merged_customer_is_told_at_its_survivor_with_what_names_it(rows: HubRows, erp: TestClient) -> None:
    acme, _ = lived(rows)
    other = CrosswalkKey("crm", "account", "A9")
    loser = rows.golden(Domain.CUSTOMER, other, ACME)
    fact(rows, "opportunity", "crm/opportunity/O9", {"stage": "Open", "close_date": "2025-05-05"}, customer=other)
    rows.merge(loser, acme, at=NOON + timedelta(hours=1))

    redirect = erp.get(f"/v1/customers/{loser}/timeline?kinds=opportunity")

    assert redirect.status_code == 308
    assert redirect.headers["location"] == f"/v1/customers/{acme}/timeline?kinds=opportunity"
    assert [each["key"] for each in told(erp, acme, kinds="opportunity")] == ["O1", "O9"]
    assert erp.get("/v1/customers/cus_nobody/timeline").status_code == 404


@pytest.mark.usefixtures("lines")
def test_what_is_out_of_reach_is_not_told(regions: TwoRegions, with_scope: Client) -> None:
    europe = with_scope(Role.STEWARD, Scope(regions=frozenset({"EMEA"})))

    assert {each["key"] for each in told(europe, regions.acme)} == {"NL-CONTRACT", "INV-NL-1"}
    assert europe.get(f"/v1/customers/{regions.bolt}/timeline").status_code == 404


def test_the_number_of_statements_does_not_grow_with_what_happened(rows: HubRows, engine: Engine) -> None:
    acme, _ = lived(rows)

    def statements() -> tuple[int, int]:
        asked: list[str] = []

        def note(*told: Any) -> None:
            asked.append(told[2])

        with engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", note)
            found = timeline_of(connection, EntityId(acme), {"billing.subscription"}, Window(), 500)
            event.remove(connection, "before_cursor_execute", note)
        return len(found), len(asked)

    few = statements()
    for number in range(30):
        issued = {"number": f"N{number}", "issued_at": f"2025-03-{number + 1:02}T00:00:00Z"}
        key = CrosswalkKey("billing", "invoice", f"N{number}")
        fact(rows, "invoice", f"billing/invoice/N{number}", issued, customer=BILLED, contract=SUBSCRIPTION)
        fact(rows, "payment", f"billing/payment/N{number}", {"status": "succeeded"}, invoice=key)
    many = statements()

    assert (few[0], many[0]) == (9, 69)
    assert few[1] == many[1] <= 6


def test_the_timelines_of_the_sample_world_agree_with_its_facts(
    world: Callable[[Role], TestClient], ingested: Engine
) -> None:
    """Of the customers with most invoices: every fact once, in order, and the invoiced sum is that of the invoices."""
    client = world(Role.STEWARD)
    with ingested.connect() as connection:
        customers = connection.scalars(
            text("""select x.entity_id from record_reference f
                    join source_record i on i.rec_id = f.rec_id and i.kind = 'invoice' and not i.deleted
                    join source_record c on c.system = f.system and c.type = f.type and c.key = f.key
                    join crosswalk x on x.rec_id = c.rec_id
                    where f.role = 'customer' group by 1 order by count(*) desc, 1 limit 8""")
        ).all()  # fmt: skip
    kinds: Counter[str] = Counter()
    wrong, said = set[tuple[str, str]](), set[tuple[str, str]]()
    for customer in customers:
        events = told(client, customer, limit=200)
        facts = pages(client, f"/v1/customers/{customer}/facts", limit=200)
        contracts = {each["id"] for each in pages(client, f"/v1/customers/{customer}/contracts", limit=200)}

        places = [(each["system"], each["type"], each["key"]) for each in events]
        assert len(places) == len(set(places))
        assert [each["at"] for each in events] == sorted(each["at"] for each in events)
        wanted = {(each["system"], each["type"], each["key"]) for each in facts if each["kind"] in KINDS}
        assert wanted <= set(places)
        total = sum(Decimal(each["attributes"]["total"]) for each in facts if each["kind"] == "invoice")
        mine = {(each["system"], each["key"]) for each in facts if each["kind"] == "invoice"}
        invoiced = [each for each in events if each["kind"] == "invoice" and (each["system"], each["key"]) in mine]
        assert sum(Decimal(each["amount"]) for each in invoiced) == total
        agreed = {each["contract"] for each in events if each["kind"] in ("contract", "subscription")}
        assert agreed == contracts
        about = pages(client, "/v1/findings", customer=customer, limit=200)
        wrong |= {(each["rule"], fact["key"]) for each in about for fact in each["facts"]} & {
            (each["rule"], place[2]) for each in about for place in places
        }
        said |= {(finding["rule"], each["key"]) for each in events for finding in each["findings"]}
        kinds.update(each["kind"] for each in events)
    assert set(kinds) == set(KINDS)
    assert wrong == said
    assert wrong


def test_usage_is_told_with_the_invoice_that_bills_it(world: Callable[[Role], TestClient]) -> None:
    client = world(Role.STEWARD)
    billed = next(each for each in pages(client, "/v1/process/usage-to-revenue", limit=200) if each["invoice"])

    events = told(client, billed["customer"], kinds="usage_batch", limit=200)

    found = next(each for each in events if each["key"] == billed["batch"]["key"])
    assert {name: found[name] for name in ("contract", "subscription", "invoice")} == {
        name: billed[name] for name in ("contract", "subscription", "invoice")
    }


def test_the_client_reads_timelines(rows: HubRows, app: FastAPI, keys: dict[Role, str]) -> None:
    acme, contract = lived(rows)
    hub = Hub("http://testserver", keys[Role.ERP], transport=Through(app))

    events = list(hub.timeline(acme, kinds="invoice,posting", limit=1))

    assert [(each.kind, each.date, each.amount, each.currency) for each in events] == [
        ("invoice", "2025-02-03", "100.00", "EUR"), ("posting", "2025-02-04", "100.00", "EUR"),
    ]  # fmt: skip
    assert {each.contract for each in events} == {contract}
    assert {each.findings for each in events} == {None}
