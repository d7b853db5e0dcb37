"""The command that counts keys which too many records share."""

import json

from mdm.hub.process import Pipeline
from tests.integration.cli.conftest import Command
from tests.integration.hub.rows import take_in


def test_the_command_tells_by_rule_what_nobody_is_asked_about(pipeline: Pipeline, mdm: Command) -> None:
    take_in(pipeline, [{"id": f"cus_n{number:02}", "name": "Seebad Werke GmbH"} for number in range(13)])

    told = json.loads(mdm("match", "blocks", "--json").stdout)
    printed = mdm("match", "blocks").stdout

    counted = {
        "domain": "customer",
        "rule": "words",
        "cap": 12,
        "asked": False,
        "blocks": 1,
        "records": 13,
        "pairs": 78,
        "question": None,
        "sample": None,
    }
    assert counted in told
    assert "words" in printed
    assert "78" in printed


def test_a_look_tells_what_the_model_says_of_the_pairs_and_which_question_asks_about_them(
    pipeline: Pipeline, mdm: Command
) -> None:
    take_in(pipeline, [{"id": f"cus_n{number:02}", "name": "Seebad Werke GmbH"} for number in range(13)])

    before = json.loads(mdm("match", "blocks", "--json").stdout)
    found = {each["rule"]: each for each in json.loads(mdm("match", "blocks", "--look", "--json").stdout)}
    printed = mdm("match", "blocks", "--look").stdout
    after = {each["rule"]: each["question"] for each in json.loads(mdm("match", "blocks", "--json").stdout)}
    (asked,) = [
        each
        for each in json.loads(mdm("exceptions", "list", "--json").stdout)["exceptions"]
        if each["code"] == "PAIRS_UNCOMPARED"
    ]

    assert {(each["question"], each["sample"]) for each in before} == {(None, None)}
    sample = found["handle"]["sample"]
    assert {name: sample[name] for name in ("drawn", "not_compared", "matches", "possible")} == {
        "drawn": 78, "not_compared": 78, "matches": 78, "possible": 0,
    }  # fmt: skip
    assert sample["expected"] == {"value": 78, "low": 78, "high": 78}
    assert len(sample["strongest"]) == 5
    assert sample["strongest"][0]["a"] == "billing/customer/cus_n00"
    assert after["handle"] == found["handle"]["question"] == {"name": asked["name"], "status": "open"}
    assert after["words"] is None
    assert (asked["seen"], asked["owner"]) == (78, "customer stewards")
    assert "mdm match blocks --look" in asked["action"]
    for told in (asked["name"], "all drawn", "billing/customer/cus_n00", "match"):
        assert told in printed
