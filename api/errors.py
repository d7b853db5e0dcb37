"""Every problem the API can report, in one catalogue; the only place that knows HTTP statuses.

Problems follow RFC 9457. `type` is `/problems/<code>`: stable, relative to the service, a page that says what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from api.wire import encode
from mdm.errors import (
    AnswerWaits,
    Conflict,
    Gone,
    Invalid,
    MdmError,
    NotFound,
    ParityUnproven,
    Refused,
    RowDeleted,
    Stale,
    TransientError,
)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem. `action` tells the caller what to do about it."""

    code: str
    status: int
    title: str
    action: str

    @property
    def uri(self) -> str:
        return f"/problems/{self.code}"


INVALID_REQUEST = ProblemType(
    "invalid-request",
    422,
    "The request does not say what it wants in a form the API knows",
    "Look at `errors`: each entry names the parameter or header and what is wrong with it. Unknown parameters are "
    "refused, so that a misspelt filter cannot return everything.",
)
DOES_NOT_FIT = ProblemType(
    "does-not-fit",
    422,
    "A part of the request is well formed, but does not fit the rest",
    "Look at `errors`: what is understood there depends on another part of the request, or on what a text holds.",
)
INVALID_CURSOR = ProblemType(
    "invalid-cursor",
    422,
    "The cursor does not belong to this list",
    "Use `next` of the page before, unchanged, with the same filters. If it is lost, begin again without a cursor.",
)
MALFORMED = ProblemType(
    "malformed-request",
    400,
    "The request cannot be read",
    "Encode the path and the query as UTF-8 without control characters.",
)
ODATA_UNSUPPORTED = ProblemType(
    "odata-unsupported",
    400,
    "This part of OData is not served",
    "`detail` says what is understood. Fields and types are in `$metadata`.",
)
UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    401,
    "No valid API key was given",
    "Send `Authorization: Bearer mdm_...` or `X-API-Key: mdm_...`. A revoked key stops working; ask an administrator "
    "for a new one.",
)
FORBIDDEN = ProblemType(
    "forbidden",
    403,
    "This API key may not do that",
    "The role of the key does not include this. Ask an administrator for a key with the role that the documentation "
    "of the endpoint names.",
)
NOT_FOUND = ProblemType(
    "not-found", 404, "There is nothing under this name", "Check the id and the collection it was looked for in."
)
NOT_KNOWN_THEN = ProblemType(
    "not-known-then",
    404,
    "The hub did not know this record at that time",
    "Look at the `_history` of the record for the times at which its versions were known.",
)
NOT_VALID_THEN = ProblemType(
    "not-valid-then",
    404,
    "Nothing is known of this record in the business at that time",
    "What the hub knows of a source row begins with its first snapshot or change. Before that of the first row, and "
    "once all rows were deleted, nothing was valid. Ask for another `valid_at`.",
)
NOT_RESOLVED = ProblemType(
    "not-resolved",
    404,
    "This source row belongs to no golden record",
    "Rows of this kind are kept as linked facts of master data; only customers, contracts and products (and offers of "
    "products) lead to a golden record.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "This address does not know that method", "See the `Allow` header and /docs."
)
AMBIGUOUS_NAME = ProblemType(
    "ambiguous-name",
    409,
    "This name means more than one golden record",
    "Several live source rows carry this name. Use the primary key of one of them; see `candidates`.",
)
CONFLICT = ProblemType(
    "conflict", 409, "Somebody else changed what this request is about", "Read it again, and decide anew."
)
PARITY_UNPROVEN = ProblemType(
    "parity-unproven",
    409,
    "Nothing proves that this matching release is scored as Splink scores it",
    "`detail` says what was seen. Simulate the release again: pairs are then scored both ways. Where they differ, keep "
    "the model in force.",
)
ANSWER_WAITS = ProblemType(
    "answer-waits",
    409,
    "The question has an answer that waits for a second person",
    "Approve or reject the proposal that `proposal_id` names; its author can withdraw it. Then decide anew.",
)
NOT_READY = ProblemType(
    "not-ready",
    409,
    "This customer may not be created in ERP yet",
    "`findings` name what is missing or wrong, what to do and who acts. Ask without `require=ready` to read the record "
    "all the same.",
)
HELD_BACK = ProblemType(
    "held-back",
    409,
    "No version of this record has passed the gates of this ERP",
    "`reasons` name the gates, codes and fields. Mend what they name at its source, or read the newest version all the "
    "same with `view=newest`.",
)
KEY_IN_USE = ProblemType(
    "idempotency-key-in-use",
    409,
    "The first request with this idempotency key is still being answered",
    "Send it again after the seconds of `Retry-After`: it gets the answer of the first.",
)
ANSWER_LOST = ProblemType(
    "idempotency-answer-lost",
    409,
    "The request took effect, but its answer was lost",
    "Read what it was about: it is done. Under another key it would be done again.",
)
KEY_MISSING = ProblemType(
    "idempotency-key-missing",
    400,
    "A write needs an `Idempotency-Key`",
    "Send your own name for the request, a random UUID for example, and the same one when you send it again.",
)
KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "This idempotency key cannot be used for this request",
    "Use a new key for every new request, and the same one only to send the same request again.",
)
UNCONDITIONAL = ProblemType(
    "precondition-required",
    428,
    "A change of what others may change needs `If-Match`",
    "Send the entity tag of what you looked at (the header `ETag`), or `*` to decide whatever it is by now.",
)
STALE = ProblemType(
    "precondition-failed",
    412,
    "What you looked at has changed meanwhile",
    "Read it again, take its new entity tag, and decide anew. Nothing was written.",
)
INVALID_COMMAND = ProblemType(
    "invalid-command",
    422,
    "The command makes no sense as it was given",
    "`detail` says which part, and what would make sense.",
)
REFUSED = ProblemType(
    "refused",
    403,
    "You may not do this yourself",
    "`detail` names the rule. Where it asks for a second person, somebody else must approve.",
)
ENTITY_MERGED = ProblemType(
    "entity-merged",
    308,
    "This golden record was merged into another",
    "Follow `Location`, and replace the id in your own data by `merged_into`. It never leads on to a third.",
)
ENTITY_RETIRED = ProblemType(
    "entity-retired",
    410,
    "This golden record has no live source row any more",
    "All its source rows were deleted or moved. Its `history` and `?known_at=` still answer.",
)
ENTITY_ERASED = ProblemType(
    "entity-erased",
    410,
    "This golden record was erased",
    "Its values were deleted for ever on request. Delete your own copy, and the id with it.",
)
RECORD_DELETED = ProblemType(
    "record-deleted",
    410,
    "This source row was deleted in its platform",
    "`last_entity_id` is the golden record it belonged to last.",
)
TOO_LARGE = ProblemType("body-too-large", 413, "The request body is too large", "Send less; reads need no body.")
ADDRESS_TOO_LONG = ProblemType(
    "address-too-long", 414, "The path or the query is too long", "Shorten the query; see /docs for the limits."
)
HEADERS_TOO_LARGE = ProblemType(
    "headers-too-large", 431, "The request headers are too large", "Send fewer or shorter headers and cookies."
)
TOO_MANY = ProblemType(
    "too-many-requests",
    429,
    "Too many requests",
    "Wait for the seconds of `Retry-After`. Ask for more at once (`limit`, exports, `ids:classify`), not more often.",
)
INTERNAL = ProblemType(
    "internal",
    500,
    "Something went wrong in the hub",
    "This is a defect. Report it with `trace_id`; the log has the details under it.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "The hub's database does not answer",
    "Try again after the seconds of `Retry-After`. If it lasts, an operator should look at /readyz.",
)
TOO_SLOW = ProblemType(
    "too-slow",
    503,
    "The hub gave up reading this, because it took too long",
    "Ask for less: narrow it with filters, ask for smaller pages, or use an export. If it was little, the database is "
    "busy: try again later. An operator can allow more (`MDM_LONGEST_STATEMENT`).",
)
NOT_SERVED = ProblemType(
    "version-not-served",
    400,
    "This version of the API is not served",
    "Send a major version that `served` has, with no newer minor version, or leave the header out to take what comes.",
)
BAD_REQUEST = ProblemType("bad-request", 400, "The request was refused", "See `detail`.")

