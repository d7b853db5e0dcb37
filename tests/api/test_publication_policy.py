"""Not every version reaches an ERP by itself: what is insignificant is not told, and what comes at once is one."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.core.gates import Gates
from mdm.errors import ConfigurationInvalid
from mdm.hub.erp_gates import gates_wait, judge_again, pass_gates, tell_gated
from mdm.hub.gates import read_gates, shipped_gates
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.onboarding.verdict import Decision
from mdm.store.erp_view import standings
from tests.api.rows import NOON, HubRows

ITEM = CrosswalkKey("erp", "item", "M1")
GOOD: dict[str, Any] = {"name": "Anvil", "code": "AN-1", "unit": "unit", "status": "active"}


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    """Numbered behind what units of work announce here."""
    found = HubRows(engine)
    found._batches = 1000
    return found


def gates(folder: Path, products: str, customers: str = "{fits: false}") -> Gates:
    file = folder / "gates.yaml"
    file.write_text(f'version: "1"\ncustomers: {customers}\nproducts: {products}\ncontracts: {{fits: false}}\n')
    return read_gates(file)


def standing(engine: Engine, id: EntityId) -> tuple[int | None, datetime | None, list[str]]:
    with engine.connect() as connection:
        (found,) = standings(connection, [id], "sap")
    return found.version, found.since, [each["code"] for each in found.reasons]


def test_a_version_without_a_significant_difference_is_served_and_not_told(
    rows: HubRows, engine: Engine, tmp_path: Path
) -> None:
    ruling = gates(tmp_path, "{fits: true, significant: [name, status]}")
    made = rows.golden(Domain.PRODUCT, ITEM, GOOD)
    pass_gates(engine, system_clock(), "sap", gates=ruling)
    first = standing(engine, made)

    rows.version(made, Domain.PRODUCT, GOOD | {"brand": "Acme"})
    pass_gates(engine, system_clock(), "sap", gates=ruling)
    second = standing(engine, made)
    rows.version(made, Domain.PRODUCT, GOOD | {"brand": "Acme", "status": "inactive"})
    pass_gates(engine, system_clock(), "sap", gates=ruling)
    third = standing(engine, made)

    assert [each[0] for each in (first, second, third)] == [1, 2, 3], "the view has the newest"
    assert first[1] == second[1], "nobody who follows the view meets it again"
    assert second[1] is not None
    assert third[1] is not None
    assert third[1] > second[1]


def test_versions_within_the_time_reach_the_erp_as_one(rows: HubRows, engine: Engine, tmp_path: Path) -> None:
    ruling = gates(tmp_path, "{fits: true, not_before: 60}")
    made = rows.golden(Domain.PRODUCT, ITEM, GOOD, at=NOON)

    for second in (0, 20, 40):
        if second:
            rows.version(made, Domain.PRODUCT, GOOD | {"name": f"Anvil {second}"}, at=NOON + timedelta(seconds=second))
        now = NOON + timedelta(seconds=second + 1)
        pass_gates(engine, now, "sap", [Domain.PRODUCT], gates=ruling)
        judge_again(engine, now, "sap", Domain.PRODUCT, made, ruling)
        assert standing(engine, made) == (None, None, ["NOT_BEFORE"]), second
        assert not gates_wait(engine, now, "sap", Domain.PRODUCT, ruling)
    assert tell_gated(engine, system_clock) == 0, "what waits for its time is not told as held back"

    later = NOON + timedelta(seconds=60)
    assert gates_wait(engine, later, "sap", Domain.PRODUCT, ruling), "the time runs from the first of them"
    pass_gates(engine, later, "sap", [Domain.PRODUCT], gates=ruling)

    assert standing(engine, made)[::2] == (3, [])
    assert not gates_wait(engine, later, "sap", Domain.PRODUCT, ruling)
    assert tell_gated(engine, system_clock) == 0


def test_what_waited_and_does_not_pass_is_told_as_held_back(rows: HubRows, engine: Engine, tmp_path: Path) -> None:
    ruling = gates(tmp_path, "{fits: true, not_before: 60}")
    made = rows.golden(Domain.PRODUCT, ITEM, GOOD | {"name": "Anvil " * 10}, at=NOON)
    pass_gates(engine, NOON, "sap", [Domain.PRODUCT], gates=ruling)

    pass_gates(engine, NOON + timedelta(minutes=2), "sap", [Domain.PRODUCT], gates=ruling)

    assert standing(engine, made)[2] == ["ERP_FIELD_TOO_LONG"]
    assert tell_gated(engine, system_clock) == 1


def test_what_is_held_back_stays_so_while_a_newer_version_waits(rows: HubRows, engine: Engine, tmp_path: Path) -> None:
    ruling = gates(tmp_path, "{fits: true, not_before: 60}")
    made = rows.golden(Domain.PRODUCT, ITEM, GOOD | {"name": "Anvil " * 10}, at=NOON)
    later = NOON + timedelta(minutes=5)
    pass_gates(engine, later, "sap", [Domain.PRODUCT], gates=ruling)
    assert tell_gated(engine, system_clock) == 1

    rows.version(made, Domain.PRODUCT, GOOD, at=later)
    pass_gates(engine, later + timedelta(seconds=1), "sap", [Domain.PRODUCT], gates=ruling)
    assert standing(engine, made) == (None, None, ["ERP_FIELD_TOO_LONG", "NOT_BEFORE"])
    tell_gated(engine, system_clock)
    pass_gates(engine, later + timedelta(seconds=60), "sap", [Domain.PRODUCT], gates=ruling)

    assert standing(engine, made)[::2] == (2, [])
    assert tell_gated(engine, system_clock) == 1, "whoever heard that it is held back hears that it no longer is"


def test_sensitive_attributes_are_listed_by_erp_or_by_the_policy(tmp_path: Path) -> None:
    customers = "{fits: true, sensitive: {sap: [name], odoo: [], otherwise: policy}}"
    found = gates(tmp_path, "{fits: true, sensitive: [unit]}", customers)

    of = found.of[Domain.CUSTOMER]
    assert of.sensitive_for("sap") == {"name"}
    assert of.sensitive_for("odoo") == frozenset()
    assert {"payment_terms", "identifiers", "blocked"} <= of.sensitive_for("netsuite")
    assert found.of[Domain.PRODUCT].sensitive_for("sap") == {"unit"}
    assert found.of[Domain.CONTRACT].sensitive_for("sap") == frozenset(), "without the key nothing waits"


def test_the_shipped_gates_hold_what_the_policy_calls_sensitive_from_every_erp() -> None:
    of = shipped_gates().of
    for erp in ("sap", "odoo", "erpnext", "netsuite"):
        assert {"payment_terms", "identifiers", "tax_classification", "blocked"} <= of[Domain.CUSTOMER].sensitive_for(
            erp
        )
    assert Decision.BLOCKED not in (of[Domain.CUSTOMER].decisions or ())
    assert of[Domain.CUSTOMER].findings == {"SANCTIONS_REVIEW", "BANK_CHANGED_REAPPROVE"}


@pytest.mark.parametrize(
    ("products", "customers", "told"),
    [
        ("{sensitive: [colour]}", "{fits: true}", "colour, which is no attribute of products"),
        ("{significant: name}", "{fits: true}", "must be a list of attributes"),
        ("{not_before: -1}", "{fits: true}", "must be a number from 0 to 86400"),
        ("{findings: [SANCTIONS_REVIEW]}", "{fits: true}", "is for customers only"),
        ("{fits: true}", "{verdict: [ready], findings: [NONSENSE]}", "which is no code of the onboarding rules"),
        ("{fits: true}", "{findings: [SANCTIONS_REVIEW]}", "needs the key verdict beside it"),
        ("{fits: true}", "{sensitive: {oracle: policy}}", "is not known here"),
    ],
)
def test_a_faulty_document_says_where_and_why(tmp_path: Path, products: str, customers: str, told: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=told) as caught:
        gates(tmp_path, products, customers)
    assert "gates.yaml, line " in str(caught.value)
