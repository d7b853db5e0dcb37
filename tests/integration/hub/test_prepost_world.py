"""The pre-posting check over the sample world: what ERP took passes, what it rejected is blocked with its reason.

The world says why ERP rejected an entry, and not how ERP was set up on that day. Each rejected entry is therefore held
against the documents (or the closed month) that its own reason speaks of; everything else is the hub's.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.hub.prepost import MOST_POSTINGS, check_postings, load_documents
from mdm.intake.catalogue import load_catalogue
from mdm.lifecycle.accounts import Accounts
from mdm.lifecycle.declared import Span
from mdm.lifecycle.prepost import Documents, Judgement, PlannedLine, PlannedPosting
from mdm.store import closing
from mdm.store.unit_of_work import unit_of_work

pytestmark = pytest.mark.sample_world

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_POSTINGS = """
select row, attributes->>'posting_date' as day, attributes->>'amount' as amount from source_record
where system = 'erp' and type = 'posting' and not deleted order by key
"""


@dataclass(frozen=True)
class Entry:
    """A journal entry of the world as it was planned, and what became of it."""

    planned: PlannedPosting
    status: str
    reason: str | None


@pytest.fixture
def entries(engine: Engine) -> Sequence[Entry]:
    """All journal entries of the world."""
    lines: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    with engine.connect() as connection:
        for row, day, amount in connection.execute(text(_POSTINGS)):
            lines[row["journal_entry"]].append({**row, "day": day, "number": Decimal(amount)})
    return [
        Entry(
            PlannedPosting(
                name, one["company_code"], date.fromisoformat(one["day"]), one["currency"],
                tuple(PlannedLine(each["gl_account"], each["item_code"], each["number"]) for each in them),
                one["bp_number"],
            ),
            one["status"], one["reject_reason"],
        )
        for name, them in lines.items() for one in them[:1]
    ]  # fmt: skip


def judged(engine: Engine, entries: Sequence[Entry], documents: Documents | None = None) -> list[Judgement]:
    held = documents or load_documents()
    postings = [each.planned for each in entries]
    assert len(postings) <= MOST_POSTINGS
    return list(check_postings(engine, load_catalogue(None), held, postings, _NOW).judgements)


def told(judgement: Judgement) -> set[str]:
    return {each.code for each in judgement.reasons}


def test_what_erp_took_passes_unless_the_hub_knows_why_not(engine: Engine, entries: Sequence[Entry]) -> None:
    taken = [each for each in entries if each.status == "posted"]
    blocked = [(each, found) for each, found in zip(taken, judged(engine, taken), strict=True) if not found.passes]

    assert len(taken) > 400
    # A posting without a partner is a fault of the world; items that ERP deleted since are the price of looking back.
    assert {code for _, found in blocked for code in told(found)} == {"PARTNER_NOT_STATED", "PRODUCT_UNKNOWN"}
    with engine.connect() as connection:
        live = set(connection.scalars(text("select key from source_record where type = 'item' and not deleted")))
    for each, found in blocked:
        missing = {line.product for line in each.planned.lines if line.product} - live
        assert told(found) == ({"PRODUCT_UNKNOWN"} if missing else {"PARTNER_NOT_STATED"}), each
        assert missing or each.planned.partner is None


def closed_on(day: date) -> tuple[Span, Span]:
    """Every day but this one."""
    return Span(None, day - timedelta(days=1)), Span(day + timedelta(days=1), None)


def without_currency(documents: Documents, entry: Entry) -> Documents:
    """As ERP was when it said that the currency was not maintained."""
    planned, chart = entry.planned, documents.accounts
    company = chart.companies[planned.company_code]
    currencies = {**company.currencies, planned.currency: closed_on(planned.posting_date)}
    companies = {company.code: replace(company, currencies=currencies)}
    return replace(documents, accounts=Accounts(chart.version, chart.fingerprint, companies))


def without_tax_code(documents: Documents, entry: Entry) -> Documents:
    """As ERP was when it said that a tax code was missing."""
    taxes = documents.tax_codes
    rows = [replace(row, span=span) for row in taxes.rows for span in closed_on(entry.planned.posting_date)]
    return replace(documents, tax_codes=replace(taxes, rows=tuple(rows)))


_AS_ERP_WAS: Mapping[str, tuple[str, Callable[[Documents, Entry], Documents]]] = {
    "Currency not maintained": ("CURRENCY_NOT_MAINTAINED", without_currency),
    "Tax code missing": ("TAX_CODE_MISSING", without_tax_code),
    "Posting period closed": ("PERIOD_CLOSED", lambda documents, _: documents),
}


def test_what_erp_rejected_would_have_been_blocked_before_with_the_same_reason(
    engine: Engine, entries: Sequence[Entry]
) -> None:
    rejected = [each for each in entries if each.status == "rejected"]
    shipped = load_documents()
    assert {each.reason for each in rejected} == set(_AS_ERP_WAS)
    assert [each.reasons for each in judged(engine, rejected)] == [()] * len(rejected), (
        "nothing else is wrong with them"
    )
    with unit_of_work(engine, lambda: _NOW, "test") as work:
        for month in {each.planned.month for each in rejected if each.reason == "Posting period closed"}:
            closing.review(work, closing.insert(work, month, (), "ines", ""), "noor", "")

    for each in rejected:
        code, as_erp_was = _AS_ERP_WAS[str(each.reason)]
        (found,) = judged(engine, [each], as_erp_was(shipped, each))
        assert told(found) == {code}, each

    # What ERP took on other days is not held up by the same documents.
    for each in (one for one in rejected if one.reason != "Posting period closed"):
        documents = _AS_ERP_WAS[str(each.reason)][1](shipped, each)
        others = [
            one for one in entries if one.planned.posting_date != each.planned.posting_date and one.status == "posted"
        ]
        held = {code for found in judged(engine, others, documents) for code in told(found)}
        assert not held & {"CURRENCY_NOT_MAINTAINED", "TAX_CODE_MISSING"}


def test_a_partner_that_erp_blocks_is_blocked_here(engine: Engine, entries: Sequence[Entry]) -> None:
    entry = next(each for each, found in zip(entries, judged(engine, entries), strict=True) if found.passes)
    (before,) = judged(engine, [entry])
    with engine.begin() as connection:
        connection.execute(
            text(
                "update golden set values = values || '{\"blocked\": true}' where entity_id = :id and known_to is null"
            ),
            {"id": before.customer},
        )

    (after,) = judged(engine, [entry])

    assert (told(before), told(after)) == (set(), {"PARTNER_BLOCKED"})
