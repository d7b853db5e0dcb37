"""Releases of rules, and the work on them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Form, Page
from api.schemas.given import MAX_ID, Asked, Storable
from mdm.model.ids import Domain
from mdm.model.releases import ReleaseStatus, RuleKind, RunKind

_Document = Annotated[Storable, Field(min_length=1, max_length=200_000)]
_Title = Annotated[Storable, Field(min_length=1, max_length=200)]
_Text = Annotated[Storable, Field(max_length=4000)]


class Draft(Asked):
    """A new release."""

    kind: Annotated[RuleKind, Field(strict=False)]
    domain: Annotated[Domain, Field(strict=False)]
    title: _Title
    document: _Document = Field(description="YAML, as `GET /v1/rules/in-force/{kind}/{domain}` gives it.")


class Redraft(Asked):
    """A draft in other words."""

    title: _Title
    document: _Document


class Approval(Asked):
    """Agreement to a release."""

    simulation: int | None = Field(None, ge=1, le=MAX_ID, description="The run that you looked at; 412 if stale.")
    comment: _Text = ""
    despite_verdicts: _Text = Field("", description="Why it may although verdicts speak against it; audited.")


class ReleaseCheck(Form):
    """Something that must hold before a release comes into force."""

    name: Literal["fits", "simulated", "parity", "verdicts"]
    passed: bool
    detail: str


class ParityForm(Form):
    """What came of scoring pairs by a matching release with the hub's scorer and with Splink.

    The pairs are of records that ship, made to reach every level, and candidates among the hub's own records.
    """

    holds: bool = Field(description="Whether the two agree, within 1e-9 bits.")
    fingerprint: str = Field(description="Of the documents that were scored by.")
    scorer: str = Field(description="Names the code that scored.")
    pairs: int
    own: int = Field(description="How many of the pairs were candidates among the hub's own records.")
    weight: float | None = Field(description="Largest difference of two match weights, in bits; null: no number.")
    contribution: float | None = Field(description="The same of what one comparison adds.")
    most: str = Field(description="The comparison whose contributions differ most; empty where none does.")
    levels: int = Field(description="Levels of comparisons that some pair reaches, unknown counted as one.")
    of_levels: int = Field(description="How many levels there are.")
    unreached: list[str] = Field(description="Levels that no pair reaches, as `comparison: level`.")
    non_ascii: int = Field(description="Pairs with letters beyond ASCII.")
    unknown: int = Field(description="Pairs of which some comparison has nothing to compare.")
    adjusted: int = Field(description="Pairs of which a contribution depends on how frequent a value is.")
    versions: dict[str, str] = Field(description="Of the packages that scored, Splink among them.")


class Refusal(Asked):
    """Why not."""

    comment: Annotated[Storable, Field(min_length=1, max_length=4000)]


class Reason(Asked):
    """Why a release is taken back."""

    reason: Annotated[Storable, Field(min_length=1, max_length=4000)]


class RunForm(Form):
    """A simulation, an activation or a rollback. `report` holds ids and counts."""

    run_id: int
    what: RunKind
    status: Literal["running", "done", "failed"]
    alive: bool = Field(description="A process is at work on it now. If not, and it runs, ask for the same again.")
    step: str
    done: int
    total: int
    actor: str
    fingerprint: str
    against: str = Field(description="Fingerprint of the rules that were in force.")
    digest_before: str | None
    digest_after: str | None
    report: dict[str, Any]
    error: str
    started_at: datetime
    finished_at: datetime | None


class ReleaseEntry(Form):
    """A release without its document."""

    release_id: int
    kind: RuleKind
    domain: Domain
    title: str
    version: str
    fingerprint: str
    status: ReleaseStatus
    author: str
    approver: str | None
    releaser: str | None
    drafted_at: datetime
    approved_at: datetime | None
    released_at: datetime | None
    ended_at: datetime | None


class ReleaseForm(ReleaseEntry):
    """A release with its document, how that differs from what is in force, and what was done with it."""

    document: str
    comment: str
    despite: str = Field(description="Why it was approved although verdicts of stewards speak against it.")
    contradicted: int = Field(
        description="Pairs that stewards judged, that the rules in force decide rightly and this release would not."
    )
    passed: bool = Field(description="Whether all checks hold.")
    checks: list[ReleaseCheck]
    parity: ParityForm | None = Field(
        description="The newest proof that a matching release is scored as Splink scores it; null before a simulation."
    )
    reason: str
    replaced: int | None
    differences: list[str] = Field(description="Lines of a unified comparison with the rules in force.")
    same_state: bool | None = Field(
        description="Of a release that was taken back: whether that led back to the very state that it had found; "
        "null where other changes came between."
    )
    runs: list[RunForm]


class ReleasePage(Page[ReleaseEntry]):
    """Releases, the newest first."""


class InForce(Form):
    """The document that decides now."""

    kind: RuleKind
    domain: Domain
    version: str
    fingerprint: str
    release_id: int | None = Field(description="Null for the rules that ship.")
    document: str
