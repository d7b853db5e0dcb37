"""What resolving comes to in numbers, and the audit chain as the calendar looks at it part by part."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.audit_check import check_audit
from mdm.hub.measures import MATCH, NO_MATCH
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain
from mdm.store.ledger import write_audit
from mdm.store.read_metrics import hub_state
from mdm.store.unit_of_work import unit_of_work
from tests.harness.tampering import tamper
from tests.integration.hub.test_former import ACCOUNT, CUSTOMER, said

VAT = "DE811128135"
ROW = {**ACCOUNT, "vat_number__c": VAT}


@pytest.fixture
def pipeline(engine: Engine, catalogue: Catalogue) -> Pipeline:
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


def test_what_a_batch_compares_decides_and_writes_is_counted(pipeline: Pipeline) -> None:
    first = process(pipeline, "test", [said("crm.public.account", 1, "c", ROW)]).measures
    joined = {**CUSTOMER, "tax_id": VAT, "tax_id_type": "eu_vat", "name": "Nordlicht Optik", "phone": "+49 711 2155560"}
    second = process(pipeline, "test", [said("billing.public.customer", 2, "c", joined)]).measures

    assert first.pairs.total() == 0
    assert first.causes == {(Domain.CUSTOMER, "founded"): 1}
    assert second.pairs[Domain.CUSTOMER, MATCH] == 1
    assert second.pairs[Domain.CUSTOMER, NO_MATCH] == 0
    [(domain, decision, weight)] = second.weights
    assert (domain, decision) == (Domain.CUSTOMER, MATCH)
    assert weight > 1.5
    assert second.conflicts[Domain.CUSTOMER, "name"] == 1, "the two state other names"
    assert (Domain.CUSTOMER, "country") not in second.conflicts
    again = process(pipeline, "test", [said("crm.public.account", 3, "u", {**ROW, "employees": 12})]).measures
    assert again.pairs.total() == 0, "nothing is compared anew"


def chain(engine: Engine, entries: int) -> None:
    for number in range(entries):
        with unit_of_work(engine, system_clock, "test") as work:
            write_audit(work, "test", "looked", f"entry {number}", {})


def told(engine: Engine) -> float:
    with engine.connect() as connection:
        [sample] = hub_state(connection)["mdm_audit_chain_ok"]
    return sample.value  # type: ignore[union-attr]


def test_the_chain_is_verified_part_by_part_and_a_break_stays_told_until_a_round_finds_none(engine: Engine) -> None:
    chain(engine, 5)
    assert [check_audit(engine, system_clock, 2) for _ in range(4)] == [True] * 4
    with engine.begin() as connection:
        assert connection.scalar(text("select verified_to from audit_check")) == 5
    tamper(engine, "update audit set subject = 'another' where seq = 2")
    assert check_audit(engine, system_clock, 2), "not looked at before a day is over"

    def tomorrow() -> object:
        return system_clock() + timedelta(days=1, hours=1)

    assert [check_audit(engine, tomorrow, 2) for _ in range(3)] == [False] * 3  # type: ignore[arg-type]
    assert told(engine) == 0
    tamper(engine, "update audit set subject = 'entry 1' where seq = 2")

    def later() -> object:
        return system_clock() + timedelta(days=3)

    assert [check_audit(engine, later, 2) for _ in range(3)] == [False, False, True]  # type: ignore[arg-type]
    assert told(engine) == 1


def test_waits_and_unmerges_are_read_from_what_people_decided(engine: Engine) -> None:
    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_unmerge_total"] == []
    assert state["mdm_approval_wait_seconds"] == []
    assert state["mdm_rule_release_info"] == []
