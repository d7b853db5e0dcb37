"""The forms of the reconciliation service (W3C community specification 0.2)."""

from typing import Any

from pydantic import Field

from api.schemas.common import Form


class ReconType(Form):
    """A type of the service: one of the three domains."""

    id: str = Field(examples=["customer"])
    name: str


class ReconManifest(Form):
    """What the service is and can do."""

    versions: list[str]
    name: str
    identifier_space: str = Field(alias="identifierSpace")
    schema_space: str = Field(alias="schemaSpace")
    default_types: list[ReconType] = Field(alias="defaultTypes")


class ReconSuggestions(Form):
    """Things that begin like this."""

    result: list[dict[str, Any]]


class ReconProperties(Form):
    """Properties that can be fetched."""

    type: str
    properties: list[ReconType]
