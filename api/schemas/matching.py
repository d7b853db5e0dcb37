"""Search before create, and explanations of identity."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, create_model, model_validator

from api.schemas.common import Form, SourceKey
from api.schemas.given import Asked, either_given
from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import Domain

#: A list of a candidate has at most this many elements, and a text this many characters.
_MOST, _LONGEST = 50, 4000

_Text = Annotated[str, StringConstraints(max_length=_LONGEST, pattern=r"^[^\x00]*$")]
_Short = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
_Country = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$")]


class GivenIdentifier(Asked):
    """A typed identifier; the check digits decide what it really is."""

    type: Literal["vat", "tax", "registration", "lei", "duns", "gtin"] = "tax"
    country: _Country | None = None
    value: _Text


class GivenAddress(Asked):
    """A postal address; `street` may hold the house number."""

    street: _Text | None = None
    house_number: _Text | None = None
    line2: _Text | None = None
    postal_code: _Text | None = None
    city: _Text | None = None
    region: _Text | None = None
    country: _Text | None = None


class GivenReference(Asked):
    """Another record: by golden record id, or by a platform's row."""

    model_config = either_given(("entity_id",), ("system", "type", "key"))

    entity_id: Annotated[_Short, Field(min_length=1)] | None = None
    system: Annotated[_Short, Field(min_length=1)] | None = None
    type: Annotated[_Text, Field(min_length=1)] | None = None
    key: Annotated[_Text, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> "GivenReference":
        if self.entity_id is None and None in (self.system, self.type, self.key):
            raise ValueError("name either `entity_id`, or `system`, `type` and `key`")
        return self


class GivenLine(Asked):
    """A product of a contract."""

    product: GivenReference
    quantity: Any = None
    unit_price: _Text | None = None


_FORMS: dict[Shape, Any] = {
    Shape.TEXT: _Text,
    Shape.CODE: _Text,
    Shape.BOOLEAN: bool,
    Shape.INTEGER: Annotated[int, Field(ge=-(2**53), le=2**53)],
    Shape.DECIMAL: _Text,
    Shape.DATE: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")],
    Shape.TEXTS: Annotated[list[_Text], Field(max_length=_MOST)],
    Shape.ADDRESS: GivenAddress,
    Shape.IDENTIFIERS: Annotated[list[GivenIdentifier], Field(max_length=_MOST)],
    Shape.PHONES: Annotated[list[_Text], Field(max_length=_MOST)],
    Shape.EMAILS: Annotated[list[_Text], Field(max_length=_MOST)],
    Shape.REFERENCE: GivenReference,
    Shape.LINES: Annotated[list[GivenLine], Field(max_length=_MOST)],
}


def _values(domain: Domain) -> type[BaseModel]:
    fields: dict[str, Any] = {
        each.name: (_FORMS[each.shape] | None, Field(None, description=each.definition)) for each in ATTRIBUTES[domain]
    }
    values: type[BaseModel] = create_model(
        f"Asked{domain.value.capitalize()}",
        __base__=Asked,
        __doc__=f"What is known of a {domain.value} that may be in the hub already.",
        **fields,
    )
    return values


#: Canonical values that a caller states of a record which is not in the hub.
GIVEN_VALUES: dict[Domain, type[BaseModel]] = {domain: _values(domain) for domain in Domain}


def _question(domain: Domain) -> type[BaseModel]:
    question: type[BaseModel] = create_model(
        f"{domain.value.capitalize()}Question",
        __base__=Asked,
        __doc__=f"Is this {domain.value} in the hub?",
        values=(GIVEN_VALUES[domain], ...),
        limit=(int, Field(10, ge=1, le=50, description="At most this many candidates.")),
        minimum_weight=(
            float,
            Field(
                0.0,
                ge=-1000,
                le=1000,
                description="Least match weight to tell, in bits; who would be joined is told anyway.",
            ),
        ),
    )
    return question


#: The body of `POST /v1/{domain}/match`.
QUESTIONS: dict[Domain, type[BaseModel]] = {domain: _question(domain) for domain in Domain}

Decision = Literal["match", "possible", "none"]


class Contribution(Form):
    """What one comparison says."""

    comparison: str = Field(examples=["identifiers"])
    level: str = Field(description="What was found, e.g. `same number`; `unknown` counts nothing.")
    bits: float
    formerly: bool = Field(False, description="Only because of a name or a place that one of the two stated before.")


class Score(Form):
    """The match weight as a sum: prior plus contributions, in bits (log2 of the odds)."""

    weight: float
    probability: float
    prior: float
    contributions: list[Contribution]
    vetoes: list[str] = Field(
        description="Names of the model's rules by which the pair may not be joined automatically whatever its weight."
    )
    reasons: list[str] = Field(description="The same as sentences for people, in the same order.")
    decision: Decision


class SharedKey(Form):
    """A blocking rule under which two records have the same."""

    rule: str
    value: str | None = Field(None, description="Hidden from roles that may not see identifiers.")
    carriers: int | None = Field(
        None,
        description="How many records have it (10,000 stands for more), where these are too many: nothing is compared "
        "because of it.",
    )
    most: int | None = Field(
        None, description="How many may have it to be compared because of it; told where more have it."
    )


class Candidate(Form):
    """A golden record that the given record may be."""

    rank: int
    entity_id: str
    name: str
    version: int
    record: SourceKey = Field(description="The member that resembles the given record most.")
    members_compared: int
    score: Score
    refused: str | None = Field(
        description="Why this golden record would not be joined although `record` matches, such as "
        "`identifiers differ` or `customers differ`: another of its records speaks against it. The decision is then "
        "`possible`."
    )
    shared_keys: list[SharedKey]
    values: dict[str, Any]
    masked: list[str]


class MatchAnswer(Form):
    """Candidates: whoever the record would be joined to first, then by weight. Nothing was stored."""

    domain: Domain
    advice: Literal["use_existing", "ask_a_steward", "create"] = Field(
        description="What would happen on arrival. use_existing: it would be joined to the first candidate. "
        "ask_a_steward: it may be, or either of "
        "two, or a number of its own is known under another name, or what is given as its name says nothing "
        "(`rejected`), or the customer or a product of a contract is not in the hub (`remarks`). create: none is close."
    )
    candidates: list[Candidate]
    compared: int = Field(description="Source rows that were compared.")
    out_of_reach: int = Field(
        0,
        description="Matches and possible matches outside the caller's scope, which are not shown.",
    )
    read_as: dict[str, Any] = Field(description="The given values after standardisation.")
    rejected: dict[str, str] = Field(
        description="Attributes that were not used, with the reason's code: PLACEHOLDER (N/A, test, unknown), "
        "SAYS_NOTHING (symbols or a legal form in the place of a name), UNREADABLE (no date, number or code of its "
        "kind), ENDS_BEFORE_START (a last day before the first), ENTITY_UNKNOWN and "
        "ENTITY_ENDED (a reference to nobody), and others."
    )
    remarks: list[str] = Field(
        description="What stands in the way of creating it, and what could not be looked for, as sentences for people."
    )
    unused: list[str] = Field(description="Attributes that matching does not read.")
    oversized: list[SharedKey] = Field(description="Keys that too many records share to find anybody by.")
    model: str = Field(description="Fingerprint of the released match model.")


class Member(SourceKey):
    """A record and the golden record it belongs to."""

    entity_id: str


class JudgedPair(Form):
    """What a steward said about two records."""

    a: SourceKey
    b: SourceKey
    verdict: str = Field(description="same, not_same or unsure.")
    author: str
    at: datetime


class DifferingIdentifiers(Form):
    """Identifiers of one kind that two groups of records state, and that do not agree."""

    kind: str
    a: list[str] | None = Field(description="Null for those who may not see identifiers.")
    b: list[str] | None


class Ruling(Form):
    """A rule of the model that keeps two records apart, and with them whoever they are one with."""

    veto: str
    reason: str
    records: list[SourceKey]


class RefusedJoin(Form):
    """What speaks against joining two groups of records although some of them match."""

    reason: str
    match: list[SourceKey] = Field(description="The strongest match between them: its record of the first, the other.")
    identifiers: list[DifferingIdentifiers] = Field(description="Where identifiers differ: which.")
    parent: list[SourceKey] = Field(description="Where one is stated to be the parent of the other: child and parent.")
    rival: Member | None = Field(description="Where one fits another golden record as well: a record of that one.")
    rule: Ruling | None = Field(description="Where a rule keeps two of the records apart: the rule, and which two.")


class PairExplanation(Form):
    """Why two records are, or are not, one."""

    verdict: str = Field(description="One sentence for people.")
    together: bool
    a: Member
    b: Member
    score: Score
    shared_keys: list[SharedKey]
    judgement: str | None = Field(description="What a steward decided: same, not_same or unsure.")
    path: list[SourceKey] = Field(description="The chain of matches and stewards' words that joins them.")
    compared: bool = Field(description="Whether they share a key that few enough records have.")
    parted_by: list[SourceKey] = Field(
        description="Where a steward's word keeps their entities apart: the two records that it is about, else empty."
    )
    judged: list[JudgedPair] = Field(description="The words behind `judgement` and `parted_by`: whose, and when.")
    refused: RefusedJoin | None = Field(description="Why a match was not followed, where it was not.")
    model: str


class JoinStep(Form):
    """Two groups of records became one."""

    step: int
    a: SourceKey
    b: SourceKey
    by: Literal["model", "steward"]
    members: int = Field(description="Records in the group after this step.")
    score: Score
    shared_keys: list[SharedKey]


class RejectedCandidate(Form):
    """The closest record of another entity, and why it stayed outside."""

    member: SourceKey
    record: SourceKey
    entity_id: str
    reason: str
    refused: RefusedJoin | None = Field(description="What the reason is about, where a match was not followed.")
    score: Score
    shared_keys: list[SharedKey]


class EntityExplanation(Form):
    """How a golden record's entity was built, and what came near."""

    id: str
    domain: Domain
    members: list[SourceKey]
    steps: list[JoinStep] = Field(description="In the order in which they were decided, the surest first.")
    rejected: list[RejectedCandidate] = Field(description="One for each entity outside, the closest first.")
    oversized: list[SharedKey] = Field(description="Keys of its records that too many share to find anybody by.")
    model: str
