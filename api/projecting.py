"""From golden records to a target's objects as a caller may see them, a page at a time."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from api.cursors import write_cursor
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from api.masking import show_values
from mdm.access import Eyes, may_see
from mdm.hub.projections import referred, shipped_targets
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.projection.form import Field, Form, Target
from mdm.projection.project import Finding, Projected, Subject, project
from mdm.store.read_models import GoldenRow, expand, newest_change, resolve_references
from mdm.store.read_projection import own_keys


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
    entities = resolve_references(connection, ((domain, row.values) for row in rows))
    expanded = [expand(domain, row.values, entities) for row in rows]
    wanted = referred(domain, expanded)
    wanted[domain].update(row.entity_id for row in rows)
    keys = own_keys(connection, target, wanted)
    objects = []
    for row, values in zip(rows, expanded, strict=True):
        shown = show_values(domain, values, eyes)
        subject = Subject(row.entity_id, row.version, row.known_from, shown.values, frozenset(shown.masked))
        objects.append(project(form, subject, keys))
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


def object_of(form: Form, row: GoldenRow, shown: Projected) -> dict[str, Any]:
    """A projected record (`api.schemas.erp.ErpRecord`)."""
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
