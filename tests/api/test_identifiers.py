"""Identifiers over HTTP: what columns hold, what was given to another company, and the word that it is one."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from tests.api.test_stewardship import Client, client, hub
from tests.integration.hub.test_recycled import GIVEN_AWAY

__all__ = ["client", "hub"]

pytestmark = pytest.mark.sample_world

RECYCLED = "/v1/identifiers/recycled"


@pytest.fixture
def steward(client: Client) -> TestClient:
    return client(Role.STEWARD)


def test_recycled_keys_are_told_with_their_holders(steward: TestClient) -> None:
    found = steward.get(RECYCLED).json()["items"]

    assert {each["identifier"] for each in found} == GIVEN_AWAY
    [given] = [each for each in found if each["identifier"] == "erp:business_partner:0001000016"]
    assert [holder["name"] for holder in given["holders"]] == [
        "EPG Meble Sp. z o.o.", "Learning Nexus Assets Holdco LLP",
    ]  # fmt: skip
    assert given["holders"][0]["until"] <= given["holders"][1]["since"]
    assert given["owner"]
    assert not given["counts"]


def test_one_word_lets_it_count_again_and_another_takes_that_back(steward: TestClient, hub: Engine) -> None:
    given = steward.get(RECYCLED).json()["items"][0]
    address = f"{RECYCLED}/{given['exception_id']}"

    kept = steward.post(f"{address}/keep", json={"reason": "renamed and moved"})
    twice = steward.post(f"{address}/keep", json={"reason": "once more"})
    back = steward.post(f"{address}/demote", json={"reason": "it was another one"})

    assert kept.status_code == 200, kept.text
    assert (kept.json()["counts"], kept.json()["kept"]["reason"]) == (True, "renamed and moved")
    assert kept.json()["status"] == "accepted"
    assert twice.status_code == 409
    assert (back.json()["counts"], back.json()["status"]) == (False, "open")
    with hub.connect() as connection:
        said = connection.scalars(text("select action from audit where action like 'identifier_%' order by seq"))
        assert list(said) == ["identifier_kept", "identifier_demoted"]


@pytest.mark.parametrize(
    ("role", "body", "status"),
    [(Role.OPERATOR, {"reason": "x"}, 403), (Role.STEWARD, {}, 422), (Role.STEWARD, {"reason": " "}, 422)],
    ids=["who may not decide", "no reason", "an empty one"],
)
def test_what_may_not_be_said_is_refused(client: Client, role: Role, body: dict[str, str], status: int) -> None:
    number = client(Role.STEWARD).get(RECYCLED).json()["items"][0]["exception_id"]

    assert client(role).post(f"{RECYCLED}/{number}/keep", json=body).status_code == status
    assert client(role).post(f"{RECYCLED}/9999999/keep", json={"reason": "x"}).status_code in (403, 404)


def test_numbers_are_dots_for_those_who_may_not_see_identifiers(client: Client, hub: Engine) -> None:
    with hub.begin() as connection:
        connection.execute(
            text(
                """insert into recycled_identifier (system, type, identifier, question, holders, since, batch_id)
                   select system, type, 'vat:de:de811128135', 'recycled:erp:x', holders, since, batch_id
                   from recycled_identifier order by identifier desc limit 1"""
            )
        )
    for role, seen in ((Role.STEWARD, True), (Role.OPERATOR, False)):
        told = client(role).get(RECYCLED).text
        assert ("de811128135" in told) is seen
        assert "vat:de:" in told


def test_every_identifier_column_of_the_shipped_platforms_is_declared(steward: TestClient) -> None:
    found = steward.get("/v1/identifiers/namespaces").json()

    assert found["undeclared"] == []
    declared = {(each["system"], each["table"], each["column"]): each for each in found["items"]}
    assert declared["crm", "account", "vat_number__c"]["exclusive"] is True
    assert declared["erp", "business_partner", "duns"]["exclusive"] is False
