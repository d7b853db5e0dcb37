"""Reconciliation of the sample world against its labelled faults. Clean documents agree to the cent."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from mdm.cli.app import app
from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.reconcile import reconcile
from mdm.hub.release import load_rules
from mdm.hub.usage_revenue import read_coverage
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.billed_usage import accuracy
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.reconciliation import ABOUT_PRODUCTS
from mdm.model.ids import CrosswalkKey
from mdm.model.kpis import Period
from mdm.store.finding_history import Run, write_run

#: Which of its keys names the row that a fault is about; an invoice unless it says otherwise.
_SUBJECT = {
    "duplicate_usage_batch": "usage_batch",
    "late_usage_after_invoice": "usage_batch",
    "entitlement_active_sub_cancelled": "entitlement",
    "entitlement_active_delinquent": "entitlement",
    "amendment_not_in_entitlement": "entitlement",
    "account_used_before_validation": "crm_contract",
    "contract_without_subscription": "crm_contract",
}
#: The first invoice after a renewal of a self-serve contract bills a whole year: nothing says what was agreed.
_UNDECIDABLE = {("price_differs_from_contract", "in_r40SbEuO6I2Kgs4jz81fHh5I")}
#: Whether a contract has a subscription, or a subscription an entitlement, depends on whether both customers were
#: recognised as one.
_LEANS_ON_IDENTITY = {
    "contract_without_subscription",
    "entitlement_without_subscription",
    "paid_without_entitlement",
    "subscription_without_entitlement",
}
#: The world leaves access and status of subscriptions as they are where an invoice is never paid, and labels no fault.
_MOST_REMINDED = 30


@pytest.fixture
def world_pipeline(engine: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


def labelled() -> tuple[dict[str, set[str]], dict[str, set[str]], dict[tuple[str, str], Mapping[str, str]]]:
    """Open faults and all faults by kind, as keys of the rows they are about, and each label."""
    open_faults, all_faults, labels = defaultdict(set), defaultdict(set), {}
    path = Path(__file__).parent / "data" / "faults.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        for fault in csv.DictReader(lines):
            kind = fault["kind"]
            for key in str(json.loads(fault["keys"])[_SUBJECT.get(kind, "invoice")]).split("|"):
                all_faults[kind].add(key)
                labels[kind, key] = fault
                if not fault["resolved_at"]:
                    open_faults[kind].add(key)
    return open_faults, all_faults, labels


def by_rule(findings: Sequence[Finding]) -> dict[str, dict[str, Finding]]:
    found: dict[str, dict[str, Finding]] = defaultdict(dict)
    for finding in findings:
        found[finding.rule][finding.subject.key] = finding
    return found


def test_an_empty_hub_has_nothing_to_reconcile(engine: Engine) -> None:
    assert reconcile(engine).findings == ()


@pytest.mark.sample_world
def test_the_labelled_faults_are_found_and_nothing_else(engine: Engine) -> None:
    open_faults, all_faults, labels = labelled()

    findings = reconcile(engine).findings
    found = by_rule(findings)

    missed = {(kind, key) for kind, keys in open_faults.items() for key in keys - found[kind].keys()}
    assert missed <= _UNDECIDABLE
    # Labels are of faults of facts; what a product lacks is told by its own test.
    told = {kind: keys for kind, keys in found.items() if kind not in ABOUT_PRODUCTS}
    unlabelled = {(kind, key) for kind, keys in told.items() for key in keys.keys() - all_faults[kind]}
    overdue = {(kind, key) for kind, key in unlabelled if (found[kind][key].days_overdue or 0) > _MOST_REMINDED}
    assert overdue
    assert {kind for kind, _ in overdue} == {"entitlement_active_delinquent"}
    # Nor does it ever close an order: those of contracts that were cancelled stay open.
    orders = {(kind, key) for kind, key in unlabelled if kind == "order_state_mismatch"}
    assert orders
    assert all("is open, but contract" in found[kind][key].sentence for kind, key in orders)
    false_alarms = unlabelled - overdue - orders
    assert {kind for kind, _ in false_alarms} <= _LEANS_ON_IDENTITY
    # A customer known twice is told as the two contracts of the one and as the pair that the two part.
    assert len(false_alarms) <= 4
    for (kind, key), fault in labels.items():
        finding = found[kind].get(key)
        if finding is not None and finding.amount is not None and fault["amount"]:
            assert (finding.amount, finding.currency) == (Decimal(fault["amount"]), fault["currency"])
    assert reconcile(engine).findings == findings


@pytest.mark.sample_world
def test_what_is_sold_leads_to_revenue_and_what_does_not_is_a_finding(world_pipeline: Pipeline) -> None:
    covered = read_coverage(world_pipeline)
    found = by_rule(reconcile(world_pipeline.engine).findings)

    assert covered.share is not None
    assert covered.share > 0.9
    assert {chain.unit for chain in covered.chains if chain.mapped} == {"call", "seat", "instance", "unit"}
    lacks = Counter(f"{lack.step.value}_missing" for chain in covered.chains for lack in chain.lacks)
    assert lacks == {rule: len(found[rule]) for rule in ABOUT_PRODUCTS if rule in found}


@pytest.mark.sample_world
def test_invoices_that_usage_came_too_late_for_are_told_as_inaccurate(engine: Engine) -> None:
    _, faults, labels = labelled()
    ever = Period(date(2020, 1, 1), date(2029, 12, 31))

    told = accuracy(reconcile(engine).usage, ever)

    late = "late_usage_after_invoice"
    missed = {json.loads(labels[late, key]["keys"])["invoice"] for key in faults[late]}
    assert missed
    assert missed <= {line.invoice.key for line in told.differences if (line.difference or 0) < 0}
    assert told.repeated == len(faults["duplicate_usage_batch"])
    assert told.agreeing > 4 * len(told.differences), "most invoices bill to the fourth decimal what was used"


def test_the_command_prints_findings_of_one_rule_as_json(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_DATABASE_URL", fresh_database_url.replace("+psycopg", ""))

    result = CliRunner().invoke(app, ["reconcile", "--rule", "posting_missing", "--json"])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["findings"] == []


def test_what_was_open_on_a_day_is_told_from_the_runs_that_were_kept(
    engine: Engine, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_DATABASE_URL", fresh_database_url.replace("+psycopg", ""))
    asked = ["reconcile", "--as-of", "2026-10-31", "--json"]
    before = CliRunner().invoke(app, asked)
    subject = CrosswalkKey("billing", "invoice", "in_1")
    found = Finding(
        "posting_missing", "C", Severity.ERROR, (subject,), None, None, Decimal("5.00"), "EUR", "s", "a", "o"
    )
    first = datetime(2026, 10, 30, 8, tzinfo=UTC)
    write_run(engine, Run(first, first), [found])
    write_run(engine, Run(first + timedelta(days=2), first), [])

    on_day = json.loads(CliRunner().invoke(app, asked).stdout)
    after = CliRunner().invoke(app, ["reconcile", "--as-of", "2026-11-01"])

    assert before.exit_code != 0
    assert [(each["rule"], each["subject"]["key"], each["hours"]) for each in on_day["findings"]] == [
        ("posting_missing", "in_1", 48.0)
    ]
    assert "0 findings open at the end of 2026-11-01" in after.stdout
    assert CliRunner().invoke(app, ["reconcile", "--as-of", "October"]).exit_code != 0
