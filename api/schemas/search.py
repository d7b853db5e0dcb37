"""One box for everything: what a name, number, key or id may mean."""

from typing import Literal

from pydantic import Field

from api.schemas.common import Form, SourceKey
from mdm.model.ids import Domain


class FoundRow(Form):
    """A live source row with this key, or with another name that reads like this."""

    record: SourceKey
    kind: str = Field(description="customer, contract, product, invoice, payment, ...", examples=["invoice"])
    entity_id: str | None = Field(description="The golden record that it belongs to; null for a linked fact.")


class FoundRecord(Form):
    """A golden record, without its values."""

    id: str
    domain: Domain
    name: str
    version: int


class FoundId(Form):
    """What became of an id that was asked for."""

    id: str
    domain: Domain
    status: Literal["active", "merged", "retired", "erased"]
    merged_into: str | None


class SearchAnswer(Form):
    """Everything that is found, of each kind at most `limit`, best first."""

    id: FoundId | None = Field(description="When what was asked is an id that was issued.")
    rows: list[FoundRow] = Field(description="By key and other names, in all platforms.")
    customers: list[FoundRecord]
    contracts: list[FoundRecord]
    products: list[FoundRecord]
    approximate: bool = Field(description="Nothing has it; these golden records resemble it.")
