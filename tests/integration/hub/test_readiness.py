"""Readiness of golden customers of the sample world."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from mdm.cli.app import app
from mdm.errors import NotFound
from mdm.hub.onboarding import verdict_on_golden
from mdm.onboarding.verdict import Decision, Outcome, Verdict, canonical_bytes, document
from tests.harness.shipped import SHIPPED

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def readiness(engine: Engine, entity_id: str) -> Verdict:
    return verdict_on_golden(engine, SHIPPED, entity_id, NOON)


def all_customers(engine: Engine) -> Mapping[str, Mapping[str, object]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select entity_id, values from golden where domain = 'customer' and known_to is null")
        )
        return {row.entity_id: row.values for row in rows}


def failures(verdict: Verdict, code: str) -> list[str]:
    return [each.observation.message for each in verdict.findings if each.code == code and each.outcome is Outcome.FAIL]


def shared_tax_numbers(customers: Mapping[str, Mapping[str, object]]) -> dict[str, set[str]]:
    """By customer: the others that have one of its tax numbers, found the slow way."""
    owners: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for entity, values in customers.items():
        for each in values.get("identifiers") or ():  # type: ignore[attr-defined]
            if each["type"] in ("vat", "tax"):
                owners[each["type"], each["country"], each["normal"]].add(entity)
    return {entity: others - {entity} for others in owners.values() if len(others) > 1 for entity in others}


def test_an_id_that_was_never_issued_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        readiness(engine, "cus_nobody")


@pytest.mark.sample_world
def test_customers_of_the_sample_world(
    engine: Engine, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = all_customers(engine)

    verdicts = {entity: readiness(engine, entity) for entity in customers}

    decisions = Counter(verdict.decision for verdict in verdicts.values())
    assert decisions[Decision.READY_WITH_WARNINGS] > len(customers) / 3
    assert decisions[Decision.READY] == 0  # nobody can be screened yet
    for entity, verdict in verdicts.items():
        assert bool(failures(verdict, "BLOCKED_BY_ERP")) == bool(customers[entity].get("blocked"))
        assert bool(failures(verdict, "NAME_MISSING")) == (not customers[entity].get("name"))
    shared = shared_tax_numbers(customers)
    assert {entity for entity, each in verdicts.items() if failures(each, "TAX_ID_DUPLICATE")} == shared.keys()
    assert not any(
        failures(each, "HIERARCHY_CYCLE") and not customers[key].get("parent") for key, each in verdicts.items()
    )

    entity, verdict = min(verdicts.items())
    assert canonical_bytes(readiness(engine, entity)) == canonical_bytes(verdict)
    monkeypatch.setenv("MDM_DATABASE_URL", fresh_database_url.replace("+psycopg", ""))
    printed = CliRunner().invoke(app, ["readiness", entity, "--json"])
    assert json.loads(printed.stdout) == json.loads(json.dumps(document(verdict)))
    assert entity in CliRunner().invoke(app, ["readiness", entity]).stdout
