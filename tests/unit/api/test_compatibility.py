"""What breaks callers of the API is told from what does not, and is refused without another major version."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.compatibility import Change, changes, essence, refused
from api.released import NAMED, read_released

Document = dict[str, Any]

_THING = {
    "type": "object",
    "required": ["id", "state"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["open", "closed"]},
        "amount": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "parent": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
    },
}
_ASKED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "size": {"type": "number"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}
_JSON = "application/json"
BASE: Document = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1.4.0"},
    "paths": {
        "/v1/things/{id}": {
            "get": {
                "x-roles": ["reader", "admin"],
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}},
                    {"in": "query", "name": "sort", "schema": {"type": "string", "enum": ["age", "money"]}},
                    {"in": "query", "name": "fields", "schema": {"type": "string", "pattern": "^(a|b)(,(a|b))*$"}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 200}},
                    {"in": "query", "name": "rule", "schema": {"type": "string", "pattern": "^(a|b)$"}},
                ],
                "responses": {
                    "200": {"content": {_JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "404": {"content": {_JSON: {"schema": {"type": "object"}}}},
                },
            },
            "put": {
                "requestBody": {"content": {_JSON: {"schema": {"$ref": "#/components/schemas/Asked"}}}},
                "responses": {"204": {}},
            },
        },
        "/v1/things": {"get": {"responses": {"200": {"content": {_JSON: {"schema": {
            "type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}}}}},
    },
    "components": {"schemas": {"Thing": _THING, "Asked": _ASKED}},
}  # fmt: skip


def thing(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Thing"]
    return found


def asked(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Asked"]
    return found


def one(document: Document, method: str = "get") -> Document:
    found: Document = document["paths"]["/v1/things/{id}"][method]
    return found


def compared(edit: Callable[[Document], object], base: Document = BASE) -> list[Change]:
    after = copy.deepcopy(base)
    edit(after)
    return changes(base, after)


BREAKING: list[tuple[str, Callable[[Document], object]]] = [
    ("path-removed", lambda d: d["paths"].pop("/v1/things")),
    ("operation-removed", lambda d: d["paths"]["/v1/things/{id}"].pop("put")),
    ("field-removed", lambda d: thing(d)["properties"].pop("amount")),
    ("field-optional", lambda d: thing(d)["required"].remove("state")),
    ("type-changed", lambda d: thing(d)["properties"].update(id={"type": "integer"})),
    ("type-changed", lambda d: thing(d)["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]})),
    ("type-changed", lambda d: thing(d)["properties"]["amount"]["anyOf"].append({"type": "number"})),
    ("enum-widened", lambda d: thing(d)["properties"]["state"].pop("enum")),
    ("status-removed", lambda d: one(d)["responses"].pop("200")),
    ("content-removed", lambda d: one(d)["responses"]["200"].update(content={"text/csv": {}})),
    ("parameter-required", lambda d: one(d)["parameters"].append(
        {"in": "query", "name": "tenant", "required": True, "schema": {"type": "string"}})),
    ("parameter-required", lambda d: one(d)["parameters"][1].update(required=True)),
    ("parameter-removed", lambda d: one(d)["parameters"].pop(1)),
    ("enum-narrowed", lambda d: one(d)["parameters"][1]["schema"].update(enum=["age"])),
    ("bound-tightened", lambda d: one(d)["parameters"][3]["schema"].update(maximum=100)),
    ("bound-tightened", lambda d: one(d)["parameters"][2]["schema"].update(pattern="^(a|c)(,(a|c))*$")),
    ("bound-tightened", lambda d: one(d)["parameters"][2]["schema"].update(pattern="^(a|b)$")),
    ("bound-tightened", lambda d: one(d)["parameters"][4]["schema"].update(pattern="^(a|c)$")),
    ("bound-tightened", lambda d: asked(d)["properties"]["name"].update(minLength=2)),
    ("bound-tightened", lambda d: asked(d)["properties"]["name"].update(pattern="^[a-z]+$")),
    ("enum-narrowed", lambda d: asked(d)["properties"]["kind"].update(enum=["a"])),
    ("enum-narrowed", lambda d: asked(d)["properties"]["name"].update(enum=["a"])),
    ("type-changed", lambda d: asked(d)["properties"].update(size={"type": "integer"})),
    ("type-changed", lambda d: asked(d)["properties"].update(note={"type": "string"})),
    ("field-required", lambda d: asked(d)["required"].append("kind")),
    ("field-required", lambda d: (asked(d)["properties"].update(new={"type": "string"}),
                                  asked(d)["required"].append("new"))),
    ("field-removed", lambda d: asked(d)["properties"].pop("note")),
    ("body-required", lambda d: one(d, "put")["requestBody"].update(required=True)),
    ("role-removed", lambda d: one(d)["x-roles"].remove("reader")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "edit"), BREAKING)
def test_what_breaks_callers_is_told_and_refused(code: str, edit: Callable[[Document], object]) -> None:
    found = compared(edit)

    assert code in {each.code for each in found if each.breaking}
    assert refused(BASE, BASE, found)
    next_major = {**BASE, "info": {"title": "t", "version": "2.0.0"}}
    assert refused(BASE, next_major, found) == [], "another major version may break"


COMPATIBLE: list[Callable[[Document], object]] = [
    lambda d: d["paths"].update({"/v1/others": copy.deepcopy(d["paths"]["/v1/things"])}),
    lambda d: thing(d)["properties"].update(more={"type": "string"}),
    lambda d: thing(d)["required"].append("amount"),
    lambda d: thing(d)["properties"].update(amount={"type": "string"}),
    lambda d: thing(d)["properties"]["state"].update(enum=["open"]),
    lambda d: thing(d)["properties"]["state"]["enum"].append("parked"),
    lambda d: one(d)["responses"].update({"409": {}}),
    lambda d: one(d)["responses"].pop("404"),
    lambda d: one(d)["parameters"].append({"in": "query", "name": "more", "schema": {"type": "string"}}),
    lambda d: one(d)["parameters"][1]["schema"]["enum"].append("name"),
    lambda d: one(d)["parameters"][2]["schema"].update(pattern="^(a|b|c)(,(a|b|c))*$"),
    lambda d: one(d)["parameters"][4]["schema"].update(pattern="^(a|b|c)$"),
    lambda d: one(d)["parameters"][4]["schema"].update(pattern="^(a|b)(,(a|b))*$"),
    lambda d: one(d)["parameters"][3]["schema"].update(maximum=500),
    lambda d: asked(d)["properties"].update(more={"type": "string"}),
    lambda d: asked(d)["required"].remove("name"),
    lambda d: asked(d)["properties"]["name"].update(minLength=0, maxLength=30),
    lambda d: asked(d)["properties"].update(kind={"type": "string"}),
    lambda d: asked(d)["properties"].update(name={"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    lambda d: one(d)["x-roles"].append("steward"),
    lambda d: one(d).update(summary="in other words"),
    lambda d: d["paths"].update({"/v1/things/{number}": d["paths"].pop("/v1/things/{id}")}),
]  # fmt: skip


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_what_callers_may_ignore_breaks_nobody(edit: Callable[[Document], object]) -> None:
    assert [each for each in compared(edit) if each.breaking] == []


def test_a_schema_that_refers_to_itself_and_stands_in_two_places_is_told_once() -> None:
    found = compared(lambda d: thing(d)["properties"].pop("amount"))

    assert [each.code for each in found] == ["field-removed"]
    assert found[0].where.endswith(".amount")


def test_words_do_not_count_and_a_field_called_description_does() -> None:
    document = copy.deepcopy(BASE)
    thing(document)["properties"]["description"] = {"type": "string", "description": "words"}
    kept = essence(document)
    assert kept["components"]["schemas"]["Thing"]["properties"]["description"] == {"type": "string"}
    assert kept["info"]["version"] == "1.4.0"
    assert changes(document, kept) == changes(kept, document) == []


def test_what_is_committed_keeps_what_was_promised() -> None:
    served = json.loads((Path(__file__).parents[3] / "api" / "openapi.json").read_text(encoding="utf-8"))
    major = served["info"]["version"].partition(".")[0]

    assert f"v{major}" in NAMED, "every major version has a description that it is held against"
    promised = read_released(f"v{major}")
    assert refused(promised, served, changes(promised, served)) == []
    broken = copy.deepcopy(served)
    del broken["components"]["schemas"]["ErpRecord"]["properties"]["values"]
    (found,) = refused(promised, broken, changes(promised, broken))
    assert (found.code, found.where.rpartition(".")[2]) == ("field-removed", "values")
