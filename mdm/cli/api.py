"""Commands about versions of the API: what another description changes for callers, and who uses which version."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from api.compatibility import changes, major, refused
from api.released import NAMED, read_released
from mdm.cli.context import JSON_OPTION, hub, many, print_json, print_table
from mdm.cli.steward_bench import plain
from mdm.errors import OperatorError
from mdm.store.version_usage import pinned_consumers, usage_since

api = typer.Typer(no_args_is_help=True)


class FailOn(StrEnum):
    """What ends the command with 1."""

    BREAKING = "breaking"
    ANY = "any"
    NEVER = "never"


@api.callback()
def _root() -> None:
    """The API: what another description changes for callers, and who uses which version."""


@api.command("diff")
def diff(
    base: str = typer.Option("v1", help="A released version (v1), or a file with an OpenAPI document."),
    new: Path | None = typer.Option(None, help="A file; default: what this hub serves."),
    fail_on: FailOn = typer.Option(
        FailOn.BREAKING, help="Exit with 1 for breaking changes without a new major version, for any change, or never."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """What changes for callers between a base and what is served now: breaking changes first."""
    before = read_released(base) if base in NAMED else _read(Path(base))
    after = _read(new) if new is not None else _served()
    found = changes(before, after)
    not_allowed = refused(before, after, found)
    failed = bool(not_allowed if fail_on is FailOn.BREAKING else found if fail_on is FailOn.ANY else ())
    if as_json:
        print_json(
            {
                "base": {"name": base, "version": before["info"]["version"]},
                "version": after["info"]["version"],
                "changes": [asdict(each) for each in found],
                "breaking": sum(each.breaking for each in found),
                "allowed": not not_allowed,
            }
        )
    else:
        _print(found)
        if not_allowed:
            typer.echo(
                f"{many(len(not_allowed), 'change')} would break callers of {base}, and the major version is "
                f"{major(after)} as before. Keep what they rely on, or serve a new major version beside it."
            )
    if failed:
        raise typer.Exit(1)


@api.command("usage")
def usage(
    days: int = typer.Option(30, min=1, max=400, help="Of the last days, today included."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Who uses which version of the API and of its events, and which consumers of the change feed are pinned."""
    from api.routes.versions import usage_object

    with hub() as opened:
        since = opened.clock().date() - timedelta(days=days - 1)
        with opened.engine.connect() as connection:
            told = usage_object(since, usage_since(connection, since), pinned_consumers(connection))
    if as_json:
        print_json(told | {"items": [each | {"callers": plain(each["callers"])} for each in told["items"]],
                           "consumers": plain(told["consumers"])})  # fmt: skip
        return
    rows = [
        [each["surface"], each["version"], "pinned" if each["pinned"] else "takes what comes", one.label or one.caller,
         one.requests, one.deprecated, f"{one.last_at:%Y-%m-%d %H:%M}"]
        for each in told["items"] for one in each["callers"]
    ]  # fmt: skip
    names = ("of", "version", "how", "who", "requests", "at addresses that end", "last")
    print_table(f"Versions in use since {since}", names, rows, right=(4, 5))
    pinned = [
        [each.name, each.label or each.owner, "newest" if each.events is None else each.events,
         f"{each.acknowledged_at:%Y-%m-%d %H:%M}"]
        for each in told["consumers"]
    ]  # fmt: skip
    print_table("Consumers of the change feed", ("name", "whose", "events", "acknowledged"), pinned)


def _print(found: list[Any]) -> None:
    breaking = [each for each in found if each.breaking]
    rows = [[each.code, each.where, each.detail] for each in breaking]
    if rows:
        print_table("Breaking changes", ("what", "where", "detail"), rows)
    counted = Counter(each.code for each in found if not each.breaking)
    others = ", ".join(f"{number} {code}" for code, number in sorted(counted.items()))
    typer.echo(f"{many(len(breaking), 'breaking change')}; others: {others or 'none'}.")


def _read(file: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        major({"info": document["info"], "paths": document["paths"]})
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise OperatorError(
            f"{file} cannot be read as an OpenAPI document ({fault}).",
            action=f"Name {' or '.join(sorted(NAMED))}, or a file such as api/openapi.json of a release.",
        ) from fault
    return document


def _served() -> dict[str, Any]:
    from api.app import ApiOptions, assemble
    from api.openapi import describe

    # Through JSON, or numbers and texts of Python would differ from those of a document.
    made: dict[str, Any] = json.loads(json.dumps(describe(assemble(ApiOptions()))))
    return made
