"""The command that holds a feed against the hard cases of change data capture."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table, progress_bar, sources_folder
from mdm.cli.open_feed import open_to_look
from mdm.errors import OperatorError
from mdm.hub.conformance.cases import Verdict
from mdm.hub.conformance.run import Examined, examine_captures, examine_feed
from mdm.intake.catalogue import load_catalogue

conformance = typer.Typer(no_args_is_help=True)


@conformance.callback()
def _group() -> None:
    """The hard cases of change data capture."""


@conformance.command("run")
def run(
    feed: str | None = typer.Option(
        None, help="Your own feed: file:PATH or kafka://HOST:PORT; without it, the shipped captures."
    ),
    topics: str | None = typer.Option(
        None, help="Kafka: regular expression of topics; default: those of the contracts."
    ),
    sources: Path | None = typer.Option(
        None, help="Folder with the contracts of your feed; default: the shipped ones."
    ),
    limit: int | None = typer.Option(None, min=1, help="Most messages to look at (100000 if not said)."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Hold a feed against every hard case: key changes, unchanged large values, truncates, redelivery, any order, ...

    Nothing is stored. Exits with 1 when something does not hold. A case that the feed does not have is told as absent.
    """
    said = {"--topics": topics, "--sources": sources, "--limit": limit}
    given = [name for name, value in said.items() if value is not None]
    if feed is None and given:
        raise OperatorError(
            f"No feed is named, and {', '.join(given)} would say nothing.",
            action="Name it with --feed, or leave them out to examine the shipped captures.",
        )
    with progress_bar("examining", quiet=as_json) as tell:
        if feed is None:
            examined = list(examine_captures(tell))
        else:
            catalogue = load_catalogue(sources_folder(sources))
            examined = [examine_feed(open_to_look(feed, topics, catalogue), catalogue, limit or 100_000)]
    if as_json:
        print_json({"conforms": all(each.conforms for each in examined), "feeds": [_json(each) for each in examined]})
    elif feed is None:
        _print_matrix(examined)
    else:
        _print_report(examined[0])
    if not all(each.conforms for each in examined):
        raise typer.Exit(1)


def _json(examined: Examined) -> dict[str, Any]:
    cases = [
        {"case": case.name, "what": case.what, "verdict": finding.verdict.value} | asdict(finding)
        for case, finding in examined.findings
    ]
    return {"feed": examined.feed, "messages": examined.messages, "conforms": examined.conforms, "cases": cases}


def _print_matrix(examined: list[Examined]) -> None:
    """One row for each case: in how many captures it holds, is broken, or is absent, and how often it was seen."""
    rows: list[list[object]] = []
    for number, (case, _) in enumerate(examined[0].findings):
        findings = [each.findings[number][1] for each in examined]
        count = [sum(finding.verdict is verdict for finding in findings) for verdict in Verdict]
        broken = ", ".join(each.feed for each in examined if each.findings[number][1].verdict is Verdict.BROKEN)
        rows.append([case.name, case.what, *count, sum(finding.seen for finding in findings), broken])
    columns = ("case", "what must hold", *(verdict.value for verdict in Verdict), "seen", "broken in")
    print_table(f"{len(examined)} captures of real connectors", columns, rows, right=(2, 3, 4, 5))
    for each in examined:
        if not each.conforms:
            _print_report(each)


def _print_report(examined: Examined) -> None:
    rows = []
    for case, finding in examined.findings:
        rows.append([case.name, finding.verdict.value, finding.seen, case.what])
        rows += [["", "problem", "", problem] for problem in finding.problems]
        rows += [["", "what to do", "", case.advice] for _ in finding.problems[:1] if case.advice]
        rows += [["", "remark", "", remark] for remark in finding.remarks]
    print_table(
        f"{examined.feed}: {examined.messages:,} messages", ("case", "verdict", "seen", "what"), rows, right=(2,)
    )
    broken = sum(finding.verdict is Verdict.BROKEN for _, finding in examined.findings)
    absent = sum(finding.verdict is Verdict.ABSENT for _, finding in examined.findings)
    typer.echo(f"{len(examined.findings) - broken - absent} cases hold, {broken} are broken, {absent} absent.")
