"""What commands share: opening the hub, the pipeline, and printing."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mdm.bootstrap import Hub, open_hub
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules, remember_rules
from mdm.intake.catalogue import load_catalogue
from mdm.intake.wire import WireFormat
from mdm.model.events import Outcome
from mdm.settings import read_settings
from mdm.store import migrate
from mdm.streams.kafka_settings import read_stream_settings
from mdm.streams.registry import open_registry

JSON_OPTION = typer.Option(False, "--json", help="Print JSON instead of text.")

#: Columns of output that no terminal reads (a pipe, a log file), where there is no width to fit.
_PIPED_WIDTH = 160

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
#: Progress and notes go here, so that piped output stays clean.
notes = Console(stderr=True, highlight=False)


@contextmanager
def hub(upgrade: bool = True) -> Iterator[Hub]:
    """The hub of the environment's settings, its schema up to date."""
    with open_hub(read_settings(os.environ), progress=notes.print) as opened:
        if upgrade:
            migrate.upgrade(opened.engine)
        yield opened


def pipeline(opened: Hub) -> Pipeline:
    """The shipped source profiles and released rules on this hub."""
    catalogue = load_catalogue(None)
    registry = open_registry(read_stream_settings(os.environ).registry)
    rules = load_rules(catalogue, read_settings(os.environ).models_dir)
    remember_rules(opened.engine, rules)
    return Pipeline(opened.engine, opened.clock, catalogue, rules, WireFormat(registry).plain)


@contextmanager
def progress_bar(description: str, *, quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error; the function it gives takes what is being done and the share done, from 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=notes, disable=quiet) as progress:
        bar = progress.add_task(description, total=1.0)
        yield lambda step, share: progress.update(bar, description=step, completed=share)


def print_json(value: Any) -> None:
    """One JSON document, indented, keys as given."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()
) -> None:
    """A table for people; numbers in the columns `right` are right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value).replace("[", "\\[")


def outcome_rows(counts: Mapping[str, Mapping[str, int]]) -> list[list[object]]:
    """Rows of platform, one column per outcome and the sum."""
    return [
        [system, *(by_outcome.get(outcome.value, 0) for outcome in Outcome), sum(by_outcome.values())]
        for system, by_outcome in sorted(counts.items())
    ]
