"""What a priority rests on beside money: the close, and the customers behind it. Told also where they add nothing."""

from datetime import date

from pydantic import Field

from api.schemas.common import Form


class PriorityPart(Form):
    """One reason of a priority."""

    points: float
    reason: str


class CloseImpact(Form):
    """The month that is being closed, and what of the matter is in its books."""

    month: str = Field(examples=["2026-10"])
    due: date = Field(description="The cut-off: the last day on which its books are open.")
    days_left: int = Field(description="Days to the cut-off, as of when the priority was made; an hour old at most.")
    documents: int = Field(
        description="Invoices and journal entries of that month that it is about, or that hang on it."
    )
    points: float = Field(description="What this adds to the priority.")


class CustomerExposure(Form):
    """The golden customers behind a matter, and how many people of theirs it may reach."""

    customers: int
    tiers: list[str] = Field(description="Their segments and plans, as golden records have them.")
    users: int = Field(description="Seats that they are entitled to now.")
    points: float = Field(description="What this adds to the priority.")
