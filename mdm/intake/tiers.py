"""How critical the workflows are that tables serve, and what that asks of the hub: a document beside the sources.

Reading refuses what contradicts itself: a tier that is laxer than the one behind it, or a first tier that leaves
messages out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from mdm.intake.document import Section, read_document

FILE: Final = "tiers.yaml"
_SHIPPED: Final = Path(__file__).parent / "sources" / FILE
NUMBERS: Final = (1, 2, 3)
#: What freshness is counted by (`mdm_freshness_seconds`): anything between could not be measured.
FRESH_WITHIN: Final = (1, 5, 10, 30, 60, 300, 3600, 86400)
_HELD, _GOES_ON = "held", "goes_on"


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """What a tier asks for.

    Attributes:
        fresh_within: seconds within which a change should be golden.
        mend_within: hours within which a refused message should be dealt with.
        order_held: later messages of the row of a refused one wait for it.
        skipped_after: days after which the hub leaves a refused message out by itself; None for never.
    """

    number: int
    means: str
    fresh_within: int
    mend_within: int
    order_held: bool
    skipped_after: int | None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A kind of work that tables serve, and how critical it is."""

    name: str
    means: str
    tier: TierPolicy


@dataclass(frozen=True, slots=True)
class Tiers:
    """The document as it was read."""

    version: str
    fingerprint: str
    tiers: Mapping[int, TierPolicy]
    workflows: Mapping[str, Workflow]
    otherwise: str

    def workflow(self, name: str) -> Workflow | None:
        """The workflow that a contract names; that of tables which name none for an empty name."""
        return self.workflows.get(name or self.otherwise)


def tiers_of(folder: Path | None) -> Tiers:
    """The document beside a folder's sources, or the shipped one where that folder has none.

    Raises:
        ConfigurationInvalid: the document is wrong; names file, line and key.
    """
    own = folder / FILE if folder is not None else _SHIPPED
    return _read(own if own.exists() else _SHIPPED)


@cache
def _read(file: Path) -> Tiers:
    document = read_document(file)
    version, otherwise, fingerprint = document.text("version"), document.text("otherwise"), document.fingerprint()
    tiers = _tiers(document)
    workflows = {}
    listed = _section(document, "workflows")
    for name in listed.names():
        entry = _section(listed, name)
        number = entry.text("tier")
        if number not in map(str, NUMBERS):
            entry.refuse("tier", f"must be one of {', '.join(map(str, NUMBERS))}")
        workflows[name] = Workflow(name, entry.text("means"), tiers[int(number)])
        entry.finish()
    if otherwise not in workflows:
        document.refuse("otherwise", f"names {otherwise}, which is none of the workflows")
    document.finish()
    return Tiers(version, fingerprint, tiers, workflows, otherwise)


def _tiers(document: Section) -> dict[int, TierPolicy]:
    section = _section(document, "tiers")
    found: dict[int, TierPolicy] = {}
    for number in NUMBERS:
        part = _section(section, str(number))
        tier = found[number] = _tier(number, part)
        before = found.get(number - 1)
        if before is None:
            continue
        if tier.fresh_within < before.fresh_within:
            part.refuse("fresh_within_seconds", f"is stricter than that of tier {number - 1}")
        if tier.mend_within < before.mend_within:
            part.refuse("mend_within_hours", f"is stricter than that of tier {number - 1}")
        if tier.order_held and not before.order_held:
            part.refuse("order", f"is held, which it is not in tier {number - 1}")
        if before.skipped_after is not None and (tier.skipped_after or before.skipped_after + 1) > before.skipped_after:
            part.refuse("skipped_after_days", f"leaves messages out later than tier {number - 1}")
    section.finish()
    return found


def _tier(number: int, part: Section) -> TierPolicy:
    fresh = part.number("fresh_within_seconds")
    if fresh not in FRESH_WITHIN:
        part.refuse("fresh_within_seconds", f"must be one of {', '.join(map(str, FRESH_WITHIN))}")
    skipped = part.number("skipped_after_days") if "skipped_after_days" in part else None
    if skipped is not None and number == NUMBERS[0]:
        part.refuse("skipped_after_days", "must be absent: no message of tier 1 is left out by itself")
    if skipped is not None and not 1 <= skipped <= 3650:
        part.refuse("skipped_after_days", "must be from 1 to 3650")
    mend = part.number("mend_within_hours")
    if not 1 <= mend <= 8760:
        part.refuse("mend_within_hours", "must be from 1 to 8760")
    held = part.one_of("order", (_HELD, _GOES_ON)) == _HELD
    policy = TierPolicy(
        number, part.text("means"), int(fresh), int(mend), held, None if skipped is None else int(skipped)
    )
    part.finish()
    return policy


def _section(section: Section, name: str) -> Section:
    found = section.section(name)
    if found is None:
        section.refuse(name, "is missing")
    return found
