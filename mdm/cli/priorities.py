"""A priority in words: its parts, and what it rests on whether or not that added anything."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from mdm.cli.context import many


def explained(
    name: str, points: float, parts: Sequence[tuple[float, str]], impact: Mapping[str, Any]
) -> dict[str, Any]:
    """A priority with its parts, the weightiest first, and what it rests on whether or not that added anything."""
    return {
        "name": name,
        "priority": round(points, 1),
        "because": [{"points": p, "reason": r} for p, r in sorted(parts, key=lambda part: -part[0])],
        "close_impact": impact.get("close_impact"),
        "customer_exposure": impact.get("customer_exposure"),
    }


def print_explained(told: Mapping[str, Any], about: str) -> None:
    """The same in words."""
    typer.echo(f"{told['name']} has priority {told['priority']:.1f}; {about}.")
    for part in told["because"]:
        typer.echo(f"  {part['points']:+.1f}: {part['reason']}")
    if (close := told["close_impact"]) is not None:
        typer.echo(
            f"  close of {close['month']}: {many(close['documents'], 'document')}, cut-off {close['due']}, "
            f"{many(close['days_left'], 'day')} away"
        )
    if (exposure := told["customer_exposure"]) is not None:
        tiers = f" ({', '.join(exposure['tiers'])})" if exposure["tiers"] else ""
        typer.echo(
            f"  customers: {exposure['customers']:,}{tiers}, {many(exposure['users'], 'user')} who may be affected"
        )
