"""Golden records in the field names of an ERP."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.common import Form
from api.schemas.records import AttributeLineage
from mdm.model.ids import Domain


class ErpFinding(Form):
    """Something that the target will not take as it is. Values are never cut."""

    code: str = Field(examples=["ERP_FIELD_TOO_LONG"])
    severity: Literal["error", "warning"]
    field: str = Field(description="Field of the target; items by number: `to_BusinessPartnerTax/0/BPTaxLongNumber`.")
    attribute: str | None = Field(description="The golden attribute behind it.")
    message: str
    params: dict[str, str]


class ErpLinks(Form):
    """Where to go on."""

    golden: str
    lineage: str


class ErpReason(Form):
    """Why a version is held back: no values, only where and what."""

    gate: Literal["projection", "verdict", "sensitive", "time"]
    code: str = Field(examples=["ERP_FIELD_TOO_LONG"])
    field: str = Field(description="Field of the target; empty for the verdict.")
    attribute: str | None


class ErpHeld(Form):
    """A newer version that the gates hold back."""

    version: int
    judged_at: datetime
    reasons: list[ErpReason]
    proposal_id: int | None = Field(
        None, description="The proposal that asks whether this ERP may have a change of sensitive attributes."
    )


class ErpRecord(Form):
    """One golden record as an object of the target."""

    id: str = Field(description="The golden id.", examples=["cus_01kczk7c000000000000000000"])
    version: int
    object: str = Field(examples=["A_BusinessPartner"])
    values: dict[str, Any] = Field(description="By field of the target; null where nothing is known.")
    masked: list[str] = Field(description="Fields whose values this API key may not see in full.")
    fits: bool = Field(description="Whether the target can take it as it is: no finding is an error.")
    findings: list[ErpFinding]
    known_from: datetime
    held: ErpHeld | None = Field(description="A newer version that the gates hold back; null when there is none.")
    links: ErpLinks


class ErpPage(Form):
    """A page of projected records."""

    items: list[ErpRecord]
    next: str | None = Field(description="Give it back as `cursor` for the next page.")
    changes: str = Field(description="The change feed from the moment of this page: read the list, then follow it.")


class ErpFieldLineage(Form):
    """Where a field comes from."""

    attribute: str | None = Field(description="The golden attribute; null for keys and what is always the same.")
    lineage: AttributeLineage | None


class ErpLineage(Form):
    """Where every field of one object comes from."""

    id: str
    version: int
    object: str
    fields: dict[str, ErpFieldLineage]


class ErpField(Form):
    """A field of a target's object."""

    name: str
    type: str = Field(examples=["Edm.String"])
    length: int | None
    required: bool
    attribute: str | None = Field(description="The golden attribute behind it.")
    codes: dict[str, Any] | None = Field(description="The target's code by golden value.")
    filterable: bool
    note: str


class ErpCollection(Form):
    """A collection of a target's object."""

    name: str
    fields: list[ErpField]


class ErpObject(Form):
    """An object of a target."""

    domain: Domain
    object: str
    path: str
    fields: list[ErpField]
    collections: list[ErpCollection]


class ErpTarget(Form):
    """How golden records look in one ERP."""

    erp: str
    title: str
    release: str
    keys_from: str = Field(description="The platform whose keys are the target's own.")
    objects: list[ErpObject]


class ErpTargets(Form):
    """All targets."""

    items: list[ErpTarget]


class ErpHeldRecord(ErpHeld):
    """A golden record of which a version is held back."""

    id: str
    domain: Domain
    name: str
    served: int | None = Field(description="The version that the ERP is served; null when none ever passed.")


class ErpHeldPage(Form):
    """What the gates of an ERP hold back."""

    items: list[ErpHeldRecord]
    next: str | None
    served: dict[str, int] = Field(description="By domain, how many golden records the ERP is served.")
    held: dict[str, int] = Field(description="By domain, of how many a version is held back.")