CATALOGUE: Mapping[str, ProblemType] = {
    problem.code: problem
    for problem in (
        BAD_REQUEST,
        NOT_SERVED,
        MALFORMED,
        ODATA_UNSUPPORTED,
        UNAUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        NOT_KNOWN_THEN,
        NOT_VALID_THEN,
        ENTITY_ERASED,
        NOT_RESOLVED,
        METHOD_NOT_ALLOWED,
        AMBIGUOUS_NAME,
        CONFLICT,
        PARITY_UNPROVEN,
        ANSWER_WAITS,
        NOT_READY,
        HELD_BACK,
        KEY_IN_USE,
        ANSWER_LOST,
        KEY_MISSING,
        KEY_REUSED,
        STALE,
        UNCONDITIONAL,
        INVALID_COMMAND,
        REFUSED,
        ENTITY_MERGED,
        ENTITY_RETIRED,
        RECORD_DELETED,
        TOO_LARGE,
        ADDRESS_TOO_LONG,
        INVALID_REQUEST,
        DOES_NOT_FIT,
        INVALID_CURSOR,
        TOO_MANY,
        HEADERS_TOO_LARGE,
        INTERNAL,
        UNAVAILABLE,
        TOO_SLOW,
    )
}

_BY_STATUS: Mapping[int, ProblemType] = {
    problem.status: problem for problem in (UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE)
}


