"""The tree of commands and how errors are told.

A command's module is read when the command is called: each needs another part of the hub, and reading all of them takes
seconds.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group

from mdm import __version__
from mdm.errors import MdmError, OperatorError, TransientError


class Command(NamedTuple):
    """A command or a group of commands: module under `mdm.cli`, name in it, and the line that the overview shows."""

    module: str
    name: str
    help: str


COMMANDS: Mapping[str, Command] = {
    "ingest": Command("feeds", "ingest", "Read change events and bring golden records up to date."),
    "status": Command("feeds", "status", "What was consumed, what became of it, and whether it adds up."),
    "serve": Command("run", "serve", "Serve the read API and the steward console until interrupted."),
    "get": Command("get", "get", "Read from the API of a running hub; prints JSON."),
    "demo": Command("run", "demo", "Load a sample world, show what the hub makes of it, serve it."),
    "explain": Command("check", "explain", "Why records are or are not the same, and how an entity grew."),
    "verify": Command("check", "verify", "Prove the live state: recompute it, in any order, and compare."),
    "replay": Command("replay", "replay", "Take stored events in again, with profiles and rules of now."),
    "rebuild": Command("replay", "rebuild", "Derive everything anew beside the live state, and exchange it."),
    "readiness": Command("onboarding", "readiness", "May this customer be created in ERP, and what is missing?"),
    "db": Command("run", "database", "The schema of the hub's database."),
    "feeds": Command("feed_control", "control", "Feeds: show them, hold them, let them go."),
    "worker": Command("worker", "worker", "Processes that run until they are stopped."),
    "exceptions": Command("explain_priority", "exceptions", "What could not be processed, why, and who must act."),
    "export": Command("export", "export", "Golden records, crosswalks and source rows as files."),
    "state": Command("check", "state", "What the hub holds, as one number."),
    "reconcile": Command("governance", "reconciling", "What does not agree from contract to posting, what to do."),
    "kpi": Command("kpi", "kpi", "Money at risk, readiness to close, what became better."),
    "close": Command("close", "close", "The close of a month: checklist, first and second signature."),
    "onboarding": Command("onboarding", "onboarding", "ERP onboarding: verdicts, registries, confirmations."),
    "contracts": Command("contract_proposals", "contracts", "Data contracts: list, lint, diff, test, propose."),
    "conformance": Command("conformance", "conformance", "A feed, held against the hard cases of CDC."),
    "erase": Command("erase", "erase", "Erase a person: request, approval, proof."),
    "projections": Command(
        "projections", "projections", "Golden records as ERP systems want them: list, diff, gate, held."
    ),
    "sources": Command("sources", "sources", "Sources: list, retire one, take it back."),
    "api": Command("api", "api", "The API's description: what changed for callers, and what would break them."),
    "policy": Command("policy", "policy", "What tiers of workflows ask for: show."),
    "governance": Command("governing", "governance", "How the hub is governed: tiers, scorecard, report."),
    "ownership": Command("ownership", "ownership", "Who answers for what: show, lint, history."),
    "quality": Command("quality", "quality", "How right the matching is, told by blind samples."),
    "identifiers": Command("identifiers", "identifiers", "What identifier columns hold, and numbers given to others."),
    "releases": Command("releases", "releases", "Rules: draft, simulate, approve, activate, roll back."),
    "mapping": Command("mapping", "mapping", "From use to revenue: show the mapping, and what it covers."),
    "postings": Command("postings", "postings", "Postings, before they are made: would ERP refuse them?"),
    "match": Command("match", "match", "The matching engine, measured."),
    "steward": Command("steward_queue", "steward", "Judge, merge, split, override, undo, approve; preview any."),
    "accounts": Command("accounts", "accounts", "People who sign in to the console with a password."),
    "keys": Command("keys", "keys", "API keys, their roles and scopes."),
    "audit": Command("audit", "audit", "The audit chain: verify, anchor outside the database, reseal."),
    "access": Command("access", "access", "Where golden records belong, for the scopes of callers."),
}


class _Read(dict[str, Any]):
    """The commands that were read. Its keys are all names: there typer looks for what a misspelt one may mean."""

    def keys(self) -> Any:
        return COMMANDS.keys()


class WhenCalled(TyperGroup):
    """The commands of the table, each read when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Read()

    def list_commands(self, _: Any) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _: Any, name: str) -> Any:
        """The command, None when there is none of this name."""
        if name in COMMANDS and name not in self.commands:
            self.commands[name] = get_group(_holder(name)).commands[name]
        return self.commands.get(name)

    def format_commands(self, _: Any, formatter: Any) -> None:
        """The overview, without reading any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])


def _holder(name: str) -> typer.Typer:
    command = COMMANDS[name]
    found = getattr(import_module(f"mdm.cli.{command.module}"), command.name)
    holder = typer.Typer(rich_markup_mode=None)
    holder.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, help=command.help)
    else:
        holder.command(name)(found)
    return holder


app = typer.Typer(
    name="mdm",
    cls=WhenCalled,
    help="Master data hub: golden records of customers, contracts and products from change data capture.\n\n"
    "Start with `mdm demo`. Settings come from the environment: MDM_DATABASE_URL (a PostgreSQL server; without it an "
    "embedded one is used), MDM_DATA_DIR (where the embedded one keeps its data, default ./.mdm).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
        _must_be_text(sys.argv[1:])
        with _named_files():
            app()
    except MdmError as error:
        typer.echo(f"error [{error.code}]: {error.message}", err=True)
        if error.advice:
            typer.echo(f"  what to do: {error.advice}", err=True)
        elif isinstance(error, TransientError):
            typer.echo("  what to do: try again; what failed has written nothing.", err=True)
        sys.exit(2)


def _must_be_text(arguments: Sequence[str]) -> None:
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError as fault:
            raise OperatorError(f"Argument {number} is no text in UTF-8.", action="Write it in UTF-8.") from fault


@contextmanager
def _named_files() -> Iterator[None]:
    """A file that a command was given and cannot read or write is the caller's affair."""
    try:
        yield
    except OSError as fault:
        if fault.filename is None:
            raise
        raise OperatorError(
            f"{fault.filename} cannot be read or written: {fault.strerror}.", action="Check the path and its rights."
        ) from fault
