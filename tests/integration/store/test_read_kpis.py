"""What is counted of a period: whole traces, how long breaks stood open, what people did, how fresh changes were."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text

from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.kpis import Period
from mdm.store.feed_numbers import freshness_by_platform
from mdm.store.read_coverage import orders_traced, usage_traced
from mdm.store.read_effort import effort_of, impact_of_questions, impact_of_refused
from mdm.store.read_kpis import kept_of
from tests.api.rows import HubRows

MARCH = Period(date(2025, 3, 1), date(2025, 3, 31))
SINCE, UNTIL = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)


def billing(type_: str, key: str) -> CrosswalkKey:
    return CrosswalkKey("billing", type_, key)


def erp(type_: str, key: str) -> CrosswalkKey:
    return CrosswalkKey("erp", type_, key)


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    return HubRows(engine)


def fact(rows: HubRows, key: CrosswalkKey, kind: str, references: dict[str, CrosswalkKey], **attributes: str) -> None:
    names = [CrosswalkKey(key.system, f"{key.type}#number", attributes["number"])] if "number" in attributes else []
    rows.source(key, domain=None, kind=kind, references=references.items(), aliases=names, attributes=attributes)


def sold(rows: HubRows, number: str, *, ordered: str = "2025-03-10") -> CrosswalkKey:
    """An order of a contract that ERP and billing both have; returns the invoice that is yet to come."""
    contract, subscription = erp("sales_contract", number), billing("subscription", number)
    home = rows.golden(Domain.CONTRACT, contract, {"number": number}, kind="contract")
    rows.source(subscription, domain=Domain.CONTRACT, kind="contract", entity_id=home)
    fact(rows, erp("sales_order", number), "order", {"contract": contract}, order_date=ordered)
    fact(rows, billing("invoice", number), "invoice", {"contract": subscription}, number=f"INV-{number}")
    return billing("invoice", number)


def posted(rows: HubRows, number: str, **references: CrosswalkKey) -> None:
    """ERP's posting, which names the invoice as people do."""
    named = {"invoice": billing("invoice#number", f"INV-{number}"), **references}
    fact(rows, erp("posting", number), "posting", named)


def paid(rows: HubRows, number: str, status: str = "succeeded") -> None:
    fact(rows, billing("payment", number), "payment", {"invoice": billing("invoice", number)}, status=status)


def test_an_order_is_traced_when_it_leads_to_an_invoice_that_was_paid_and_posted(rows: HubRows, engine: Engine) -> None:
    for number in ("whole", "unpaid", "failed", "unposted", "april"):
        sold(rows, number, ordered="2025-04-01" if number == "april" else "2025-03-31")
    fact(
        rows, erp("sales_order", "alone"), "order", {"contract": erp("sales_contract", "none")}, order_date="2025-03-01"
    )
    for number in ("whole", "failed", "unposted", "april"):
        paid(rows, number, "failed" if number == "failed" else "succeeded")
    for number in ("whole", "unpaid", "failed", "april"):
        posted(rows, number)

    with engine.connect() as connection:
        assert orders_traced(connection, MARCH) == (5, 1)
        assert orders_traced(connection, Period(date(2025, 4, 1), date(2025, 4, 30))) == (1, 1)
        assert orders_traced(connection, Period(date(2024, 1, 1), date(2024, 1, 31))) == (0, 0)


def test_use_is_traced_when_it_leads_to_a_posting_of_its_product(rows: HubRows, engine: Engine) -> None:
    tenant, buyer = CrosswalkKey("product", "tenant", "t1"), billing("customer", "c1")
    customer = rows.golden(Domain.CUSTOMER, tenant, {"name": "Acme"}, kind="customer")
    rows.source(buyer, kind="customer", entity_id=customer)
    items = {}
    for name in ("api", "storage"):
        feature, item = CrosswalkKey("product", "feature", name), erp("item", name)
        home = rows.golden(Domain.PRODUCT, feature, {"name": name}, kind="product")
        for key in (item, billing("product", name)):
            rows.source(key, domain=Domain.PRODUCT, kind="product", entity_id=home)
        items[name] = item
    fact(
        rows, billing("invoice", "1"), "invoice", {"customer": buyer}, number="INV-1", period_start="2025-04-01",
    )  # fmt: skip
    for name in items:
        line = {"invoice": billing("invoice", "1"), "product": billing("product", name)}
        fact(rows, billing("invoice_line", name), "invoice_line", line)
        for ended in ("2025-03-31", "2025-02-28", "2025-03-15"):
            used = {"customer": tenant, "product": CrosswalkKey("product", "feature", name)}
            fact(rows, CrosswalkKey("product", "usage_batch", name + ended), "usage_batch", used, period_end=ended)
    posted(rows, "1", product=items["api"])
    no_day = CrosswalkKey("product", "usage_batch", "no day")
    fact(rows, no_day, "usage_batch", {"customer": tenant}, period_end="2025-03-1x")

    with engine.connect() as connection:
        assert usage_traced(connection, MARCH) == (5, 1), "of the API the use up to the day before the invoice begins"


