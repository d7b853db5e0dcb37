"""A name and a street that were typed into each other's columns: told by what they are, read the right way round."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mdm.intake.paths import Path
from mdm.intake.rules import AttributeRule
from mdm.intake.standardise.organisations import organisation_name
from mdm.intake.standardise.street_lines import split_street
from mdm.intake.standardise.streets import names_its_kind
from mdm.intake.standardise.text import CACHE
from mdm.model.events import Row

#: Characters of the longest name or street.
_LONGEST: Final = 1_000
_CARE_OF: Final = ("c/o", "c o ", "attn", "z.hd", "z. hd", "zhd")


def in_place(rules: Iterable[AttributeRule], row: Row) -> Row:
    """The row with its name and its street each in its own column, where it is sure that they are not."""
    name, street = _columns(rules)
    if name is None or street is None:
        return row
    stated, line = row.get(name), row.get(street)
    if not (isinstance(stated, str) and isinstance(line, str)) or max(len(stated), len(line)) > _LONGEST:
        return row
    if not are_exchanged(stated, line):
        return row
    return {**row, name: line, street: stated}


@lru_cache(CACHE)
def are_exchanged(name: str, street: str) -> bool:
    """Whether the one is a street with its kind and a house number, the other a name with a legal form and no number.

    A street whose word for it is not said (Pszenna 21) may as well be a name (Studio 54), and is let be.
    """
    if not any(map(str.isdigit, name)) or not street.strip() or any(map(str.isdigit, street)):
        return False
    if street.strip().lower().startswith(_CARE_OF):
        return False
    line, number, _ = split_street(name.strip())
    if not number or not names_its_kind(line):
        return False
    here, there = organisation_name(name, None), organisation_name(street, None)
    return there is not None and there.form is not None and (here is None or here.form is None)


def _columns(rules: Iterable[AttributeRule]) -> tuple[str | None, str | None]:
    """The columns of the name and of the line of the address, where each is a column of its own."""
    name = street = None
    for rule in rules:
        if rule.standardiser == "organisation_name" and name is None:
            name = _column(source.path for source in rule.sources)
        elif rule.standardiser == "address" and street is None:
            street = _column(source.path for source in rule.sources if source.part == "street")
    return name, street


def _column(paths: Iterable[Path]) -> str | None:
    first = next(iter(paths), None)
    return first.column if first is not None and not first.steps else None
