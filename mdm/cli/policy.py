"""Commands about policies: what the tiers of workflows ask for."""

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table, sources_folder
from mdm.errors import NotFound
from mdm.intake.catalogue import load_catalogue
from mdm.intake.tiers import TierPolicy

policy = typer.Typer(no_args_is_help=True)


@policy.callback()
def _root() -> None:
    """What tiers of workflows ask for."""


@policy.command("show")
def show(
    tier: int | None = typer.Option(None, "--tier", help="Only this tier: 1, 2 or 3."), as_json: bool = JSON_OPTION
) -> None:
    """Tiers, the most critical first: what each asks for, and which workflows and tables it is about."""
    catalogue = load_catalogue(sources_folder())
    tiers = catalogue.tiers
    if tier is not None and tier not in tiers.tiers:
        raise NotFound(f"There is no tier {tier}.", action="Tiers are 1, 2 and 3.")
    meant = [each for each in tiers.tiers.values() if tier in (None, each.number)]
    tables = {
        name: sorted(f"{each.system}.{each.table}" for each in catalogue.profiles if each.workflow.name == name)
        for name in tiers.workflows
    }
    workflows = {
        each.number: {name: tables[name] for name, flow in tiers.workflows.items() if flow.tier == each}
        for each in meant
    }
    if as_json:
        found = [_document(each) | {"workflows": workflows[each.number]} for each in meant]
        print_json({"version": tiers.version, "fingerprint": tiers.fingerprint, "tiers": found})
        return
    for each in meant:
        typer.echo(f"Tier {each.number}. {each.means}")
        for name, asked in _words(each).items():
            typer.echo(f"  {name}: {asked}")
        rows = [[name, tiers.workflows[name].means, ", ".join(of)] for name, of in workflows[each.number].items()]
        print_table("Workflows", ("workflow", "what it is", "tables"), rows)


def _document(tier: TierPolicy) -> dict[str, object]:
    return {
        "tier": tier.number, "means": tier.means, "fresh_within_seconds": tier.fresh_within,
        "mend_within_hours": tier.mend_within, "order": "held" if tier.order_held else "goes_on",
        "skip_allowed": tier.skipped_after is not None, "skipped_after_days": tier.skipped_after,
    }  # fmt: skip


def _words(tier: TierPolicy) -> dict[str, str]:
    return {
        "golden": f"within {tier.fresh_within:,} seconds of the commit in the source",
        "refused messages": f"dealt with within {tier.mend_within:,} hours",
        "later messages of the same row": "wait" if tier.order_held else "go on",
        "left out by itself": "never" if tier.skipped_after is None else f"after {tier.skipped_after} days",
    }
