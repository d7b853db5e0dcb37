"""Commands about who may reach what: where golden records belong, and row security."""

import typer
from sqlalchemy import text

from mdm.cli.context import JSON_OPTION, hub, notes, pipeline, print_json, print_table
from mdm.hub.placing import place_everything
from mdm.store import row_security

access = typer.Typer(no_args_is_help=True)

_SHOWN = """
select domain, regions, business_units, legal_entities, sources, count(*) from placement group by 1, 2, 3, 4, 5
order by 1, 6 desc
"""


@access.command("place")
def place(as_json: bool = JSON_OPTION) -> None:
    """Place every golden record anew, after the plan (MDM_PLACEMENT) has changed."""
    with hub() as opened:
        chain = pipeline(opened)
        done = place_everything(
            opened.engine,
            opened.clock,
            chain.rules.placement,
            "operator",
            lambda n: notes.print(f"{n:,} placed"),
        )
    if as_json:
        print_json({"placed": done, "plan": chain.rules.placement.version})
    else:
        typer.echo(f"{done:,} golden records are placed by plan {chain.rules.placement.version}.")


@access.command("show")
def show(as_json: bool = JSON_OPTION) -> None:
    """How many golden records belong where, and whether row security is in place."""
    with hub() as opened, opened.engine.connect() as connection:
        found = connection.execute(text(_SHOWN)).all()
        secured = row_security.secured(connection)
    if as_json:
        names = ("domain", "regions", "business_units", "legal_entities", "sources", "records")
        print_json({"row_security": secured, "placements": [dict(zip(names, row, strict=True)) for row in found]})
        return
    rows = [[row[0], *(", ".join(each) for each in row[1:5]), row[5]] for row in found]
    columns = ("domain", "region", "business unit", "legal entity", "platforms", "records")
    print_table("Where golden records belong", columns, rows, right=(5,))
    typer.echo(f"Row security is {'in place' if secured else 'NOT in place: run `mdm db upgrade`'}.")
