"""What the API answers is what its description promises: every operation, with generated requests and all checks.

`make fuzz-api` runs the long version, for some seconds an operation, and tells how far it is; `MDM_FUZZ_TAGS=erp,odata`
is that of some operations; the suite runs a short one with fixed seeds. With `MDM_FUZZ_SERVED=1` the requests go over
HTTP to a process of `mdm serve`: what the server itself answers has to be right too.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
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
#: Seconds for each operation and kind of data, after which no further examples are begun; 0 for no limit.
_SECONDS = float(os.environ.get("MDM_FUZZ_SECONDS", "0"))
#: Examples between two looks at the clock.
_BATCH = 5
_SERVED = os.environ.get("MDM_FUZZ_SERVED") == "1"
#: Seconds after which a server is taken for stuck: a busy machine may be slow.
_PATIENCE = 60.0
#: Only operations with one of these tags, when some are named: for whoever works on them.
_TAGS = set(filter(None, os.environ.get("MDM_FUZZ_TAGS", "").split(",")))
#: Refusals of what is well formed, by rules that no schema can state: a place in another list, parts of a request that
#: do not fit each other, a command that makes no sense in this hub, a name that was used for another request.
_UNSTATED = {
    f"/problems/{code}" for code in ("invalid-cursor", "does-not-fit", "invalid-command", "idempotency-key-reused")
}
_VAT = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
_CANONICAL = ACME | {"identifiers": [_VAT]}
load_all_checks()
positive_data_acceptance = CHECKS.get_one("positive_data_acceptance")


@pytest.fixture
def described(surroundings: Surroundings, rows: HubRows, fresh_database_url: str) -> Iterator[BaseSchema]:
    """The description of a service with a little of everything; its key may do everything."""
    for key in (CRM_ACME, ERP_ACME):
        rows.golden(Domain.CUSTOMER, key, _CANONICAL, terms=["acme", "anvils"])
    with surroundings.engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "contract")
    with _read_over_http(fresh_database_url) if _SERVED else _read_in_process(surroundings) as schema:
        schema.config.update(headers={"X-API-Key": key})
        # What is too long for a body, an address or the headers is refused before it is looked at.
        rejection = schema.config.checks.negative_data_rejection
        rejection.expected_statuses = [*rejection.expected_statuses, "413", "414", "431"]
        # What is well formed may still meet what changed meanwhile (`If-Match`), or what has ended; and which commands
        # need a condition, no schema can state.
        acceptance = schema.config.checks.positive_data_acceptance
        acceptance.expected_statuses = [*acceptance.expected_statuses, "410", "412", "428"]
        yield schema


@contextmanager
def _read_in_process(surroundings: Surroundings) -> Iterator[Any]:
    app = create_app(surroundings, ApiOptions(log=surroundings.log, longest_wait=0.1))
    yield schemathesis.openapi.from_asgi("/openapi.json", app)


@contextmanager
def _read_over_http(database_url: str) -> Iterator[Any]:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    command = [sys.executable, "-m", "mdm.cli", "serve", "--port", str(port)]
    environment = os.environ | {"MDM_DATABASE_URL": database_url}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    root = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{root}/readyz", server)
        schema = schemathesis.openapi.from_url(f"{root}/openapi.json", timeout=_PATIENCE)
        schema.config.update(request_timeout=_PATIENCE)
        yield schema
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address):
                return
        except urllib.error.URLError:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)


def test_every_answer_is_what_the_description_promises(described: BaseSchema) -> None:
    failures = []
    operations = [each.ok() for each in described.get_all_operations()]
    wanted = [each for each in operations if not _TAGS or _TAGS & set(each.tags)]
    assert wanted
    for number, operation in enumerate(wanted, 1):
        began, tried = time.monotonic(), 0
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            count, failure = _tried(operation, mode)
            tried += count
            if failure is not None:
                failures.append(f"{operation.label} ({mode}): {failure}")
                print(failures[-1], flush=True)
        seconds = time.monotonic() - began
        print(f"{number}/{len(wanted)} {operation.label}: {tried} requests, {seconds:.0f} s", flush=True)

    assert not failures, "\n".join(failures)


def _tried(operation: Any, mode: GenerationMode) -> tuple[int, str | None]:
    """How many requests were made, batch by batch until there are enough or time is up, and the first failure."""
    count = 0

    def answers(case: Any) -> None:
        nonlocal count
        count += 1
        _answers(case)

    until = time.monotonic() + _SECONDS if _SECONDS else None
    for number in range(-(-_EXAMPLES // _BATCH)):
        if until is not None and time.monotonic() > until:
            break
        how = settings(
            max_examples=min(_BATCH, _EXAMPLES - number * _BATCH),
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        try:
            seed(number)(how(given(case=operation.as_strategy(generation_mode=mode))(answers)))()
        except Unsatisfiable:
            break  # nothing can be said wrongly here
        except (Exception, BaseExceptionGroup) as error:
            return count, _told(error)
    return count, None


def test_ids_that_answers_hold_lead_on(described: BaseSchema) -> None:
    """The links of the description, walked by a state machine."""

    class Walk(described.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            if _SERVED:
                _shorten(case)

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            _hold(response, case)

    Walk.run(
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
    if _SERVED:
        _shorten(case)
    _hold(case.call(), case)


def _shorten(case: Any) -> None:
    """Nobody waits for half a minute here: `wait` is left as valid, or invalid, as it was."""
    waited = (case.query or {}).get("wait")
    if isinstance(waited, int | float) and 0.05 < waited <= 30:
        case.query["wait"] = 0.05


def _hold(answer: Any, case: Any) -> None:
    """The key is told to the checks: one that no check knows of counts as made up, and an answer to it as a hole."""
    sent = case.operation.schema.config.headers_for(operation=case.operation)
    try:
        case.validate_response(answer, headers=sent, excluded_checks=_excused(answer, case))
    except BaseException as failure:
        failure.add_note(f"{case.as_curl_command()} -> {answer.status_code} {answer.text[:400]}")
        raise


def _excused(answer: Any, case: Any) -> list[Any]:
    """All checks hold. Only that a body or cursor be accepted is not asked where no schema can state its rules."""
    if answer.status_code != 422:
        return []
    return [positive_data_acceptance] if answer.json()["type"] in _UNSTATED else []


def _told(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    told = [" ".join(str(part).split())[:600] for part in parts]
    return "\n    ".join([*told, *getattr(error, "__notes__", ())])
