"""ERP onboarding: what is asked, the verdict, confirmations and waivers, the catalogue of codes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, create_model

from api.schemas.common import Form, Page
from api.schemas.given import Asked, Day, either_given
from api.schemas.matching import GIVEN_VALUES, GivenReference
from mdm.model.ids import Domain

_Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:/-]+$")]
Erp = Literal["sap", "odoo", "erpnext", "netsuite"]
DecisionName = Literal["ready", "ready_with_warnings", "needs_review", "blocked", "unverifiable"]
CheckpointKind = Literal["legal_entity_validated", "tax_validated", "account_structure_approved"]
Outcome = Literal["pass", "fail", "unverifiable", "waived", "not_applicable"]


class GivenBankAccount(Asked):
    """A bank account of the candidate. `changed`: it replaces one that was approved before."""

    iban: _Text
    bic: _Text | None = None
    holder: _Text | None = None
    changed: bool = False


class GivenAccount(Asked):
    """The account structure asked for in ERP."""

    company_code: _Code | None = None
    subsidiary: _Code | None = None
    reconciliation_account: _Code | None = None
    payment_terms: _Code | None = None
    tax_classification: _Code | None = None


class GivenTarget(Asked):
    """Where the customer is to be created; the rule set's own ERP when none is named."""

    erp: Erp | None = None
    account: GivenAccount = Field(default_factory=GivenAccount)


#: A customer that is not in the hub: canonical values, and what only onboarding asks about.
OnboardingCandidate: Any = create_model(
    "OnboardingCandidate",
    __base__=Asked,
    __doc__="A customer that is not in the hub.",
    values=(GIVEN_VALUES[Domain.CUSTOMER], ...),
    bank_accounts=(Annotated[list[GivenBankAccount], Field(max_length=20)], Field(default_factory=list)),
    parent=(GivenReference | None, None),
)


class _OneOfTwo(Asked):
    model_config = either_given(("entity_id",), ("candidate",), one_only=True)


#: The body of `POST /v1/onboarding/validate`.
OnboardingQuestion: type[BaseModel] = create_model(
    "OnboardingQuestion",
    __base__=_OneOfTwo,
    __doc__="Who is to be judged: a golden customer (`entity_id`) or a candidate, for which target.",
    entity_id=(_Code | None, None),
    candidate=(OnboardingCandidate | None, None),
    target=(GivenTarget, Field(default_factory=GivenTarget)),
)


class VerdictSubject(Form):
    """Who was judged; a candidate has no id and version 0."""

    type: Literal["customer"]
    id: str | None
    version: int


class VerdictTarget(Form):
    """For what."""

    erp: Erp
    release: str | None
    company_code: str | None
    country: str | None


class VerdictRules(Form):
    """By which rules."""

    name: str
    version: str
    hash: str


class VerdictScore(Form):
    """Shares between 0 and 1, as decimal text."""

    completeness: str
    validity: str


class VerdictCheck(Form):
    """One of the eighteen checks: the worst that its findings came to."""

    number: int
    title: str
    outcome: Outcome
    codes: list[str]


class VerdictEvidence(Form):
    """What a finding rests on: an algorithm, or what a registry said and when."""

    kind: str
    source: str
    ref: str | None = None
    checked_at: str | None = None
    reason: str | None = None


class VerdictRule(Form):
    """The rule that made a finding."""

    id: str
    version: str


class VerdictFix(Form):
    """What to do and whose move it is."""

    hint: str
    owner: str
    runbook: str


class VerdictWaiver(Form):
    """Who excused the finding, why, until when."""

    actor: str
    reason: str
    expires_at: str
    approved_by: str | None = Field(None, description="The second person, where one was needed.")


