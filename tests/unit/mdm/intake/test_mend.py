"""Mending one message: single values by their path, everything else untouched."""

import json

import pytest

from mdm.errors import OperatorError
from mdm.intake.mend import mend

MESSAGE = json.dumps({"op": "u", "after": {"id": 7, "lines": [{"code": "a"}, {"code": "b"}]}}).encode()


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("after.id", "8", {"id": 8, "lines": [{"code": "a"}, {"code": "b"}]}),
        ("after.id", '"8"', {"id": "8", "lines": [{"code": "a"}, {"code": "b"}]}),
        ("after.id", "eight", {"id": "eight", "lines": [{"code": "a"}, {"code": "b"}]}),
        ("after.id", "null", {"id": None, "lines": [{"code": "a"}, {"code": "b"}]}),
        ("after.name", "bolt", {"id": 7, "lines": [{"code": "a"}, {"code": "b"}], "name": "bolt"}),
        ("after.lines[1].code", "c", {"id": 7, "lines": [{"code": "a"}, {"code": "c"}]}),
        ("after.lines[0]", "", {"id": 7, "lines": [{"code": "b"}]}),
        ("after.id", "", {"lines": [{"code": "a"}, {"code": "b"}]}),
    ],
)
def test_a_value_is_set_where_the_path_leads(path: str, text: str, expected: object) -> None:
    assert json.loads(mend(MESSAGE, [(path, text)])) == {"op": "u", "after": expected}


def test_behind_a_schema_the_path_starts_inside_the_payload() -> None:
    wrapped = json.dumps({"schema": {"type": "struct"}, "payload": {"after": {"id": 7}}}).encode()

    assert json.loads(mend(wrapped, [("after.id", "8")]))["payload"] == {"after": {"id": 8}}


@pytest.mark.parametrize("path", ["before.id", "after.lines[2].code", "op.id", "after.lines[9]", "", "after.lines.x"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(OperatorError):
        mend(MESSAGE, [(path, "1")])


def test_a_character_of_a_text_cannot_be_taken_out() -> None:
    with pytest.raises(OperatorError):
        mend(MESSAGE, [("op[0]", "")])


def test_what_is_no_json_has_no_single_values() -> None:
    with pytest.raises(OperatorError) as refusal:
        mend(b"nonsense", [("after.id", "1")])

    assert "--value" in refusal.value.advice
