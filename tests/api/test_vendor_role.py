"""The vendor of a platform proposes its contracts and approves none; teams of ours go by the same rules."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from mdm.access import Permission, Role, Scope
from mdm.intake.catalogue import SHIPPED_SOURCES
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.writing import Writer

PROPOSALS = "/v1/contract-proposals"
CRM = (SHIPPED_SOURCES / "crm" / "contract.odcs.yaml").read_text("utf-8")
#: A column more: a minor step.
WIDER = CRM.replace("version: 1.0.0", "version: 1.1.0", 1).replace(
    "      - {name: segment__c,",
    "      - {name: fax__c, logicalType: string, physicalType: varchar(40),"
    ' customProperties: [{property: mayBeAbsent, value: "true"}]}\n      - {name: segment__c,',
    1,
)
assert WIDER.count("fax__c") == 1


def proposed(client: TestClient, document: str = WIDER) -> Any:
    return client.post(PROPOSALS, json={"title": "faxes again", "document": document})


def test_a_vendor_proposes_and_somebody_of_ours_decides(client_of: As) -> None:
    vendor, owner = client_of(Role.VENDOR), client_of(Role.DATA_OWNER)

    made = proposed(vendor)

    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["system"], told["base"], told["version"], told["status"]) == ("crm", "1.0.0", "1.1.0", "proposed")
    assert [(each["code"], each["column"], each["step"]) for each in told["report"]["changes"]] == [
        ("COLUMN_ADDED", "fax__c", "minor")
    ]
    number = told["proposal_id"]
    for what in ("approve", "reject"):
        refused = vendor.post(f"{PROPOSALS}/{number}/{what}", json={"reason": "ours"})
        assert refused.status_code == 403, what
    assert vendor.get(f"{PROPOSALS}/{number}").json()["status"] == "proposed"

    agreed = owner.post(f"{PROPOSALS}/{number}/approve", json={"reason": "the column is harmless"})
    assert (agreed.status_code, agreed.json()["status"]) == (200, "approved")
    assert vendor.get(PROPOSALS).json()["items"][0]["reason"] == "the column is harmless"
    assert owner.post(f"{PROPOSALS}/{number}/reject", json={"reason": "no"}).status_code == 409


def test_a_vendor_may_propose_and_nothing_else(client_of: As) -> None:
    assert Role.VENDOR.permissions == {Permission.PROPOSE_CONTRACTS}
    vendor = client_of(Role.VENDOR)
    for address in ("/v1/customers", "/v1/changes", "/v1/erp", "/v1/tasks", "/v1/releases", "/v1/dead-letters"):
        assert vendor.get(address).status_code == 403, address


@pytest.mark.parametrize("role", [Role.DATA_OWNER, Role.ADMIN])
def test_teams_of_ours_do_not_decide_about_what_they_proposed_either(client_of: As, role: Role) -> None:
    one = client_of(role)
    number = proposed(one).json()["proposal_id"]

    for what in ("approve", "reject"):
        refused = one.post(f"{PROPOSALS}/{number}/{what}", json={"reason": "mine"})
        assert (refused.status_code, "they proposed" in refused.json()["detail"]) == (403, True)
    assert one.post(f"{PROPOSALS}/{number}/withdraw", json={"reason": "too early"}).json()["status"] == "withdrawn"


def test_one_vendor_sees_nothing_of_another_and_proposes_for_its_own_platform_only(
    app: FastAPI, engine: Engine, client_of: As
) -> None:
    number = proposed(client_of(Role.VENDOR)).json()["proposal_id"]

    def vendor_of(system: str) -> Writer:
        with engine.begin() as connection:
            key = api_keys.issue_key(connection, Role.VENDOR, system, Scope(sources=frozenset({system})))
        return Writer(app, headers={"authorization": f"Bearer {key}"})

    billing, crm = vendor_of("billing"), vendor_of("crm")
    assert billing.get(f"{PROPOSALS}/{number}").status_code == 404
    assert billing.get(PROPOSALS).json()["items"] == []
    assert billing.post(f"{PROPOSALS}/{number}/withdraw", json={"reason": "x"}).status_code == 404
    assert proposed(billing, WIDER + "# mine\n").status_code == 403, "the contract of another platform"
    mine = proposed(crm, WIDER + "# mine\n")
    assert mine.status_code == 201, mine.text
    assert [each["proposal_id"] for each in crm.get(PROPOSALS).json()["items"]] == [mine.json()["proposal_id"]]
    assert len(client_of(Role.OPERATOR).get(PROPOSALS, params={"status": "proposed"}).json()["items"]) == 2


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        ("nonsense", 422, "The contract is wrong"),
        (CRM.replace("kind: DataContract", "kind: Poem"), 422, "NOT_ODCS"),
        (WIDER.replace("version: 1.1.0", "version: 1.0.1", 1), 422, "a patch step, and the changes need a minor step"),
        (CRM, 409, "in force already"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_everything_to_mend(
    client_of: As, document: str, status: int, words: str
) -> None:
    refused = proposed(client_of(Role.VENDOR), document)
    assert (refused.status_code, words in refused.json()["detail"]) == (status, True), refused.text


def test_the_same_document_waits_once(client_of: As) -> None:
    assert proposed(client_of(Role.VENDOR)).status_code == 201
    again = proposed(client_of(Role.OPERATOR))
    assert (again.status_code, "waits" in again.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    "statement",
    [
        "update contract_proposal set status = 'approved', decider = author, decided_at = now()",
        "update contract_proposal set author = 'somebody'",
        "update contract_proposal set document = 'another'",
        "update contract_proposal set status = 'approved'",
    ],
)
def test_the_database_refuses_what_the_code_would_forget(client_of: As, engine: Engine, statement: str) -> None:
    proposed(client_of(Role.VENDOR))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(statement))
