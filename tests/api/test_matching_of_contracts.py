"""A contract that is asked about belongs to somebody else, or to nobody: it is not taken for one that is there."""

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role
from mdm.model.ids import Domain
from tests.api.test_matching import World, ask, records, typed


@pytest.fixture(scope="module")
def erp(world: World) -> TestClient:
    return world(Role.ERP)


@pytest.mark.parametrize("place", ["customer", "lines"])
def test_a_contract_of_nobody_is_not_taken_for_one_that_is_there(erp: TestClient, place: str) -> None:
    """Whatever it resembles: what could not be compared may tell them apart."""
    nobody = {"system": "crm", "type": "account", "key": "nope"}
    asked = 0
    for item in records(erp, Domain.CONTRACT)[::10]:
        known = typed(Domain.CONTRACT, item["values"])
        if ask(erp, Domain.CONTRACT, known)["advice"] == "use_existing" and place in known:
            values = known | {"customer": nobody} if place == "customer" else known | {"lines": [{"product": nobody}]}
            body = ask(erp, Domain.CONTRACT, values)

            assert (body["advice"], body["rejected"]) == ("ask_a_steward", {place: "ENTITY_UNKNOWN"})
            asked += 1
    assert asked > 3


def test_a_contract_of_another_customer_is_not_taken_for_one_that_is_there(erp: TestClient) -> None:
    customers = [each["id"] for each in records(erp, Domain.CUSTOMER)]
    asked = 0
    for item in records(erp, Domain.CONTRACT)[::10]:
        known = typed(Domain.CONTRACT, item["values"])
        if "customer" in known and ask(erp, Domain.CONTRACT, known)["advice"] == "use_existing":
            other = next(one for one in customers if one != known["customer"]["entity_id"])
            found = ask(erp, Domain.CONTRACT, known | {"customer": {"entity_id": other}})

            assert found["advice"] == "ask_a_steward", (known, found["candidates"][:1])
            asked += 1
    assert asked > 3
