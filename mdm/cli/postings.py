"""Commands of the pre-posting check: what ERP would refuse, before it is posted."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from api.present_postings import postings_object, version
from mdm.access import Role
from mdm.cli.context import JSON_OPTION, hub, many, print_json, print_table
from mdm.cli.postings_file import read_postings
from mdm.hub.prepost import MOST_POSTINGS, Checked, check_postings, load_documents
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.prepost import untaxed_companies
from mdm.settings import read_settings

postings = typer.Typer(no_args_is_help=True)

#: Reasons shown to people; JSON has them all.
_SHOWN = 50
_ACCOUNTS = typer.Option(None, "--accounts", help="A chart of accounts; that of the settings if not given.")
_TAX_CODES = typer.Option(None, "--tax-codes", help="A document of tax codes; that of the settings if not given.")


@postings.callback()
def _root() -> None:
    """Postings before they are made: would ERP refuse them, why, and whose move it is."""


@postings.command("validate")
def validate(
    file: Path = typer.Argument(..., help="JSON as the API takes it, or CSV (.csv) with a row for each line."),
    accounts: Path | None = _ACCOUNTS,
    tax_codes: Path | None = _TAX_CODES,
    as_json: bool = JSON_OPTION,
) -> None:
    """Pass or block for every posting of a file, with all reasons. Stores nothing; exits with 1 when one is blocked."""
    planned = read_postings(file)
    settings = read_settings(os.environ)
    documents = load_documents(accounts or settings.accounts, tax_codes or settings.tax_codes)
    with hub() as opened:
        catalogue = load_catalogue(settings.sources)
        parts = [
            check_postings(opened.engine, catalogue, documents, planned[start : start + MOST_POSTINGS], opened.clock())
            for start in range(0, len(planned), MOST_POSTINGS)
        ]
    checked = Checked(tuple(each for part in parts for each in part.judgements), documents, parts[-1].mapping)
    told = postings_object(checked, Role.ADMIN)
    if as_json:
        print_json(told)
    else:
        _print(told)
    if checked.blocked:
        raise typer.Exit(1)


@postings.command("lint")
def lint(accounts: Path | None = _ACCOUNTS, tax_codes: Path | None = _TAX_CODES, as_json: bool = JSON_OPTION) -> None:
    """Read the chart of accounts and the tax codes as the hub does: what is wrong is told with its line. Exits with 1
    when a company code has no tax codes."""
    settings = read_settings(os.environ)
    documents = load_documents(accounts or settings.accounts, tax_codes or settings.tax_codes)
    chart, taxes, untaxed = documents.accounts, documents.tax_codes, untaxed_companies(documents)
    if as_json:
        print_json(
            {
                "accounts": version(chart) | {"companies": list(chart.companies)},
                "tax_codes": version(taxes) | {"rows": len(taxes.rows)},
                "untaxed": list(untaxed),
            }
        )  # fmt: skip
    else:
        typer.echo(
            f"Accounts {chart.version} ({chart.fingerprint}): {many(len(chart.companies), 'company code')}. Tax codes "
            f"{taxes.version} ({taxes.fingerprint}): {many(len(taxes.rows), 'row')}."
        )
        for code in untaxed:
            typer.echo(f"Company code {code} is in {chart.companies[code].country}, of which there is no tax code.")
    if untaxed:
        raise typer.Exit(1)


def _print(told: Mapping[str, Any]) -> None:
    typer.echo(f"{told['passed']:,} of {many(len(told['postings']), 'posting')} may be made.")
    reasons = [(each["reference"], reason) for each in told["postings"] for reason in each["reasons"]]
    if not reasons:
        return
    rows = [[name, each["code"], each["path"], each["message"]] for name, each in reasons[:_SHOWN]]
    print_table("Blocked", ("posting", "code", "where", "why"), rows)
    if len(reasons) > _SHOWN:
        typer.echo(f"... and {len(reasons) - _SHOWN:,} more; --json lists all.")
    actions = {each["code"]: (each["owner"], each["action"]) for _, each in reasons}
    counts = Counter(each["code"] for _, each in reasons)
    print_table(
        "What to do",
        ("code", "found", "owner", "what to do"),
        [[code, number, *actions[code]] for code, number in counts.most_common()],
        right=(1,),
    )
