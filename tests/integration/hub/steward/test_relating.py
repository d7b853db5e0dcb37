"""Hierarchies by a steward's word, on the sample world: said, ended, undone, agreed to - and never in a circle."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from mdm.access import Role
from mdm.errors import Conflict, Invalid, NotFound, Refused
from mdm.hub import steward
from mdm.hub.steward import Actor
from mdm.model.hierarchy import RelationKind
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import EndRelation, Merge, Relate, Undo
from mdm.store.read_hierarchy import hierarchy_of
from mdm.store.read_lei import reported_parents
from mdm.store.read_models import current_golden
from mdm.store.read_tree import Hierarchy, TreeNode, hierarchy
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.comparing import assert_preview_comes_true
from tests.integration.hub.steward.conftest import ANNA, BEN, World

TODAY = datetime.now(UTC).date()
LONG_AGO = TODAY - timedelta(days=400)
LEGAL, BILL_TO = RelationKind.LEGAL_PARENT, RelationKind.BILL_TO


def customers(world: World, number: int) -> list[EntityId]:
    """Customers that neither have a parent nor are one."""
    rows = world.rows(
        """select g.entity_id from golden g join entity using (entity_id)
           join source_record f on f.rec_id = founder where g.domain = 'customer' and g.known_to is null
             and g."values"->'parent' is null
             and not exists (select 1 from crosswalk x join source_record r using (rec_id)
                             join record_reference f using (system, type, key)
                             where x.entity_id = g.entity_id and f.role = 'parent')
           order by f.key limit :number""",
        number=number,
    )
    return [EntityId(row[0]) for row in rows]


def child_and_parent(world: World) -> tuple[EntityId, EntityId]:
    """A customer whose golden record names a parent, and that parent."""
    for row in world.rows(
        """select g.entity_id from golden g join entity using (entity_id)
           join source_record f on f.rec_id = founder where g.domain = 'customer' and g.known_to is null
           and g."values"->'parent'->>'key' is not null order by 1"""
    ):
        parent = parent_of(world, EntityId(row[0]))
        if parent is not None and parent_of(world, parent) is None:
            return EntityId(row[0]), parent
    raise AssertionError("The sample world has no parents.")


def relate(world: World, child: EntityId, parent: EntityId | None, **more: Any) -> int:
    """Say who is the parent; returns the number of the relation."""
    asked = {"kind": LEGAL, "valid_from": LONG_AGO, "reason": "the register says so"} | more
    decide(world.pipeline, ANNA, Relate(child, parent=parent, **asked))
    return int(world.one("select max(relation_id) from customer_relation where ended_at is null"))


def tree(world: World, customer: EntityId, kind: RelationKind = LEGAL, day: date | None = None) -> Hierarchy:
    with world.pipeline.engine.connect() as connection:
        found = hierarchy(connection, customer, kind, day)
    assert found is not None
    return found


def parent_of(world: World, customer: EntityId, kind: RelationKind = LEGAL, day: date | None = None) -> EntityId | None:
    """The parent in the tree."""

    def look(node: TreeNode) -> EntityId | None:
        for each in node.children:
            if each.entity_id == customer:
                return node.entity_id
            if (found := look(each)) is not None:
                return found
        return None

    return look(tree(world, customer, kind, day).root)


def live(world: World) -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in world.rows(
            """select kind, child, parent, valid_from, valid_to, author, reason from customer_relation
               where ended_at is null order by 1, 2, 4"""
        )
    ]


def test_a_word_puts_a_customer_below_another_everywhere(world: World) -> None:
    child, parent = customers(world, 2)

    relate(world, child, parent)

    assert parent_of(world, child) == parent
    with world.pipeline.engine.connect() as connection:
        golden = current_golden(connection, Domain.CUSTOMER, parent)
        assert golden is not None
        below = hierarchy_of(connection, parent, golden.values, 1).below
        own = current_golden(connection, Domain.CUSTOMER, child)
        assert own is not None
        above = hierarchy_of(connection, child, own.values, 1).above
    assert [each.company.entity_id for each in below] == [child]
    assert [each.entity_id for each in above] == [parent]


def test_a_word_stands_in_for_what_platforms_state_on_its_days_only(world: World) -> None:
    child, stated = child_and_parent(world)
    (other,) = customers(world, 1)

    relate(world, child, other, valid_from=TODAY, valid_to=TODAY + timedelta(days=10))

    assert parent_of(world, child) == other
    assert parent_of(world, child, day=TODAY + timedelta(days=10)) == stated
    assert parent_of(world, child, day=TODAY - timedelta(days=1)) == stated
    assert child in tree(world, stated).overruled


def test_somebody_can_be_said_to_stand_alone(world: World) -> None:
    child, _ = child_and_parent(world)

    relate(world, child, None)

    assert parent_of(world, child) is None
    with pytest.raises(Invalid):
        relate(world, child, None, kind=BILL_TO)


def test_the_word_is_audited_and_undone_and_its_undoing_is_undone(world: World) -> None:
    child, first, second = customers(world, 3)
    relate(world, child, first)
    before = live(world)
    decided = decide(world.pipeline, BEN, Relate(child, LEGAL, second, TODAY, None, "bought by them"))
    after = live(world)
    assert [(row[2], row[3], row[4]) for row in after] == [(first, LONG_AGO, TODAY), (second, TODAY, None)]
    assert after[0][5:] == before[0][5:], "what is left of a word stays its author's"

    undone = decide(world.pipeline, BEN, Undo(decided.decision_id or 0, "a mistake"))

    assert live(world) == before
    decide(world.pipeline, BEN, Undo(undone.decision_id or 0))
    assert live(world) == after
    actions = [row[0] for row in world.rows("select action from audit where action like 'steward.%' order by seq")]
    assert actions == ["steward.relate", "steward.relate", "steward.undo", "steward.undo"]


def test_a_relation_ends_on_a_day_or_was_never_so(world: World) -> None:
    child, parent = customers(world, 2)
    number = relate(world, child, parent)

    decide(world.pipeline, ANNA, EndRelation(number, TODAY, "sold"))

    assert parent_of(world, child, day=TODAY) is None
    assert parent_of(world, child, day=TODAY - timedelta(days=1)) == parent
    (number,) = world.rows("select relation_id from customer_relation where ended_at is null")[0]
    decide(world.pipeline, ANNA, EndRelation(number, None, "it never was"))
    assert live(world) == []
    with pytest.raises(Conflict):
        decide(world.pipeline, ANNA, EndRelation(number))
    with pytest.raises(NotFound):
        decide(world.pipeline, ANNA, EndRelation(10**6))


@pytest.mark.parametrize("kind", list(RelationKind))
def test_no_circle_can_be_saved(world: World, kind: RelationKind) -> None:
    chain = customers(world, 4)
    for lower, upper in pairwise(chain):
        relate(world, lower, upper, kind=kind)
    before = live(world)

    for lower in chain[:-1]:
        with pytest.raises(Invalid, match="circle"):
            relate(world, chain[-1], lower, kind=kind)
    with pytest.raises(Invalid, match="its own parent"):
        relate(world, chain[0], chain[0], kind=kind)

    assert live(world) == before


def test_days_that_do_not_overlap_close_no_circle(world: World) -> None:
    a, b = customers(world, 2)
    relate(world, a, b, valid_to=TODAY)

    relate(world, b, a, valid_from=TODAY)

    assert (parent_of(world, a), parent_of(world, b)) == (None, a)
    with pytest.raises(Invalid, match="circle"):
        relate(world, b, a, valid_from=TODAY - timedelta(days=1))


def test_a_circle_through_what_platforms_state_is_refused_too(world: World) -> None:
    child, stated = child_and_parent(world)

    with pytest.raises(Invalid, match="circle"):
        relate(world, stated, child)

    number = relate(world, child, None)
    relate(world, stated, child)
    with pytest.raises(Invalid, match="platforms"):
        decide(world.pipeline, ANNA, EndRelation(number))


def test_an_undo_that_would_close_a_circle_is_refused(world: World) -> None:
    a, b = customers(world, 2)
    number = relate(world, a, b)
    ended = decide(world.pipeline, ANNA, EndRelation(number))
    relate(world, b, a)

    with pytest.raises(Invalid, match="circle"):
        decide(world.pipeline, ANNA, Undo(ended.decision_id or 0))


def test_a_word_follows_customers_into_a_merge_and_out_of_it(world: World) -> None:
    child, parent, other = customers(world, 3)
    relate(world, child, parent)

    merged = decide(world.pipeline, ANNA, Merge((other, parent), reason="one company", supersede=True))
    survivor = EntityId(
        world.one("select coalesce(merged_into, entity_id) from entity where entity_id = :id", id=parent)
    )
    assert parent_of(world, child) == survivor

    decide(world.pipeline, ANNA, Undo(merged.decision_id or 0))
    assert parent_of(world, child) == parent


def test_who_is_billed_needs_a_second_person_and_the_first_may_not_be_the_second(world: World) -> None:
    child, parent = customers(world, 2)
    asked = Relate(child, BILL_TO, parent, TODAY, None, "the group pays")

    proposed = steward.decide(world.pipeline, ANNA, asked)

    assert (proposed.done, proposed.demands) == (False, ("invoices-to-another",))
    assert live(world) == []
    shown = steward.preview_proposal(world.pipeline, BEN, proposed.proposal_id or 0)
    assert [(each.fate, each.child, each.parent) for each in shown.effect.relations] == [("begins", child, parent)]
    with pytest.raises(Refused):
        steward.approve(world.pipeline, ANNA, proposed.proposal_id or 0)
    steward.approve(world.pipeline, BEN, proposed.proposal_id or 0, digest=shown.digest)
    assert parent_of(world, child, BILL_TO) == parent
    assert parent_of(world, child) is None


def test_a_preview_comes_true(world: World) -> None:
    child, first, second = customers(world, 3)
    relate(world, child, first)

    assert_preview_comes_true(world, Relate(child, LEGAL, second, TODAY, None, "bought"))


def test_only_customers_that_are_there_have_hierarchies(world: World) -> None:
    (child,) = customers(world, 1)
    contract = EntityId(
        world.one("select entity_id from entity where domain = 'contract' and status = 'active' limit 1")
    )

    for parent, error in ((contract, Invalid), (EntityId("cus_nobody"), NotFound)):
        with pytest.raises(error):
            relate(world, child, parent)
    with pytest.raises(Invalid, match="reason"):
        relate(world, child, customers(world, 2)[1], reason=" ")
    with pytest.raises(Invalid, match="end before"):
        relate(world, child, customers(world, 2)[1], valid_to=LONG_AGO)
    with pytest.raises(Refused):
        decide(world.pipeline, Actor("erp", Role.ERP), Relate(child, LEGAL, None, TODAY, None, "x"))


def test_what_gleif_reports_is_shown_beside_it(world: World) -> None:
    # Of customers with one number that nobody else has: ids are drawn, and the first ones may have two.
    row = world.rows(
        """with stated as (
               select g.entity_id, i->>'normal' as lei, count(*) over (partition by g.entity_id) as own,
                      count(*) over (partition by i->>'normal') as holders
               from golden g, jsonb_array_elements(g."values"->'identifiers') i
               where g.known_to is null and g.domain = 'customer' and i->>'type' = 'lei')
           select entity_id, lei from stated where own = 1 and holders = 1 order by 1 limit 2"""
    )
    (child, lei), (parent, parent_lei) = row
    with world.pipeline.engine.begin() as connection:
        connection.exec_driver_sql(
            """insert into gleif_entity (lei, name, status, entity_status, direct_parent)
               values (%s, 'Child', 'ISSUED', 'ACTIVE', %s), (%s, 'Parent', 'ISSUED', 'ACTIVE', null)""",
            (lei, parent_lei, parent_lei),
        )
        found = reported_parents(connection, [EntityId(child), EntityId(parent)])

    assert (found[child].parent, found[child].parent_name) == (parent, "Parent")
    assert found[parent].parent_lei is None
