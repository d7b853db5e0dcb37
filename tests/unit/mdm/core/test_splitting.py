"""What hangs on a record inside its entity."""

from datetime import UTC, datetime

from mdm.core.splitting import strongest_tree, subtree
from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.neighbourhood import LiveLink, Neighbourhood
from mdm.model.records import Provenance, StoredRecord

A, B, C, D = map(RecordId, range(1, 5))
NOON = datetime(2025, 6, 1, tzinfo=UTC)


def hood(*links: tuple[RecordId, RecordId, float], same: tuple[tuple[RecordId, RecordId], ...] = ()) -> Neighbourhood:
    return Neighbourhood(
        Domain.CUSTOMER,
        {
            rec: StoredRecord(
                rec, CrosswalkKey("crm", "account", str(rec)), Domain.CUSTOMER, {}, {},
                Provenance(Place("crm.public.account", 0, rec), SourcePosition(rec, rec, 0, 1), NOON),
            )
            for rec in (A, B, C, D)
        },
        links=[LiveLink(number, a, b, "match", weight, None) for number, (a, b, weight) in enumerate(links)],
        same=frozenset(map(frozenset, same)),
    )  # fmt: skip


def test_the_tree_takes_the_strongest_links() -> None:
    found = strongest_tree(hood((A, B, 9.0), (B, C, 8.0), (A, C, 3.0)), {A, B, C}, A)

    assert found == {B: A, C: B}


def test_a_verdict_is_stronger_than_any_match() -> None:
    found = strongest_tree(hood((A, B, 9.0), (B, C, 80.0), same=((A, C),)), {A, B, C}, A)

    assert found == {C: A, B: C}


def test_what_hangs_on_a_record_only_goes_along_and_the_rest_stays() -> None:
    chain = hood((A, B, 9.0), (B, C, 8.0), (A, D, 7.0))

    assert subtree(chain, {A, B, C, D}, A, {B}) == {B, C}
    assert subtree(chain, {A, B, C, D}, A, {C}) == {C}
    assert subtree(chain, {A, B, C, D}, A, {B, D}) == {B, C, D}
