"""A platform gives a customer number, or a tax number, to another company: noticed in whatever order that comes."""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.errors import Conflict
from mdm.hub import erase, identifiers, recycling
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.release import load_rules
from mdm.hub.steward import NO_POLICY, decide
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.events import Message
from mdm.model.ids import CrosswalkKey
from mdm.model.mirror import Version
from mdm.model.stewardship import JudgePair, Verdict
from mdm.store.mirror import histories_of
from mdm.store.unit_of_work import UnitOfWork
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.releases.conftest import ANNA
from tests.integration.hub.test_former import ACCOUNT, CUSTOMER, said

Take = Callable[[Sequence[Sequence[Message]]], Pipeline]

ALPHA: dict[str, Any] = {**ACCOUNT, "phone": "+49 711 2155560", "website": "nordlicht-optik.de"}
BETA: dict[str, Any] = {
    **ACCOUNT, "name": "Verlagshaus Bremer Stern KG", "phone": "+49 421 3610", "website": "bremerstern.de",
    "billing_street": "Am Wall 99", "billing_postal_code": "28195", "billing_city": "Bremen",
}  # fmt: skip
KEY = "crm:account:001000000000000001"
VAT = "DE811128135"


def account(at: int, op: str, row: dict[str, Any]) -> Message:
    return said("crm.public.account", at, op, row)


@pytest.fixture
def take(new_engine: Callable[[], Engine], catalogue: Catalogue) -> Take:
    """A new hub that took in these batches."""

    def taken(batches: Sequence[Sequence[Message]]) -> Pipeline:
        pipeline = Pipeline(new_engine(), system_clock, catalogue, load_rules(catalogue))
        for batch in batches:
            process(pipeline, "test", batch)
        return pipeline

    return taken


def recycled(pipeline: Pipeline) -> list[tuple[str, list[Any]]]:
    with pipeline.engine.connect() as connection:
        rows = connection.execute(text("select identifier, holders from recycled_identifier order by 1"))
        return [(row[0], [each[0] for each in row[1]]) for row in rows]


def agrees(pipeline: Pipeline) -> None:
    found = verify(pipeline.engine, pipeline.catalogue, pipeline.rules)
    assert found.differences == ()


def test_a_key_that_goes_to_another_company_is_noticed_and_told_to_its_owner(take: Take) -> None:
    pipeline = take([[account(1, "c", ALPHA)], [account(2, "u", BETA)]])

    assert recycled(pipeline) == [(KEY, [[KEY], [KEY]])]
    with pipeline.engine.connect() as connection:
        [row] = connection.execute(text("select code, status, owner, detail from exception where kind = 'recycled'"))
    assert (row.code, row.status) == ("IDENTIFIER_RECYCLED", "open")
    assert row.owner == pipeline.catalogue.profile("crm", "account").owner
    assert KEY in row.detail
    assert "Nordlicht" not in row.detail
    agrees(pipeline)


@pytest.mark.parametrize(
    "then",
    [
        {**ALPHA, "name": "Optik Nord AG"},
        {**ALPHA, "billing_street": "Hafenweg 7", "billing_postal_code": "20457", "billing_city": "Hamburg"},
        {**BETA, "phone": ALPHA["phone"]},
        {**BETA, "website": ALPHA["website"]},
        {**BETA, "name": "Nordlicht Brillen GmbH"},
    ],
    ids=["renamed", "moved", "kept its phone", "kept its domain", "kept a word of its name"],
)
def test_a_company_that_keeps_something_of_its_own_is_one(take: Take, then: dict[str, Any]) -> None:
    assert recycled(take([[account(1, "c", ALPHA)], [account(2, "u", then)]])) == []


def test_what_is_put_right_again_was_a_slip(take: Take) -> None:
    batches = [[account(1, "c", ALPHA)], [account(2, "u", BETA)], [account(3, "u", ALPHA)]]

    assert recycled(take(batches[:2])) != []
    pipeline = take(batches)
    assert recycled(pipeline) == []
    with pipeline.engine.connect() as connection:
        assert connection.scalar(text("select closed_by from exception where kind = 'recycled'")) == "hub"
    agrees(pipeline)


