"""The shipped projections, with the field lengths that the onboarding checks use, and what records refer to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection

from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import Domain
from mdm.onboarding import ruleset
from mdm.onboarding.subject import Misfit, Subject
from mdm.projection.document import Lengths, read_target
from mdm.projection.form import Line, Target
from mdm.projection.project import TOO_LONG, project
from mdm.projection.project import Subject as Projectable
from mdm.store.read_golden import GoldenRow
from mdm.store.read_projection import own_keys
from mdm.store.read_references import expand, resolve_references

#: ERP systems that have a projection.
TARGETS: tuple[str, ...] = ("sap", "odoo", "erpnext", "netsuite")


@cache
def shipped_targets() -> Mapping[str, Target]:
    """Every shipped target by name."""
    folder = files("mdm.projection") / "targets"
    rules = ruleset.shipped_ruleset()
    return {
        name: read_target(name, (folder / f"{name}.yaml").read_text("utf-8"), lengths_of(rules.targets[name]))
        for name in TARGETS
    }


def lengths_of(target: ruleset.Target) -> Lengths:
    """The lengths that the onboarding checks test, by field."""
    fields = [*target.lengths.values(), *target.identifier_lengths.values()]
    lines = target.name_lines
    return Lengths({each.name: each.length for each in fields}, lines.lines, lines.length)


def fitted(subject: Subject, rules: ruleset.RuleSet) -> Subject:
    """A subject of onboarding with what is too long for the target, found by the projection that the target reads.

    The lines of a name have a check of their own.
    """
    target = shipped_targets().get(rules.target.erp)
    if target is None:
        return subject
    form = target.forms[Domain.CUSTOMER]
    shown = project(form, Projectable(subject.entity_id or "", subject.version, subject.as_of, subject.values), {})
    lines = {each.name for each in form.fields if isinstance(each.origin, Line)}
    return replace(
        subject,
        release=target.release,
        misfits=tuple(
            Misfit(each.path, each.field.rpartition("/")[2], int(each.params["length"]), int(each.params["limit"]))
            for each in shown.findings
            if each.code == TOO_LONG and each.field not in lines
        ),
    )


def referred(domain: Domain, values: Iterable[Mapping[str, Any]]) -> dict[Domain, set[str]]:
    """The golden ids that expanded values refer to, by domain: those whose keys a projection shows."""
    found: dict[Domain, set[str]] = {each: set() for each in Domain}
    to = {"parent": Domain.CUSTOMER, "customer": Domain.CUSTOMER, "prior_contract": Domain.CONTRACT}
    shapes = {each.name: each.shape for each in ATTRIBUTES[domain]}
    for record in values:
        for name, value in record.items():
            if shapes.get(name) is Shape.REFERENCE and isinstance(value, Mapping) and value.get("entity_id"):
                found[to[name]].add(value["entity_id"])
            elif shapes.get(name) is Shape.LINES:
                products = (line.get("product") or {} for line in value or ())
                found[Domain.PRODUCT].update(each["entity_id"] for each in products if each.get("entity_id"))
    return found


def projectables(
    connection: Connection, target: Target, domain: Domain, rows: Sequence[GoldenRow]
) -> tuple[list[Projectable], Mapping[str, Sequence[str]]]:
    """Golden records as a projection takes them, unmasked, and the target's keys of them and of what they refer to: in
    three queries for all of them."""
    entities = resolve_references(connection, ((domain, row.values) for row in rows))
    expanded = [expand(domain, row.values, entities) for row in rows]
    wanted = referred(domain, expanded)
    wanted[domain].update(row.entity_id for row in rows)
    keys = own_keys(connection, target, wanted)
    subjects = [
        Projectable(row.entity_id, row.version, row.known_from, values)
        for row, values in zip(rows, expanded, strict=True)
    ]
    return subjects, keys
