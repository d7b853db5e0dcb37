"""Showing what something does, or would do, to golden records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from mdm.cli.context import print_table
from mdm.model.effects import GoldenEffect

#: Golden records shown to people; JSON has them all.
_SHOWN = 20
_LONGEST = 60


def effects_json(effects: Sequence[GoldenEffect]) -> list[dict[str, Any]]:
    """Effects as JSON."""
    return [asdict(each) for each in effects]


def print_effects(effects: Sequence[GoldenEffect], *, would: bool) -> None:
    """What happened to golden records, field by field; `would` when nothing was kept."""
    if not effects:
        typer.echo("No golden record would change." if would else "No golden record has changed.")
        return
    rows = []
    for each in effects[:_SHOWN]:
        to = f" into {each.merged_into}" if each.merged_into else ""
        rows.append([each.entity_id, each.name, each.what + to, "", "", ""])
        if each.what == "changed":
            rows += [["", "", "", one.field, _short(one.before), _short(one.after)] for one in each.fields]
    title = "Golden records that would change" if would else "Golden records that changed"
    print_table(title, ("id", "name", "what", "field", "before", "after"), rows)
    if len(effects) > _SHOWN:
        typer.echo(f"... and {len(effects) - _SHOWN:,} more; --json lists all.")
    counts = Counter(each.what for each in effects)
    typer.echo(", ".join(f"{number:,} {what}" for what, number in sorted(counts.items())) + ".")


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
