"""`mdm get`: any address of a running hub's API, from the command line."""

import os

import typer

from mdm.cli.context import print_json
from mdm.client import Hub, Problem
from mdm.errors import OperatorError


def get(
    path: str = typer.Argument(help="`customers/ID`, `crosswalk/erp/business_partner/0001`, `changes?limit=5`, ..."),
    url: str = typer.Option("", help="Where the hub listens; default MDM_URL, or http://127.0.0.1:8080."),
    key: str = typer.Option("", help="An API key; default MDM_API_KEY, which keeps it out of the process list."),
) -> None:
    """Read from the API of a running hub; prints JSON."""
    secret = key or os.environ.get("MDM_API_KEY", "")
    if not secret:
        raise OperatorError("There is no API key.", action="Set MDM_API_KEY; `mdm keys issue` makes one.")
    address = path if path.startswith("/") else f"/v1/{path}"
    with Hub(url or os.environ.get("MDM_URL") or "http://127.0.0.1:8080", secret) as hub:
        try:
            print_json(hub.get(address))
        except Problem as problem:
            raise OperatorError(str(problem), action=problem.action or "See /docs of the hub.") from problem
