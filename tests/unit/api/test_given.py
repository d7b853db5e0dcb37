"""What callers state is read as the description says it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from api.app import ApiOptions, assemble
from api.openapi import describe
from api.schemas.given import Asked, Day, Moment, read_instant


class _Wish(Asked):
    number: int = 0
    share: float = 0.0
    flag: bool = False
    at: Moment | None = None
    on: Day | None = None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31t11:00:00.25+02:00", datetime(2026, 1, 31, 9, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-01-31T09:00:00.1234567891-00:00", datetime(2026, 1, 31, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-23:59", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_an_instant_is_what_rfc_3339_says(text: str, instant: datetime) -> None:
    assert read_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31", "2026-01-31T09:00:00", "2026-01-31T09:00Z", "1769850000", "2026-02-30T09:00:00Z", "",
        "2026-01-31T24:00:00Z", "2026-01-31T09:00:61Z", "2026-01-31T09:00:00+24:00", "٢٠٢٦-01-31T09:00:00Z",
    ],
)  # fmt: skip
def test_other_text_is_no_instant(text: str) -> None:
    assert read_instant(text) is None


@pytest.mark.parametrize(
    "stated",
    [
        {"number": "5"}, {"number": True}, {"number": 5.5}, {"share": "0.5"}, {"flag": 1}, {"flag": "true"},
        {"at": 1769850000}, {"on": 20484}, {"on": "2026-01-31T00:00:00Z"}, {"on": "2026-02-30"}, {"nmuber": 5},
    ],
)  # fmt: skip
def test_values_of_another_type_and_unknown_members_are_refused(stated: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _Wish.model_validate(stated)


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    assert (_Wish.model_validate({"number": 4.0}).number, _Wish.model_validate({"share": 1}).share) == (4, 1.0)


def test_no_text_that_callers_state_holds_what_postgresql_cannot() -> None:
    """Every text of a request is described so that NUL is refused by the description already."""
    document = describe(assemble(ApiOptions()))
    stated = [
        (f"{method} {path}: {parameter['name']}", parameter["schema"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "header"  # no header can hold it
    ]
    stated += [
        (f"{method} {path}: body", content["schema"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for content in operation.get("requestBody", {"content": {}})["content"].values()
    ]

    open_to_nul = [name for name, schema in stated for text in _texts(document, schema, ()) if not _refuses_nul(text)]

    assert len(stated) > 100
    assert not open_to_nul, "; ".join(open_to_nul)


def _texts(document: dict[str, Any], schema: Any, seen: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The schemas of text within a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from _texts(document, each, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference is not None and reference not in seen:
        yield from _texts(document, document["components"]["schemas"][reference.rpartition("/")[2]], (*seen, reference))
    if schema.get("type") == "string":
        yield schema
    for name in ("anyOf", "oneOf", "allOf", "items", "additionalProperties"):
        yield from _texts(document, schema.get(name), seen)
    for name in ("properties", "patternProperties"):
        yield from _texts(document, list(schema.get(name, {}).values()), seen)


def _refuses_nul(text: dict[str, Any]) -> bool:
    if {"enum", "const", "format"} & set(text):
        return True
    return "pattern" in text and all(not re.search(text["pattern"], nul) for nul in ("\0", "a\0b", "ab/c/d\0.e.f"))
