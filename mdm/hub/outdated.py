"""What was taken in by other documents than those of now: said once by whoever starts, and nothing stops for it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine

from mdm.core.rules import Rules
from mdm.hub import mappings, stale_keys
from mdm.intake.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Outdated:
    """One kind of it: a stable code, what is so, what to do, and what it is about (tables, domains)."""

    code: str
    message: str
    advice: str
    about: Collection[str]


def outdated(engine: Engine, catalogue: Catalogue, rules: Rules) -> tuple[Outdated, ...]:
    """Rows that another mapping was applied to, and records under other blocking keys.

    Raises:
        TransientError: the database cannot be reached now.
    """
    tables, domains = mappings.changed_mappings(engine, catalogue), stale_keys.stale_keys(engine, rules)
    found = (
        Outdated(mappings.CODE, mappings.sentence(tables), mappings.ADVICE, tables),
        Outdated(stale_keys.CODE, stale_keys.sentence(domains), stale_keys.ADVICE, domains),
    )
    return tuple(each for each in found if each.about)
