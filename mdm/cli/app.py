"""The tree of commands and how errors are told."""

import sys

import typer

from mdm import __version__
from mdm.cli import (
    accounts,
    check,
    conformance,
    contracts,
    erase,
    exceptions,
    export,
    feed_control,
    feeds,
    governance,
    keys,
    match,
    onboarding,
    replay,
    run,
    steward_queue,
    worker,
)
from mdm.errors import MdmError, TransientError

app = typer.Typer(
    name="mdm",
    help="Master data hub: golden records of customers, contracts and products from change data capture.\n\n"
    "Start with `mdm demo`. Settings come from the environment: MDM_DATABASE_URL (a PostgreSQL server; without it an "
    "embedded one is used), MDM_DATA_DIR (where the embedded one keeps its data, default ./.mdm).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(run.database, name="db", help="The schema of the hub's database.")
app.command("ingest")(feeds.ingest)
app.command("status")(feeds.status)
app.add_typer(feed_control.control, name="feeds", help="Feeds: show them, hold them, let them go.")
app.add_typer(worker.worker, name="worker", help="Processes that run until they are stopped.")
app.add_typer(exceptions.exceptions, name="exceptions", help="What could not be processed, why, and who must act.")
app.command("serve")(run.serve)
app.command("demo")(run.demo)
app.add_typer(export.export, name="export", help="Golden records, crosswalks and source rows as files.")
app.command("explain")(check.explain)
app.add_typer(check.state, name="state", help="What the hub holds, as one number.")
app.command("verify")(check.verify)
app.command("replay")(replay.replay)
app.command("rebuild")(replay.rebuild)
app.add_typer(governance.reconciling, name="reconcile")
app.command("readiness")(onboarding.readiness)
app.add_typer(onboarding.onboarding, name="onboarding", help="ERP onboarding: verdicts, registries, confirmations.")
app.add_typer(contracts.contracts, name="contracts", help="Data contracts: list, lint, diff, test.")
app.add_typer(conformance.conformance, name="conformance", help="A feed, held against the hard cases of CDC.")
app.add_typer(erase.erase, name="erase", help="Erase a person: request, approval, proof.")
app.add_typer(match.match, name="match", help="The matching engine, measured.")
app.add_typer(
    steward_queue.steward, name="steward", help="Judge, merge, split, override, undo, approve; preview any of it."
)
app.add_typer(accounts.accounts, name="accounts", help="People who sign in to the console with a password.")
app.add_typer(keys.keys, name="keys", help="API keys and their roles.")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mdm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", callback=_print_version),
) -> None:
    del version


def main() -> None:
    """Run the command line; a known error is told in two lines and ends with exit code 2."""
    try:
        app()
    except MdmError as error:
        typer.echo(f"error [{error.code}]: {error.message}", err=True)
        if error.advice:
            typer.echo(f"  what to do: {error.advice}", err=True)
        elif isinstance(error, TransientError):
            typer.echo("  what to do: try again; nothing was written.", err=True)
        sys.exit(2)
