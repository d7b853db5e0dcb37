"""What the API answers, as values. Members that are added later are kept in `raw`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """A golden record."""

    id: str
    domain: str
    version: int
    name: str
    values: Mapping[str, Any]
    masked: Sequence[str]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One announcement of the change feed."""

    seq: int
    type: str
    domain: str
    entity_id: str
    version: int | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A golden record that a given record may be; `weight` is in bits."""

    entity_id: str
    name: str
    weight: float
    decision: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """The answer of search before create. `advice`: use_existing, ask_a_steward or create.

    `remarks` say what stands in the way of creating it: a contract whose customer or product the hub does not have.
    """

    advice: str
    candidates: Sequence[Candidate]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Projection:
    """A golden record as an object of an ERP. `findings` tell what the ERP will not take; no value is ever cut."""

    id: str
    version: int
    object: str
    values: Mapping[str, Any]
    fits: bool
    findings: Sequence[Mapping[str, Any]]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PostingReason:
    """Why a posting is blocked: a stable code, where in the posting, whose move it is and what to do."""

    code: str
    path: str
    message: str
    owner: str
    action: str


@dataclass(frozen=True, slots=True)
class PostingVerdict:
    """What the pre-posting check says of one posting; `customer` is the golden record on whom it would be posted."""

    reference: str
    passes: bool
    customer: str | None
    reasons: Sequence[PostingReason]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A question for a steward. `token` in quotes is the `If-Match` of commands about it.

    `priority` and what it is the sum of (`raw["reasons"]`) come with the queue, not with one task.
    """

    task_id: int
    token: str
    kind: str
    domain: str
    weight: float
    detail: str
    assignee: str | None
    priority: float | None
    sides: Sequence[Mapping[str, Any]]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the platforms disagree. Rule and subject name it; `amount` is decimal text in `currency`. They come in the
    order of their `priority`, of which `raw["because"]` has the parts."""

    rule: str
    code: str
    severity: str
    subject: Mapping[str, str]
    customer: str | None
    amount: str | None
    currency: str | None
    sentence: str
    action: str
    owner: str
    assignee: str | None
    priority: float | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """A linked fact. Each of `references` has the row that it names, and its golden record as `entity_id`."""

    system: str
    type: str
    key: str
    kind: str
    attributes: Mapping[str, Any]
    references: Sequence[Mapping[str, Any]]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """The chain around a source row, what it rests on first, and where it breaks."""

    steps: Sequence[Mapping[str, Any]]
    gaps: Sequence[Mapping[str, Any]]
    complete: bool
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source row: its columns as they came (`row`), the same in canonical attributes, and the golden record that it
    is part of; `versions` are there when they were asked for, the newest first."""

    system: str
    type: str
    key: str
    row: Mapping[str, Any] | None
    attributes: Mapping[str, Any]
    entity_id: str | None
    position: Mapping[str, Any]
    versions: Sequence[Mapping[str, Any]] | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened with a customer; `findings` is None for keys that may not see them."""

    kind: str
    date: str
    key: Mapping[str, str]
    amount: str | None
    currency: str | None
    state: str | None
    contract: str | None
    findings: Sequence[Mapping[str, Any]] | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Process:
    """How far a contract or usage batch got: the stage that it is in, how that stands, all stages, and what to do."""

    stage: str
    state: str
    stages: Sequence[Mapping[str, Any]]
    next_step: Mapping[str, str] | None
    raw: Mapping[str, Any]


class Problem(Exception):
    """The API refused, or has not read as far as `after` yet (202). Decide by the stable `type` (`/problems/...`)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        reasons = [f"{each.get('parameter')}: {each.get('detail')}" for each in body.get("errors", ())]
        reasons += [f"{each.get('code')}: {each.get('message')}" for each in body.get("findings", ())]
        held = body.get("reasons", ())
        reasons += [
            f"{each.get('code')}: {each.get('field') or each.get('attribute') or each.get('gate')}" for each in held
        ]
        super().__init__("\n  ".join([f"{status} {_told(status, body)}", *reasons]))
        self.status = status
        self.type = str(body.get("type", ""))
        self.action = str(body.get("action", ""))
        self.body = body


def _told(status: int, body: Mapping[str, Any]) -> str:
    if status == 202:  # no refusal of the API's, so without a title
        soon = body.get("estimate_seconds")
        when = f"in about {soon:.0f} seconds" if soon is not None else "nobody knows when"
        return f"Not read yet: the hub is at {body.get('reached')} of {body.get('after')}; {when}."
    return f"{body.get('title', '')}: {body.get('detail', '')}"


def record_of(body: Mapping[str, Any]) -> Record:
    return Record(
        body["id"], body["domain"], body["version"], body["name"], body["values"], body.get("masked", ()), body
    )


def posting_verdict_of(body: Mapping[str, Any]) -> PostingVerdict:
    return PostingVerdict(
        body["reference"], body["decision"] == "pass", body["customer"],
        [PostingReason(each["code"], each["path"], each["message"], each["owner"], each["action"])
         for each in body["reasons"]],
        body,
    )  # fmt: skip


def projection_of(body: Mapping[str, Any]) -> Projection:
    return Projection(body["id"], body["version"], body["object"], body["values"], body["fits"], body["findings"], body)


def fact_of(body: Mapping[str, Any]) -> Fact:
    return Fact(
        body["system"], body["type"], body["key"], body["kind"], body["attributes"], body["references"], body
    )  # fmt: skip


def trace_of(body: Mapping[str, Any]) -> Trace:
    return Trace(body["steps"], body["gaps"], body["complete"], body)


def source_record_of(body: Mapping[str, Any]) -> SourceRecord:
    return SourceRecord(
        body["system"], body["type"], body["key"], body["raw"], body["attributes"], body["entity_id"],
        body["position"], body["versions"], body,
    )  # fmt: skip


def event_of(body: Mapping[str, Any]) -> Event:
    key = {name: body[name] for name in ("system", "type", "key")}
    return Event(
        body["kind"], body["date"], key, body["amount"], body["currency"], body["state"], body["contract"],
        body["findings"], body,
    )  # fmt: skip


def process_of(body: Mapping[str, Any]) -> Process:
    return Process(body["stage"], body["state"], body["stages"], body["next_step"], body)


def change_of(body: Mapping[str, Any]) -> Change:
    return Change(body["seq"], body["type"], body["domain"], body["entity_id"], body["version"], body["payload"])


def task_of(body: Mapping[str, Any]) -> Task:
    return Task(
        body["task_id"],
        body["token"],
        body["kind"],
        body["domain"],
        body["weight"],
        body["detail"],
        body["assignee"],
        body.get("priority"),
        body["sides"],
        body,
    )


def finding_of(body: Mapping[str, Any]) -> Finding:
    return Finding(
        body["rule"],
        body["code"],
        body["severity"],
        body["subject"],
        body["customer"],
        body["amount"],
        body["currency"],
        body["sentence"],
        body["action"],
        body["owner"],
        body["assignee"],
        body.get("priority"),
        body,
    )


def match_of(body: Mapping[str, Any]) -> Match:
    return Match(
        body["advice"],
        [
            Candidate(each["entity_id"], each["name"], each["score"]["weight"], each["score"]["decision"], each)
            for each in body["candidates"]
        ],
        body.get("remarks", ()),
    )