def test_of_rows_that_never_said_anything_else_no_history_is_read(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[set[CrosswalkKey]] = []

    def noted(work: UnitOfWork, keys: set[CrosswalkKey]) -> dict[CrosswalkKey, list[Version]]:
        read.append(keys)
        return histories_of(work, keys)

    monkeypatch.setattr(recycling, "histories_of", noted)
    other = {**BETA, "id": "001000000000000002", "vat_number__c": VAT}
    pipeline = take([[account(1, "c", {**ALPHA, "vat_number__c": VAT})], [account(2, "c", other)]])
    assert not any(read)

    process(pipeline, "test", [account(3, "d", {**ALPHA, "vat_number__c": VAT})])
    assert {key.key for keys in read for key in keys} == {"001000000000000001", "001000000000000002"}
    agrees(pipeline)


def test_a_number_that_goes_to_another_row_is_noticed_in_any_order(take: Take) -> None:
    story = [
        account(1, "c", {**ALPHA, "vat_number__c": VAT}),
        account(2, "d", {**ALPHA, "vat_number__c": VAT}),
        account(3, "c", {**BETA, "id": "001000000000000002", "vat_number__c": VAT}),
    ]
    digests = set()
    for order in permutations(story):
        pipeline = take([[each] for each in order])
        assert recycled(pipeline) == [("vat:de:de811128135", [[KEY], ["crm:account:001000000000000002"]])]
        agrees(pipeline)
        digests.add(state_digest(pipeline.engine).state)
    assert len(digests) == 1


def test_a_number_that_two_rows_have_at_one_time_is_shared_and_not_recycled(take: Take) -> None:
    pipeline = take(
        [
            [account(1, "c", {**ALPHA, "vat_number__c": VAT})],
            [account(2, "c", {**BETA, "id": "001000000000000002", "vat_number__c": VAT})],
        ]
    )
    assert recycled(pipeline) == []


def links_of(pipeline: Pipeline, system: str) -> list[tuple[str, str]]:
    with pipeline.engine.connect() as connection:
        rows = connection.execute(
            text(
                """select p.key, q.key from link l join source_record p on p.rec_id = l.a
                   join source_record q on q.rec_id = l.b
                   where l.superseded_at is null and :system in (p.system, q.system) order by 1, 2"""
            ),
            {"system": system},
        )
        return [(min(row), max(row)) for row in rows]


BILLED = said("billing.public.customer", 4, "c", {**CUSTOMER, "tax_id": VAT, "tax_id_type": "eu_vat"})
GIVEN = [
    account(1, "c", {**ALPHA, "vat_number__c": VAT}),
    account(2, "d", {**ALPHA, "vat_number__c": VAT}),
    account(3, "c", {**BETA, "id": "001000000000000002", "vat_number__c": VAT}),
]


def test_a_recycled_number_is_no_evidence_until_somebody_says_that_it_is_one_company(take: Take) -> None:
    for batches in ([[BILLED], [GIVEN[0]], GIVEN[1:]], [[each] for each in [GIVEN[2], BILLED, GIVEN[1], GIVEN[0]]]):
        pipeline = take(batches)
        assert links_of(pipeline, "billing") == [], "the number joins or asks"
        agrees(pipeline)

    [told] = identifiers.told(pipeline)
    assert [each.name for each in told.holders] == ["Nordlicht Optik GmbH", "Verlagshaus Bremer Stern KG"]
    assert told.noted.exception_id is not None
    identifiers.keep(pipeline, told.noted.exception_id, "renamed and moved", "ada")
    assert links_of(pipeline, "billing") == [("001000000000000002", "cus_1")]
    agrees(pipeline)
    with pytest.raises(Conflict):
        identifiers.keep(pipeline, told.noted.exception_id, "again", "ada")
    identifiers.demote(pipeline, told.noted.exception_id, "no, another one", "ben")
    assert links_of(pipeline, "billing") == []
    agrees(pipeline)


def test_without_the_rule_the_number_would_have_asked(take: Take) -> None:
    """What the test above rests on: two rows that have it at one time are a question."""
    assert links_of(take([[BILLED], GIVEN[2:]]), "billing") == [("001000000000000002", "cus_1")]


def test_what_stewards_built_on_a_key_is_proposed_to_be_taken_back(take: Take) -> None:
    billed = said("billing.public.customer", 4, "c", {**CUSTOMER, "name": "NLO Vertrieb"})
    pipeline = take([[account(1, "c", ALPHA)], [billed]])
    crm, billing = CrosswalkKey("crm", "account", ACCOUNT["id"]), CrosswalkKey("billing", "customer", "cus_1")
    decided = decide(pipeline, ANNA, JudgePair(crm, billing, Verdict.SAME, "their brand"), policy=NO_POLICY)
    process(pipeline, "test", [account(5, "u", BETA)])

    [told] = identifiers.told(pipeline)
    decisions = [each for each in told.take_back if each.kind == "decision"]
    assert [(each.decision_id, each.reason) for each in decisions] == [(decided.decision_id, "their brand")]


def test_rebuilding_and_another_order_come_to_the_same(take: Take) -> None:
    pipeline = take([[BILLED], GIVEN, [account(5, "c", ALPHA)], [account(6, "u", BETA)]])
    before = recycled(pipeline)
    assert len(before) == 2

    assert rebuild(pipeline, "test", swap=True, settle=0).differences == ()
    assert recycled(pipeline) == before
    agrees(pipeline)


def test_erasing_the_first_holder_leaves_no_word_of_the_number(take: Take) -> None:
    pipeline = take([[BILLED], GIVEN])
    row = CrosswalkKey("crm", "account", ACCOUNT["id"])
    asked = erase.request(pipeline.engine, system_clock, None, [row], {}, "ines", "request of the person")
    erase.carry_out(pipeline, asked.erasure_id, "otto")

    assert recycled(pipeline) == []
    with pipeline.engine.connect() as connection:
        assert (
            connection.scalar(text("select count(*) from exception where kind = 'recycled' and status = 'open'")) == 0
        )
    agrees(pipeline)


#: Whose keys the sample world gives to another company: reused in ERP, overwritten in the CRM, and one that the
#: successor of a company took over.
GIVEN_AWAY = {
    "crm:account:0015g7VyUGCKyKbA0L", "crm:account:0015gCuPSdfdPrHANU", "crm:account:0015gLVABFDNfiJA5T",
    "erp:business_partner:0001000016", "erp:business_partner:0001000219", "erp:business_partner:0001000315",
    "erp:business_partner:0001000342",
}  # fmt: skip


@pytest.mark.sample_world
def test_the_keys_that_the_sample_world_gives_away_are_found_and_no_others(feed: Feed, pipeline: Pipeline) -> None:
    """Its companies are renamed, move, merge and are typed badly beside that."""
    feed(world_messages())

    assert {identifier for identifier, _ in recycled(pipeline)} == GIVEN_AWAY
