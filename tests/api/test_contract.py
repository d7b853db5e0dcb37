"""What the API answers is what its description promises: every operation, with generated requests and all checks.

`make fuzz` runs the long version; the suite a short one with fixed seeds.
"""

import os
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.model.ids import Domain
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows

_EXAMPLES = int(os.environ.get("MDM_FUZZ_EXAMPLES", "2"))
#: Commands whose members depend on each other.
_RULES_ACROSS_MEMBERS = {"stewardship", "approvals", "onboarding"}
load_all_checks()
positive_data_acceptance = CHECKS.get_one("positive_data_acceptance")


@pytest.fixture
def filled(surroundings: Surroundings, rows: HubRows) -> FastAPI:
    """A service with a little of everything; its key may do everything."""
    for key in (CRM_ACME, ERP_ACME):
        rows.golden(Domain.CUSTOMER, key, ACME, terms=["acme", "anvils"])
    return create_app(surroundings, ApiOptions(log=surroundings.log, longest_wait=0.1))


@pytest.fixture
def described(filled: FastAPI, surroundings: Surroundings) -> BaseSchema:
    with surroundings.engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "contract")
    schema: Any = schemathesis.openapi.from_asgi("/openapi.json", filled)
    schema.config.update(headers={"X-API-Key": key})
    return schema  # type: ignore[no-any-return]


def test_every_answer_is_what_the_description_promises(described: BaseSchema) -> None:
    failures = []
    for found in described.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=_EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def answers(case: Any) -> None:
                _answers(case)

            try:
                answers()
            except Unsatisfiable:
                continue  # nothing can be said wrongly here
            except (Exception, BaseExceptionGroup) as error:
                failures.append(f"{operation.label} ({mode}): {_told(error)}")

    assert not failures, "\n".join(failures)


def test_ids_that_answers_hold_lead_on(described: BaseSchema) -> None:
    """The links of the description, walked by a state machine."""
    described.as_state_machine().run(
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )


def _answers(case: Any) -> None:
    """All checks. That a body or cursor be accepted is not asked where its rules are none that a schema can state."""
    answer = case.call()
    unstated = answer.status_code == 422 and (
        answer.json()["type"] == "/problems/invalid-cursor" or set(case.operation.tags) & _RULES_ACROSS_MEMBERS
    )
    case.validate_response(answer, excluded_checks=[positive_data_acceptance] if unstated else [])


def _told(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    return " | ".join(" ".join(str(part).split())[:600] for part in parts)
