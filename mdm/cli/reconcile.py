"""The command that holds the mirror against the source: reconcile source."""

import csv
import time
from dataclasses import asdict
from getpass import getuser
from pathlib import Path

import typer

from mdm.bootstrap import database_url
from mdm.cli.context import JSON_OPTION, hub, many, pipeline, print_json, print_table, sources_folder
from mdm.clock import system_clock
from mdm.core.source_digest import BucketDigest, bucket_sql
from mdm.errors import OperatorError
from mdm.hub.lost_deletes import lost_for_certain, take_out
from mdm.hub.reconcile_source import (
    BUCKETS,
    SourceComparison,
    compare_with_result,
    compare_with_source,
    contract_of,
    note_comparison,
    remedy,
)
from mdm.intake.catalogue import load_catalogue

#: Rows shown to people; JSON has them all.
_SHOWN = 50


def source(
    system: str = typer.Argument(..., help="The platform, e.g. crm."),
    table: str = typer.Argument(..., help="The table, e.g. account."),
    sql: bool = typer.Option(False, "--sql", help="Print the query for the owner of the source, and leave."),
    result: Path | None = typer.Option(None, "--result", help="What the query gave, as CSV: bucket, rows, digest."),
    url: str | None = typer.Option(
        None, "--url", help="Ask the source itself: postgresql://user:password@host/database."
    ),
    buckets: int = typer.Option(
        BUCKETS, min=1, max=1_000_000, help="How finely the rows are divided; the same on both sides."
    ),
    settle: float = typer.Option(
        0.0, min=0.0, help="With --url: when they differ, compare once more after so many seconds, and go by that."
    ),
    take_out_because: str | None = typer.Option(
        None,
        "--take-out",
        help="With --url: delete the rows that only the mirror has, when a second comparison agrees; their deletes "
        "were lost. The text says why, for the audit.",
    ),
    at_most: int = typer.Option(
        100, "--at-most", min=1, help="With --take-out: delete nothing when there are more; the address may be wrong."
    ),
    look_only: bool = typer.Option(False, "--look-only", help="Raise and close no exception."),
    sources: Path | None = typer.Option(
        None, "--sources", help="Folder of platforms; default: MDM_SOURCES, or the shipped ones."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Does the hub's mirror hold what the source table holds? Counts and digests by bucket, then row by row.

    The owner of the source runs the query that --sql prints and gives back its result (--result), or the hub asks the
    source itself (--url). No row leaves the source. Exits with 1 when they differ.

    A difference becomes an exception (SOURCE_DIFFERS) of the contract's owner, which metrics and alerts show; the next
    comparison that finds none closes it. So run it by a timer, with --settle for changes that are on their way.
    """
    contract = contract_of(load_catalogue(sources_folder(sources)), system, table)
    if sql:
        typer.echo(bucket_sql(contract, buckets) + ";")
        return
    if settle and url is None:
        raise OperatorError("--settle is for --url: a result is what it is.", action="Leave it out.")
    if take_out_because is not None and (url is None or look_only or not take_out_because.strip()):
        raise OperatorError("--take-out needs --url and a reason.", action="It asks the source twice, then deletes.")
    if (result is None) == (url is None):
        raise OperatorError("Give either --result or --url.", action="--sql prints the query to run at the source.")
    with hub() as opened:
        if result is not None:
            found = compare_with_result(opened.engine, contract, _read(result), buckets)
        else:
            address = database_url(url or "", "--url")
            found = compare_with_source(opened.engine, contract, address, buckets)
            if (settle or take_out_because) and not found.agrees:
                time.sleep(settle)
                before, found = found, compare_with_source(opened.engine, contract, address, buckets)
                if take_out_because and (lost := lost_for_certain(before, found)):
                    if len(lost) > at_most:
                        raise OperatorError(
                            f"{len(lost):,} of {found.mirror_rows:,} rows would go: nothing was taken out.",
                            action=f"See that --url is the right database; if it is, allow it: --at-most {len(lost)}.",
                        )
                    taken = take_out(pipeline(opened), contract, lost, getuser(), take_out_because)
                    typer.echo(f"{many(taken, 'row')} {'was' if taken == 1 else 'were'} taken out.", err=True)
                    found = compare_with_source(opened.engine, contract, address, buckets)
        if not look_only:
            note_comparison(opened.engine, system_clock, contract, found)
    if as_json:
        print_json(asdict(found) | {"agrees": found.agrees})
    else:
        _print(found)
    if not found.agrees:
        raise typer.Exit(1)


def _print(found: SourceComparison) -> None:
    typer.echo(
        f"{found.system}.{found.table}: {found.source_rows:,} rows in the source, {found.mirror_rows:,} mirrored."
    )
    if found.left_out:
        typer.echo(f"Not compared: {', '.join(found.left_out)} (written differently on the two sides).")
    if found.agrees:
        typer.echo("They hold the same.")
        return
    rows = [[each.bucket, each.source_rows, each.mirror_rows] for each in found.buckets]
    print_table("Buckets that differ", ("bucket", "source", "mirror"), rows, right=(0, 1, 2))
    if found.rows is not None:
        told = [[each.key, each.what] for each in found.rows[:_SHOWN]]
        print_table("Rows that differ", ("key", "in the mirror"), told)
        if len(found.rows) > _SHOWN:
            typer.echo(f"... and {len(found.rows) - _SHOWN:,} more; --json lists all.")
    typer.echo(f"What to do: let the feed come to rest and compare again. {remedy(found)}")


def _read(file: Path) -> list[BucketDigest]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [(row["bucket"], row["rows"], row["digest"]) for row in csv.DictReader(lines)]
        return [BucketDigest(int(bucket), int(number), digest.strip()) for bucket, number, digest in rows]
    except (OSError, KeyError, TypeError, AttributeError, ValueError, csv.Error) as fault:  # a short line has None
        raise OperatorError(
            f"{file} is no result of the query: {fault}.", action="Give CSV with the header bucket,rows,digest."
        ) from fault
