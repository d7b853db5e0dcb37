"""What routes declare to answer besides success, for the OpenAPI document."""

from typing import Any

from api.errors import MEDIA_TYPE
from api.schemas.common import AmbiguousForm, DeletedRowForm, Form, MergedForm, ProblemForm, RetiredForm
from api.schemas.feed import Pending

Responses = dict[int | str, dict[str, Any]]


def _problem(description: str, form: type[ProblemForm] = ProblemForm) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{form.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


#: Problem forms that responses refer to; `api.openapi` puts them among the components.
PROBLEM_FORMS: tuple[type[Form], ...] = (
    ProblemForm,
    MergedForm,
    RetiredForm,
    DeletedRowForm,
    AmbiguousForm,
    Pending,
)

#: What any request may be answered.
COMMON: Responses = {
    400: _problem("The request cannot be read."),
    414: _problem("The path or the query is too long."),
    431: _problem("The headers are too large."),
    500: _problem("A defect of the hub."),
    503: _problem("The database does not answer; try again."),
}
#: What a request that needs an API key may be answered.
GUARDED: Responses = {
    401: _problem("No valid API key."),
    403: _problem("The role of the API key does not include this."),
    429: _problem("Too many requests; `Retry-After` says when to go on."),
}
#: What a request with parameters may be answered.
CHECKED: Responses = {422: _problem("A parameter is not understood.")}
#: What a request for one golden record may be answered.
ONE: Responses = {
    308: _problem("The record was merged; `Location` and `merged_into` name the survivor.", MergedForm),
    404: _problem("No such record."),
    410: _problem("The record has no source row any more.", RetiredForm),
}
#: What a request about somebody who has left may be answered.
ENDED: Responses = {410: _problem("The record has no source row any more, or was erased.", RetiredForm)}
UNMODIFIED: Responses = {304: {"description": "The caller holds this version already (`If-None-Match`)."}}
#: What a look-up of a source row may be answered.
NAMED: Responses = {
    404: _problem("The hub does not know this row, or it is not one that is resolved."),
    409: _problem("The name means several golden records.", AmbiguousForm),
    410: _problem("The row was deleted in its platform.", DeletedRowForm),
}
AMBIGUOUS: Responses = {409: _problem("The name means several rows; `candidates` are their names.", AmbiguousForm)}
#: What a request that insists on readiness may be answered.
UNREADY: Responses = {409: _problem("The customer may not be created in ERP yet; `findings` say why.")}
UNKNOWN: Responses = {404: _problem("There is nothing under this name.")}
#: What a request with a body may be answered.
TOO_LARGE: Responses = {413: _problem("The body is too large.")}
#: What a command may be answered.
COMMANDED: Responses = {
    403: _problem("The role does not include this, or a policy asks for another person."),
    404: _problem("The command speaks of something that is not there."),
    409: _problem("An earlier decision, or somebody who was faster, stands against it."),
    412: _problem("What `If-Match` names has changed meanwhile."),
    428: _problem("`If-Match` is missing where what others may change is decided about."),
    422: _problem("The command is not understood, or makes no sense."),
}
#: What a write may be answered that meets another one.
CONFLICTING: Responses = {409: _problem("It meets something that stands already.")}
#: What a request with `after` may be answered.
PENDING: Responses = {
    202: {
        "description": "The hub has not read `after` yet; `Retry-After` says when to ask again.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pending"}}},
    }
}
