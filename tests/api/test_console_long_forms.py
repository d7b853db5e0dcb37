"""Documents and messages that are longer than other forms may be are taken by the console as by the API."""

import html

import orjson
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.api.test_console import form_token
from tests.letters import refuse


def test_the_matching_rules_of_customers_are_drafted_from_what_is_in_force(engine: Engine, steward: TestClient) -> None:
    page = steward.get("/console/releases/new?kind=matching&domain=customer").text
    document = html.unescape(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    document = document.lstrip("\n").replace("\n", "\r\n")
    assert len(document) > 16_384

    fields = {"csrf": form_token(page), "kind": "matching", "domain": "customer", "title": "longer"}
    sent = steward.post(
        "/console/releases/new", data={**fields, "document": document.replace("block_cap: 50", "block_cap: 40")}
    )

    assert sent.status_code == 200, sent.text
    with engine.connect() as connection:
        assert connection.execute(text("select title, kind from rule_release")).all() == [("longer", "matching")]
    again = {
        "csrf": form_token(sent.text),
        "title": "longer still",
        "document": document.replace("block_cap: 50", "block_cap: 30"),
    }
    assert steward.post("/console/releases/1/edit", data=again).status_code == 200


def test_a_long_message_is_mended(engine: Engine, steward: TestClient) -> None:
    value = orjson.dumps({"op": "u", "after": {"id": "A1", "description": "long " * 10_000}})
    letter = {"topic": "crm.public.account", "offset": 1, "system": "crm", "type": "account", "row_key": "A1"}
    refuse(engine, {**letter, "value": value, "code": "value_type", "reason": "r", "alike": "r"})
    page = steward.get("/console/exceptions/letters/1").text

    sent = steward.post(
        "/console/exceptions/letters/1/rehearse", data={"csrf": form_token(page), "value": value.decode(), "reason": ""}
    )

    assert sent.status_code == 200, sent.text
