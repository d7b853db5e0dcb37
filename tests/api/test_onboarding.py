"""Verdicts over HTTP: candidates, golden customers, confirmations, waivers, and the catalogue."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.test_console import form_token

World = Callable[[Role], TestClient]

CANDIDATE: Mapping[str, Any] = {
    "name": "Nordlicht Fabelwerk GmbH",
    "legal_form": "GmbH",
    "country": "DE",
    "address": {"street": "Hauptstraße 1", "postal_code": "80331", "city": "München", "country": "DE"},
    "identifiers": [{"type": "vat", "country": "DE", "value": "DE 136 695 976"}],
    "phones": ["+49 89 4140730"],
    "emails": ["info@nordlicht-fabelwerk.de"],
}


def validated(client: TestClient, **candidate: Any) -> dict[str, Any]:
    accounts = {"company_code": "1010", "reconciliation_account": "140000"}
    body = {"candidate": candidate, "target": {"erp": "sap", "account": accounts}}
    response = client.post("/v1/onboarding/validate", json=body)
    assert response.status_code == 200, response.text
    verdict: dict[str, Any] = response.json()
    return verdict


def failures(verdict: Mapping[str, Any]) -> set[str]:
    return {each["code"] for each in verdict["findings"] if each["outcome"] == "fail"}


def test_a_new_customer_lacks_only_what_people_must_confirm(world: World) -> None:
    verdict = validated(world(Role.ERP), values=CANDIDATE)

    assert failures(verdict) == {"CHECKPOINT_MISSING"}
    assert verdict["decision"] == "needs_review"
    assert verdict["subject"] == {"type": "customer", "id": None, "version": 0}
    assert [each["number"] for each in verdict["checks"]] == list(range(1, 19))


def test_equal_questions_get_equal_bytes(world: World) -> None:
    body = {"candidate": {"values": CANDIDATE}}
    client = world(Role.ERP)

    first, second = (client.post("/v1/onboarding/validate", json=body) for _ in range(2))

    assert first.content == second.content
    drawn = [datetime.fromisoformat(each.headers["x-evaluated-at"]) for each in (first, second)]
    assert drawn[0] < drawn[1], "beside the verdict it says when it was drawn"
    assert first.headers["x-trace-id"] != second.headers["x-trace-id"]


def test_a_customer_that_the_hub_has_is_named_instead_of_created_twice(world: World, ingested: Engine) -> None:
    with ingested.connect() as connection:
        entity_id, values = connection.execute(
            text(
                """select entity_id, values from golden where domain = 'customer' and known_to is null
                   and jsonb_path_exists(values, '$.identifiers[*] ? (@.type == "vat" && @.state == "valid")')
                   and values->'address'->>'city' is not null order by members desc, entity_id limit 1"""
            )
        ).one()
    known = {name: values[name] for name in ("name", "country", "address") if values.get(name)}
    known["identifiers"] = [
        {"type": each["type"], "country": each["country"], "value": each["value"]} for each in values["identifiers"]
    ]

    verdict = validated(world(Role.ERP), values=known)

    same = [each for each in verdict["findings"] if each["code"] == "DUPLICATE_CERTAIN" and each["outcome"] == "fail"]
    assert entity_id in {each["params"]["entity_id"] for each in same}
    assert verdict["decision"] == "blocked"
    assert "TAX_ID_DUPLICATE" in failures(verdict)


def test_a_mistyped_bank_account_blocks_and_leaves_masked(world: World) -> None:
    account = {"iban": "DE89370400440532013001", "holder": "Nordlicht Fabelwerk GmbH"}

    verdict = validated(world(Role.ERP), values=CANDIDATE, bank_accounts=[account])

    assert "IBAN_CHECKSUM" in failures(verdict)
    assert "DE89370400440532013001" not in str(verdict)


def test_each_target_has_its_own_field_lengths(world: World) -> None:
    client = world(Role.ERP)
    long = {**CANDIDATE, "name": "Nordlicht " + "Fabelwerkstoffverarbeitungsmaschinenbaugesellschaft GmbH"}

    def fits(erp: str) -> bool:
        body = {"candidate": {"values": long}, "target": {"erp": erp}}
        return "NAME_TOO_LONG" not in failures(client.post("/v1/onboarding/validate", json=body).json())

    assert [fits(erp) for erp in ("sap", "odoo")] == [False, True]


@pytest.mark.parametrize(
    "body", [{}, {"entity_id": "cus_1", "candidate": {"values": {}}}, {"candidate": {"values": {"nmae": "x"}}}]
)
def test_a_question_that_names_nobody_or_misspells_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world(Role.ERP).post("/v1/onboarding/validate", json=body).status_code == 422


def test_nobody_gets_a_verdict_on_an_id_that_was_never_issued(world: World) -> None:
    assert world(Role.READER).get("/v1/customers/cus_nobody/readiness").status_code == 404


def test_a_customer_that_is_not_ready_is_refused_to_who_insists(world: World, ingested: Engine) -> None:
    client = world(Role.ERP)
    with ingested.connect() as connection:
        ids = connection.execute(
            text("select entity_id from golden where domain = 'customer' and known_to is null order by 1 limit 40")
        ).scalars()
        customers = list(ids)

    seen = set()
    for entity_id in customers:
        decision = client.get(f"/v1/customers/{entity_id}/readiness").json()["decision"]
        answer = client.get(f"/v1/customers/{entity_id}", params={"require": "ready"})
        ready = decision in ("ready", "ready_with_warnings")
        seen.add(ready)
        assert answer.status_code == (200 if ready else 409)
        if not ready:
            assert answer.json()["type"].endswith("/not-ready")
            assert answer.json()["findings"]
    assert seen == {True, False}


def test_every_code_has_a_page_that_says_what_to_do(world: World) -> None:
    client = world(Role.READER)

    listed = client.get("/v1/onboarding/codes").json()["items"]

    assert {each["code"] for each in listed} == set(shipped_ruleset().rules)
    for each in listed:
        assert client.get(f"/v1/onboarding/codes/{each['code']}").json()["hint"]
    assert client.get("/v1/onboarding/codes/NO_SUCH").status_code == 404


def test_a_customer_goes_back_to_who_asked_for_it_and_its_page_keeps_what_was_said(
    rows: HubRows, steward: TestClient, client_of: Callable[[Role], TestClient]
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    client, address = client_of(Role.STEWARD), f"/v1/customers/{acme}/return"
    page = f"/console/customers/{acme}/readiness"
    token = form_token(steward.get(page).text)

    def posted(what: str, reason: str) -> tuple[int, str]:
        answer = steward.post(f"{page}/{what}", data={"csrf": token, "reason": reason})
        return answer.status_code, answer.text

    returned = client.put(address, json={"reason": "the extract is of another company"}).json()
    assert returned["decision"] == "blocked"
    assert "RETURNED_TO_REQUESTER" in failures(returned)
    assert client.put(address, json={"reason": "again"}).status_code == 409
    assert client.put(address, json={"reason": " "}).status_code == 422
    told = steward.get(page).text
    assert "the extract is of another company" in told
    assert "Take it up again" in told
    assert posted("take-up", "the right extract came")[0] == 200
    assert client.delete(address, params={"reason": "nobody had"}).status_code == 404
    assert posted("return", "")[0] == 409
    status, told = posted("return", "no tax number")
    assert status == 200
    assert all(
        each in told for each in ("the extract is of another company", "the right extract came", "no tax number")
    )
    taken = client.delete(address, params={"reason": "it is exempt"}).json()
    assert "RETURNED_TO_REQUESTER" not in failures(taken)
    assert client_of(Role.READER).put(address, json={"reason": "x"}).status_code == 403
    history = f"/v1/customers/{acme}/onboarding-history"
    first = client.get(history, params={"limit": 1}).json()
    second = client.get(history, params={"limit": 1, "cursor": first["next"]}).json()
    assert [(each["reason"], each["answer"]) for each in (*first["items"], *second["items"])] == [
        ("no tax number", "it is exempt"),
        ("the extract is of another company", "the right extract came"),
    ]
    assert second["next"] is None
    assert client_of(Role.ERP).get(history).status_code == 403
    assert client.get("/v1/customers/cus_nobody/onboarding-history").status_code == 404


def test_who_may_not_waive_is_told_who_may_or_that_nobody_does(
    rows: HubRows, steward: TestClient, client_of: Callable[[Role], TestClient]
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rules = shipped_ruleset().rules
    code, by_finance = (
        next(each for each, rule in rules.items() if rule.waivable_by == by)
        for by in ((), ("approver_finance", "data_owner", "admin"))
    )
    client = client_of(Role.STEWARD)

    def told(code: str, address: str, **given: str) -> str:
        answer = client.post(f"/v1/customers/{acme}/waivers{address}", json={"code": code, "path": "", **given})
        assert answer.status_code == 403
        return str(answer.json()["detail"])

    for address, given in (("", {"reason": "x", "expires_on": "2999-12-31"}), ("/approve", {})):
        assert f"Nobody may waive {code}." in told(code, address, **given)
        assert f"steward may not waive {by_finance}." in told(by_finance, address, **given)
    page = steward.get(f"/console/customers/{acme}/readiness").text
    assert "Nobody may waive it." in page


def test_every_page_of_a_customer_says_whether_it_is_ready_and_evidence_how_old_it_is(
    rows: HubRows, engine: Engine, steward: TestClient
) -> None:
    number = "NL169963937B05"
    vat = {"type": "vat", "country": "NL", "value": number, "normal": number, "checksum": "valid"}
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME | {"identifiers": [vat]})
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into attestation (provider, key, answer, checked_at, facts)
                   values ('VIES', 'NL169963937B05', 'confirmed', now() - interval '3 days', '{}')"""
            )
        )
    verdict = steward.get(f"/console/customers/{acme}/readiness").text
    word = "blocked" if "blocked</span>" in verdict else "needs review"

    for tab in ("", "/sources", "/history", "/hierarchy", "/graph", "/access"):
        page = steward.get(f"/console/customers/{acme}{tab}").text
        assert re.search(
            rf'<a class="chip \w+" data-swap href="/console/customers/{acme}/readiness">.*ERP: {word}</a>', page
        )
    assert re.search(r"asked <time [^>]+>3\sd ago</time>", verdict)
