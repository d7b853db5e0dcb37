"""Commands about projections: which ERP systems there are, what another release of one would change, and what the gates
hold back."""

from dataclasses import asdict

import typer

from mdm.cli.context import JSON_OPTION, hub, many, platforms_of, print_json, print_table, progress_bar
from mdm.errors import OperatorError
from mdm.hub.asking_erp import ask_about_changes
from mdm.hub.erp_gates import pass_gates, tell_gated
from mdm.hub.projection_trial import Effects, effects, open_targets
from mdm.hub.projections import shipped_targets
from mdm.hub.steward import load_policy
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.projection.difference import Difference, differences
from mdm.store.erp_view import counted, held_back

projections = typer.Typer(no_args_is_help=True)


@projections.callback()
def _root() -> None:
    """Golden records in the fields of ERP systems: list, compare before a system changes, what the gates hold back."""


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


_ERP = typer.Option(None, "--erp", help="sap, odoo, erpnext or netsuite. Default: that of the onboarding rules.")


@projections.command("gate")
def gate(
    erp: str | None = _ERP,
    as_json: bool = JSON_OPTION,
) -> None:
    """Judge the versions of golden records that were not judged yet, announce what is held back, or no longer, and ask
    about changes of sensitive attributes.

    `mdm worker calendar` does so once a minute, and whoever reads the view judges what is new. Safe to repeat.
    """
    name = _named(erp)
    with hub() as opened:
        found = pass_gates(opened.engine, platforms_of(opened), opened.clock(), name)
        told = tell_gated(opened.engine, opened.clock)
        owner_of = load_catalogue(opened.settings.sources).owner_of
        asked = ask_about_changes(opened.engine, opened.clock, owner_of, load_policy(opened.settings.steward_policy))
        with opened.engine.connect() as connection:
            counts = counted(connection, name)
    if as_json:
        print_json({"erp": name, "judged": found.judged, "held_now": found.held, "announced": told, "asked": asked,
                    "domains": counts})  # fmt: skip
        return
    typer.echo(f"{many(found.judged, 'version')} judged for {name}, {found.held:,} of them held back.")
    if asked:
        typer.echo(f"{many(asked, 'proposal')} asked about sensitive changes (`mdm steward proposals`).")
    rows = [[domain, each["served"], each["held"], each["never"]] for domain, each in counts.items()]
    print_table("ERP view", ("domain", "served", "a change held back", "never passed"), rows, right=range(1, 4))


@projections.command("held")
def held(
    erp: str | None = _ERP,
    domain: Domain | None = typer.Option(None, help="Only of this one."),
    after: str = typer.Option("", "--after", help="Go on behind this id."),
    limit: int = typer.Option(50, min=1, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Golden records of which the gates hold a version back, what the ERP is served instead, and why."""
    name = _named(erp)
    with hub() as opened:
        pass_gates(opened.engine, platforms_of(opened), opened.clock(), name, [domain] if domain else list(Domain))
        with opened.engine.connect() as connection:
            found = held_back(connection, name, domain, after, limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        [each.entity_id, each.name, each.judged, each.version or "none",
         ", ".join(f"{why['code']} {why['field'] or why['attribute'] or ''}".strip() for why in each.reasons),
         each.proposal_id or ""]
        for each in found
    ]  # fmt: skip
    print_table(f"Held back from {name}", ("id", "name", "held", "served", "why", "proposal"), rows, right=(2, 3, 5))


def _named(erp: str | None) -> str:
    name = erp or shipped_ruleset().target.erp
    if name not in shipped_targets():
        raise OperatorError(
            f"There is no projection for {name}.", action=f"Name one of {', '.join(shipped_targets())}."
        )
    return name


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
