"""A change of a sensitive attribute that comes by a feed reaches no ERP before somebody has agreed to it."""

import itertools
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.asking_erp import ask_about_changes
from mdm.hub.erp_gates import pass_gates, tell_gated
from mdm.model.ids import Domain, EntityId
from tests.api.conftest import As
from tests.api.rows import ERP_ACME, HubRows
from tests.api.test_console_pages import entered
from tests.api.test_erp import FULL

CUSTOMERS = "/v1/erp/sap/customers"
THIRTY, SIXTY, NINETY = ({**FULL, "payment_terms": each} for each in ("NT30", "NT60", "NT90"))
CAME: dict[str, Any] = {
    "payment_terms": {
        "record": {"system": "erp", "type": "business_partner", "key": "0001000001"},
        "topic": "erp.public.business_partner", "partition": 0, "offset": 4711, "lsn": 1, "transaction": "5:1",
        "event_time": "2025-06-01T12:00:00+00:00", "rule": "most_trusted", "ruleset": "rules-1", "runners_up": [],
    }
}  # fmt: skip


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    """Numbered behind what units of work announce here."""
    found = HubRows(engine)
    found._batches = 1000
    return found


@pytest.fixture
def acme(rows: HubRows, erp: TestClient) -> EntityId:
    """A customer that SAP is served, and whose terms of payment a platform changed since."""
    made = rows.golden(Domain.CUSTOMER, ERP_ACME, THIRTY)
    assert erp.get(f"{CUSTOMERS}/{made}").json()["version"] == 1
    rows.version(made, Domain.CUSTOMER, SIXTY, lineage=CAME)
    return made


def judged(engine: Engine, *erps: str) -> None:
    """What the calendar does, for one ERP or several."""
    for each in erps or ("sap",):
        pass_gates(engine, system_clock(), each)
    ask_about_changes(engine, system_clock, lambda system, table: f"owners of {system}.{table}")


def proposals(engine: Engine, status: str = "open") -> list[tuple[int, str]]:
    with engine.connect() as connection:
        asked = text("select proposal_id, reason from proposal where status = :status order by proposal_id")
        return [(row[0], row[1]) for row in connection.execute(asked, {"status": status})]


def exceptions(engine: Engine) -> list[tuple[str, str, str, str]]:
    with engine.connect() as connection:
        asked = text("select status, owner, place, detail from exception where kind = 'erp_change' order by 1")
        return [tuple(row) for row in connection.execute(asked)]


def served(erp: TestClient, id: str) -> tuple[int, Any]:
    found = erp.get(f"{CUSTOMERS}/{id}").json()
    return found["version"], found["held"] and [(each["code"], each["attribute"]) for each in found["held"]["reasons"]]


def test_it_waits_and_one_proposal_asks_with_both_values_the_place_and_the_rule(
    acme: EntityId, erp: TestClient, engine: Engine, client_of: As
) -> None:
    for _ in range(3):
        judged(engine)

    assert served(erp, acme) == (1, [("SENSITIVE_CHANGE", "payment_terms")])
    ((number, reason),) = proposals(engine)
    assert "erp.business_partner 0001000001 at erp.public.business_partner/0/4711 by rule most_trusted" in reason
    assert "accountable: " in reason
    assert "NT60" not in reason, "values are in the preview, where they are masked"
    shown = client_of(Role.APPROVER_FINANCE).get(f"/v1/approvals/{number}/preview").json()
    (entity,) = shown["entities"]
    assert (entity["before"], entity["after"]) == ({"payment_terms": "NT30"}, {"payment_terms": "NT60"})
    assert entity["lineage"]["payment_terms"]["offset"] == 4711
    assert erp.get("/v1/erp/sap/held").json()["items"][0]["proposal_id"] == number


def test_who_agrees_lets_it_through_once_and_a_later_change_waits_again(
    rows: HubRows, acme: EntityId, erp: TestClient, engine: Engine, client_of: As
) -> None:
    judged(engine)
    ((number, _),) = proposals(engine)
    assert client_of(Role.STEWARD).post(f"/v1/approvals/{number}/approve", json={}).status_code == 403

    answer = client_of(Role.APPROVER_FINANCE).post(f"/v1/approvals/{number}/approve", json={"comment": "called them"})

    assert answer.status_code == 200, answer.text
    assert served(erp, acme) == (2, None)
    rows.version(acme, Domain.CUSTOMER, THIRTY, lineage=CAME)
    judged(engine)
    assert served(erp, acme) == (2, [("SENSITIVE_CHANGE", "payment_terms")])
    rows.version(acme, Domain.CUSTOMER, SIXTY, lineage=CAME)
    judged(engine)
    assert served(erp, acme) == (4, None)
    rows.version(acme, Domain.CUSTOMER, NINETY, lineage=CAME)
    judged(engine)
    assert served(erp, acme) == (4, [("SENSITIVE_CHANGE", "payment_terms")]), "another value than was agreed to"


