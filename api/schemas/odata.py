"""Answers in the form of OData 4."""

from typing import Any

from pydantic import Field

from api.schemas.common import Form


class ODataSet(Form):
    """An entity set."""

    name: str
    kind: str
    url: str


class ODataService(Form):
    """The service document."""

    context: str = Field(alias="@odata.context")
    value: list[ODataSet]


class ODataRecord(Form):
    """A record; its fields are those of `$metadata`."""

    etag: str = Field(alias="@odata.etag")


class ODataPage(Form):
    """Records, and where to go on."""

    context: str = Field(alias="@odata.context")
    count: str | None = Field(None, alias="@odata.count", description="Text, as with IEEE754Compatible.")
    value: list[dict[str, Any]]
    next_link: str | None = Field(None, alias="@odata.nextLink")
