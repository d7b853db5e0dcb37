"""What could not be processed: refused messages in groups and one by one, other exceptions, what is asked of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from api.schemas.common import Form, Page, SourceKey
from api.schemas.given import MAX_ID, Asked, Moment, Said, Storable, either_given
from api.schemas.priority import CloseImpact, CustomerExposure, PriorityPart

Reason = Annotated[Said, Field(max_length=4000, description="Why; kept in the audit.")]
Word = Annotated[Storable, Field(min_length=1, max_length=300)]
#: Messages that one request replays or discards at most.
MOST_AT_ONCE = 1000


class StakeForm(Form):
    """What hangs on the rows that messages are about, as far as linked facts and current golden contracts tell."""

    amounts: dict[str, str] = Field(description="Open invoices and running contracts, each once, by currency.")
    rows: int = Field(description="Rows that the messages are about; those whose key could not be read are missing.")
    known: int = Field(description="Of how many of them the hub holds anything; of the others nothing can be said.")


class LetterGroup(Form):
    """Open refused messages of one kind: the same topic, code and reason, numbers in it aside."""

    newest: int = Field(description="One of them; `like` takes it.")
    messages: int
    rows: int
    topic: str
    code: str
    reason: str
    action: str = Field(description="What to do.")
    owner: str
    assignees: list[str] = Field(description="Who looks after them.")
    first_seen: datetime
    last_seen: datetime
    stake: StakeForm
    priority: float | None = Field(description="The higher, the sooner; null before it is known.")
    because: list[PriorityPart]
    close_impact: CloseImpact | None = Field(description="Null before the priority is known.")
    customer_exposure: CustomerExposure | None = Field(description="Null before the priority is known.")


LetterGroupPage = Page[LetterGroup]


class Letter(Form):
    """A refused message without what it said."""

    id: int
    name: str = Field(examples=["D17"])
    status: Literal["open", "replayed", "discarded"]
    place: str = Field(description="Topic, partition and offset.")
    code: str
    reason: str
    action: str
    owner: str
    assignee: str | None
    system: str | None
    type: str | None
    row_key: str | None
    seen: int
    mended: bool
    first_seen: datetime
    last_seen: datetime
    tier: Literal[1, 2, 3] = Field(description="How critical its table is; 1 is the most critical.")
    due_at: datetime = Field(description="By when it should be dealt with, as its tier says.")
    stake: StakeForm


LetterPage = Page[Letter]


class Fix(Form):
    """What somebody made of a message."""

    author: str
    reason: str
    at: datetime
    value: str | None


class WholeLetter(Letter):
    """A refused message whole. `key`, `value` and `fixes` are for those who see confidential values: nobody classified
    what could not be read. Bytes that are no UTF-8 are escaped."""

    legible: bool
    key: str | None
    value: str | None
    fixes: list[Fix]
    alike_open: int = Field(description="Open ones of its kind.")
    later_events: int = Field(description="Later events of the same row that were taken in and keep their precedence.")
    held: int = Field(description="Later messages of its row that wait for it: tables of tier 1.")
    behind: str | None = Field(
        description="The one that it waits for, nothing being wrong with itself.", examples=["D17"]
    )
    proposals: list[int] = Field(description="Open proposals to discard it.")
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None


class ExceptionForm(Form):
    """A difference from a contract, a sign of loss, or another matter for an owner. It is about a table or platform."""

    id: int
    name: str = Field(examples=["E4"])
    kind: str
    code: str
    table: str | None
    detail: str
    action: str
    owner: str
    assignee: str | None
    status: Literal["open", "resolved", "accepted"]
    seen: int
    place: str
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None


ExceptionPage = Page[ExceptionForm]
RowPage = Page[SourceKey]


_CONDITIONS = (
    "ids", "like", "code", "topic", "partition", "first_offset", "last_offset", "row_key", "owner", "since", "until",
)  # fmt: skip


class Meant(Asked):
    """Which open messages are meant; conditions that are given must all hold, and one must be given."""

    model_config = either_given(*((name,) for name in _CONDITIONS))

    ids: list[Annotated[int, Field(ge=1, le=MAX_ID)]] | None = Field(None, min_length=1, max_length=MOST_AT_ONCE)
    like: int | None = Field(None, ge=1, le=MAX_ID, description="All of the kind of this one.")
    code: Word | None = None
    topic: Word | None = None
    partition: int | None = Field(None, ge=0, le=2**31 - 1)
    first_offset: int | None = Field(None, ge=0, le=MAX_ID)
    last_offset: int | None = Field(None, ge=0, le=MAX_ID)
    row_key: Word | None = None
    owner: Word | None = None
    since: Moment | None = Field(None, description="Seen since then.")
    until: Moment | None = Field(None, description="First seen before then.")

    @model_validator(mode="after")
    def _something(self) -> "Meant":
        if all(getattr(self, name) is None for name in _CONDITIONS):
            raise ValueError("name ids, a code, a topic or one like them: everything at once is never meant")
        return self


class Discarding(Meant):
    """Which messages are closed for good, and why."""

    reason: Reason


class Because(Asked):
    """Why."""

    reason: Reason


class Resolving(Because):
    """How an exception ends."""

    accept: bool = Field(False, description="It may stay as it is: it is counted on, and does not open again.")


class Care(Asked):
    """Of which messages the care is taken or given back."""

    alike: bool = Field(False, description="Of all open ones of its kind, and of those that come later.")


class Handing(Care):
    """To whom the care goes."""

    assignee: Annotated[Said, Field(max_length=200, examples=["user:ada"])]


class HandingOver(Asked):
    """To whom the care goes."""

    assignee: Annotated[Said, Field(max_length=200, examples=["user:ada"])]


class Mending(Asked):
    """How a message should have been: the whole value as text, or single values by their path; then why."""

    model_config = either_given(("value",), ("edits",), one_only=True)

    value: Storable | None = Field(None, max_length=512 * 1024, description="The whole value, JSON as text.")
    edits: dict[str, Any] | None = Field(
        None, min_length=1, max_length=100, description="Values by path.", examples=[{"after.employees": 12}]
    )

    @model_validator(mode="after")
    def _one(self) -> "Mending":
        if (self.value is None) is (self.edits is None):
            raise ValueError("give either the whole value, or edits")
        return self


class MendingForGood(Mending):
    """A message as it should have been, and why."""

    reason: Reason


class Cared(Form):
    """Of how many the care changed hands, or is where it was asked to be."""

    matters: int


class FieldChangeForm(Form):
    """One golden attribute before and after, as the caller may see it."""

    field: str
    before: Any
    after: Any


class GoldenEffectForm(Form):
    """What became, or would become, of one golden record."""

    domain: str
    entity_id: str
    name: str
    what: str
    merged_into: str | None
    fields: list[FieldChangeForm]


class ReplayedForm(Form):
    """What became of messages that were fed again, and what that did to golden records."""

    outcomes: dict[str, int]
    kept: bool = Field(description="False for a rehearsal: nothing of it stayed.")
    effects: list[GoldenEffectForm]
