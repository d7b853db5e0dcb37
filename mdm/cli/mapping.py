"""Commands about mappings: what columns are read for, what leads from use to revenue, and what does not."""

from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, many, print_json, print_table, sources_folder
from mdm.cli.steward_bench import bench_of
from mdm.errors import NotFound
from mdm.hub.in_force import usage_revenue_in_force
from mdm.hub.usage_revenue import read_coverage
from mdm.intake.catalogue import load_catalogue
from mdm.intake.column_coverage import Use, UseKind, column_coverage
from mdm.lifecycle.coverage import Chain, Coverage, Step
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.usage_revenue import UsageRow
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind
from mdm.store import releases as store

mapping = typer.Typer(no_args_is_help=True)

#: Products shown to people; JSON has them all.
_SHOWN = 50


class Name(StrEnum):
    """The mappings there are."""

    USAGE_REVENUE = "usage-revenue"


_NAME = typer.Argument(..., help="usage-revenue.")


@mapping.callback()
def _root() -> None:
    """What the columns of every platform are read for, and the way from the unit in which something is used to what
    billing counts and the account on which ERP books it; that is changed by release (`mdm releases draft`).
    """


@mapping.command("show")
def show(name: Name = _NAME, as_json: bool = JSON_OPTION) -> None:
    """The mapping in force with its version, what it makes of each active product, and its former versions."""
    with bench_of("") as bench:
        with bench.pipeline.engine.connect() as connection:
            ask = store.asking(connection)
            now = usage_revenue_in_force(ask)
            held, _ = store.in_force(ask).get((RuleKind.USAGE_REVENUE, Domain.PRODUCT), (None, ""))
            versions = store.versions(ask, RuleKind.USAGE_REVENUE, Domain.PRODUCT)
        found = read_coverage(bench.pipeline)
    if as_json:
        print_json(
            {
                "mapping": name.value, "version": now.version, "fingerprint": now.fingerprint,
                "release": held, "rows": [_row_document(row) for row in now.rows],
                "products": [chain_document(chain) for chain in found.chains],
                "versions": [_version_document(each) for each in versions],
            }
        )  # fmt: skip
        return
    where = f"release {held}" if held else "as shipped"
    typer.echo(f"The {name.value} mapping, version {now.version} ({now.fingerprint}), {where}.")
    columns = ("usage unit", "billing metric", "charged", "per", "revenue account", "only products")
    print_table("Rows", columns, [_cells(row) for row in now.rows], right=(3,))
    _print_chains("Active products", found.chains)
    rows = [[each.release_id, each.version, each.status.replace("_", " "), each.releaser] for each in versions]
    print_table("Releases", ("release", "version", "state", "put into force by"), rows)


