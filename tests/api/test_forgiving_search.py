"""A search that forgives mistakes in typing looks where there is somebody to be found, and only there."""

from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete, update
from sqlalchemy.dialects.postgresql import insert

from matching.blocking import block_hash, block_keys
from mdm.intake.candidate import candidate_record
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store import read_match
from mdm.store.reading import snapshot
from mdm.store.tables import block_key, source_record
from tests.api.rows import HubRows


class Arrivals:
    """Customers as ingest leaves them for the matcher: comparison form and blocking keys."""

    def __init__(self, rows: HubRows, engine: Engine, app: FastAPI) -> None:
        self._rows, self._engine = rows, engine
        self._model = app.state.released.rules.models[Domain.CUSTOMER]

    def customer(self, key: str, name: str, country: str) -> EntityId:
        values = {"name": name, "country": country}
        crosswalk_key = CrosswalkKey("crm", "account", key)
        entity_id = self._rows.golden(Domain.CUSTOMER, crosswalk_key, values)
        self._keep(crosswalk_key, name, country)
        return entity_id

    def moves(self, key: str, name: str, country: str) -> None:
        self._keep(CrosswalkKey("crm", "account", key), name, country)

    def _keep(self, key: CrosswalkKey, name: str, country: str) -> None:
        comparison = dict(candidate_record(Domain.CUSTOMER, {"name": name, "country": country}).comparison)
        with self._engine.begin() as connection:
            (rec_id,) = connection.scalars(
                update(source_record)
                .where(source_record.c.system == key.system, source_record.c.key == key.key)
                .values(comparison=comparison)
                .returning(source_record.c.rec_id)
            ).all()
            connection.execute(delete(block_key).where(block_key.c.rec_id == rec_id))
            for found in block_keys(self._model, comparison):
                block = block_hash(self._model, found)
                connection.execute(insert(block_key).values(block=block, rec_id=rec_id).on_conflict_do_nothing())


@pytest.fixture
def arrivals(rows: HubRows, engine: Engine, app: FastAPI) -> Arrivals:
    return Arrivals(rows, engine, app)


def countries(engine: Engine) -> Sequence[str]:
    with snapshot(engine) as work:
        return read_match.countries(work, Domain.CUSTOMER)


def found(client: TestClient, words: str) -> list[str]:
    return [each["id"] for each in client.get("/v1/customers", params={"q": words}).json()["items"]]


def test_countries_are_those_of_live_records(arrivals: Arrivals, engine: Engine) -> None:
    assert countries(engine) == []
    for number, country in enumerate(("NL", "DE", "NL", "JP")):
        arrivals.customer(f"C{number}", "Quartzbridge Tooling", country)
    with engine.begin() as connection:
        connection.execute(update(source_record).where(source_record.c.key == "C3").values(deleted=True))

    assert countries(engine) == ["de", "nl"]


def test_a_customer_in_a_country_that_is_new_to_the_hub_is_found_at_once(arrivals: Arrivals, erp: TestClient) -> None:
    """The first letters are wrong too: nothing but the country's keys leads there."""
    assert found(erp, "Quartzbirdge") == []
    tooling = arrivals.customer("C1", "Quartzbridge", "NL")
    assert found(erp, "Quartzbirdge") == [tooling]

    southern = arrivals.customer("C2", "Quartzbridge", "AQ")

    assert set(found(erp, "Quartzbirdge")) == {tooling, southern}


def test_a_customer_that_moves_to_a_new_country_is_found_there(arrivals: Arrivals, erp: TestClient) -> None:
    tooling = arrivals.customer("C1", "Quartzbridge", "NL")

    arrivals.moves("C1", "Quartzbridge", "AQ")

    assert found(erp, "Quartzbirdge") == [tooling]


def test_one_of_many_customers_of_a_common_name_is_found_by_a_mistyped_one(arrivals: Arrivals, erp: TestClient) -> None:
    """More than coarse rules pair when records are matched, for there nobody could tell them apart."""
    many = {arrivals.customer(f"C{number}", "Quartzbridge Tooling", "NL") for number in range(20)}

    assert set(found(erp, "Quartzbirdge Tooling")) == many


@pytest.mark.parametrize("at", range(len("Belvolvex") - 1))
def test_two_letters_of_a_short_name_may_be_exchanged_anywhere(arrivals: Arrivals, erp: TestClient, at: int) -> None:
    name = "Belvolvex"
    belvolvex = arrivals.customer("C1", f"{name}.io", "ES")
    arrivals.customer("C2", "Quartzbridge Tooling", "ES")

    mistyped = f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}.io"

    assert found(erp, mistyped) == [belvolvex]


def test_a_search_asks_for_keys_in_no_other_country(
    arrivals: Arrivals, erp: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every country of the world it would be more than a thousand."""
    arrivals.customer("C1", "Quartzbridge Precision Tooling", "NL")
    arrivals.customer("C2", "Quartzbridge Precision Tooling", "DE")
    asked: list[int] = []
    mates = read_match.block_mates

    def counted(work: object, blocks: Sequence[int], cap: int, **limits: bool) -> object:
        asked.append(len(blocks))
        return mates(work, blocks, cap, **limits)  # type: ignore[arg-type]

    monkeypatch.setattr(read_match, "block_mates", counted)

    assert len(found(erp, "Quartzbirdge Precision Tooling")) == 2
    assert max(asked) < 250


@pytest.mark.parametrize(
    "mistyped",
    [
        "Martsana",
        "Martesna",
        "Marteesana",
        "Amrtesana",
        "martesena",
        "Martesana Mtal",
        "Mertesana Tradign",
        "Marteasna GmbH Metal",
    ],
)
def test_a_single_word_with_a_mistake_is_read_as_the_nearest_that_some_record_has(
    rows: HubRows, erp: TestClient, mistyped: str
) -> None:
    terms = ["martesana", "metal", "trading", "gmbh"]
    wanted = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), {"name": "Martesana"}, terms=terms)
    rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A2"), {"name": "Martin"}, terms=["martin", "metal"])

    body = erp.get("/v1/customers", params={"q": mistyped}).json()

    assert ([each["id"] for each in body["items"]], body["approximate"]) == ([wanted], True)
    assert erp.get("/v1/customers", params={"q": mistyped, "country": "NL"}).json()["items"] == []


def test_numbers_short_words_and_what_is_like_nothing_are_not_guessed(rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), {"name": "Mar"}, terms=["mar", "0001000005"])

    for query in ("mer", "0001000006", "Quartzbridge", "mar quartzbridge"):
        assert found(erp, query) == [], query


def test_whoever_may_not_see_identifiers_does_not_get_at_them_by_mistyping(
    rows: HubRows, erp: TestClient, reader: TestClient
) -> None:
    anna = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A1"), {"name": "X"}, terms=["annaexamplecom"])

    assert found(erp, "annaexmaplecom") == [anna]
    assert found(reader, "annaexmaplecom") == []
