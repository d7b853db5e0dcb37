"""The released rules and source profiles as the console uses them: read once per process."""

from dataclasses import dataclass
from functools import cache

from mdm.core.rules import Rules
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue


@dataclass(frozen=True, slots=True)
class Workbench:
    """What use cases need beside the database."""

    catalogue: Catalogue
    rules: Rules


@cache
def workbench() -> Workbench:
    """The shipped rules and profiles."""
    catalogue = load_catalogue(None)
    return Workbench(catalogue, load_rules(catalogue))
