"""Governance against its thresholds."""

from pydantic import Field

from api.schemas.common import Form


class ScoreForm(Form):
    """A measure and what it must reach."""

    name: str = Field(examples=["owned"], description="Stable; never reused.")
    title: str
    value: float | None = Field(description="A share; null where there was nothing to measure, which fails nothing.")
    of: int = Field(description="How many things were measured.")
    least: float = Field(description="What it must reach: its own threshold, or `min` where that is more.")
    owner: str = Field(description="Whose move it is when it does not.")
    action: str
    passed: bool


class ScorecardForm(Form):
    """All measures."""

    version: str = Field(description="Of the document of thresholds.")
    mean: float | None = Field(description="Of what could be measured.")
    passed: bool = Field(description="Whether every threshold is reached.")
    measures: list[ScoreForm]
