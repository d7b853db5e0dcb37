"""What was taken in by other documents than those of now, and what these leave unsaid: told once by whoever starts, and
nothing stops for it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine

from mdm.core.rules import Rules
from mdm.hub import mappings, stale_keys
from mdm.hub.reconciliation_rules import silent_parts, unknown_tables
from mdm.intake.catalogue import Catalogue

_NAME_THEM = "Name the tables under `roles` in a document of your own, and that in MDM_RECONCILIATION."


@dataclass(frozen=True, slots=True)
class Outdated:
    """One kind of it: a stable code, what is so, what to do, and what it is about (tables, domains)."""

    code: str
    message: str
    advice: str
    about: Collection[str]


def outdated(engine: Engine, catalogue: Catalogue, rules: Rules) -> tuple[Outdated, ...]:
    """Rows that another mapping was applied to, records under other blocking keys, platforms of which nobody says what
    they are, and parts of the story from contract to posting that no table of theirs plays.

    Raises:
        TransientError: the database cannot be reached now.
    """
    tables, domains = mappings.changed_mappings(engine, catalogue), stale_keys.stale_keys(engine, rules)
    strange = unknown_tables(catalogue, rules.reconciliation)
    silent = tuple(silent_parts(catalogue, rules.reconciliation))
    found = (
        Outdated(mappings.CODE, mappings.sentence(tables), mappings.ADVICE, tables),
        Outdated(stale_keys.CODE, stale_keys.sentence(domains), stale_keys.ADVICE, domains),
        Outdated(
            "ROLE_MISSING",
            f"No contract states the role of {', '.join(catalogue.without_role)}.",
            "State it there (`role`); `mdm contracts lint` tells what is lost without.",
            catalogue.without_role,
        ),
        Outdated(
            "STORY_UNKNOWN",
            f"Reconciliation expects {', '.join(f'{name} as {part}' for part, name in strange)}, which is no table of "
            "contracts here.",
            _NAME_THEM,
            tuple(name for _, name in strange),
        ),
        Outdated(
            "STORY_SILENT",
            f"Reconciliation hears no {', no '.join(f'{part} of {system}' for system, part in silent)}.",
            _NAME_THEM,
            tuple(system for system, _ in silent),
        ),
    )
    return tuple(each for each in found if each.about)
