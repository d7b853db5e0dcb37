"""Commands that run the hub: schema, server, demo."""

import os
from contextlib import suppress

import typer
from rich.console import Console

from api.app import ApiOptions
from api.console.oidc import read_oidc
from api.cross_origin import read_origins
from api.server import check_address
from api.server import serve as serve_http
from matching.compiling import compile_ahead
from mdm.bootstrap import Hub
from mdm.cli.context import JSON_OPTION, console, hub, notes, print_json, tell_what_is_stale
from mdm.cli.tokens import token_verifier
from mdm.demo.run import run_demo
from mdm.hub.governance import remember_documents
from mdm.hub.in_force import in_force_now
from mdm.hub.ownership import remember_ownership
from mdm.hub.release import load_rules, must_agree
from mdm.hub.steward import load_policy
from mdm.intake.catalogue import load_catalogue
from mdm.intake.ownership import load_ownership
from mdm.store import migrate

database = typer.Typer(no_args_is_help=True)

_HOST = typer.Option("127.0.0.1", help="Address to listen at.")
_PORT = typer.Option(8080, help="Port to listen at.")


@database.callback()
def _root() -> None:
    """The schema of the hub's database."""


@database.command("upgrade")
def upgrade(as_json: bool = JSON_OPTION) -> None:
    """Bring the schema up to date. Safe to repeat, also by several processes at once."""
    with hub(upgrade=False) as opened:
        before = migrate.current(opened.engine)
        migrate.upgrade(opened.engine)
        after = migrate.current(opened.engine)
    if as_json:
        print_json({"before": before, "after": after})
    else:
        typer.echo(f"The schema is at revision {after}" + (" (already was)." if before == after else "."))


def serve(host: str = _HOST, port: int = _PORT, as_json: bool = JSON_OPTION) -> None:
    """Serve the read API and the steward console until interrupted. With --json, the addresses are said as JSON."""
    with hub() as opened:
        _serve(opened, host, port, as_json=as_json)


def _serve(opened: Hub, host: str, port: int, *, as_json: bool = False) -> None:
    check_address(host, port)
    catalogue = load_catalogue(opened.settings.sources)
    remember_documents(opened.engine, opened.clock, catalogue)
    shipped = load_rules(
        catalogue, opened.settings.models_dir, opened.settings.placement, opened.settings.reconciliation
    )
    rules = in_force_now(opened.engine, shipped)
    must_agree(rules)
    tell_what_is_stale(opened, catalogue, rules)
    remember_ownership(opened.engine, opened.clock, load_ownership(opened.settings.ownership))
    compile_ahead()  # so that nobody's search waits for it
    if as_json:
        where = f"http://{host}:{port}"
        print_json({"api": f"{where}/v1", "description": f"{where}/docs", "console": f"{where}/console/"})
    notes.print(f"API      http://{host}:{port}/v1    description at http://{host}:{port}/docs")
    notes.print(f"Console  http://{host}:{port}/console/")
    notes.print("Stop with Ctrl-C.")
    options = ApiOptions(
        oidc=read_oidc(os.environ),
        policy=load_policy(opened.settings.steward_policy),
        models_dir=opened.settings.models_dir,
        sources=opened.settings.sources,
        placement=opened.settings.placement,
        reconciliation=opened.settings.reconciliation,
        ownership=opened.settings.ownership,
        accounts=opened.settings.accounts,
        tax_codes=opened.settings.tax_codes,
        tokens=token_verifier(os.environ),
        cors_origins=read_origins(os.environ),
        longest_statement=opened.settings.longest_statement,
    )
    # Ctrl-C is how people end it: that is no failure, and none for `make demo` to report.
    with suppress(KeyboardInterrupt):
        serve_http(opened, host, port, options)


def demo(
    serve: bool = typer.Option(True, "--serve/--no-serve", help="Serve API and console afterwards."),
    host: str = _HOST,
    port: int = _PORT,
    as_json: bool = JSON_OPTION,
) -> None:
    """Load the sample world of four platforms, show what the hub made of it, and serve it."""
    if serve:
        check_address(host, port)  # before the work, not after it
    with hub() as opened:
        result = run_demo(opened, console if not as_json else Console(quiet=True), notes)
        if as_json:
            print_json(result)
        if serve:
            _serve(opened, host, port)
