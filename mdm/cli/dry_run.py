"""Telling what the rows of a feed would do to the hub, before they are taken in."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from mdm.cli.context import hub, notes, pipeline, print_json, print_table, progress_bar, tell_what_is_stale
from mdm.cli.open_feed import open_to_look
from mdm.errors import OperatorError
from mdm.hub.arrivals import arriving
from mdm.model.arrivals import Arrivals, Fate, Row
from mdm.model.cells import harmless
from mdm.workers.ingest import drain
from mdm.workers.preparing import pace_of
from mdm.workers.service import stopped_by_signals

#: What shells see of a command that was interrupted (128 + SIGINT).
STOPPED = 130
_ENDLESS = 10**9
#: Rows told of each fate; --details has them all.
_SHOWN = 10
_COLUMNS = ("domain", "system", "type", "key", "name", "fate", "entity_id", "entity_name", "weight")


def ingest_on_a_copy(
    feed: str, topics: str | None, batch_size: int, details: Path | None, *, as_json: bool = False
) -> None:
    """Take a feed in on a copy of the hub, and tell what that did. The feed is read from where the hub stands in it."""
    if details is not None and not details.parent.is_dir():
        raise OperatorError(f"There is no folder {details.parent}.", action="Name a file in a folder that is there.")
    with hub() as opened, stopped_by_signals() as stop, progress_bar("copying the hub", quiet=as_json) as tell:
        flow = pipeline(opened)
        tell_what_is_stale(opened, flow.catalogue, flow.rules)
        source = open_to_look(feed, topics, flow.catalogue)
        pace = pace_of(source, opened.settings.batch_size, batch_size)
        with arriving(flow, lambda step: tell(step, 0.0)) as copy:
            drain(
                pace.of(copy.pipeline),
                source,
                batch_size=pace.batch_size,
                prepared=pace.prepared,
                dead_letter_limit=_ENDLESS,  # all that would be refused is told
                on_batch=lambda _: tell("taking in on the copy", source.progress()),
                stop=stop,
            )
            stopped = stop() and not source.at_end()
            source.close()
            tell("looking at what it did", 1.0)
            found = copy.arrivals(None if details is not None else _SHOWN)
    if details is not None:
        _write(details, found)
    if as_json:
        print_json(found.shortened(_SHOWN).as_json() | {"stopped": stopped})
    else:
        _print(found)
        if details is not None:
            notes.print(f"What becomes of each row: {details}", markup=False)
    if stopped:
        notes.print("Stopped before the end. What is told is of the rows read so far; nothing was kept.")
        raise typer.Exit(STOPPED)


def _write(path: Path, found: Arrivals) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows([harmless(cell) for cell in _cells(row)] for row in found.rows)


def _cells(row: Row) -> list[object]:
    weight = None if row.weight is None else f"{row.weight:.2f}"
    return [row.domain, *row.key, row.name, row.fate, row.entity_id, row.entity_name, weight]


def _print(found: Arrivals) -> None:
    tables = [
        [
            each.domain or "facts", each.system, each.type, each.rows,
            *(each.fates.get(fate, 0) if each.domain else None for fate in Fate), each.changed, each.deleted,
        ]
        for each in found.tables
    ]  # fmt: skip
    _numbers(
        "What would be taken in; nothing was written",
        ("domain", "platform", "table", "new rows", "join", "asked", "new", "known rows changed", "deleted"),
        tables,
    )
    domains = [
        [
            domain, each.joined, each.founded, sum(each.questions.values()), each.between, each.changed, each.merged,
            each.retired, each.in_erp, _most_changed(each.attributes),
        ]
        for domain, each in found.domains.items()
    ]  # fmt: skip
    _numbers(
        "Golden records",
        _GOLDEN,
        domains,
    )
    refused = [[each.system, each.type, each.code, each.owner, each.messages] for each in found.refused]
    _numbers("What would be refused", ("platform", "table", "code", "owner", "messages"), refused)
    for fate, title in ((Fate.REVIEW, "Asked about, likeliest first"), (Fate.AUTO, "Joined, least certain first")):
        shown = [row for row in found.rows if row.fate is fate][:_SHOWN]
        rows = [[row.domain, row.key, row.name, row.entity_id or _OWN, *_cells(row)[-2:]] for row in shown]
        _numbers(title, ("domain", "row", "name", "golden record", "name there", "bits"), rows)
    sums = [f"{found.of(fate):,} {words}" for fate, words in _WORDS.items()]
    typer.echo(f"Of the new rows of master data {', '.join(sums)}. To take them in, leave out --dry-run.")


def _numbers(title: str, columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
    """A table, where there is something in it; columns of numbers to the right."""
    if rows:
        right = [place for place, name in enumerate(columns) if isinstance(rows[0][place], int) or name == "bits"]
        print_table(title, columns, rows, right=right)


_GOLDEN = (
    "domain", "joined", "new", "questions", "between known ones", "changed", "merged", "retired", "of these in ERP",
    "attributes that change most",
)  # fmt: skip
#: What stands for the id of a golden record that the feed itself would make.
_OWN = "(came with it)"
_WORDS = {
    Fate.AUTO: "would join golden records that are there",
    Fate.REVIEW: "would be asked about",
    Fate.NEW: "are new",
}


def _most_changed(attributes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in list(attributes.items())[:3])
