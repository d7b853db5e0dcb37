"""`mdm get`: any address of a running hub's API, from the command line; golden records also as an ERP sees them."""

import os
from typing import Any

import httpx
import orjson
import typer

from mdm.cli.context import print_json
from mdm.client import Hub, Problem
from mdm.errors import OperatorError
from mdm.settings import secret as read_secret


def get(
    path: str = typer.Argument(help="`customers/ID`, `crosswalk/erp/business_partner/0001`, `changes?limit=5`, ..."),
    erp: str = typer.Option("", "--as", help="In the fields of an ERP: sap, odoo, erpnext or netsuite."),
    require_ready: bool = typer.Option(
        False, "--require-ready", help="With --as: refuse a customer that may not be created there."
    ),
    url: str = typer.Option("", help="Where the hub listens; default MDM_URL, or http://127.0.0.1:8080."),
    key: str = typer.Option("", help="An API key; default MDM_API_KEY, which keeps it out of the process list."),
) -> None:
    """Read from the API of a running hub; prints JSON, or what an address gives that has none (an export as CSV).

    With `--as`, what does not fit the ERP's fields, and what the gates hold back, is told on standard error.
    """
    secret = key or read_secret(os.environ, "MDM_API_KEY")
    if not secret:
        raise OperatorError("There is no API key.", action="Set MDM_API_KEY; `mdm keys issue` makes one.")
    if require_ready and not erp:
        raise OperatorError("--require-ready needs an ERP.", action="Name it with --as sap|odoo|erpnext|netsuite.")
    where = url or os.environ.get("MDM_URL") or "http://127.0.0.1:8080"
    with Hub(where, secret) as hub:
        try:
            answer, is_json = hub.text(_address(path, erp), **({"require": "ready"} if require_ready else {}))
        except Problem as problem:
            raise OperatorError(str(problem), action=problem.action or "See /docs of the hub.") from problem
        except (httpx.TransportError, httpx.InvalidURL) as silent:
            raise OperatorError(
                f"No hub answers at {where}: {str(silent).rstrip('.')}.",
                action="Start it with `mdm serve`, or say where it listens with --url or MDM_URL.",
            ) from silent
    if not is_json:
        typer.echo(answer, nl=not answer.endswith("\n"))
        return
    body = orjson.loads(answer)
    print_json(body)
    if erp:
        _tell(body)


def _address(path: str, erp: str) -> str:
    if path.startswith("/") and not erp:
        return path
    return f"/v1/{f'erp/{erp}/' if erp else ''}{path.removeprefix('/').removeprefix('v1/')}"


def _tell(body: Any) -> None:
    """Findings of one object or of a page, for people."""
    for item in body.get("items", [body]):
        for each in item.get("findings", ()):
            typer.echo(f"{item['id']}: {each['severity']}: {each['field']}: {each['message']}", err=True)
        if held := item.get("held"):
            why = ", ".join(
                f"{each['code']} {each['field'] or each['attribute'] or ''}".strip() for each in held["reasons"]
            )
            typer.echo(f"{item['id']}: version {held['version']} is held back: {why}", err=True)
