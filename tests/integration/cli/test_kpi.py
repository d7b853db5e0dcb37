"""Figures on the command line."""

from pathlib import Path

import pytest

from mdm.errors import Invalid, OperatorError
from tests.integration.cli.conftest import Command, printed

_EVENTS = Path(__file__).parents[3] / "mdm" / "demo" / "world" / "events"


def test_figures_are_told_as_a_table_and_as_json(mdm: Command) -> None:
    mdm("ingest", "--feed", f"file:{_EVENTS / 'crm.jsonl.gz'}")
    found = printed(mdm("kpi", "--json"))
    measured = {each["name"]: each for each in found["measures"]}
    assert measured["messages_refused"]["of"] == 1615
    assert found["findings"] == len(printed(mdm("reconcile", "--json"))["findings"]) > 0
    assert sum(map(float, found["amount_at_risk"]["disagreements"].values())) > 0
    shown = mdm("kpi", "--period", "2020-01-01..2020-01-31", "--baseline", "2019-01-01..2019-12-31").stdout
    assert "At risk, disagreements between platforms:" in shown
    assert "2020-01-01 to 2020-01-31" in shown
    assert "nothing to measure" in shown


def test_what_is_no_period_is_refused(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="no period"):
        mdm("kpi", "--period", "2020")
    with pytest.raises(Invalid, match="before it begins"):
        mdm("kpi", "--period", "2020-02-01..2020-01-01")
