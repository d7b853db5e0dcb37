"""Blind samples: pairs that people judge by nothing but what the two records state, and what that tells."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Form
from api.schemas.given import Asked, Storable
from mdm.hub.blind import LEAST, MOST, USUAL
from mdm.model.blind import Stratum
from mdm.model.ids import Domain


class SampleForm(Form):
    """A sample."""

    sample_id: int
    domain: Domain
    drawn_by: str
    drawn_at: datetime
    model: str = Field(description="Fingerprint of the model that had decided.")
    closed_at: datetime | None
    pairs: int
    complete: int = Field(description="Pairs that need no further answer.")
    answers: int


class SampleList(Form):
    """The newest 50, the newest one first."""

    items: list[SampleForm]


class StratumForm(Form):
    """Pairs of a kind: how many there are, counted or estimated, and how many were drawn."""

    stratum: Stratum
    size: int
    counted: bool
    drawn: int


class EstimateForm(Form):
    """A share with the limits of its interval of 95 %; null where there is nothing to tell it from."""

    value: float | None
    low: float | None
    high: float | None
    of: int = Field(description="Judged pairs that it rests on.")


class FiguresForm(Form):
    """How right the matching is."""

    precision: EstimateForm = Field(description="Of joined pairs, those that are one.")
    auto_recall: EstimateForm = Field(description="Of all true pairs, those that are joined.")
    recall: EstimateForm = Field(description="The same, with those that are asked about counted as found.")


class SourceFigures(FiguresForm):
    """The same of pairs that a platform has a record in."""

    source: str


class AgreementForm(Form):
    """How far the first two answers to each pair agree."""

    share: float | None
    kappa: float | None = Field(description="Cohen's kappa: agreement beyond what chance would give.")
    of: int


class PeopleAgreement(AgreementForm):
    """The same of two people."""

    people: list[str]


class WrongForm(Form):
    """A pair that people see otherwise than the hub did. It is told once it is complete."""

    stratum: Stratum
    weight: float | None
    a: str
    b: str


class SampleReport(SampleForm):
    """What a sample tells so far."""

    strata: list[StratumForm]
    waiting: int = Field(description="Pairs that need another answer.")
    undecided: int = Field(description="Pairs of which people are not sure, or cannot agree.")
    agreement: AgreementForm
    by_people: list[PeopleAgreement]
    whole: FiguresForm
    by_source: list[SourceFigures]
    wrong: list[WrongForm]


class Drawing(Asked):
    """What to draw."""

    domain: Literal["customer", "contract", "product"] = "customer"
    size: int = Field(USUAL, ge=LEAST, le=MOST, description="About so many pairs.")
    seed: Annotated[Storable, Field(min_length=1, max_length=40)] | None = Field(
        None, description="Draws the same again from the same hub."
    )


class BlindSide(Form):
    """One record of a pair: its platform, and what it states."""

    system: str
    values: dict[str, Any]


class BlindPair(Form):
    """A pair to judge, without weight, decision, keys or golden records; null when nothing is left for the caller."""

    pair_id: int
    domain: Domain
    sides: list[BlindSide]


class NextPair(Form):
    """The next pair."""

    pair: BlindPair | None


class BlindAnswer(Asked):
    """What the caller thinks of a pair."""

    pair_id: int = Field(ge=0, lt=1 << 62)
    verdict: Literal["same", "not_same", "unsure"]


class Said(Form):
    """The answer is kept."""

    pair_id: int
    verdict: Literal["same", "not_same", "unsure"]
