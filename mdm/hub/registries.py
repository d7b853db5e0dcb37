"""Loading reference lists and asking outside registries; what they say is kept, with its time, for verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, text

from mdm.clock import Clock
from mdm.errors import OperatorError
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checks.external import folded
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.providers import gleif, sanctions
from mdm.store import ledger
from mdm.store import onboarding as store
from mdm.store.unit_of_work import unit_of_work

#: VAT numbers asked about between two commits: an interrupted run loses no more answers than these.
_AT_ONCE = 25


class VatRegistry(Protocol):
    """Whoever knows whether VAT numbers are registered (`mdm.providers.vies`)."""

    def ask(self, numbers: Sequence[str], now: datetime) -> list[Attestation]: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A list that was loaded."""

    name: str
    version: str
    entries: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: numbers by answer."""

    confirmed: int = 0
    refuted: int = 0
    unavailable: int = 0

    @property
    def total(self) -> int:
        return self.confirmed + self.refuted + self.unavailable


def load_gleif(
    engine: Engine,
    clock: Clock,
    entities: Path,
    relationships: Path | None,
    exceptions: Path | None,
    actor: str,
    version: str | None = None,
) -> Loaded:
    """Replace the GLEIF entities by a golden copy file, with the parents of a relationship file, in one transaction.

    Raises:
        OperatorError: a file is not GLEIF's, or holds no entity; what was loaded before stays.
    """
    named = version or entities.name
    with unit_of_work(engine, clock, "reference", "GLEIF") as work:
        count = store.replace_gleif(work, (astuple(each) for each in gleif.read_entities(entities)))
        if not count:
            raise OperatorError(f"{entities} holds no entity.", action="Give the level 1 (LEI-CDF) golden copy.")
        store.write_gleif_parents(
            work,
            (astuple(each) for each in (gleif.read_relationships(relationships) if relationships else ())),
            (astuple(each) for each in (gleif.read_exceptions(exceptions) if exceptions else ())),
        )
        store.write_list(work, "GLEIF", named, count, actor)
        ledger.write_audit(work, actor, "reference_loaded", "GLEIF", {"version": named, "entries": count})
    return Loaded("GLEIF", named, count)


def load_sanctions(
    engine: Engine, clock: Clock, name: str, file: Path, actor: str, version: str | None = None
) -> Loaded:
    """Replace one sanctions list by a file, in one transaction. Every verdict screens against all lists at once.

    Raises:
        OperatorError: the file has no known shape, or holds no name; what was loaded before stays.
    """
    if name == Provider.GLEIF.value:
        raise OperatorError(
            "A sanctions list cannot be called GLEIF.", action="Name it after its publisher, e.g. OFAC."
        )
    named = version or file.name
    with unit_of_work(engine, clock, "reference", name) as work:
        rows = ((each.entry, each.name, folded(each.name), each.countries) for each in sanctions.read_sanctions(file))
        count = store.replace_sanctions(work, name, (row for row in rows if row[2]))
        if not count:
            raise OperatorError(f"{file} holds no name.", action="Give the whole list as CSV.")
        store.write_list(work, name, named, count, actor)
        ledger.write_audit(work, actor, "reference_loaded", name, {"version": named, "entries": count})
    return Loaded(name, named, count)


def ask_vies(
    engine: Engine,
    clock: Clock,
    registry: VatRegistry,
    numbers: Sequence[str] | None = None,
    rules: RuleSet | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Asked:
    """Ask about VAT numbers; without `numbers` about those of golden customers whose answer is missing or too old.

    Answers are kept as they come in; an outage does not wipe out what was known.
    """
    chosen = rules or shipped_ruleset()
    wanted = list(dict.fromkeys(numbers)) if numbers is not None else _due(engine, clock(), chosen)
    counts = {Answer.CONFIRMED: 0, Answer.REFUTED: 0, Answer.UNAVAILABLE: 0}
    for start in range(0, len(wanted), _AT_ONCE):
        answers = registry.ask(wanted[start : start + _AT_ONCE], clock())
        with unit_of_work(engine, clock, "reference", Provider.VIES.value) as work:
            store.write_attestations(work, answers)
        for each in answers:
            counts[each.answer] = counts.get(each.answer, 0) + 1
        progress(min(start + _AT_ONCE, len(wanted)), len(wanted))
    return Asked(counts[Answer.CONFIRMED], counts[Answer.REFUTED], counts[Answer.UNAVAILABLE])


def _due(engine: Engine, now: datetime, rules: RuleSet) -> list[str]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """select distinct i->>'normal' from golden g
                   cross join lateral jsonb_array_elements(g.values->'identifiers') i
                   left join attestation a on a.provider = 'VIES' and a.key = i->>'normal'
                        and a.answer <> 'unavailable' and a.checked_at > :fresh
                   where g.domain = 'customer' and g.known_to is null and i->>'type' = 'vat'
                     and i->>'state' <> 'invalid' and a.key is null
                     and (i->>'country' = any(:countries) or i->>'normal' like 'XI%') order by 1"""
            ),
            {"fresh": now - rules.max_age[Provider.VIES], "countries": sorted(rules.vies)},
        )
        return [row[0] for row in rows]
