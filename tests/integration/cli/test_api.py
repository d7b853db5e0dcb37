"""What another description of the API changes is told on the command line, and breaking callers ends with 1."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed
from tests.pages import take

_SERVED = Path(__file__).parents[3] / "api" / "openapi.json"


def test_a_breaking_change_without_a_major_version_ends_with_1(mdm: Command, tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(_SERVED.read_text(encoding="utf-8"))
    del document["paths"]["/v1/erp/{erp}/held"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    asked = ("api", "diff", "--base", _SERVED, "--new", file)

    failed = mdm(*asked, "--fail-on", "breaking", "--json")

    assert failed.exit_code == 1
    told = printed(failed)
    assert (told["breaking"], told["allowed"]) == (1, False)
    assert told["changes"][0] == {
        "code": "path-removed", "where": "GET /v1/erp/{}/held", "detail": "/v1/erp/{erp}/held is gone", "breaking": True
    }  # fmt: skip
    assert "would break callers" in mdm(*asked).stdout
    assert mdm(*asked, "--fail-on", "never").exit_code == 0
    document["info"]["version"] = "2.0.0"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert mdm(*asked).exit_code == 0, "a new major version may"
    assert mdm("api", "diff", "--base", file, "--new", _SERVED, "--fail-on", "any").exit_code == 1


@pytest.mark.parametrize("line", take("api", "mdm"))
def test_what_is_served_keeps_what_v1_promised_as_the_guide_shows(mdm: Command, line: str) -> None:
    assert mdm(*shlex.split(line)[1:]).exit_code == 0


def test_a_file_that_is_no_description_is_told_as_such(mdm: Command, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(OperatorError, match="cannot be read as an OpenAPI document"):
        mdm("api", "diff", "--base", tmp_path / "x.json")


def test_who_uses_which_version_is_told(mdm: Command, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into version_usage
                     (day, caller, surface, version, pinned, requests, deprecated, first_at, last_at)
                   values (current_date, 'k1', 'api', '1.0', true, 7, 2, now(), now())"""
            )
        )
    told = printed(mdm("api", "usage", "--json"))
    assert [(each["version"], each["pinned"], each["requests"], each["deprecated"]) for each in told["items"]] == [
        ("1.0", True, 7, 2)
    ]
    assert told["items"][0]["callers"][0]["caller"] == "k1"
    assert "takes what comes" not in mdm("api", "usage").stdout