@mapping.command("coverage")
def coverage(
    name: Name = _NAME,
    least: float = typer.Option(1.0, "--min", min=0.0, max=1.0, help="The share of products that must be mapped."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Active products (sold by a running contract or subscription, or of a live entitlement) that do not lead to
    revenue, where their way breaks off, and whose move it is. Exits with 1 below --min."""
    with bench_of("") as bench:
        found, policy = read_coverage(bench.pipeline), bench.pipeline.rules.reconciliation
    if as_json:
        print_json(
            {
                "mapping": name.value, "version": found.version, "fingerprint": found.fingerprint,
                "active": len(found.chains), "mapped": found.mapped, "share": found.share, "min": least,
                "passed": found.reaches(least), "missing": _missing(found, policy),
                "nameless": found.nameless, "codes_of_no_product": list(found.idle),
            }
        )  # fmt: skip
    else:
        _print_coverage(found, policy, least)
    if not found.reaches(least):
        raise typer.Exit(1)


@mapping.command("columns")
def columns(
    table: str | None = typer.Argument(None, help="Only of this table, e.g. crm.account, column by column."),
    sources: Path | None = typer.Option(None, "--sources", help="Folder of platforms; default: MDM_SOURCES."),
    as_json: bool = JSON_OPTION,
) -> None:
    """How many columns of every table the hub reads, and which it does not; of one table, what each is read for."""
    found = [column_coverage(each) for each in load_catalogue(sources_folder(sources)).profiles]
    meant = [each for each in found if table in (None, f"{each.system}.{each.table}")]
    if not meant:
        raise NotFound(f"There is no table {table}.", action="`mdm mapping columns` lists all.")
    if as_json:
        print_json([asdict(each) | {"mapped": each.mapped, "unmapped": list(each.unmapped)} for each in meant])
    elif table is not None:
        rows = [[one.name, one.physical, "; ".join(map(_read_for, one.uses)) or "nothing"] for one in meant[0].columns]
        print_table(f"Columns of {table}", ("column", "type", "read for"), rows)
    else:
        lines = [
            [f"{each.system}.{each.table}", each.kind or "not mapped", len(each.columns), each.mapped,
             ", ".join(each.unmapped)]
            for each in meant
        ]  # fmt: skip
        print_table("Tables", ("table", "its rows are", "columns", "read", "not read"), lines, right=(2, 3))


def _read_for(use: Use) -> str:
    place = f" {use.path}" if use.path and "." in use.path else ""
    target = f" -> {use.target}" if use.target else ""
    return f"{use.kind.value} {use.of}{place}{target}" if use.kind is not UseKind.KEY else "key"


def chain_document(chain: Chain) -> dict[str, Any]:
    """A product's way as JSON: decimals as text."""
    per = None if chain.per is None else format(chain.per, "f")
    return asdict(chain) | {"per": per, "mapped": chain.mapped, "lacks": [asdict(lack) for lack in chain.lacks]}


def _missing(found: Coverage, policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "product": chain.product, "code": chain.code, "name": chain.name, "step": lack.step.value,
            "why": lack.why, "owner": _rule(policy, lack.step).owner, "action": _rule(policy, lack.step).action,
        }
        for chain in found.chains
        for lack in chain.lacks
    ]  # fmt: skip


def _rule(policy: Policy, step: Step) -> Any:
    """The rule of reconciliation that raises the same as a finding: it says whose move it is."""
    return policy.rules[f"{step.value}_missing"]


def _print_coverage(found: Coverage, policy: Policy, least: float) -> None:
    if found.share is None:
        typer.echo("No product is sold or used: there is nothing to map.")
    else:
        typer.echo(
            f"{found.mapped:,} of {many(len(found.chains), 'active product')} mapped ({found.share:.1%}; at least "
            f"{least:.1%} must be), by version {found.version} ({found.fingerprint})."
        )
    missing = _missing(found, policy)
    rows = [[each["code"] or each["product"], each["step"].replace("_", " "), each["why"], each["owner"]]
            for each in missing]  # fmt: skip
    if rows:
        print_table("Missing", ("product", "lacks", "why", "owner"), rows[:_SHOWN])
        owners = Counter(each["owner"] for each in missing)
        typer.echo("Whose move it is: " + ", ".join(f"{owner} {number:,}" for owner, number in sorted(owners.items())))
    if len(rows) > _SHOWN:
        typer.echo(f"... and {len(rows) - _SHOWN:,} more; --json lists all.")
    if found.nameless:
        typer.echo(f"{many(found.nameless, 'live line')} beside that name no known product.")
    if found.idle:
        typer.echo(f"Codes of the mapping that lead to no product: {', '.join(found.idle)}.")


def _print_chains(title: str, chains: tuple[Chain, ...]) -> None:
    rows = [
        [each.code or each.product, each.unit, each.metric, each.account,
         "; ".join(lack.why for lack in each.lacks) or "mapped"]
        for each in chains[:_SHOWN]
    ]  # fmt: skip
    print_table(title, ("product", "usage unit", "billing metric", "revenue account", ""), rows)
    if len(chains) > _SHOWN:
        typer.echo(f"... and {len(chains) - _SHOWN:,} more; --json lists all.")


def _row_document(row: UsageRow) -> dict[str, Any]:
    return {
        "unit": row.unit, "metric": row.metric, "charged": row.charged, "per": format(row.per, "f"),
        "account": row.account or "erp", "products": list(row.products),
    }  # fmt: skip


def _cells(row: UsageRow) -> list[str]:
    *cells, products = _row_document(row).values()
    return [*cells, ", ".join(products)]


def _version_document(release: Release) -> dict[str, Any]:
    same = (
        "release_id", "version", "fingerprint", "title", "author", "approver", "releaser", "released_at", "ended_at",
    )  # fmt: skip
    return {name: getattr(release, name) for name in same} | {"status": release.status.value}
