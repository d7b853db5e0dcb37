"""Query parameters. Unknown ones are refused: a misspelt filter must not return everything."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.cursors import MAX_CURSOR
from api.read_after import AFTER, MOST_SECONDS, USUAL_SECONDS
from api.schemas.given import Moment, Storable
from mdm.model.canonical import ATTRIBUTES, EXTENSION
from mdm.model.ids import Domain

#: A list never returns more at once; further rows follow by cursor.
MAX_LIMIT = 200


#: What `api.cursors` writes; whether it fits the list is found out when it is read.
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=MAX_CURSOR)]
#: The number of something that is kept, as an address names it: what no table can hold names nothing.
NumberPath = Annotated[int, Path(ge=0, lt=1 << 62)]
EntityIdPath = Annotated[Storable, Path(description="Golden record id.", max_length=64)]


class Parameters(BaseModel):
    """The base of all query parameters."""

    model_config = ConfigDict(extra="forbid")


class ReadAfter(Parameters):
    """Read your own change."""

    after: str | None = Field(
        None,
        pattern=AFTER,
        description="`platform:lsn` or `platform:topic/partition/offset`: answer once the hub has read that far; 202 "
        "with an estimate when it does not in time.",
    )
    wait: float = Field(USUAL_SECONDS, ge=0, le=MOST_SECONDS, description="Seconds to wait for `after`.")


def _names_of(domain: Domain) -> WithJsonSchema:
    """The description of attributes of a domain; the routes refuse others with a sentence (`api.routes.lists`)."""
    one = "|".join(sorted(attribute.name for attribute in (*ATTRIBUTES[domain], EXTENSION)))
    return WithJsonSchema({"type": "string", "pattern": f"^({one})(,({one}))*$", "maxLength": _MOST_NAMES})


_MOST_NAMES = 1000
#: Names of attributes, separated by commas.
FieldNames = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_NAMES)]
CustomerFields = Annotated[FieldNames, _names_of(Domain.CUSTOMER)]
ContractFields = Annotated[FieldNames, _names_of(Domain.CONTRACT)]
ProductFields = Annotated[FieldNames, _names_of(Domain.PRODUCT)]
_FIELDS = "Attributes to answer, separated by commas; all when absent."


class Sparse(ReadAfter):
    """Only some attributes. Each domain has its own."""

    fields: FieldNames | None = Field(None, description=_FIELDS)


class Paged(Parameters):
    """A page of a list."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="At most this many items.")
    cursor: Cursor | None = Field(None, description="`next` of the page before.")

    def scope(self, path: str) -> str:
        """The list this page belongs to: its path and filters, without the place in it."""
        filters: dict[str, Any] = self.model_dump(
            mode="json", exclude={"limit", "cursor", "after", "wait", "fields"}, exclude_none=True
        )
        return path + "?" + "&".join(f"{name}={value}" for name, value in sorted(filters.items()))


class ListParameters(Paged, Sparse):
    """Filters of every list of golden records."""

    q: Storable | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Words of names that must all occur, or one whole identifier, in any spelling. Beginnings of words "
        "count too, except for the role reader. When nothing has them all, records are found that resemble them.",
    )
    status: Storable | None = Field(None, max_length=64, description="Golden value `status`.")
    updated_since: Moment | None = Field(None, description="Current version known since, RFC 3339.")


class PlacedListParameters(ListParameters):
    """Filters of lists whose records belong somewhere."""

    region: Storable | None = Field(None, max_length=60, description="Where a record is placed: `EMEA`.")
    business_unit: Storable | None = Field(None, max_length=60, description="Whose a record is: `sales`.")
    legal_entity: Storable | None = Field(None, max_length=60, description="Our own company that sells to it.")


class CustomerListParameters(PlacedListParameters):
    """Filters of the list of customers."""

    fields: CustomerFields | None = Field(None, description=_FIELDS)
    country: str | None = Field(None, pattern="^[A-Za-z]{2}$", description="Country of the seat, ISO 3166-1 alpha-2.")


class ContractListParameters(PlacedListParameters):
    """Filters of the list of contracts."""

    fields: ContractFields | None = Field(None, description=_FIELDS)
    customer: Storable | None = Field(None, max_length=64, description="Golden record id of the customer.")


class ProductListParameters(ListParameters):
    """Filters of the list of products."""

    fields: ProductFields | None = Field(None, description=_FIELDS)


class KnownAt(Parameters):
    """A look back: what the hub held as current at an instant."""

    known_at: Moment | None = Field(None, description="RFC 3339 with an offset; now when absent.")


class Axes(KnownAt, Sparse):
    """A look at another instant, on three axes."""

    valid_at: Moment | None = Field(
        None, description="As it was true in the business: by the changes that the platforms made until then."
    )
    rules: str | None = Field(
        None, pattern="^[0-9a-f]{16}$", description="Fingerprint of the released rule set that shall choose."
    )


class CustomerAxes(Axes):
    """A look at a customer."""

    fields: CustomerFields | None = Field(None, description=_FIELDS)
    require: Literal["ready"] | None = Field(
        None, description="`ready`: customers that may not be created in ERP are refused with 409."
    )


class ContractAxes(Axes):
    """A look at a contract."""

    fields: ContractFields | None = Field(None, description=_FIELDS)


class ProductAxes(Axes):
    """A look at a product."""

    fields: ProductFields | None = Field(None, description=_FIELDS)


#: How a record of each domain may be looked at.
AXES: dict[Domain, type[Axes]] = {
    Domain.CUSTOMER: CustomerAxes,
    Domain.CONTRACT: ContractAxes,
    Domain.PRODUCT: ProductAxes,
}
