"""Which layer of an API landscape each operation belongs to: system, process or experience, as tags of the description.

System: the hub's records as they are - golden records, source rows, names, changes. Process: what is worked out or
decided on them - matching, onboarding, stewardship, releases. Experience: the same in the form of a channel - ERP,
OData, OpenRefine.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Layer(StrEnum):
    """One of three."""

    SYSTEM = "system"
    PROCESS = "process"
    EXPERIENCE = "experience"


DESCRIPTIONS: Mapping[Layer, str] = {
    Layer.SYSTEM: "Records as they are: golden records, their sources, names, history and changes.",
    Layer.PROCESS: "What is worked out or decided: matching, onboarding, stewardship, approvals, releases.",
    Layer.EXPERIENCE: "The same in the form of a channel: ERP systems, OData, OpenRefine.",
}

#: The layer of operations by the tag of their area.
_OF_AREA: Mapping[str, Layer] = {
    "customers": Layer.SYSTEM,
    "contracts": Layer.SYSTEM,
    "products": Layer.SYSTEM,
    "identity": Layer.SYSTEM,
    "changes": Layer.SYSTEM,
    "rules": Layer.SYSTEM,
    "operations": Layer.SYSTEM,
    "trace": Layer.PROCESS,
    "onboarding": Layer.PROCESS,
    "close": Layer.PROCESS,
    "postings": Layer.PROCESS,
    "kpis": Layer.PROCESS,
    "findings": Layer.PROCESS,
    "process": Layer.PROCESS,
    "exceptions": Layer.PROCESS,
    "identifiers": Layer.PROCESS,
    "quality": Layer.PROCESS,
    "stewardship": Layer.PROCESS,
    "releases": Layer.PROCESS,
    "privacy": Layer.PROCESS,
    "erp": Layer.EXPERIENCE,
    "odata": Layer.EXPERIENCE,
    "reconciliation": Layer.EXPERIENCE,
}
#: Operations about records that work something out, whatever their area.
_WORKED_OUT = ("match_", "explain_")


def layer_of(operation: Mapping[str, Any]) -> Layer:
    """The layer of an operation of the description.

    Raises:
        KeyError: its area has none yet; give it one here.
    """
    if str(operation.get("operationId", "")).startswith(_WORKED_OUT):
        return Layer.PROCESS
    return _OF_AREA[operation["tags"][0]]


def tag(document: dict[str, Any]) -> None:
    """Add its layer to the tags of every operation of an OpenAPI document, and describe the layers."""
    for path in document["paths"].values():
        for operation in path.values():
            operation["tags"] = [*operation.get("tags", ()), layer_of(operation).value]
    document["tags"] = [{"name": layer.value, "description": told} for layer, told in DESCRIPTIONS.items()]
