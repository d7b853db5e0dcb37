"""What commands share: opening the hub, the pipeline, and printing."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from getpass import getuser
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mdm.access import Role
from mdm.bootstrap import Hub, open_hub
from mdm.core.rules import Rules
from mdm.hub.governance import remember_documents
from mdm.hub.in_force import in_force_now
from mdm.hub.outdated import outdated
from mdm.hub.process import Pipeline
from mdm.hub.reconciliation_rules import load_reconciliation
from mdm.hub.release import load_rules, must_agree, remember_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.wire import WireFormat
from mdm.lifecycle.policy import Policy
from mdm.model.events import Outcome
from mdm.model.platforms import Platforms
from mdm.settings import read_settings
from mdm.store import migrate
from mdm.streams.kafka_settings import read_stream_settings
from mdm.streams.registry import open_registry

JSON_OPTION = typer.Option(False, "--json", help="Print JSON instead of text.")

#: More columns than any table has.
_UNBOUNDED = 1_000_000

console = Console(highlight=False, soft_wrap=True)
#: Progress and notes go here, so that piped output stays clean.
notes = Console(stderr=True, highlight=False)


@contextmanager
def hub(upgrade: bool = True, name: str = "mdm") -> Iterator[Hub]:
    """The hub of the environment's settings, its schema up to date; `name` is what the database calls this process."""
    with open_hub(read_settings(os.environ), progress=notes.print, name=name) as opened:
        if upgrade:
            migrate.upgrade(opened.engine)
        yield opened


def sources_folder(given: Path | None = None) -> Path | None:
    """The folder of platforms to read: the given one, else that of the settings; None for the shipped one."""
    return given or read_settings(os.environ).sources


def operator() -> Actor:
    """Whoever runs a command on this machine, as the audit names them: they hold the database."""
    return Actor(getuser(), Role.ADMIN)


def pipeline(opened: Hub) -> Pipeline:
    """The source profiles of the settings and the rules in force on this hub."""
    catalogue = load_catalogue(opened.settings.sources)
    registry = open_registry(read_stream_settings(os.environ).registry)
    shipped = load_rules(
        catalogue, opened.settings.models_dir, opened.settings.placement, opened.settings.reconciliation
    )
    remember_rules(opened.engine, shipped)
    remember_documents(opened.engine, opened.clock, catalogue)
    rules = in_force_now(opened.engine, shipped)
    must_agree(rules)
    return Pipeline(opened.engine, opened.clock, catalogue, rules, WireFormat(registry).plain)


def reconciliation_of(opened: Hub) -> Policy:
    """By what rules the platforms of the settings are held against each other."""
    return load_reconciliation(load_catalogue(opened.settings.sources), opened.settings.reconciliation)


def platforms_of(opened: Hub) -> Platforms:
    """What the platforms of the settings are: the CRM, billing, the product platform, the ERP."""
    return load_catalogue(opened.settings.sources).platforms


def tell_what_is_stale(opened: Hub, catalogue: Catalogue, rules: Rules) -> None:
    """Say on standard error which tables have rows that another mapping was applied to than the one of now, and whose
    records are under other blocking keys than those of now."""
    for each in outdated(opened.engine, catalogue, rules):
        warning = f"warning [{each.code}]: {each.message}\n  what to do: {each.advice}"
        notes.print(warning, markup=False)


@contextmanager
def progress_bar(description: str, *, quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error; the function it gives takes what is being done and the share done, from 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=notes, disable=quiet) as progress:
        bar = progress.add_task(description, total=1.0)
        yield lambda step, share: progress.update(bar, description=step, completed=share)


def print_json(value: Any) -> None:
    """One JSON document, indented, keys as given."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    typer.echo(orjson.dumps(value, default=_as_json, option=options).decode())


def _as_json(value: Any) -> Any:
    """Named tuples as objects, plain ones and sets as lists, exact numbers as text."""
    if isinstance(value, tuple):
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()
) -> None:
    """A table for people; numbers in the columns `right` are right-aligned. Folded to the width of a terminal only."""
    if not rows:
        typer.echo(f"{title}: none.")
        return
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    if console.is_terminal:
        console.print(table)
        return
    # What reads a pipe or a log file has no width: cells stay whole, one line to a row.
    whole = Console(file=StringIO(), width=_UNBOUNDED, highlight=False)
    with whole.capture() as drawn:
        whole.print(table)
    typer.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def many(number: int, one: str, several: str = "") -> str:
    """`1 row`, `2,000 rows`; `several` where more of it is not called by an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


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
