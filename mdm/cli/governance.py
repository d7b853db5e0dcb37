"""Commands that hold the platforms against each other and against ERP: reconcile."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import typer

from api.present_findings import priority_object
from mdm.bootstrap import Hub
from mdm.cli.context import JSON_OPTION, hub, many, print_json, print_table
from mdm.cli.reconcile import source
from mdm.cli.seen_findings import open_on_day
from mdm.errors import OperatorError
from mdm.hub import steward as desk
from mdm.hub.finding_order import in_order, measures_now
from mdm.hub.reconcile import Reconciliation
from mdm.hub.reconcile import reconcile as reconcile_hub
from mdm.hub.reconciliation_rules import load_reconciliation
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.overview import Overview
from mdm.lifecycle.policy import Policy, shipped_policy
from mdm.lifecycle.reconciliation import RULE_NAMES
from mdm.lifecycle.stuck import Stuck

#: Findings shown to people; JSON has them all.
_SHOWN = 50


reconciling = typer.Typer(invoke_without_command=True)
reconciling.command("source")(source)


@reconciling.callback()
def reconcile(
    context: typer.Context,
    rule: str | None = typer.Option(None, "--rule", help="Only findings of this rule, e.g. posting_missing."),
    as_of: str | None = typer.Option(
        None, "--as-of", help="What was open at the end of a day (UTC), like 2026-10-31, as runs that are kept saw it."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """What does not agree from contract to posting, the most urgent first, what to do about it, and whose move it is.

    With --as-of nothing is looked at anew: the API keeps what it finds, and `mdm worker calendar` once an hour.

    `mdm reconcile source` holds the hub's mirror against a source table, `mdm reconcile stuck` tells what stands still.
    """
    if context.invoked_subcommand is not None:
        return
    if as_of is not None:
        open_on_day(as_of, rule, as_json)
        return
    if rule is not None and rule not in RULE_NAMES:
        raise OperatorError(f"There is no rule {rule!r}.", action=f"Rules: {', '.join(RULE_NAMES)}.")
    with hub() as opened:
        found, rules = _found(opened)
        policy = desk.load_policy(opened.settings.steward_policy)
        overview = in_order(found, measures_now(opened.engine, opened.clock(), policy, rules))
    findings = overview.shelf(rule).findings
    if as_json:
        print_json(_document(found, overview, findings))
        return
    _print_summary(findings)
    if findings:
        rows = [
            [*_urgency(overview, each), each.rule, each.sentence, each.action, each.owner] for each in findings[:_SHOWN]
        ]
        titles = ("priority", "because", "rule", "what is wrong", "what to do", "owner")
        print_table("Findings", titles, rows, right=(0,))
    if len(findings) > _SHOWN:
        typer.echo(f"... and {len(findings) - _SHOWN:,} more; --json lists all, --rule those of one rule.")
    typer.echo(f"{many(len(findings), 'finding')} as of {found.as_of:%Y-%m-%d %H:%M} UTC.")


def _found(opened: Hub) -> tuple[Reconciliation, Policy]:
    """What does not agree, and the rules that say so."""
    catalogue = load_catalogue(opened.settings.sources)
    policy = load_reconciliation(catalogue, opened.settings.reconciliation)
    return reconcile_hub(opened.engine, catalogue, policy), policy


@reconciling.command("stuck")
def stuck_command(
    stage: str | None = typer.Option(None, "--stage", help="Only those whose last step this was, e.g. invoiced."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Business transactions that stand still: what got as far as one step and, for longer than the policy allows, no
    further. What has waited longest comes first."""
    if stage is not None and stage not in (known := shipped_policy().progress):
        raise OperatorError(f"There is no step {stage!r}.", action=f"Steps: {', '.join(known)}.")
    with hub() as opened:
        found, policy = _found(opened)
    meant = [each for each in found.stuck if stage in (None, each.stage)]
    if as_json:
        print_json({"as_of": found.as_of, "items": [_stuck_document(each) for each in meant]})
        return
    counts = Counter(each.stage for each in found.stuck)
    steps = policy.progress.items()
    rows = [[name, step.waits_for, step.days, counts[name], step.owner] for name, step in steps]
    print_table("By step", ("last step", "waits for", "may take, days", "stand still", "owner"), rows, right=(2, 3))
    shown = [[each.stage, each.days, each.sentence, each.action, each.owner] for each in meant[:_SHOWN]]
    print_table("Stand still", ("last step", "days", "what", "what to do", "owner"), shown, right=(1,))
    if len(meant) > _SHOWN:
        typer.echo(f"... and {len(meant) - _SHOWN:,} more; --json lists all, --stage those of one step.")


def _stuck_document(stuck: Stuck) -> dict[str, Any]:
    return asdict(stuck) | {
        "amount": None if stuck.amount is None else format(stuck.amount, "f"),
        "facts": [fact._asdict() for fact in stuck.facts],
    }


def _print_summary(findings: list[Finding]) -> None:
    counts = Counter((each.severity.value, each.rule, each.owner) for each in findings)
    if counts:
        print_table(
            "By rule",
            ("severity", "rule", "owner", "findings"),
            [[*names, number] for names, number in sorted(counts.items())],
            right=(3,),
        )


def _urgency(overview: Overview, finding: Finding) -> tuple[str, str]:
    """The priority of a finding and the two weightiest reasons; JSON has them all."""
    priority = overview.priority_of(finding)
    assert priority is not None, "all findings were put in order"
    return f"{priority.points:.0f}", "; ".join(each.reason for each in priority.parts[:2])


def _document(found: Reconciliation, overview: Overview, findings: list[Finding]) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "rules_version": found.policy_version,
        "findings": [finding_document(each) | priority_object(overview.priority_of(each)) for each in findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as JSON: decimals as text, facts as objects."""
    return asdict(finding) | {
        "severity": finding.severity.value,
        "amount": None if finding.amount is None else format(finding.amount, "f"),
        "facts": [fact._asdict() for fact in finding.facts],
    }
