"""Relations between golden records."""

from typing import Any

from pydantic import Field

from api.schemas.common import Form


class CompanyForm(Form):
    """A customer in a group."""

    id: str
    name: str
    country: str | None
    status: str | None


class BranchForm(CompanyForm):
    """A subsidiary."""

    parent: str
    level: int = Field(description="1 is directly below the customer that was asked about.")


class HierarchyForm(Form):
    """The group around a customer. Each company is told once."""

    id: str
    ultimate_parent: str | None = Field(description="The customer itself when it has no parent; null in a circle.")
    circular: bool = Field(description="The stated parents come back to where they began.")
    cut_off: bool = Field(description="There are more subsidiaries than are told.")
    above: list[CompanyForm] = Field(description="The nearest parent first.")
    below: list[BranchForm]


class ContractLineOf(Form):
    """A contract that has the product in a line."""

    contract: str
    quantity: Any = None
    status: str | None = None


class ContractedProduct(Form):
    """A product and the contracts that have it."""

    id: str
    name: str
    contracts: list[ContractLineOf]


class ContractedProducts(Form):
    """The products of a customer by name."""

    items: list[ContractedProduct]
    unresolved_lines: int = Field(description="Lines whose product the hub does not know.")
