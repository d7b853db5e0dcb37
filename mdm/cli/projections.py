"""Commands about projections: which ERP systems there are, and what another release of one would change."""

from dataclasses import asdict

import typer

from mdm.cli.context import JSON_OPTION, hub, print_json, print_table, progress_bar
from mdm.hub.projection_trial import Effects, effects, open_targets
from mdm.hub.projections import shipped_targets
from mdm.projection.difference import Difference, differences

projections = typer.Typer(no_args_is_help=True)


@projections.callback()
def _root() -> None:
    """Golden records in the fields of ERP systems: list, and compare before a system changes."""


@projections.command("list")
def list_targets(as_json: bool = JSON_OPTION) -> None:
    """The ERP systems that golden records are served for, with the release that each document is of."""
    targets = shipped_targets().values()
    if as_json:
        print_json(
            [
                {
                    "name": each.name, "title": each.title, "release": each.release, "system": each.system,
                    "objects": {form.domain.plural: form.object for form in each},
                }
                for each in targets
            ]
        )  # fmt: skip
        return
    rows = [
        [each.name, each.title, each.release, each.system, ", ".join(form.object for form in each)] for each in targets
    ]
    print_table("Projections", ("name", "ERP", "release", "keys of platform", "objects"), rows)


@projections.command("diff")
def diff(
    before: str = typer.Argument(..., help="A shipped target (sap, odoo, erpnext, netsuite) or a document's path."),
    after: str = typer.Argument(..., help="The same, as it will be."),
    documents_only: bool = typer.Option(False, "--documents-only", help="Do not look at the hub's golden records."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What another release of an ERP system changes, field by field, and which golden records it would no longer take.

    Exits with 1 when there are such.
    """
    old, new = open_targets(before, after)
    found = list(differences(old, new))
    done = None
    if not documents_only:
        with hub() as opened, opened.engine.connect() as connection, progress_bar("looking", quiet=as_json) as tell:
            done = effects(connection, old, new, tell)
    if as_json:
        print_json({"differences": [asdict(each) for each in found], "golden": None if done is None else _json(done)})
    else:
        _print(f"{old.title} {old.release}", f"{new.title} {new.release}", found, done)
    if done is not None and done.gained:
        raise typer.Exit(1)


def _json(done: Effects) -> dict[str, object]:
    return {
        "domains": {domain.value: asdict(each) for domain, each in done.domains.items()},
        "no_longer_fit": [
            {**misfit._asdict(), "records": number, "examples": done.examples.get(misfit, [])}
            for misfit, number in done.gained.most_common()
        ],
        "fit_again": [{**misfit._asdict(), "records": number} for misfit, number in done.lost.most_common()],
    }


def _print(old: str, new: str, found: list[Difference], done: Effects | None) -> None:
    if found:
        rows = [[each.domain, each.field or "(object)", each.what, each.before, each.after] for each in found]
        print_table(f"From {old} to {new}", ("domain", "field", "what", "before", "after"), rows)
    else:
        typer.echo(f"{old} and {new} do not differ.")
    if done is None:
        return
    counts = [
        [domain, each.records, each.changed, each.fit_before, each.fit_after] for domain, each in done.domains.items()
    ]
    columns = ("domain", "golden records", "look otherwise", "fit now", "would fit")
    print_table("Golden records", columns, counts, right=range(1, 5))
    gained = [[*misfit, number, ", ".join(done.examples[misfit])] for misfit, number in done.gained.most_common()]
    lost = [[*misfit, number] for misfit, number in done.lost.most_common()]
    columns = ("domain", "code", "field", "records", "for example")
    if gained:
        print_table("Would no longer be taken", columns, gained, right=(3,))
    if lost:
        print_table("Would be taken again", columns[:-1], lost, right=(3,))
