"""Commands that hold the platforms against each other and against ERP: reconcile."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, hub, many, print_json, print_table
from mdm.cli.reconcile import source
from mdm.errors import OperatorError
from mdm.hub.reconcile import Reconciliation
from mdm.hub.reconcile import reconcile as reconcile_hub
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.reconciliation import RULE_NAMES

#: Findings shown to people; JSON has them all.
_SHOWN = 50


reconciling = typer.Typer(invoke_without_command=True)
reconciling.command("source")(source)


@reconciling.callback()
def reconcile(
    context: typer.Context,
    rule: str | None = typer.Option(None, "--rule", help="Only findings of this rule, e.g. posting_missing."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What does not agree from contract to posting, what to do about it, and whose move it is.

    `mdm reconcile source` holds the hub's mirror against a source table.
    """
    if context.invoked_subcommand is not None:
        return
    if rule is not None and rule not in RULE_NAMES:
        raise OperatorError(f"There is no rule {rule!r}.", action=f"Rules: {', '.join(RULE_NAMES)}.")
    with hub() as opened:
        found = reconcile_hub(opened.engine, load_catalogue(opened.settings.sources))
    findings = [each for each in found.findings if rule in (None, each.rule)]
    if as_json:
        print_json(_document(found, findings))
        return
    _print_summary(findings)
    if findings:
        rows = [[each.rule, each.sentence, each.action, each.owner] for each in findings[:_SHOWN]]
        print_table("Findings", ("rule", "what is wrong", "what to do", "owner"), rows)
    if len(findings) > _SHOWN:
        typer.echo(f"... and {len(findings) - _SHOWN:,} more; --json lists all, --rule those of one rule.")
    typer.echo(f"{many(len(findings), 'finding')} as of {found.as_of:%Y-%m-%d %H:%M} UTC.")


def _print_summary(findings: list[Finding]) -> None:
    counts = Counter((each.severity.value, each.rule, each.owner) for each in findings)
    if counts:
        print_table(
            "By rule",
            ("severity", "rule", "owner", "findings"),
            [[*names, number] for names, number in sorted(counts.items())],
            right=(3,),
        )


def _document(found: Reconciliation, findings: list[Finding]) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "rules_version": found.policy_version,
        "findings": [finding_document(each) for each in findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as JSON: decimals as text, facts as objects."""
    return asdict(finding) | {
        "severity": finding.severity.value,
        "amount": None if finding.amount is None else format(finding.amount, "f"),
        "facts": [fact._asdict() for fact in finding.facts],
    }
