"""What another projection would make of the golden records of the hub: before an ERP system changes its model."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from sqlalchemy import Connection, func, select

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.hub.projections import lengths_of, shipped_targets
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.projection.document import Lengths, read_target
from mdm.projection.form import Target
from mdm.projection.project import Projected, Subject, project
from mdm.store.read_export import export_golden
from mdm.store.tables import golden

#: Golden records that are named for each kind of misfit; all are counted.
_EXAMPLES = 3
_STEP = 1000


class Misfit(NamedTuple):
    """A kind of what a target does not take."""

    domain: Domain
    code: str
    field: str


@dataclass(slots=True)
class Effect:
    """What a change of target does to the golden records of a domain that both targets have."""

    records: int = 0
    #: Records whose object becomes another one.
    changed: int = 0
    #: Records that the target takes, before and after.
    fit_before: int = 0
    fit_after: int = 0


@dataclass(slots=True)
class Effects:
    """What a change of target does to the golden records of a hub. Misfits are counted by record."""

    domains: dict[Domain, Effect] = field(default_factory=dict)
    gained: Counter[Misfit] = field(default_factory=Counter)
    lost: Counter[Misfit] = field(default_factory=Counter)
    examples: dict[Misfit, list[str]] = field(default_factory=dict)


def open_targets(first: str, second: str) -> tuple[Target, Target]:
    """Two targets, each the name of a shipped one or the path of a document.

    What a document does not say about lengths of customers' fields is what the onboarding rules say for the shipped
    target that the other one is.

    Raises:
        ConfigurationInvalid: a document is not in the form of the shipped ones.
        OperatorError: neither is a shipped target, or a document is not there.
    """
    known = shipped_targets()
    like = next((each for each in (first, second) if each in known), None)
    if like is None:
        raise OperatorError(
            f"Neither {first} nor {second} is a target that ships.",
            action=f"Name one of {', '.join(known)} as the first or the second; the other may be a document.",
        )
    lengths = lengths_of(shipped_ruleset().targets[like])
    before, after = (known[each] if each in known else _read(Path(each), lengths) for each in (first, second))
    return before, after


def _read(path: Path, lengths: Lengths) -> Target:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise OperatorError(
            f"{path} cannot be read ({fault}).",
            action=f"Name a document like the shipped ones, or one of {', '.join(shipped_targets())}.",
        ) from fault
    own = _with_length(path.name, content)
    kept = {name: length for name, length in lengths.by_field.items() if name not in own}
    return read_target(path.name, content, replace(lengths, by_field=kept))


def _with_length(name: str, content: str) -> set[str]:
    """The fields of which a document says the length itself."""
    try:
        found: set[str] = set()
        for form in yaml.safe_load(content)["objects"].values():
            blocks = [block for each in (form.get("items") or {}).values() for block in each]
            for fields in (form["fields"], *(block["fields"] for block in blocks)):
                found |= {field for field, told in fields.items() if "length" in told}
    except yaml.YAMLError as fault:
        raise ConfigurationInvalid(f"Projection {name} cannot be read: {fault}") from fault
    except (AttributeError, KeyError, TypeError) as fault:
        raise ConfigurationInvalid(f"Projection {name} is not in the form of the shipped ones: {fault}") from fault
    return found


def effects(
    connection: Connection, before: Target, after: Target, progress: Callable[[str, float], None] = lambda *_: None
) -> Effects:
    """Show every golden record as both targets would have it, and count what differs.

    Keys of what a record refers to are left out of both: whether the ERP knows them is no question of its model.
    """
    found = Effects()
    domains = [domain for domain in Domain if domain in before.forms and domain in after.forms]
    count = select(func.count()).where(golden.c.domain.in_(domains), golden.c.known_to.is_(None))
    total, done = connection.scalar(count) or 1, 0
    for domain in domains:
        effect = found.domains[domain] = Effect()
        for record in export_golden(connection, domain):
            old, new = (_projected(target, domain, record) for target in (before, after))
            effect.records += 1
            effect.changed += old.values != new.values
            effect.fit_before += old.fits
            effect.fit_after += new.fits
            was, is_ = (_misfits(domain, each) for each in (old, new))
            found.gained.update(is_ - was)
            found.lost.update(was - is_)
            for misfit in is_ - was:
                examples = found.examples.setdefault(misfit, [])
                if len(examples) < _EXAMPLES:
                    examples.append(record["entity_id"])
            done += 1
            if done % _STEP == 0:
                progress(f"{domain.plural}", done / total)
    return found


def _projected(target: Target, domain: Domain, record: Mapping[str, Any]) -> Projected:
    own = [
        each["key"] for each in record["sources"]
        if (each["system"], each["type"]) == (target.system, target.tables.get(domain))
    ]  # fmt: skip
    known_from = datetime.fromisoformat(record["known_from"])
    subject = Subject(record["entity_id"], record["version"], known_from, record["values"])
    return project(target.forms[domain], subject, {record["entity_id"]: own})


def _misfits(domain: Domain, projected: Projected) -> set[Misfit]:
    """What is an error of the object; items of a collection are one kind."""
    return {
        Misfit(domain, each.code, "/".join(part for part in each.field.split("/") if not part.isdigit()))
        for each in projected.findings
        if each.severity == "error"
    }
