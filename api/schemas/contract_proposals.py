"""Data contracts that somebody proposes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Form, Page
from api.schemas.given import Asked, Storable
from mdm.model.contract_proposals import ProposalStatus

Words = Annotated[Storable, Field(min_length=1, max_length=500)]


class ProposedContract(Asked):
    """A contract of one platform."""

    title: Words
    document: Annotated[Storable, Field(min_length=1, max_length=200_000)] = Field(
        description="ODCS 3, YAML, as `mdm contracts lint` reads it."
    )


class Decided(Asked):
    """What is decided about it, and why."""

    reason: Words


class ContractRemark(Form):
    """Something worth knowing about the document."""

    code: str
    where: str
    detail: str


class ContractChangeForm(Form):
    """A difference from what is in force."""

    table: str
    column: str | None
    code: str
    detail: str
    step: Literal["none", "patch", "minor", "major"]


class ContractReport(Form):
    """What the hub found: nothing that is wrong, or it would not have been taken."""

    warnings: list[ContractRemark]
    changes: list[ContractChangeForm]
    needed: Literal["none", "patch", "minor", "major"] = Field(description="The step that the changes need.")
    taken: Literal["none", "patch", "minor", "major"] = Field(description="The step that the version takes.")


class ContractProposalEntry(Form):
    """A proposal without its document."""

    proposal_id: int
    system: str
    version: str
    base: str | None = Field(description="The version in force when it was proposed; null for a new platform.")
    fingerprint: str
    title: str
    status: ProposalStatus
    author: str
    proposed_at: datetime
    decider: str | None
    decided_at: datetime | None
    reason: str


class ContractProposalForm(ContractProposalEntry):
    """A proposal whole."""

    document: str
    report: ContractReport


ContractProposalPage = Page[ContractProposalEntry]