def test_what_was_agreed_to_passes_by_the_calendar_too(acme: EntityId, engine: Engine, client_of: As) -> None:
    judged(engine)
    client_of(Role.APPROVER_FINANCE).post(f"/v1/approvals/{proposals(engine)[0][0]}/approve", json={})

    assert pass_gates(engine, system_clock(), "sap").judged == 1
    assert pass_gates(engine, system_clock(), "sap").judged == 0


def test_who_turns_it_down_keeps_it_held_and_the_owner_of_the_source_is_told(
    rows: HubRows, acme: EntityId, erp: TestClient, engine: Engine, client_of: As
) -> None:
    judged(engine)
    ((number, _),) = proposals(engine)

    why = {"comment": "nobody knows of it"}
    answer = client_of(Role.APPROVER_FINANCE).post(f"/v1/approvals/{number}/reject", json=why)
    judged(engine)
    judged(engine)

    assert answer.status_code in (200, 204), answer.text
    assert served(erp, acme) == (1, [("SENSITIVE_CHANGE_REJECTED", "payment_terms")])
    assert proposals(engine) == []
    ((status, owner, place, detail),) = exceptions(engine)
    assert (status, owner, place) == ("open", "owners of erp.business_partner", "erp.public.business_partner/0/4711")
    assert "payment_terms" in detail
    assert "NT60" not in detail
    rows.version(acme, Domain.CUSTOMER, {**SIXTY, "language": "nl"}, lineage=CAME)
    judged(engine)
    assert served(erp, acme)[0] == 1, "another version with the same values is the same change"
    assert proposals(engine) == []
    rows.version(acme, Domain.CUSTOMER, {**THIRTY, "language": "nl"}, lineage=CAME)
    judged(engine)
    assert served(erp, acme) == (4, None), "the source has mended it"
    assert [each[0] for each in exceptions(engine)] == ["resolved"]


def test_a_change_that_is_gone_or_another_withdraws_the_question(
    rows: HubRows, acme: EntityId, erp: TestClient, engine: Engine, client_of: As
) -> None:
    judged(engine)
    ((first, _),) = proposals(engine)
    rows.version(acme, Domain.CUSTOMER, NINETY, lineage=CAME)
    pass_gates(engine, system_clock(), "sap")
    late = client_of(Role.APPROVER_FINANCE).post(f"/v1/approvals/{first}/approve", json={})
    assert late.status_code == 409, "what would be let through now is nothing that anybody saw"

    judged(engine)

    ((second, _),) = proposals(engine)
    assert second != first
    rows.version(acme, Domain.CUSTOMER, THIRTY, lineage=CAME)
    judged(engine)
    assert proposals(engine) == []
    assert [each[0] for each in proposals(engine, "withdrawn")] == [first, second]
    assert served(erp, acme) == (4, None)


def test_new_records_and_other_spellings_of_a_number_do_not_wait(rows: HubRows, erp: TestClient) -> None:
    made = rows.golden(Domain.CUSTOMER, ERP_ACME, SIXTY)
    assert served(erp, made) == (1, None)
    spelled = FULL["identifiers"][0] | {"value": "NL 1699.63.937.B05"}
    rows.version(made, Domain.CUSTOMER, {**SIXTY, "identifiers": [spelled]})
    assert served(erp, made) == (2, None)


def test_erps_that_would_see_the_same_change_share_one_question(
    rows: HubRows, acme: EntityId, erp: TestClient, engine: Engine, client_of: As
) -> None:
    other = rows.golden(Domain.CUSTOMER, ERP_ACME._replace(key="0001000002"), THIRTY)
    for each in ("sap", "odoo"):
        erp.get(f"/v1/erp/{each}/customers/{other}")
    rows.version(other, Domain.CUSTOMER, SIXTY, lineage=CAME)
    judged(engine, "sap", "odoo")

    numbers = [number for number, _ in proposals(engine)]
    assert len(numbers) == 2, "one for each customer"
    for number in numbers:
        client_of(Role.APPROVER_FINANCE).post(f"/v1/approvals/{number}/approve", json={})
    for each in ("sap", "odoo"):
        assert erp.get(f"/v1/erp/{each}/customers/{other}").json()["version"] == 2, each


