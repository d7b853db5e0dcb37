"""What the JSON texts hold that the reconciliation service takes in a form field or in the address.

A field's schema can only say that it is a text; `contentSchema` (JSON Schema 2020-12) says what is in it.
"""

from typing import Any

from mdm.model.ids import Domain

#: Queries of one batch; the manifest tells OpenRefine.
MOST_QUERIES = 50
#: Candidates of one query.
MOST_CANDIDATES = 20
#: Records of one data extension.
MOST_RECORDS = 200

_TYPE_NAME = {"type": "string", "enum": [each.value for each in Domain]}
_TYPE_OBJECT = {"type": "object", "required": ["id"], "properties": {"id": _TYPE_NAME}}
_ONE_TYPE = {"anyOf": [_TYPE_NAME, _TYPE_OBJECT]}

_QUERY: dict[str, Any] = {
    "type": "object",
    "description": "One record of yours. Members that are not named here change nothing.",
    "properties": {
        "query": {"type": ["string", "null"], "description": "A name; of a contract its number."},
        "type": {
            "anyOf": [*_ONE_TYPE["anyOf"], {"type": "array", "minItems": 1, "prefixItems": [_ONE_TYPE]}],
            "description": "Of several the first counts; customer when absent.",
        },
        "limit": {
            "type": "integer",
            "minimum": 1,
            "description": f"At most so many candidates: 5 when absent, never more than {MOST_CANDIDATES}.",
        },
        "properties": {
            "type": ["array", "null"],
            "description": "What else is known; `GET /v1/reconcile/suggest/property` lists what may be stated.",
            "items": {
                "type": "object",
                "properties": {
                    "pid": {"type": "string", "description": "Id of a property."},
                    "v": {"description": "A text or number, a cell that was reconciled before, or a list of them."},
                },
            },
        },
    },
}

QUERIES: dict[str, Any] = {
    "type": "object",
    "description": "Queries by names of your own; the answer has the same names.",
    "maxProperties": MOST_QUERIES,
    "additionalProperties": _QUERY,
    "examples": [
        {"q0": {"query": "Acme", "type": "customer", "limit": 3, "properties": [{"pid": "country", "v": "NL"}]}}
    ],
}

EXTENSION: dict[str, Any] = {
    "type": "object",
    "description": "Values of golden records.",
    "required": ["ids", "properties"],
    "properties": {
        "ids": {"type": "array", "maxItems": MOST_RECORDS, "items": {"type": "string"}, "description": "Golden ids."},
        "properties": {
            "type": "array",
            "description": "`GET /v1/reconcile/properties` lists what can be fetched.",
            "items": {"type": "object", "properties": {"id": {"type": "string"}}},
        },
    },
    "examples": [{"ids": ["cus_1"], "properties": [{"id": "vat"}]}],
}


def holding(content: dict[str, Any]) -> dict[str, Any]:
    """What a text's schema says of the JSON in it."""
    return {"contentMediaType": "application/json", "contentSchema": content}
