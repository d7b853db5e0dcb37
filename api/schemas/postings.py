"""The pre-posting check: postings as they would be made, and what stands against each."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.common import Form
from api.schemas.given import Asked, Day
from mdm.hub.prepost import MOST_POSTINGS

#: Lines of one posting: what ERP systems take in one document.
MOST_LINES = 999
_Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
_Named = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
#: A decimal number as text; at most fifteen digits before the point and six after it.
_Amount = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]


class GivenPostingLine(Asked):
    """A line of a posting."""

    account: _Code | None = Field(None, description="Without one the account of the mapping for the product is meant.")
    product: _Named | None = Field(None, description="The item's code in ERP.")
    amount: _Amount | None = Field(None, description="Decimal text; debits are positive, credits negative.")
    tax_code: _Code | None = Field(None, description="Without one the code that holds for the sale is meant.")


class GivenPosting(Asked):
    """A journal entry as it would be made."""

    reference: _Named = Field(description="How you call it; comes back with the answer.")
    company_code: _Code
    posting_date: Day
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(description="ISO 4217.")
    partner: _Named | None = Field(None, description="The number of the business partner in ERP.")
    customer: _Named | None = Field(None, description="The golden id of the customer, beside the number or instead.")
    lines: Annotated[list[GivenPostingLine], Field(min_length=1, max_length=MOST_LINES)]


class GivenPostings(Asked):
    """A batch of postings."""

    postings: Annotated[list[GivenPosting], Field(min_length=1, max_length=MOST_POSTINGS)]


PostingDecision = Literal["pass", "block"]


class PostingReason(Form):
    """Why a posting is blocked. Codes are stable and never reused."""

    code: str = Field(examples=["CURRENCY_NOT_MAINTAINED"])
    path: str = Field(description="What it is about: a JSON pointer into the posting.", examples=["/lines/0/account"])
    message: str
    owner: str = Field(description="Whose move it is.", examples=["finance-accounting"])
    action: str = Field(description="What to do.")


class PostingVerdict(Form):
    """What the check says of one posting."""

    reference: str
    decision: PostingDecision
    customer: str | None = Field(description="The golden customer on whom it would be posted.")
    reasons: list[PostingReason] = Field(description="Everything that stands against it; none when it passes.")


class DocumentVersion(Form):
    """A document that postings were held against."""

    version: str
    fingerprint: str


class PostingDocuments(Form):
    """What postings were held against."""

    accounts: DocumentVersion
    tax_codes: DocumentVersion
    usage_revenue: DocumentVersion


class PostingVerdicts(Form):
    """The batch, in the order asked."""

    decision: PostingDecision = Field(description="`block` when one of them is blocked.")
    passed: int
    blocked: int
    documents: PostingDocuments
    postings: list[PostingVerdict]
