"""Whether contracts may be one depends on their customers, also where no weight between them moves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from matching.model import MatchModel
from matching.scoring import explain_pair
from mdm.clock import system_clock
from mdm.core.rules import Rules
from mdm.hub.process import Pipeline
from mdm.hub.resolve import DomainChange, block_hashes, resolve_domain
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.records import SourceRecord
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import HubRows
from tests.unit.matching.test_contract_decisions import BILLING, CRM, ERP, contract

_NUMBER = "CT-2024-000123"
#: The first and the last state two customers, between them is one of which no customer is known.
_FORMS = {
    CrosswalkKey("crm", "contract", "1"): contract(CRM, _NUMBER, customer=None),
    CrosswalkKey("erp", "sales_contract", "2"): contract(
        ERP, cites=_NUMBER, customer=None, products=None, value=None, annual_value=None
    ),
    CrosswalkKey("billing", "subscription", "3"): contract(
        BILLING, cites=_NUMBER, customer=None, products=["prd_2"], value=5_000.0, annual_value=5_000.0
    ),
}
_ONE, _BETWEEN, _OTHER = _FORMS
_CUSTOMERS = {_ONE: CrosswalkKey("crm", "account", "1"), _OTHER: CrosswalkKey("billing", "customer", "3")}


def strict(model: MatchModel) -> MatchModel:
    """A model by which the one between matches both, and these do not match each other, of whatever customer."""

    def weight(a: CrosswalkKey, b: CrosswalkKey, **more: Any) -> float:
        return explain_pair(model, {**_FORMS[a], **more}, {**_FORMS[b], **more}).weight

    matching = min(weight(_ONE, _BETWEEN), weight(_BETWEEN, _OTHER))
    least = (matching + weight(_ONE, _OTHER, customer="cus_1")) / 2
    assert least < matching
    return replace(model, thresholds=replace(model.thresholds, match=least, possible=least))


@pytest.fixture
def rules(pipeline: Pipeline) -> Rules:
    models = {**pipeline.rules.models, Domain.CONTRACT: strict(pipeline.rules.models[Domain.CONTRACT])}
    return replace(pipeline.rules, models=models)


def resolve(engine: Engine, rules: Rules, change: DomainChange) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        resolve_domain(work, Domain.CONTRACT, change, rules)


def written(rows: HubRows, key: CrosswalkKey, form: Mapping[str, Any]) -> RecordId:
    references = [("customer", _CUSTOMERS[key])] if key in _CUSTOMERS else []
    rec = rows.source(key, domain=Domain.CONTRACT, kind="contract", references=references)
    with rows.engine.begin() as connection:
        connection.execute(
            text("update source_record set comparison = cast(:form as jsonb) where rec_id = :rec"),
            {"form": orjson.dumps(form).decode(), "rec": rec},
        )
    return RecordId(rec)


def test_contracts_of_two_customers_that_become_one_are_joined_though_no_weight_moves(
    engine: Engine, rules: Rules
) -> None:
    rows = HubRows(engine)
    one, other = (rows.entity(Domain.CUSTOMER, key) for key in _CUSTOMERS.values())
    for key, entity in zip(_CUSTOMERS.values(), (one, other), strict=True):
        rows.source(key, entity_id=entity)
    recs = {written(rows, key, form): (key, form) for key, form in _FORMS.items()}
    model = rules.models[Domain.CONTRACT]

    def homes() -> int:
        with engine.connect() as connection:
            counted = "select count(distinct entity_id) from crosswalk where rec_id = any(:recs)"
            return connection.scalar(text(counted), {"recs": list(recs)}) or 0

    def links() -> list[Any]:
        with engine.connect() as connection:
            live = "select link_id, weight from link where superseded_at is null order by 1"
            return [tuple(row) for row in connection.execute(text(live))]

    stated = {rec: SourceRecord(key, "contract", Domain.CONTRACT, comparison=form) for rec, (key, form) in recs.items()}
    keys = {rec: block_hashes(model, form) for rec, (_, form) in recs.items()}
    resolve(engine, rules, DomainChange(compared=stated, keys=keys, changed=frozenset(recs)))
    before = links()
    assert (len(before), homes()) == (2, 2)

    with engine.begin() as connection:
        moved = text("update crosswalk set entity_id = :one where entity_id = :other")
        connection.execute(moved, {"one": one, "other": other})
    resolve(engine, rules, DomainChange(dirty=frozenset(rec for rec, (key, _) in recs.items() if key == _OTHER)))

    assert links() == before
    assert homes() == 1
