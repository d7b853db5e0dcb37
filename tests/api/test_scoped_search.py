"""A search that forgives mistakes in typing, by a caller with a scope."""

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update
from sqlalchemy.dialects.postgresql import insert

from matching.blocking import block_hash, block_keys
from mdm.access import Role, Scope
from mdm.hub import match, match_numbered
from mdm.intake.candidate import candidate_record
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.tables import block_key, source_record
from tests.api.rows import HubRows
from tests.api.test_scopes import EUROPE, Client, place, with_scope

__all__ = ["with_scope"]


def test_records_out_of_reach_take_no_places_in_a_search_that_forgives_typing(
    rows: HubRows, engine: Engine, with_scope: Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that resemble the words only so many are compared: they are picked from what the caller may reach."""
    monkeypatch.setattr(match, "_NEAREST", 2)
    model = app.state.released.rules.models[Domain.CUSTOMER]
    placed = {}
    for number, (name, country) in enumerate(
        [
            ("Quartzbridge Tooling", "US"),
            ("Quartzbridge Tooling", "US"),
            ("Quartzbridge Tooling", "US"),
            ("Quartzbridge Toolings", "NL"),
        ]
    ):
        values = {"name": name, "country": country}
        key = CrosswalkKey("crm", "account", f"Q{number}")
        entity_id = rows.golden(Domain.CUSTOMER, key, values)
        placed[entity_id] = values
        comparison = dict(candidate_record(Domain.CUSTOMER, values).comparison) | {"self": [str(key)]}
        with engine.begin() as connection:
            (rec_id,) = connection.scalars(
                update(source_record)
                .where(source_record.c.system == key.system, source_record.c.key == key.key)
                .values(comparison=comparison)
                .returning(source_record.c.rec_id)
            ).all()
            for found in block_keys(model, comparison):
                block = block_hash(model, found)
                connection.execute(insert(block_key).values(block=block, rec_id=rec_id).on_conflict_do_nothing())
    place(engine, placed, {})

    asked = {"q": "Quartzbirdge Tooling", "limit": 2}
    body = with_scope(Role.ERP, EUROPE).get("/v1/customers", params=asked).json()
    everybody = with_scope(Role.ERP, Scope()).get("/v1/customers", params=asked).json()

    assert [each["name"] for each in body["items"]] == ["Quartzbridge Toolings"]
    assert {each["name"] for each in everybody["items"]} == {"Quartzbridge Tooling"}


@pytest.mark.parametrize("walked", [6, 3])
def test_contracts_of_a_number_out_of_reach_take_no_places_of_those_within(
    rows: HubRows, engine: Engine, with_scope: Client, monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    """Only so many of one number are told; they are picked from what the caller may reach, some at a time."""
    monkeypatch.setattr(match_numbered, "MOST", 2)
    monkeypatch.setattr(match_numbered, "_AT_A_TIME", 1)
    monkeypatch.setattr(match_numbered, "_WALKED", walked)
    customers = {}
    for country in ("US", "NL"):
        values = {"name": f"Quartzbridge {country}", "country": country}
        customers[rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", country), values)] = values
    american, dutch = customers
    contracts = [
        rows.golden(Domain.CONTRACT, CrosswalkKey("crm", "contract", f"N{place}"), {"number": "CT-77"}, terms=["ct77"])
        for place in range(5)
    ]
    first, *rest = sorted(contracts)
    place(engine, customers, dict.fromkeys(contracts, american) | {rest[-1]: dutch})

    def told(scope: Scope) -> tuple[str, list[str], int]:
        client = with_scope(Role.ERP, scope)
        body = client.post("/v1/contracts/match", json={"values": {"number": "CT-77"}, "minimum_weight": -100}).json()
        return body["advice"], [each["entity_id"] for each in body["candidates"]], body["out_of_reach"]

    assert told(Scope()) == ("ask_a_steward", [first, rest[0]], 0)
    assert told(EUROPE) == ("ask_a_steward", [rest[-1]] if walked == 6 else [], 2)
