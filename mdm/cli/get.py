"""`mdm get`: any address of a running hub's API, from the command line; golden records also as an ERP sees them."""

import os
from typing import Any

import typer

from mdm.cli.context import print_json
from mdm.client import Hub, Problem
from mdm.errors import OperatorError


def get(
    path: str = typer.Argument(help="`customers/ID`, `crosswalk/erp/business_partner/0001`, `changes?limit=5`, ..."),
    erp: str = typer.Option("", "--as", help="In the fields of an ERP: sap, odoo, erpnext or netsuite."),
    require_ready: bool = typer.Option(
        False, "--require-ready", help="With --as: refuse a customer that may not be created there."
    ),
    url: str = typer.Option("", help="Where the hub listens; default MDM_URL, or http://127.0.0.1:8080."),
    key: str = typer.Option("", help="An API key; default MDM_API_KEY, which keeps it out of the process list."),
) -> None:
    """Read from the API of a running hub; prints JSON.

    With `--as`, what does not fit the ERP's fields is told on standard error, value by value.
    """
    secret = key or os.environ.get("MDM_API_KEY", "")
    if not secret:
        raise OperatorError("There is no API key.", action="Set MDM_API_KEY; `mdm keys issue` makes one.")
    if require_ready and not erp:
        raise OperatorError("--require-ready needs an ERP.", action="Name it with --as sap|odoo|erpnext|netsuite.")
    with Hub(url or os.environ.get("MDM_URL") or "http://127.0.0.1:8080", secret) as hub:
        try:
            body = hub.get(_address(path, erp), **({"require": "ready"} if require_ready else {}))
        except Problem as problem:
            raise OperatorError(str(problem), action=problem.action or "See /docs of the hub.") from problem
    print_json(body)
    if erp:
        _tell(body)


def _address(path: str, erp: str) -> str:
    if not erp:
        return path if path.startswith("/") else f"/v1/{path}"
    return f"/v1/erp/{erp}/{path.removeprefix('/').removeprefix('v1/')}"


def _tell(body: Any) -> None:
    """Findings of one object or of a page, for people."""
    for item in body.get("items", [body]):
        for each in item.get("findings", ()):
            typer.echo(f"{item['id']}: {each['severity']}: {each['field']}: {each['message']}", err=True)
