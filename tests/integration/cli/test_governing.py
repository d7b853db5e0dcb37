"""Tiers of workflows on the command line."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.errors import NotFound, OperatorError
from mdm.hub.process import Pipeline, process
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.rows import take_in
from tests.integration.hub.test_tiers import CRITICAL, version


def test_tier_three_is_another_policy_than_tier_one(mdm: Command) -> None:
    (third,) = printed(mdm("policy", "show", "--tier", "3", "--json"))["tiers"]
    (first,) = printed(mdm("policy", "show", "--tier", "1", "--json"))["tiers"]

    assert (first["skip_allowed"], third["skip_allowed"]) == (False, True)
    assert (first["order"], third["order"]) == ("held", "goes_on")
    assert first["fresh_within_seconds"] < third["fresh_within_seconds"]
    assert first["workflows"]["payment"] == ["billing.payment"]
    assert third["workflows"] == {"reference": ["product.feature"]}
    assert "left out by itself: after 14 days" in mdm("policy", "show").stdout
    with pytest.raises(NotFound):
        mdm("policy", "show", "--tier", "4")


def test_controls_are_listed_and_proven(mdm: Command) -> None:
    listed = mdm("governance", "tiers").stdout
    assert "two persons" in listed

    found = printed(mdm("governance", "tiers", "--prove", "--json"))

    assert found["proof"]["holds"]
    assert [each["workflow"] for each in found["workflows"]][:3] == ["posting", "revenue", "payment"]


def test_what_waits_is_shown_and_goes_on_after_a_discard(mdm: Command, pipeline: Pipeline) -> None:
    topic, column = CRITICAL["payment"]
    process(pipeline, "test", [version(topic, column, 1, "", bad=True), version(topic, column, 2, "two")])

    assert "1 later message of its row wait for it" in mdm("exceptions", "show", "D1").stdout
    assert "waits for D1" in mdm("exceptions", "show", "D2").stdout
    proposed = printed(mdm("exceptions", "discard", "D1", "--reason", "no", "--actor", "anna", "--json"))
    assert proposed["demands"] == ["discard-of-tier-one"]
    mdm("steward", "approve", str(proposed["proposal_id"]), "--actor", "bob")
    mdm("worker", "calendar", "--once")

    assert printed(mdm("exceptions", "show", "D2", "--json"))["status"] == "replayed"


def test_a_source_is_retired_and_taken_back(mdm: Command, pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": "cus_1", "name": "Nordwind Werke GmbH"}])

    would = printed(mdm("sources", "retire", "billing", "--dry-run", "--json"))
    assert (would["rows"], would["domains"]["customer"]["retired"]) == (1, 1)
    assert "1 row of billing went" in mdm("sources", "retire", "billing", "--reason", "migrated").stdout
    (source,) = printed(mdm("sources", "list", "--json"))["sources"]
    assert (source["rows"], source["golden"], source["state"]) == (0, 0, "retired")
    assert "migrated" in mdm("sources", "list").stdout
    assert printed(mdm("verify", "--json"))["differences"] == []

    assert "1 row of billing came back" in mdm("sources", "restore", "billing", "--reason", "too early").stdout
    assert printed(mdm("sources", "list", "--json"))["retirements"][0]["restored_reason"] == "too early"


@pytest.mark.sample_world
def test_findings_come_by_what_is_at_stake_and_say_why(mdm: Command) -> None:
    found = printed(mdm("reconcile", "--json"))["findings"]
    shown = mdm("reconcile", "--rule", found[0]["rule"]).stdout

    points = [each["priority"] for each in found]
    assert points == sorted(points, reverse=True)
    assert len({each["rule"] for each in found[:20]}) > 1, "not rule by rule"
    assert all(each["priority"] == pytest.approx(sum(p["points"] for p in each["because"]), abs=0.06) for each in found)
    assert {"month", "due", "days_left", "documents", "points"} == found[0]["close_impact"].keys()
    assert any(each["customer_exposure"]["tiers"] for each in found)
    # What disagrees about little stands behind what disagrees about much, whatever their rules are called.
    worth = {each["priority"]: float(each["amount"]) for each in found if each["amount"] and each["currency"] == "EUR"}
    assert abs(worth[max(worth)]) > abs(worth[min(worth)])
    head = next(line for line in shown.splitlines() if "because" in line)
    assert head.index("priority") < head.index("because") < head.index("rule")


@pytest.mark.sample_world
def test_what_stands_still_is_told_by_step(mdm: Command) -> None:
    whole = printed(mdm("reconcile", "stuck", "--json"))["items"]
    posted = printed(mdm("reconcile", "stuck", "--stage", "posted", "--json"))["items"]

    assert posted == [each for each in whole if each["stage"] == "posted"] != []
    assert [each["since"] for each in whole] == sorted(each["since"] for each in whole)
    assert "finance-accounting" in mdm("reconcile", "stuck").stdout
    with pytest.raises(OperatorError, match="no step"):
        mdm("reconcile", "stuck", "--stage", "lost")


@pytest.mark.sample_world
def test_thresholds_of_the_scorecard_are_enforced(mdm: Command, engine: Engine) -> None:
    found = printed(mdm("governance", "scorecard", "--json"))
    measured = {each["name"]: each for each in found["measures"]}
    assert {name for name, each in measured.items() if each["value"] == 1.0} >= {
        "owned",
        "contracted",
        "accounted",
        "audited",
    }
    assert 0 < measured["agreeing"]["value"] < 1
    assert measured["agreeing"]["of"] > 100
    assert measured["fresh"]["value"] is None, "nothing was timed: it was read from files"
    lowest = min(each["value"] for each in found["measures"] if each["value"] is not None)

    strict = mdm("governance", "scorecard", "--min", lowest + 0.01)
    assert strict.exit_code == 1
    assert "FAILS" in strict.stdout

    with engine.begin() as connection:
        connection.execute(text("update consumed_count set messages = messages + 1000"))
    broken = mdm("governance", "scorecard", "--json")
    assert broken.exit_code == 1
    assert not {each["name"]: each["passed"] for each in printed(broken)["measures"]}["accounted"]


@pytest.mark.sample_world
def test_the_report_tells_gates_policies_objectives_and_evidence(mdm: Command, tmp_path: Path) -> None:
    mdm("ownership", "history")
    page = mdm("governance", "report", "--format", "html").stdout
    mdm("governance", "report", "--format", "json", "--output", tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))

    assert "discard-of-tier-one" in {each["name"] for each in told["gates"]}
    assert {each["name"]: each["version"] for each in told["policies"]}["second person"] == "1.6.0"
    assert [each["workflow"] for each in told["objectives"]][:3] == ["posting", "revenue", "payment"]
    assert told["evidence"]["counts"]["Rows of the audit"] > 0
    assert told["scorecard"]["measures"]
    for shown in ("discard-of-tier-one", "survivorship of customers", "Rows of the audit", "posting"):
        assert shown in page
    assert page.startswith("<!doctype html>")
