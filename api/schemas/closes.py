"""The close of a month: its checklist, its signatures, and the wish to sign."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from api.schemas.common import Form
from api.schemas.given import Asked, Storable

Comment = Annotated[Storable, Field(max_length=1000)]


class Signing(Asked):
    """A word with the signature; open points need one, and so does taking back."""

    comment: Comment = Field("", description="Kept with the signature, and in the audit.")


class ClosePoint(Form):
    """A line of the checklist: in order when nothing is open."""

    title: str
    open: int
    amounts: dict[str, str] = Field(description="What is open, by currency, as decimal text.")
    advice: str


class SignedPoint(Form):
    """A line of the checklist as it was signed."""

    title: str
    open: int
    amounts: dict[str, str]


class Changed(Form):
    """A line that says something else than when it was signed."""

    title: str
    then: int
    now: int


class Signature(Form):
    """What was signed for a month: prepared by one person, reviewed by another, perhaps taken back."""

    sign_off_id: int
    points: list[SignedPoint]
    prepared_by: str
    prepared_at: datetime
    comment: str
    reviewed_by: str | None
    reviewed_at: datetime | None
    review: str
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    reason: str


class CloseForm(Form):
    """The close of a month as it is now."""

    month: str
    first: date
    last: date
    due: date = Field(description="The last day on which the books are open.")
    as_of: datetime = Field(description="When reconciliation looked.")
    points: list[ClosePoint]
    standing: Signature | None = Field(description="What is signed and was not taken back.")
    changed: list[Changed] = Field(description="What the checklist says otherwise since it was signed.")
    before: list[Signature] = Field(description="Signatures that were taken back, the newest first.")
