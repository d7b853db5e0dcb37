"""What another release of an ERP system changes is told before it does, down to golden records."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed

_EVENTS = Path(__file__).parents[3] / "mdm" / "demo" / "world" / "events"
_SAP = (files("mdm.projection") / "targets" / "sap.yaml").read_text("utf-8")
_NAME = "ProductDescription: {from: name, length: 40"


def test_golden_records_that_would_no_longer_fit_are_counted(mdm: Command, engine: Engine, tmp_path: Path) -> None:
    mdm("ingest", "--feed", f"file:{_EVENTS / 'crm.jsonl.gz'}")
    with engine.connect() as connection:
        names = text("select length(\"values\"->>'name') from golden where domain = 'product' and known_to is null")
        lengths = list(connection.scalars(names))
    limit = sorted(lengths)[len(lengths) // 2]
    longer = sum(length > limit for length in lengths)
    assert 0 < longer < len(lengths)
    assert max(lengths) <= 40
    assert _NAME in _SAP
    path = tmp_path / "sap-next.yaml"
    path.write_text(_SAP.replace(_NAME, _NAME.replace("40", str(limit))), encoding="utf-8")

    result = mdm("projections", "diff", "sap", path, "--json")
    assert result.exit_code == 1
    told = printed(result)
    assert [(each["field"], each["what"], each["after"]) for each in told["differences"]] == [
        ("ProductDescription", "length", str(limit))
    ]
    (misfit,) = told["golden"]["no_longer_fit"]
    assert (misfit["code"], misfit["field"], misfit["records"]) == ("ERP_FIELD_TOO_LONG", "ProductDescription", longer)
    assert len(misfit["examples"]) == min(3, longer)
    effect = told["golden"]["domains"]["product"]
    assert (effect["records"], effect["changed"]) == (len(lengths), 0)

    back = mdm("projections", "diff", path, "sap", "--json")
    assert back.exit_code == 0
    assert printed(back)["golden"]["fit_again"][0]["records"] == longer
    assert "Would no longer be taken" in mdm("projections", "diff", "sap", path).stdout


def test_documents_are_compared_without_a_hub(mdm: Command) -> None:
    told = printed(mdm("projections", "diff", "sap", "sap", "--documents-only", "--json"))
    assert told == {"differences": [], "golden": None}
    assert "do not differ" in mdm("projections", "diff", "odoo", "odoo", "--documents-only").stdout
    listed = json.loads(mdm("projections", "list", "--json").stdout)
    assert [each["name"] for each in listed] == ["sap", "odoo", "erpnext", "netsuite"]
    assert listed[0]["objects"]["customers"] == "A_BusinessPartner"


def test_what_the_gates_hold_back_is_listed_with_why(mdm: Command) -> None:
    mdm("ingest", "--feed", f"file:{_EVENTS / 'crm.jsonl.gz'}")

    first = printed(mdm("projections", "gate", "--erp", "sap", "--json"))
    again = printed(mdm("projections", "gate", "--erp", "sap", "--json"))

    customers = first["domains"]["customer"]
    assert first["judged"] >= customers["served"] + customers["held"] > 0
    assert customers["held"] > 0
    assert (again["judged"], again["announced"], again["domains"]) == (0, 0, first["domains"])
    listed = printed(mdm("projections", "held", "--erp", "sap", "--domain", "customer", "--limit", "3", "--json"))
    assert all(each["reasons"] and each["version"] != each["judged"] for each in listed)
    assert listed[0]["reasons"][0]["code"] in mdm("projections", "held", "--erp", "sap", "--domain", "customer").stdout
    assert "versions judged for sap" in mdm("projections", "gate", "--erp", "sap").stdout
    with pytest.raises(OperatorError, match="no projection for oracle"):
        mdm("projections", "gate", "--erp", "oracle")
