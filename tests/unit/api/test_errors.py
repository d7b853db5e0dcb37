"""Errors of the hub as problems."""

import pytest

from api.errors import CATALOGUE, problem_of, problem_of_status
from mdm.errors import Conflict, InvariantViolated, MdmError, NotFound, OperatorError, TransientError


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (NotFound("No table 'x'."), "not-found", 404),
        (Conflict("Changed meanwhile."), "conflict", 409),
        (TransientError("Connection refused to db-7.internal."), "unavailable", 503),
        (OperatorError("MDM_DATABASE_URL holds a password."), "internal", 500),
        (InvariantViolated("Record 7 is in two entities."), "internal", 500),
    ],
)
def test_an_error_of_the_hub_becomes_a_problem(error: MdmError, code: str, status: int) -> None:
    problem = problem_of(error)

    assert (problem.type.code, problem.type.status) == (code, status)
    assert (problem.detail == error.message) is (status < 500), "what only operators should know stays in the log"


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (405, "method-not-allowed"), (413, "body-too-large"), (418, "bad-request"), (502, "internal")],
)
def test_an_error_of_the_framework_becomes_a_problem(status: int, code: str) -> None:
    assert problem_of_status(status, "x", {}).type.code == code


def test_codes_are_unique_and_every_problem_says_what_to_do() -> None:
    for code, problem in CATALOGUE.items():
        assert code == problem.code
        assert problem.action.endswith((".", "/docs."))
        assert problem.status >= 300
