"""The demo: load the sample world through the live path, then show what the hub made of it."""

import time
from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection

from mdm.access import FORMER_STEWARD
from mdm.bootstrap import Hub
from mdm.demo.story import Story, find_story
from mdm.errors import Conflict
from mdm.hub.digest import state_digest
from mdm.hub.process import BatchReport, Pipeline
from mdm.hub.release import load_rules, remember_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Outcome
from mdm.store import accounts, api_keys
from mdm.store.read_status import status_summary
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain

#: Who the demo lets in to the console.
_USER = "steward"


def run_demo(hub: Hub, console: Console, notes: Console) -> dict[str, Any]:
    """Ingest the bundled world and print the result; returns it as JSON as well."""
    catalogue = load_catalogue(None)
    rules = load_rules(catalogue)
    remember_rules(hub.engine, rules)
    pipeline = Pipeline(hub.engine, hub.clock, catalogue, rules)
    start = time.perf_counter()
    with as_file(files("mdm.demo") / "world") as world:
        report = _ingest(hub, pipeline, FileFeed(world / "events"), notes)
    seconds = time.perf_counter() - start
    with hub.engine.connect() as connection:
        summary = status_summary(connection)
        story = find_story(connection)
    with hub.engine.begin() as connection:
        key = api_keys.issue_key(connection, FORMER_STEWARD, "demo")
        password = _account(connection)
    digest = state_digest(hub.engine).state
    _print_numbers(console, summary, report, seconds)
    _print_story(console, story)
    console.print(f"\nState digest  {digest}")
    console.print(f"API key       {key}   (all that stewards and those around them may do)")
    if password is None:
        console.print(
            f"Console       user {_USER}, with the password of the first demo (`mdm accounts password {_USER}`)"
        )
    else:
        console.print(f"Console       user {_USER}, password {password}   (shown once)")
    return {
        "seconds": round(seconds, 3),
        "stage_seconds": {name: round(spent, 3) for name, spent in report.stages.items()},
        "status": summary,
        "story": story.as_json() if story else None,
        "digest": digest,
        "api_key": key,
        "console": {"username": _USER, "password": password},
    }


def _account(connection: Connection) -> str | None:
    """The password of a new account for the console; None when a demo before has made it."""
    try:
        return accounts.create_account(connection, _USER, "Demo steward", FORMER_STEWARD)
    except Conflict:
        return None


def _ingest(hub: Hub, pipeline: Pipeline, feed: FileFeed, notes: Console) -> BatchReport:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=notes) as progress:
        bar = progress.add_task("loading the sample world", total=1.0)
        report = drain(
            pipeline,
            feed,
            batch_size=hub.settings.batch_size,
            dead_letter_limit=hub.settings.dead_letter_limit,
            on_batch=lambda _: progress.update(bar, completed=feed.progress()),
        )
        progress.update(bar, completed=1.0)
    return report


def _print_numbers(console: Console, summary: Mapping[str, Any], report: BatchReport, seconds: float) -> None:
    messages = summary["messages"]
    platforms: dict[str, dict[str, int]] = {}
    for topic in messages["topics"]:
        counts = platforms.setdefault(topic["system"], {each.value: 0 for each in Outcome})
        for each in Outcome:
            counts[each.value] += topic[each.value]
    console.print("\n[bold]Change events by platform[/bold]")
    console.print("  " + "".join(f"{name:>13}" for name in ("platform", *(each.value for each in Outcome))))
    for platform, counts in platforms.items():
        console.print("  " + f"{platform:>13}" + "".join(f"{number:>13,}" for number in counts.values()))
    sums = "the outcomes add up" if messages["add_up"] else "THE OUTCOMES DO NOT ADD UP"
    console.print(f"  {messages['consumed']:,} events consumed, {sums}.")
    console.print("\n[bold]Master data[/bold]")
    for domain, each in summary["domains"].items():
        console.print(
            f"  {domain:<9}{each['records']:>7,} source records -> {each['golden']:>6,} golden records, "
            f"{each['open_tasks']:,} open review tasks"
        )
    facts = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in summary["facts"].items())
    console.print(f"  linked facts: {facts}")
    rate = report.messages / seconds if seconds else 0.0
    if any(outcome is Outcome.APPLIED for _, outcome in report.outcomes):
        console.print(f"  loaded in {seconds:.1f} s ({rate:,.0f} events per second)")
    else:
        console.print("  nothing was new: the sample world had been loaded before")


def _print_story(console: Console, story: Story | None) -> None:
    if story is None:
        return
    console.print("\n[bold]One customer, as each platform knows it[/bold]")
    for source in story.sources:
        console.print(f"  {source.key!s:<58} {source.text}", markup=False)
    console.print(f"\n[bold]The golden record[/bold] {story.entity_id}")
    for line in story.lines:
        console.print(f"  {line.attribute:<19}{line.value}", markup=False)
        console.print(f"  {'':<19}  from {line.origin}", style="dim", markup=False)