class VerdictFinding(Form):
    """What one check saw."""

    code: str
    check: int
    severity: Literal["error", "warning", "info"]
    outcome: Outcome
    path: str = Field(description="JSON pointer into the values.")
    message: str
    message_key: str
    params: dict[str, str]
    rule: VerdictRule
    evidence: list[VerdictEvidence]
    value_masked: str | None = None
    fix: VerdictFix | None = None
    waivable_by: list[str] | None = None
    waiver: VerdictWaiver | None = None
    waiver_proposed: VerdictWaiver | None = Field(
        None, description="Waits for a second person, and excuses nothing yet."
    )


class VerdictCheckpoint(Form):
    """A confirmation that was given."""

    at: str
    actor: str
    reason: str
    expires_at: str | None


class Verdict(Form):
    """May this legal entity be created in ERP? Equal input and evidence give equal bytes."""

    subject: VerdictSubject
    target: VerdictTarget
    decision: Literal["ready", "ready_with_warnings", "needs_review", "blocked", "unverifiable"]
    ruleset: VerdictRules
    valid_until: str | None = Field(description="When the first answer or confirmation it rests on expires.")
    score: VerdictScore
    checks: list[VerdictCheck]
    findings: list[VerdictFinding]
    checkpoints: dict[CheckpointKind, VerdictCheckpoint | None]


class GivenConfirmation(Asked):
    """On what grounds a checkpoint is passed, and the last day it holds (for good when absent)."""

    reason: _Text
    expires_on: Day | None = None


class GivenReturn(Asked):
    """What must be mended before the customer is looked at again."""

    reason: _Text


class GivenWaiver(Asked):
    """A finding to be excused, everywhere or at one path, until a day."""

    code: _Code
    path: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""
    reason: _Text
    expires_on: Day


class NamedWaiver(Asked):
    """Which waiver: the code and the path as it was written."""

    code: _Code
    path: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""


class OnboardingCode(Form):
    """A code of the catalogue. Codes are stable and never reused."""

    code: str
    check: int
    title: str
    severity: str
    effect: str = Field(description="What a failure does to the decision.")
    unverified: str = Field(description="What it does when the check could not be made.")
    evidence: str
    source: str
    owner: str
    waivable_by: list[str]
    hint: str
    rule: VerdictRule


class OnboardingCodes(Form):
    """The catalogue."""

    version: str
    hash: str
    items: list[OnboardingCode]


class OnboardingWord(Form):
    """Something that a person said: a confirmation, a waiver, or that they sent the customer back."""

    kind: Literal["confirmation", "waiver", "return"]
    #: The checkpoint or code; empty for a return.
    about: str
    actor: str
    at: datetime
    reason: str
    expires_at: datetime | None
    approved_by: str | None
    ended_by: str | None
    ended_at: datetime | None
    answer: str | None


class OnboardingHistory(Form):
    """The latest first."""

    items: list[OnboardingWord]
    next: str | None


class KeptVerdict(Form):
    """The last verdict on a customer that the calendar worker, or a recheck, drew."""

    id: str
    name: str | None
    country: str | None
    decision: DecisionName
    codes: list[str] = Field(description="What failed or could not be verified; `/v1/onboarding/codes` explains them.")
    completeness: float
    version: int = Field(description="Of the record that was judged.")
    evaluated_at: datetime
    valid_until: datetime | None
    stands: bool = Field(
        description="Record and rules are those that it saw, and it has not expired. Whether other evidence is newer, "
        "the next recheck finds out; `/v1/customers/{id}/readiness` draws the verdict of now."
    )
    in_erp: bool = Field(description="ERP has a row of it already.")


class KeptVerdicts(Page[KeptVerdict]):
    """By id."""

    erp: Erp


class VerdictSummary(Form):
    """Customers by their last verdict."""

    erp: Erp
    decisions: dict[str, int]
    codes: dict[str, int] = Field(description="Customers by code that failed or could not be verified.")
    unjudged: int = Field(description="Customers without a verdict yet: run the calendar worker for this ERP.")


def candidate_values(question: Any) -> dict[str, Any]:
    """The stated values of a candidate without what was left out."""
    values: dict[str, Any] = question.candidate.values.model_dump(exclude_none=True)
    return values
