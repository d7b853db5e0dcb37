"""The console's one box: for names, identifiers, keys and traces, and what people without clearance find by it."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.ledger import write_audit
from mdm.store.tables import metadata
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows, inserted
from tests.api.test_console import sign_in

LETTERS = metadata.tables["dead_letter"]


@pytest.mark.parametrize("q", ["{id}", "crm:account:A1", "crm:account#short:A"])
def test_one_box_leads_straight_to_what_is_named(rows: HubRows, steward: TestClient, q: str) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, aliases=[CrosswalkKey("crm", "account#short", "A")])

    answer = steward.get("/console/search", params={"q": q.replace("{id}", acme)})

    assert answer.url.path == f"/console/customers/{acme}"


def test_one_box_finds_names_identifiers_and_bare_keys(rows: HubRows, steward: TestClient) -> None:
    invoice = CrosswalkKey("billing", "invoice", "in_77")
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils", "nl169963937b05"])
    rows.source(invoice, domain=None, kind="invoice", aliases=[CrosswalkKey("billing", "invoice#number", "INV-77")])

    for q in ("anvil", "NL 169963937 B05"):
        assert "Acme Anvils B.V." in steward.get("/console/search", params={"q": q}).text
    assert "billing invoice in_77" in steward.get("/console/search", params={"q": "INV-77"}).text
    assert "Nothing." in steward.get("/console/search", params={"q": "nobody"}).text


@pytest.mark.parametrize("address", ["/console/search", "/console/customers"])
def test_a_viewer_cannot_find_out_an_identifier_letter_by_letter(
    rows: HubRows, app: FastAPI, keys: dict[Role, str], steward: TestClient, address: str
) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils", "nl169963937b05"])
    viewer = TestClient(app)
    sign_in(viewer, keys[Role.VIEWER])

    def finds(browser: TestClient, q: str) -> bool:
        return "Acme Anvils B.V." in browser.get(address, params={"q": q}).text

    assert [finds(steward, q) for q in ("nl1699", "anvi", "NL169963937B05")] == [True, True, True]
    # Whole words and whole identifiers find records for everybody.
    assert [finds(viewer, q) for q in ("nl1699", "anvi", "acme anvils", "NL169963937B05")] == [False, False, True, True]


@pytest.mark.parametrize("address", ["/console/search", "/console/customers"])
def test_a_mistyped_word_finds_what_resembles_it_and_the_page_says_so(
    rows: HubRows, steward: TestClient, address: str
) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils"])

    page = steward.get(address, params={"q": "acme anvlis"}).text
    assert "Acme Anvils B.V." in page
    assert "Nothing has all of these words" in page
    assert "Nothing has all of these words" not in steward.get(address, params={"q": "acme anvils"}).text
    assert "Acme Anvils B.V." not in steward.get(address, params={"q": "something else"}).text


@pytest.mark.parametrize("q", ["{id}", "00-{id}-00f067aa0ba902b7-01", "{ID}"])
def test_one_box_finds_what_followed_from_a_traced_change(rows: HubRows, steward: TestClient, q: str) -> None:
    acme, trace = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), "4bf92f3577b34da6a3ce929d0e0e4736"
    rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"name": "Acme of another trace"})
    with rows.engine.begin() as connection:
        connection.execute(
            text("update outbox set traceparent = '00-' || :trace || '-00f067aa0ba902b7-01' where aggregateid = :id"),
            {"trace": trace, "id": acme},
        )
        refused = {"topic": "crm.public.account", "partition": 0, "timestamp_ms": 0, "headers": [], "code": "KEY_NULL"}
        said = {"action": "send a key", "owner": "crm", "system": "crm", "type": "account"}
        for offset, (reason, of) in enumerate({"It has no key.": trace, "Of another trace.": "0" * 32}.items()):
            connection.execute(inserted(LETTERS, **refused, **said, offset=offset, reason=reason, trace_id=of))

    asked = q.format(id=trace, ID=trace.upper())
    page = steward.get("/console/search", params={"q": asked}).text

    assert "What followed from the traced change" in page
    assert f'href="/console/search?q={acme}">Acme Anvils B.V.</a>' in page
    assert "Acme of another trace" not in page
    assert "Refused messages of the trace" in page
    assert re.findall(r'href="/console/exceptions/letters/\d+">D\d+</a>', page)
    assert "It has no key." in page
    assert "Of another trace." not in page


def test_only_who_reads_the_audit_finds_what_it_says(
    rows: HubRows, app: FastAPI, keys: dict[Role, str], engine: Engine
) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        write_audit(work, "user:ada", "steward.comment", "task 7", {"comment": "their number is 4711-0815"})

    def finds(role: Role, q: str) -> bool:
        browser = TestClient(app)
        sign_in(browser, keys[role])
        return "In the audit" in browser.get("/console/search", params={"q": q}).text

    assert finds(Role.AUDITOR, "4711-0815")
    # Not even a beginning: what somebody wrote could be found out letter by letter.
    assert not any(finds(role, q) for role in (Role.VIEWER, Role.STEWARD) for q in ("4711", "user:ada", "task 7"))