def test_a_value_that_two_persons_pinned_is_not_asked_about_again(
    rows: HubRows, erp: TestClient, engine: Engine
) -> None:
    made = rows.golden(Domain.CUSTOMER, ERP_ACME, THIRTY)
    served(erp, made)
    with engine.begin() as connection:
        for number, approver in ((1, "ben"), (2, None)):
            connection.execute(
                text(
                    """insert into decision (kind, domain, actor, reason, command, effect, records, entities, batch_id,
                         at, approved_by)
                       values ('override', 'customer', 'ada', '', '{}', '{}', '{}', '{}', 1, now(), :approver)"""
                ),
                {"approver": approver},
            )
            connection.execute(
                text(
                    """insert into golden_override (domain, attribute, value, anchors, overruled, author, reason,
                         created_at, decision_id)
                       select 'customer', 'payment_terms', '"NT60"', '{1}', '[]', 'ada', '', now(), max(decision_id)
                       from decision"""
                )
            )
            assert number
    agreed, alone = ({"payment_terms": CAME["payment_terms"] | {"override": {"override_id": each}}} for each in (1, 2))

    rows.version(made, Domain.CUSTOMER, SIXTY, lineage=agreed)
    assert served(erp, made) == (2, None)
    rows.version(made, Domain.CUSTOMER, NINETY, lineage=alone)
    assert served(erp, made) == (2, [("SENSITIVE_CHANGE", "payment_terms")])


@pytest.mark.parametrize("looked_at", list(itertools.product((False, True), repeat=3)))
def test_whoever_looks_when_the_end_is_the_same(
    rows: HubRows, acme: EntityId, erp: TestClient, engine: Engine, looked_at: tuple[bool, ...]
) -> None:
    for look, values in zip(looked_at, (NINETY, SIXTY, {**SIXTY, "language": "nl"}), strict=True):
        rows.version(acme, Domain.CUSTOMER, values, lineage=CAME)
        if look:
            judged(engine)
    judged(engine)
    judged(engine)

    assert served(erp, acme) == (1, [("SENSITIVE_CHANGE", "payment_terms")])
    assert len(proposals(engine)) == 1
    with engine.connect() as connection:
        ((change, status),) = connection.execute(text("select change, status from erp_question")).all()
    assert (len(change), status) == (32, "open")


def test_a_question_that_nobody_answered_in_time_is_asked_again(acme: EntityId, engine: Engine) -> None:
    judged(engine)
    with engine.begin() as connection:
        connection.execute(text("update proposal set expires_at = now() - interval '1 minute'"))

    judged(engine)

    with engine.connect() as connection:
        states = list(connection.scalars(text("select status from proposal order by proposal_id")))
    assert states == ["expired", "open"]


def test_nobody_asks_for_it_in_the_name_of_the_hub(acme: EntityId, engine: Engine, client_of: As) -> None:
    judged(engine)
    ((number, _),) = proposals(engine)
    command = client_of(Role.APPROVER_FINANCE).get(f"/v1/approvals/{number}").json()["command"]
    assert command["command"] == "let_through"

    answer = client_of(Role.STEWARD).post("/v1/decisions", json=command)

    assert answer.status_code == 422, "no client has this command"


def test_the_change_feed_and_the_console_say_what_waits(
    acme: EntityId, engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    judged(engine)
    assert tell_gated(engine, system_clock) == 1
    browser = entered(app, keys[Role.APPROVER_FINANCE])
    ((number, _),) = proposals(engine)

    page = browser.get(f"/console/customers/{acme}/readiness").text
    assert "SENSITIVE_CHANGE" in page
    assert f"/console/approvals/{number}" in page
    shown = browser.get(f"/console/approvals/{number}").text
    assert "a sensitive change for ERP" in shown
    assert "NT<del>3</del>0" in shown
    assert "NT<ins>6</ins>0" in shown
    assert "ERP fit" not in shown, "two attributes are no record that could fit"
