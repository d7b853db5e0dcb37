"""Commands about what comes in: ingest, status."""

import os
import time
from pathlib import Path

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mdm.cli.context import (
    JSON_OPTION,
    hub,
    many,
    notes,
    outcome_rows,
    pipeline,
    print_json,
    print_table,
    tell_what_is_stale,
)
from mdm.cli.dry_run import STOPPED, ingest_on_a_copy
from mdm.cli.open_feed import GROUP, open_file, open_kafka
from mdm.faults import arm
from mdm.hub import mappings, stale_keys
from mdm.hub.in_force import in_force_now
from mdm.hub.process import BatchReport
from mdm.hub.release import load_rules
from mdm.hub.rematch import in_bulk
from mdm.hub.steward import expire_due
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Outcome
from mdm.store.read_status import status_summary
from mdm.streams.kafka import KafkaFeed
from mdm.workers.ingest import drain
from mdm.workers.preparing import pace_of
from mdm.workers.service import stopped_by_signals


def ingest(
    feed: str = typer.Option(
        ..., help="What to read: file:PATH (capture, JSONL or .gz, file or folder) or kafka://HOST:PORT."
    ),
    topics: str = typer.Option("", help="Kafka: regular expression of topics; default: all of the known platforms."),
    group: str = typer.Option(GROUP, help="Kafka: consumer group, under which the position is stored."),
    batch_size: int = typer.Option(
        0, help="Messages per unit of work; default MDM_BATCH_SIZE or 1000, twice that for large captures."
    ),
    bulk: bool = typer.Option(
        False,
        "--bulk",
        help="First load of an empty hub: only take the rows in; resolve with `mdm match run --apply`.",
    ),
    dry_run: bool = typer.Option(
        False,
        "--dry-run",
        help="Tell whom the rows would join, who would be asked about and who is new, by taking them in on a copy.",
    ),
    details: Path = typer.Option(None, "--details", help="With --dry-run: write what becomes of each row as CSV."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Read change events and bring golden records up to date. Safe to repeat and to interrupt.

    With --dry-run nothing is kept: whose rows an acquired platform has is known before they are golden.
    From Kafka it reads what is there now and ends; `mdm worker ingest` stays.
    Stopped before the end, it exits with 130.
    """
    arm(os.environ)
    if details is not None and not dry_run:
        raise typer.BadParameter("it goes with --dry-run only.", param_hint="--details")
    if dry_run:
        if bulk:
            raise typer.BadParameter("it resolves nothing, so there is nothing to look at.", param_hint="--bulk")
        ingest_on_a_copy(feed, topics or None, batch_size, details, as_json=as_json)
        return
    with hub() as opened, stopped_by_signals() as stop:
        flow = pipeline(opened)
        tell_what_is_stale(opened, flow.catalogue, flow.rules)
        expire_due(flow)
        if bulk:
            flow = in_bulk(flow)
        source = (
            open_kafka(opened, feed, topics or None, group, flow.catalogue, until_end=True)
            if feed.startswith("kafka:")
            else open_file(feed)
        )
        pace = pace_of(source, opened.settings.batch_size, batch_size)
        start = time.perf_counter()
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
        with Progress(*columns, TimeElapsedColumn(), console=notes, disable=as_json) as progress:
            bar = progress.add_task("ingesting", total=1.0)
            report = drain(
                pace.of(flow),
                source,
                batch_size=pace.batch_size,
                prepared=pace.prepared,
                dead_letter_limit=opened.settings.dead_letter_limit,
                on_batch=lambda _: progress.update(bar, completed=source.progress()),
                stop=stop,
            )
            stopped = stop() and not source.at_end()
            progress.update(bar, completed=source.progress() if stopped else 1.0)
        nothing = isinstance(source, KafkaFeed) and not source.topics()
        source.close()
        seconds = time.perf_counter() - start
    if as_json:
        print_json(report_json(report, seconds) | {"stopped": stopped})
    else:
        print_report(report, seconds)
    if nothing:
        notes.print(
            "The broker shows no topic that matches. Look at --topics, and whether the user may describe the topics: "
            "a broker hides those that one may not."
        )
    if stopped:
        notes.print("Stopped before the end. What is counted above is kept; the same command goes on from there.")
        raise typer.Exit(STOPPED)
    if bulk and not as_json:
        notes.print("Nothing is resolved yet: mdm match run --apply")


def report_json(report: BatchReport, seconds: float) -> dict[str, object]:
    """A run as JSON."""
    return {
        "messages": report.messages,
        "seconds": round(seconds, 3),
        "outcomes": by_system(report),
        "golden_versions": {domain.value: number for domain, number in report.golden.items()},
        "stage_seconds": {name: round(spent, 3) for name, spent in report.stages.items()},
    }


def print_report(report: BatchReport, seconds: float) -> None:
    """A run for people."""
    rows = outcome_rows(by_system(report))
    print_table("Events by platform and outcome", _COLUMNS, rows, right=range(1, 7))
    rate = report.messages / seconds if seconds else 0
    notes.print(f"{many(report.messages, 'event')} in {seconds:.1f} s ({rate:,.0f} per second)")


def by_system(report: BatchReport) -> dict[str, dict[str, int]]:
    """Outcome counts by platform."""
    counts: dict[str, dict[str, int]] = {}
    for (system, outcome), number in sorted(report.outcomes.items()):
        counts.setdefault(system, {})[outcome.value] = number
    return counts


_COLUMNS = ("platform", *(outcome.value for outcome in Outcome), "events")


def status(as_json: bool = JSON_OPTION) -> None:
    """What was consumed and what became of it, what the hub holds, and whether the counts add up."""
    with hub() as opened, opened.engine.connect() as connection:
        summary = status_summary(connection)
        catalogue = load_catalogue(opened.settings.sources)
        changed = mappings.changed_in(connection, catalogue)
        shipped = load_rules(
            catalogue, opened.settings.models_dir, opened.settings.placement, opened.settings.reconciliation
        )
        stale = stale_keys.stale_keys(opened.engine, in_force_now(opened.engine, shipped))
    messages = summary["messages"]
    if as_json:
        print_json(summary | {"changed_mappings": list(changed), "stale_keys": list(stale)})
    else:
        counts: dict[str, dict[str, int]] = {}
        for topic in messages["topics"]:
            totals = counts.setdefault(topic["system"], {})
            for outcome in Outcome:
                totals[outcome.value] = totals.get(outcome.value, 0) + topic[outcome.value]
        print_table("Events by platform and outcome", _COLUMNS, outcome_rows(counts), right=range(1, 7))
        domains = [
            [domain, each["records"], each["golden"], each["open_tasks"]] for domain, each in summary["domains"].items()
        ]
        columns = ("domain", "source records", "golden records", "open review tasks")
        print_table("Master data", columns, domains, right=range(1, 4))
        print_table("Linked facts", ("kind", "rows"), [list(each) for each in summary["facts"].items()], right=(1,))
        waiting = [[name.replace("_", " "), number] for name, number in summary["open"].items()]
        print_table("Waiting", ("what", "number"), waiting, right=(1,))
        sums = "add up" if messages["add_up"] else "DO NOT ADD UP"
        typer.echo(f"{many(messages['consumed'], 'message')} consumed; the outcomes {sums}.")
        if changed:
            typer.echo(f"{mappings.sentence(changed)} {mappings.ADVICE}")
        if stale:
            typer.echo(f"{stale_keys.sentence(stale)} {stale_keys.ADVICE}")
    if not messages["add_up"]:
        raise typer.Exit(1)
