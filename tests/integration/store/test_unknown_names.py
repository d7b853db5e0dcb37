"""Names in references that the hub has never had."""

from sqlalchemy import Engine

from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_lifecycle import newest_events, unknown_names
from mdm.store.reading import snapshot
from tests.api.rows import NOON, HubRows

KINDS = ("invoice", "entitlement")


def billing(type_: str, key: str) -> CrosswalkKey:
    return CrosswalkKey("billing", type_, key)


def unknown(engine: Engine) -> set[CrosswalkKey]:
    with snapshot(engine) as work:
        return set(unknown_names(work, KINDS))


def test_only_names_that_no_row_ever_had_are_unknown(engine: Engine) -> None:
    rows = HubRows(engine)
    rows.source(billing("customer", "live"), aliases=[billing("customer", "former")])
    rows.source(billing("customer", "gone"), deleted=True)
    named = ["live", "former", "gone", "lost"]
    rows.source(
        billing("invoice", "1"), domain=None, references=[("customer", billing("customer", key)) for key in named]
    )

    assert unknown(engine) == {billing("customer", "lost")}


def test_tables_that_are_not_connected_and_numbers_that_people_type_are_left_out(engine: Engine) -> None:
    rows = HubRows(engine)
    rows.source(billing("invoice", "1"), domain=None, references=[("customer", CrosswalkKey("crm", "account", "A1"))])
    rows.source(billing("invoice", "2"), domain=None, references=[("invoice", billing("invoice#number", "INV-1"))])

    assert unknown(engine) == set()


def test_contract_records_ask_and_rows_that_are_gone_or_of_other_kinds_do_not(engine: Engine) -> None:
    rows = HubRows(engine)
    rows.source(billing("customer", "live"))
    rows.source(
        billing("subscription", "1"), domain=Domain.CONTRACT, references=[("customer", billing("customer", "a"))]
    )
    gone = [("customer", billing("customer", "b"))]
    rows.source(billing("invoice", "2"), domain=None, deleted=True, references=gone)
    rows.source(
        billing("payment", "3"), domain=None, kind="payment", references=[("customer", billing("customer", "c"))]
    )

    assert unknown(engine) == {billing("customer", "a")}


def test_platforms_that_were_never_heard_are_not_told(engine: Engine) -> None:
    HubRows(engine).source(billing("customer", "live"), at=NOON)

    with snapshot(engine) as work:
        assert newest_events(work) == {}
