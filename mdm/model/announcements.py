"""What the hub announces: the kinds of events, and the JSON Schema of each one's payload.

Made from the canonical attributes, so an attribute cannot exist in a golden record and not in its event.
"""

from collections.abc import Mapping
from typing import Any, Final

from mdm.model.canonical import ATTRIBUTES, EXTENSION, Attribute, Shape
from mdm.model.ids import Domain
from mdm.model.stewardship import Verdict

#: Kinds of events, with what each one says.
KINDS: Final[Mapping[str, str]] = {
    "created": "An entity was founded; this is the first version of its golden record.",
    "changed": "A new version of a golden record. `cause` says why: its sources, a merge, a split, a decision.",
    "merged": "The entity was absorbed. Its id leads to `merged_into` for ever.",
    "decided": "A steward decided about its records, or took a decision back. No golden record needs to have changed.",
    "readiness_changed": "What onboarding says of a customer is another than before (`mdm onboarding recheck`).",
    "erp_changed": "The gates hold a change back from an ERP, which goes on with the version before; or no longer.",
    "retired": "The entity has no live source record any more. Its id stays known; it can come back by `changed`.",
}

_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_KEY: Final = {
    "type": "object",
    "description": "A source row: platform, table, primary key.",
    "properties": {"system": _TEXT, "type": _TEXT, "key": _TEXT},
    "required": ["system", "type", "key"],
}
_SHAPES: Final[Mapping[Shape, Mapping[str, Any]]] = {
    Shape.TEXT: _TEXT,
    Shape.CODE: _TEXT,
    Shape.BOOLEAN: {"type": "boolean"},
    Shape.INTEGER: {"type": "integer"},
    Shape.DECIMAL: {"type": "string", "pattern": r"^-?[0-9]+([.][0-9]+)?$"},
    Shape.DATE: {"type": "string", "pattern": r"^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}$"},
    Shape.TEXTS: {"type": "array", "items": _TEXT},
    Shape.ADDRESS: {
        "type": "object",
        "properties": dict.fromkeys(
            ("street", "house_number", "line2", "postal_code", "city", "region", "country"), _MAYBE
        ),
    },
    Shape.IDENTIFIERS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"type": _TEXT, "country": _MAYBE, "value": _TEXT, "normal": _TEXT, "state": _TEXT},
            "required": ["type", "value", "normal", "state"],
        },
    },
    Shape.PHONES: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"value": _TEXT, "e164": _MAYBE, "valid": {"type": "boolean"}},
            "required": ["value", "valid"],
        },
    },
    Shape.EMAILS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"value": _TEXT, "domain": _TEXT, "shared": {"type": "boolean"}},
            "required": ["value"],
        },
    },
    Shape.REFERENCE: _KEY,
    Shape.EXTENSIONS: {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "array"], "items": _TEXT},
        },
    },
    Shape.LINES: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"product": _KEY, "quantity": _MAYBE, "unit_price": _MAYBE},
            "required": ["product"],
        },
    },
}

