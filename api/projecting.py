"""From golden records to a target's objects as a caller may see them, a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from api.cursors import write_cursor
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from api.masking import show_values
from mdm.access import Eyes, may_see
from mdm.hub.projections import projectables, shipped_targets
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.projection.form import Field, Form, Target
from mdm.projection.project import Finding, Projected, project
from mdm.store.read_models import GoldenRow, newest_change


def target_of(name: str) -> Target:
    """The projection of an ERP.

    Raises:
        ProblemRaised: `not-found`.
    """
    targets = shipped_targets()
    if name not in targets:
        raise refuse(NOT_FOUND, f"There is no projection for {name}; there are {', '.join(targets)}.")
    return targets[name]


def projected(
    connection: Connection, target: Target, form: Form, rows: Sequence[GoldenRow], eyes: Eyes
) -> list[Projected]:
    """The objects of golden records, in three queries for all of them."""
    domain = form.domain
    subjects, keys = projectables(connection, target, domain, rows)
    objects = []
    for subject in subjects:
        shown = show_values(domain, subject.values, eyes)
        seen = replace(subject, values=shown.values, masked=frozenset(shown.masked))
        objects.append(project(form, seen, keys))
    return objects


def refuse_hidden(domain: Domain, fields: Iterable[Field], eyes: Eyes) -> None:
    """Nobody filters or sorts by what they may not see: the answer would tell it bit by bit.

    Raises:
        ProblemRaised: `forbidden`, naming the fields.
    """
    classes = {each.name: each.data_class for each in ATTRIBUTES[domain]}
    hidden = sorted(
        {
            each.name
            for each in fields
            if (each.attribute or "") in classes and not may_see(eyes, classes[each.attribute or ""])
        }
    )
    if hidden:
        raise refuse(FORBIDDEN, f"You may not filter or sort by {', '.join(hidden)}: these values are hidden from you.")


def object_of(form: Form, row: GoldenRow, shown: Projected, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A projected record (`api.schemas.erp.ErpRecord`); `held` is what the gates hold back of it."""
    golden = f"/v1/{form.domain.plural}/{row.entity_id}"
    return {
        "id": row.entity_id,
        "version": row.version,
        "object": form.object,
        "values": shown.values,
        "masked": list(shown.masked),
        "fits": shown.fits,
        "findings": [finding_object(each) for each in shown.findings],
        "known_from": row.known_from,
        "held": held,
        "links": {"golden": golden, "lineage": f"/v1/erp/{form.target}/{form.domain.plural}/{row.entity_id}/lineage"},
    }


def finding_object(found: Finding) -> dict[str, Any]:
    """Something that the target will not take as it is."""
    return {
        "code": found.code,
        "severity": found.severity,
        "field": found.field,
        "attribute": found.attribute,
        "message": found.message,
        "params": dict(found.params),
    }


def changes_link(connection: Connection, domain: Domain) -> str:
    """Where to read what changes after this snapshot."""
    return f"/v1/changes?domain={domain.value}&since={write_cursor('changes', [newest_change(connection)])}"