#: What is wrong with a parameter, where the library that found it speaks of its own parts.
_TIME = "is no date or time, as 2026-03-31T12:00:00Z"
_FAULTS: Mapping[str, str] = {
    "dict_type": "is no JSON object",
    "extra_forbidden": "is not known here",
    "float_parsing": "is no number",
    "int_parsing": "is no whole number",
    "json_invalid": "is no JSON from here on",
    "missing": "is missing",
    "model_attributes_type": "is no JSON object",
    "date_from_datetime_parsing": "is no date, as 2026-03-31",
    "date_parsing": "is no date, as 2026-03-31",
    "datetime_from_date_parsing": _TIME,
    "datetime_parsing": _TIME,
}


def fault(kind: str, said: str) -> str:
    """What is wrong with a parameter: in our words, or in those of the library that found it."""
    return _FAULTS.get(kind) or said.removeprefix("Value error, ")


@dataclass(frozen=True, slots=True)
class Problem:
    """One occurrence: what happened here, and members that only this type has (`merged_into`, `errors`, ...)."""

    type: ProblemType
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemRaised(Exception):
    """Ends a request with a problem. Raised by routes and dependencies, answered by the application."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refuse(
    type_: ProblemType, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> ProblemRaised:
    """The exception to raise for a problem."""
    return ProblemRaised(Problem(type_, detail, members, headers or {}))


def problem_response(problem: Problem, trace_id: str) -> Response:
    """The answer that tells of a problem."""
    body = {
        "type": problem.type.uri,
        "title": problem.type.title,
        "status": problem.type.status,
        "detail": problem.detail,
        "action": problem.type.action,
        "trace_id": trace_id,
        **problem.members,
    }
    return Response(encode(body), problem.type.status, dict(problem.headers), MEDIA_TYPE)


def problem_of(error: MdmError) -> Problem:
    """What an error of the hub means to a caller of the API."""
    if isinstance(error, Gone):
        return _ended(error)
    if isinstance(error, RowDeleted):
        return Problem(RECORD_DELETED, error.message, {"last_entity_id": error.last_entity})
    if isinstance(error, NotFound):
        return Problem(NOT_FOUND, error.message)
    if isinstance(error, Stale):
        return Problem(STALE, _sentence(error))
    if isinstance(error, ParityUnproven):
        return Problem(PARITY_UNPROVEN, _sentence(error))
    if isinstance(error, AnswerWaits):
        return Problem(ANSWER_WAITS, _sentence(error), {"proposal_id": error.proposal_id})
    if isinstance(error, Conflict):
        return Problem(CONFLICT, _sentence(error))
    if isinstance(error, Invalid):
        return Problem(INVALID_COMMAND, _sentence(error))
    if isinstance(error, Refused):
        return Problem(REFUSED, _sentence(error))
    if isinstance(error, TransientError):
        return Problem(UNAVAILABLE, UNAVAILABLE.title + ".", headers={"Retry-After": "5"})
    return Problem(INTERNAL, INTERNAL.title + ".")


def _ended(error: Gone) -> Problem:
    members = {"entity_id": error.name, "retired_at": error.since}
    if error.erased:
        return Problem(ENTITY_ERASED, error.message, members | {"erased_at": error.since})
    return Problem(ENTITY_RETIRED, error.message, members)


def _sentence(error: MdmError) -> str:
    return f"{error.message} {error.advice}".strip()


#: What the framework says of an address that nobody wrote a sentence about.
_UNSAID = {
    "Not Found": "The hub has no such address; /docs lists those that it has.",
    "Method Not Allowed": "The address is there, for other methods.",
}


def problem_of_status(status: int, detail: str, headers: Mapping[str, str]) -> Problem:
    """The problem behind a plain HTTP error of the framework (unknown path, wrong method)."""
    known = _BY_STATUS.get(status) or (INTERNAL if status >= 500 else BAD_REQUEST)
    return Problem(known, _UNSAID.get(detail, detail), headers=headers)
