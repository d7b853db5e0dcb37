"""Commands about how the hub is governed: tiers of workflows, the scorecard, the report."""

import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path

import orjson
import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table, progress_bar
from mdm.cli.steward_bench import Bench, bench_of
from mdm.core.scorecard import Scorecard
from mdm.hub.compliance import report, scorecard_json
from mdm.hub.compliance_page import compliance_page
from mdm.hub.reconcile import found_by
from mdm.hub.scorecard import scorecard
from mdm.hub.tiers import Standing, standings
from mdm.hub.tiers_proof import Proof, prove_tiers
from mdm.intake.ownership import Ownership, load_ownership
from mdm.settings import read_settings

governance = typer.Typer(no_args_is_help=True)


@governance.callback()
def _root() -> None:
    """How the hub is governed."""


@governance.command("tiers")
def tiers(
    prove: bool = typer.Option(False, "--prove", help="Try every control in a scratch hub; exit 1 if one fails."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Workflows, what their tier asks of the hub, how they stand, and the test that shows each control."""
    proof: Proof | None = None
    with bench_of("") as bench:
        hub = bench.pipeline
        with hub.engine.connect() as connection:
            found = standings(connection, hub.catalogue, bench.policy, hub.clock())
        if prove:
            with progress_bar("Proving", quiet=as_json) as progress:
                proof = prove_tiers(hub, bench.policy, lambda name: progress(name, 0.0))
    if as_json:
        print_json({"workflows": [each.as_json() for each in found], "proof": None if proof is None else _proof(proof)})
    else:
        _print(found, proof)
    if proof is not None and not proof.holds:
        raise typer.Exit(1)


def _print(found: list[Standing], proof: Proof | None) -> None:
    rows = [
        [each.workflow, each.tier.number, ", ".join(each.tables), f"{each.tier.fresh_within:,} s", _in_time(each),
         each.open.refused, each.open.held, each.open.overdue]
        for each in found
    ]  # fmt: skip
    titles = ("workflow", "tier", "tables", "golden within", "in time, 24 h", "refused", "waiting", "overdue")
    print_table("Workflows", titles, rows, right=(1, 3, 4, 5, 6, 7))
    if proof is None:
        controls = [[each.workflow, one.name, one.asked, one.test] for each in found for one in each.controls]
        print_table("Controls", ("workflow", "control", "asked", "test"), controls)
        return
    tried = [
        [each.workflow, each.tier, each.table, each.control, each.asked, each.seen, "holds" if each.holds else "FAILS"]
        for each in proof.shown
    ]
    print_table("Proof", ("workflow", "tier", "tried with", "control", "asked", "seen", ""), tried)
    for name, why in proof.not_shown.items():
        typer.echo(f"{name}: not shown. {why}")


def _in_time(standing: Standing) -> str:
    return "none timed" if standing.in_time is None else f"{standing.in_time:.1%} of {standing.changes:,}"


def _proof(proof: Proof) -> dict[str, object]:
    shown = [{**asdict(each), "holds": each.holds} for each in proof.shown]
    return {"holds": proof.holds, "shown": shown, "not_shown": dict(proof.not_shown)}


@governance.command("scorecard")
def scorecard_command(
    least: float = typer.Option(0.0, "--min", min=0.0, max=1.0, help="No measure may be below this, from 0 to 1."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Governance measured against its thresholds. Exits with 1 when a measure is below its own, or below --min."""
    with bench_of("") as bench:
        card = _measured(bench, least)
    if as_json:
        print_json(scorecard_json(card))
    else:
        rows = [
            [each.title, _told(each.value), f"{each.least:.0%}", each.of, "" if each.passed else "FAILS",
             "" if each.passed else f"{each.owner}: {each.action}"]
            for each in card.scores
        ]  # fmt: skip
        titles = ("measure", "is", "must be", "of", "", "whose move, and what to do")
        print_table("Scorecard", titles, rows, right=(1, 2, 3))
        reached = "every threshold is reached" if card.passed else "thresholds are missed"
        typer.echo(f"Mean {_told(card.mean)}; {reached}.")
    if not card.passed:
        raise typer.Exit(1)


class Format(StrEnum):
    """What the report is for."""

    HTML = "html"
    JSON = "json"


@governance.command("report")
def report_command(
    form: Format = typer.Option(Format.HTML, "--format", help="A page for people, or JSON for programs."),
    output: Path | None = typer.Option(None, "--output", help="A file; standard output if not given."),
    as_json: bool = JSON_OPTION,
) -> None:
    """How this hub is governed and the evidence that it is so: gates, policies in force, objectives, scorecard, and
    what was done in the last 90 days."""
    with bench_of("") as bench:
        found = report(bench.pipeline, bench.policy, _ownership(), _measured(bench, 0.0))
    if as_json or form is Format.JSON:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        told = orjson.dumps(found.as_json(), option=options).decode()
    else:
        told = compliance_page(found)
    if output is None:
        typer.echo(told)
    else:
        output.write_text(told, encoding="utf-8")
        typer.echo(f"Written to {output}.", err=True)


def _measured(bench: Bench, least: float) -> Scorecard:
    found = found_by(bench.pipeline)
    return scorecard(bench.pipeline, bench.policy, _ownership(), found, least)


def _ownership() -> Ownership:
    return load_ownership(read_settings(os.environ).ownership)


def _told(value: float | None) -> str:
    return "nothing to measure" if value is None else f"{value:.1%}"