def test_breaks_are_closed_after_some_hours_by_kind_and_owner_with_some_touches(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into exception (question, kind, code, detail, owner, status, place, first_seen, last_seen,
                     closed_at, closed_by)
                   select 'q' || n, 'gap', 'OFFSETS_JUMP', '', owner, status, '', '2025-03-02', '2025-03-02',
                     case when status <> 'open' then '2025-03-02'::timestamptz + hours * interval '1 hour' end, 'ada'
                   from (values (1, 'crm team', 'resolved', 2), (2, 'crm team', 'accepted', 6),
                                (3, 'erp team', 'resolved', 30), (4, 'erp team', 'open', 0),
                                (5, 'erp team', 'resolved', 9000)) v(n, owner, status, hours)"""
            )
        )
        connection.execute(
            text(
                """insert into audit (seq, at, actor, action, subject, detail, previous, hash)
                   select n, at::timestamptz, actor, action, subject, '{}', '', '' from (values
                     (1, '2025-03-05', 'ada', 'take', 'exception'), (2, '2025-03-05', 'ada', 'resolved', 'q1'),
                     (3, '2025-03-06', 'ada', 'steward.same', 'task 4'),
                     (4, '2025-03-06', 'ada', 'fix', 'dead letter t/0/1'),
                     (5, '2025-03-06', 'hub', 'discard', 'dead letters'), (6, '2025-04-06', 'ada', 'take', 'finding'),
                     (7, '2025-03-06', 'ada', 'release.activate', 'release 1'),
                     (8, '2025-03-06', 'ada', 'explain', 'finding')) v(n, at, actor, action, subject)"""
            )
        )
        connection.execute(
            text(
                """insert into finding_work (rule, system, type, key, explanation, explained_by, explained_at)
                   values ('r', 'erp', 'posting', '1', 'known', 'ada', '2025-03-06')"""
            )
        )
    with engine.connect() as connection:
        found = effort_of(connection, SINCE, UNTIL)
        kept = kept_of(connection, MARCH, 4)
        nothing = effort_of(connection, UNTIL, datetime(2025, 4, 2, tzinfo=UTC))

    assert found.resolved == {
        ("exceptions", "OFFSETS_JUMP", "crm team"): (4.0, 2),
        ("exceptions", "OFFSETS_JUMP", "erp team"): (30.0, 1),
    }
    assert (found.hours, found.closed, found.explained, found.touches) == (6.0, 3, 1, 5)
    assert (kept.breaks, kept.touches, kept.hours, kept.closed) == (4, 5, 6.0, 3)
    assert (nothing.resolved, nothing.hours, nothing.closed, nothing.touches) == ({}, None, 0, 0)


def test_freshness_is_of_the_hours_of_the_period(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into freshness_hour (hour, system, entity, within, changes) values
                     ('2025-03-01T00:00Z', 'crm', 'customer', 1, 90), ('2025-03-31T23:00Z', 'crm', 'product', 60, 10),
                     ('2025-04-01T00:00Z', 'crm', 'customer', 600, 1000),
                     ('2025-02-28T23:00Z', 'erp', 'customer', 1, 5)"""
            )
        )
    with engine.connect() as connection:
        found = freshness_by_platform(connection, SINCE, UNTIL)
        later = freshness_by_platform(connection, SINCE)
    assert set(found) == {"crm"}
    assert found["crm"].changes == 100
    assert found["crm"].p50 <= 1 < found["crm"].p99 <= 60
    assert later["crm"].changes == 1100


def test_what_waits_costs_its_amount_for_every_hour(rows: HubRows, engine: Engine) -> None:
    a, b = (billing("customer", each) for each in "ab")
    records = [rows.source(each) for each in (a, b)]
    now = datetime(2025, 3, 2, tzinfo=UTC)
    with engine.begin() as connection:
        task = connection.scalar(
            text(
                """insert into steward_task (question, kind, domain, a, b, weight, detail, status, opened_at, batch_id)
                   values ('q', 'pair', 'customer', :a, :b, 1, '{}', 'open', '2025-03-01', 1) returning task_id"""
            ),
            {"a": records[0], "b": records[1]},
        )
        connection.execute(
            text(
                """insert into task_priority (task_id, domain, kind, weight, opened_at, rank, parts, amount, amounts,
                     countries, systems, due_at, ranked_at)
                   values (:task, 'customer', 'pair', 1, '2025-03-01', 1, '[]', 100,
                     '{"EUR": "100.5", "USD": "2"}', '{}', '{}', '2025-03-04', now())"""
            ),
            {"task": task},
        )
    with engine.connect() as connection:
        assert impact_of_questions(connection, now) == {"EUR": 2412, "USD": 48}
        assert impact_of_refused(connection, now) == {}
