"""The hub's mirror against the platforms' own tables, row by row and column by column."""

import json
from typing import Any

from sqlalchemy import Engine, text

from deploy.stack.platforms import Platforms
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import primary_key_text


def differing_rows(platforms: Platforms, engine: Engine, catalogue: Catalogue, platform: str) -> list[str]:
    """Rows of a platform that the hub does not hold as the platform does."""
    found: list[str] = []
    for profile in catalogue.profiles:
        if profile.system == platform:
            found += _differing(platforms, engine, platform, profile.table, profile.contract.primary_key)
    return found


def _differing(platforms: Platforms, engine: Engine, platform: str, table: str, keys: tuple[str, ...]) -> list[str]:
    with platforms.connect(platform) as source:
        rows: list[Any] = source.execute(f"select to_jsonb(t) from {table} t".encode()).fetchall()
    wanted = {primary_key_text(row, keys): _comparable(row) for (row,) in rows}
    with engine.connect() as connection:
        mirrored = connection.execute(
            text('select key, "row" from source_record where system = :s and type = :t and not deleted'),
            {"s": platform, "t": table},
        )
        held = {row[0]: _comparable(row[1]) for row in mirrored}
    names = sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))
    return [f"{platform}.{table} {name}" for name in names]


def _comparable(row: dict[str, Any]) -> dict[str, str]:
    """Values in one form: PostgreSQL's JSON and the hub's canonical one write numbers, times and JSON differently."""
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> str:
    if isinstance(value, str) and value[:1] in "[{":
        value = json.loads(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, float | int) and not isinstance(value, bool):
        return str(float(value))
    text_value = str(value)
    try:
        return str(float(text_value))
    except ValueError:
        pass
    # 2024-01-01T00:01:00.021+00:00 and 2024-01-01T00:01:00.021000Z are one instant.
    if len(text_value) > 18 and text_value[4:5] == "-" and text_value[10:11] == "T":
        day, _, rest = text_value.replace("Z", "+00:00").partition("T")
        clock, _, zone = rest.partition("+")
        whole, _, fraction = clock.partition(".")
        return f"{day}T{whole}.{fraction.rstrip('0')}{zone and '+' + zone}"
    return text_value
