"""A company moves in one platform, another one has the old address: in whatever order that comes, they are one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import permutations
from pathlib import Path
from shutil import copytree
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.errors import ConfigurationInvalid, Invalid
from mdm.hub import releases
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.release import load_rules, must_agree
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.events import Message, Place
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind
from mdm.store.releases import asking, texts
from mdm.store.said import rows_that_said_else
from mdm.store.unit_of_work import unit_of_work
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.releases.conftest import ANNA, BEN, CLARA

ACCOUNT: dict[str, Any] = {
    "id": "001000000000000001", "name": "Nordlicht Optik GmbH", "phone": None, "website": None, "vat_number__c": None,
    "duns_number": None, "billing_street": "Hauptstr. 1", "billing_postal_code": "70173", "billing_city": "Stuttgart",
    "billing_state": None, "billing_country": "Germany", "parent_id": None, "master_record_id": None,
}  # fmt: skip
MOVED = {**ACCOUNT, "billing_street": "Hafenweg 7", "billing_postal_code": "20457", "billing_city": "Hamburg"}
CUSTOMER: dict[str, Any] = {
    "id": "cus_1", "name": "Nordlicht Optik GmbH", "email": None, "phone": None, "tax_id": None, "tax_id_type": None,
    "address_line1": "Hauptstrasse 1", "address_line2": None, "address_postal_code": "70173",
    "address_city": "Stuttgart", "address_state": None, "address_country": "DE", "metadata": "{}",
}  # fmt: skip


def said(topic: str, at: int, op: str, row: dict[str, Any], *header: str) -> Message:
    """A change of the row with this id; `header` is the name and value of the other half of a primary-key change."""
    like = next(each for each in world_messages() if each.place.topic == topic and each.value is not None)
    lsn, value = 10**9 + 10 * at, orjson.loads(like.value or b"{}")
    whole = {**value["after"], **row}
    value.update(op=op, before=whole if op == "d" else None, after=None if op == "d" else whole)
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn - 5}","{lsn}"]', "snapshot": "false"}
    named = orjson.loads(like.key or b"{}")
    (named.get("payload") or named)["id"] = row["id"]
    headers = ((f"__debezium.{header[0]}", orjson.dumps({"id": header[1]})),) if header else ()
    return replace(
        like,
        place=Place(topic, 9, at),
        key=orjson.dumps(named),
        value=orjson.dumps(value),
        headers=(*like.headers, *headers),
    )


def account(at: int, op: str, row: dict[str, Any], *header: str) -> Message:
    return said("crm.public.account", at, op, row, *header)


BORN = said("crm.public.account", 1, "c", ACCOUNT)
MOVES = said("crm.public.account", 2, "u", MOVED)
AGAIN = said("crm.public.account", 3, "u", {**MOVED, "employees": 12})
STALE = said("billing.public.customer", 4, "c", CUSTOMER)


@pytest.fixture
def take(new_engine: Callable[[], Engine], catalogue: Catalogue) -> Callable[[Sequence[Sequence[Message]]], Pipeline]:
    """A new hub that took in these batches."""

    def taken(batches: Sequence[Sequence[Message]]) -> Pipeline:
        pipeline = Pipeline(new_engine(), system_clock, catalogue, load_rules(catalogue))
        for batch in batches:
            process(pipeline, "test", batch)
        return pipeline

    return taken


Take = Callable[[Sequence[Sequence[Message]]], Pipeline]


def customers(pipeline: Pipeline) -> int:
    with pipeline.engine.connect() as connection:
        return connection.execute(
            text("select count(*) from golden where domain = 'customer' and known_to is null")
        ).scalar_one()


def test_where_a_company_was_joins_it_with_who_knows_only_that(take: Take) -> None:
    assert customers(take([[MOVES, STALE]])) == 2, "the two addresses alone speak against it"
    assert customers(take([[BORN], [MOVES], [STALE]])) == 1


def test_late_doubled_and_together_ends_in_the_same(take: Take, catalogue: Catalogue) -> None:
    digests = set()
    orders = [[[each] for each in order] for order in permutations([BORN, MOVES, AGAIN, STALE])][::5]
    for batches in [*orders, [[STALE, AGAIN, MOVES, BORN]], [[MOVES, STALE], [BORN, AGAIN], [BORN]]]:
        pipeline = take(batches)
        assert verify(pipeline.engine, catalogue, pipeline.rules).differences == ()
        digests.add(state_digest(pipeline.engine).state)

    assert len(digests) == 1


def test_history_is_asked_only_of_rows_that_said_something_else(take: Take) -> None:
    pipeline = take([[BORN, STALE], [AGAIN]])
    columns = ("billing_street", "billing_city")
    with pipeline.engine.connect() as connection:
        (rec,) = connection.scalars(text("select rec_id from source_record where type = 'account'"))
    with unit_of_work(pipeline.engine, pipeline.clock, "test") as work:
        assert rows_that_said_else(work, {rec: MOVED}, columns) == {rec}
        assert rows_that_said_else(work, {rec: ACCOUNT}, ("name",)) == frozenset()
        assert rows_that_said_else(work, {rec: {"employees": 12.0}}, ("employees",)) == {rec}, "12 is written otherwise"
        assert rows_that_said_else(work, {rec: {**MOVED, "never": 1}}, ("never",)) == {rec}


OTHER = {**ACCOUNT, "name": "Suedwind Reederei AG", "billing_street": "Elbchaussee 99",
         "billing_postal_code": "22763", "billing_city": "Hamburg"}  # fmt: skip
BAKER = {**OTHER, "name": "Baeckerei Hinkel GmbH", "billing_street": "Am Markt 3", "billing_postal_code": "80331",
         "billing_city": "Muenchen"}  # fmt: skip
SECOND = "001000000000000002"


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(
            [
                account(1, "c", ACCOUNT),
                account(2, "d", ACCOUNT, "newkey", SECOND),
                account(3, "c", {**ACCOUNT, "id": SECOND}, "oldkey", ACCOUNT["id"]),
                account(4, "c", OTHER),
            ],
            id="the key is given to another company",
        ),
        pytest.param(
            [account(1, "c", ACCOUNT), account(2, "d", ACCOUNT), account(3, "c", OTHER), STALE],
            id="the row is deleted and made again for another company",
        ),
        pytest.param(
            [
                account(1, "c", ACCOUNT),
                account(2, "c", {**ACCOUNT, "id": SECOND}),
                account(3, "u", {**OTHER, "id": SECOND}),
            ],
            id="a copy is changed into another company",
        ),
        pytest.param(
            [
                account(1, "c", ACCOUNT),
                account(2, "u", OTHER),
                account(3, "c", {**ACCOUNT, "id": SECOND}),
                account(4, "u", {**BAKER, "id": SECOND}),
            ],
            id="two are made from one template",
        ),
        pytest.param(
            [account(1, "c", ACCOUNT), account(2, "u", OTHER), STALE], id="the row is given to another company"
        ),
    ],
)
def test_two_companies_stay_two_whatever_their_rows_said_before(
    take: Take, catalogue: Catalogue, story: list[Message]
) -> None:
    for batches in ([story], [[each] for each in story], [[each] for each in reversed(story)]):
        pipeline = take(batches)
        assert customers(pipeline) == 2
        assert verify(pipeline.engine, catalogue, pipeline.rules).differences == ()


def sources_where(tmp_path: Path, table: str, former: str) -> Catalogue:
    """The shipped platforms, with this line in the mapping of one table in the place of its own `former`."""
    copied = tmp_path / "sources"
    copytree(str(files("mdm.intake") / "sources"), copied)
    mapping = copied / f"{table}.yaml"
    lines = [line for line in mapping.read_text().splitlines() if not line.startswith("former:")]
    mapping.write_text("\n".join([*lines, former, ""]))
    return load_catalogue(copied)


def test_a_mapping_that_takes_witness_later_holds_for_what_was_there_before_after_a_rebuild(
    take: Take, catalogue: Catalogue, tmp_path: Path
) -> None:
    without = sources_where(tmp_path, "crm/account", "")
    pipeline = replace(take([]), catalogue=without)
    process(pipeline, "test", [BORN])
    process(pipeline, "test", [MOVES, STALE])
    assert (customers(pipeline), verify(pipeline.engine, without, pipeline.rules).advice) == (2, None)

    found = verify(pipeline.engine, catalogue, pipeline.rules)
    assert not found.agrees
    assert "`mdm rebuild`" in (found.advice or "")
    changed = replace(pipeline, catalogue=catalogue)
    rebuild(changed, "tester", swap=True, settle=0)

    assert customers(changed) == 1
    assert verify(changed.engine, catalogue, changed.rules).differences == ()


def test_what_a_platform_that_reads_the_hub_said_before_bears_no_witness(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="erp reads the hub") as refused:
        load_rules(sources_where(tmp_path, "erp/business_partner", "former: [name]"))
    assert "`former`" in refused.value.advice


ERP_ECHOES = "echoes: [erp]"


def release_of(pipeline: Pipeline) -> Release:
    """A draft of the customer rules: what ERP repeats is news to the hub."""
    with pipeline.engine.connect() as connection:
        document = releases.document_in_force(asking(connection), pipeline, RuleKind.SURVIVORSHIP, Domain.CUSTOMER)
    assert ERP_ECHOES in document
    freed = document.replace(ERP_ECHOES, "echoes: [billing]")
    return releases.draft(pipeline, ANNA, RuleKind.SURVIVORSHIP, Domain.CUSTOMER, "Billing reads the hub", freed)


def text_of(pipeline: Pipeline, release: Release) -> str:
    with pipeline.engine.connect() as connection:
        return texts(asking(connection), release.release_id)[0]


def test_no_release_makes_an_echo_of_a_platform_that_bears_witness(
    take: Take, catalogue: Catalogue, tmp_path: Path
) -> None:
    pipeline = take([[BORN]])
    refused = pytest.raises(Invalid, match=r"billing\.customer says .* billing reads the hub")
    with refused as told:
        release_of(pipeline)
    assert "`former`" in told.value.advice

    # Where the mapping did not say so at first, and does at each later step.
    silent = sources_where(tmp_path, "billing/customer", "")
    before = replace(pipeline, catalogue=silent, rules=load_rules(silent))
    drafted = release_of(before)
    with refused:
        releases.change(pipeline, ANNA, drafted.release_id, "Billing reads", text_of(before, drafted) + "# x")
    with refused:
        releases.simulate(pipeline, ANNA, drafted.release_id)
    releases.simulate(before, ANNA, drafted.release_id)
    with refused:
        releases.approve(pipeline, BEN, drafted.release_id)
    releases.approve(before, BEN, drafted.release_id)
    with refused:
        releases.activate(pipeline, CLARA, drafted.release_id)
    releases.activate(before, CLARA, drafted.release_id)

    must_agree(releases.in_force_now(before.engine, before.rules))
    with pytest.raises(ConfigurationInvalid, match="billing reads the hub"):
        must_agree(releases.in_force_now(pipeline.engine, pipeline.rules))