_ERASED: Final[Mapping[str, Any]] = {
    "const": True,
    "description": "Its subject was erased: copies must go, too. Events of it that are read again hold no values.",
}
_READINESS: Final[Mapping[str, Any]] = {
    "version": {"type": "integer", "minimum": 1, "description": "The version of the golden record that was judged."},
    "erp": {**_TEXT, "description": "The target that it was judged for."},
    "decision": {"enum": ["ready", "ready_with_warnings", "needs_review", "blocked", "unverifiable"]},
    "before": {**_MAYBE, "description": "The decision before; null for the first."},
    "codes": {"type": "array", "items": _TEXT, "description": "What failed or could not be verified."},
    "valid_until": {**_MAYBE, "description": "When the first answer or confirmation it rests on expires."},
}
_ERP_CHANGED: Final[Mapping[str, Any]] = {
    "erp": {**_TEXT, "description": "The ERP that is meant."},
    "served": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "The version that the ERP is served: the last one that passed the gates; null when none did.",
    },
    "version": {"type": "integer", "minimum": 1, "description": "The version that was judged."},
    "held": {"type": "boolean", "description": "Whether it is held back."},
    "reasons": {
        "type": "array",
        "description": "Why, by codes; no values.",
        "items": {
            "type": "object",
            "properties": {"gate": _TEXT, "code": _TEXT, "field": _TEXT, "attribute": _MAYBE},
            "required": ["gate", "code"],
        },
    },
}
#: Kinds of decisions that speak about records, as history calls them. Discarding refused messages speaks about none.
_DECISIONS: Final = (
    *(each.value for each in Verdict), "merge", "split", "override", "clear", "confirm", "restore", "relate",
    "end_relation", "undo", "expire",
)  # fmt: skip
_DECIDED: Final[Mapping[str, Any]] = {
    "version": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "The version of the golden record with the decision in effect; null where the id has ended.",
    },
    "decision": {"type": "integer", "minimum": 1, "description": "Its number: the same for every entity it is about."},
    "kind": {"enum": list(_DECISIONS), "description": "What was decided; `expire` is an end date that came."},
    "verdict": {
        "enum": [*(each.value for each in Verdict), None],
        "description": "Whether records are the same: also what a merge and a split say. Null: it says neither.",
    },
    "actor": {
        "enum": ["steward", "hub"],
        "description": "Somebody with a steward's rights, or the hub itself. Names and reasons stay in the hub.",
    },
    "agreed": {"type": "boolean", "description": "Whether a second person had to agree, and did."},
    "at": {**_TEXT, "format": "date-time", "description": "When it took effect."},
    "undoes": {"type": ["integer", "null"], "minimum": 1, "description": "The decision that it takes back."},
}


def event_type(domain: Domain, kind: str) -> str:
    """The type of an announcement in the outbox, e.g. `customer.changed`."""
    return f"{domain.value}.{kind}"


def event_types() -> tuple[str, ...]:
    """Every type that the hub announces."""
    return tuple(
        event_type(domain, kind)
        for domain in sorted(Domain)
        for kind in KINDS
        if kind != "readiness_changed" or domain is Domain.CUSTOMER
    )


def payload_schema(event: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's payload. Fields may be added later; readers ignore what they do not know.

    Raises:
        ValueError, KeyError: the hub announces no such event.
    """
    name, _, kind = event.partition(".")
    domain = Domain(name)
    properties: dict[str, Any] = {
        "entity_id": {"type": "string", "pattern": f"^{domain.prefix}_[0-9a-z]{{26}}$"},
        "domain": {"const": domain.value},
    }
    required = list(properties)
    match kind:
        case "created" | "changed":
            properties |= _version((*ATTRIBUTES[domain], EXTENSION))
            required += ["version", "cause", "changed", "values", "members"]
        case "merged":
            properties |= {"status": {"const": "merged"}, "merged_into": properties["entity_id"]}
            required += ["status", "merged_into"]
        case "decided":
            properties |= {**_DECIDED, "erased": _ERASED}
            required += list(_DECIDED)
        case "readiness_changed":
            properties |= _READINESS
            required += list(_READINESS)
        case "erp_changed":
            properties |= _ERP_CHANGED
            required += list(_ERP_CHANGED)
        case "retired":
            properties |= {"status": {"const": "retired"}, "erased": _ERASED}
            required += ["status"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(event),
        "title": event,
        "description": KINDS[kind],
        "type": "object",
        "properties": properties,
        "required": required,
    }


def schema_id(event: str) -> str:
    """The name of a payload's schema, as events carry it in `dataschema`."""
    return f"urn:mdm:schema:{event}:v1"


def _version(attributes: tuple[Attribute, ...]) -> dict[str, Any]:
    return {
        "erased": _ERASED,
        "version": {"type": "integer", "minimum": 1, "description": "Counts up by one with each event of the entity."},
        "cause": {"type": "string", "minLength": 1, "description": "founded, source, merge, split or a decision."},
        "changed": {"type": "array", "items": _TEXT, "description": "Attributes that differ from the version before."},
        "members": {"type": "array", "items": _KEY, "description": "The source rows behind it."},
        "values": {
            "type": "object",
            "description": "All surviving values; an attribute that is not there has none.",
            "properties": {
                each.name: {
                    **_SHAPES[each.shape],
                    "description": each.definition,
                    "x-owner": each.owner,
                    "x-data-class": each.data_class.value,
                }
                for each in attributes
            },
            "additionalProperties": False,
        },
    }
