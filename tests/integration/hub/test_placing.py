"""The hub keeps in step where golden records belong, whatever changes them."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role, Scope, read_scope
from mdm.clock import system_clock
from mdm.core.placing import PlacementPlan, read_plan, shipped_plan
from mdm.errors import ConfigurationInvalid
from mdm.hub import steward
from mdm.hub.placing import place_everything
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import EntityId
from mdm.model.stewardship import Merge, Pin
from mdm.store.scoped import scoped
from tests.integration.hub.conftest import Feed, world_messages

TABLES = ("crm.public.account", "crm.public.product2", "crm.public.contract", "billing.public.customer",
          "erp.public.business_partner", "billing.public.subscription")  # fmt: skip
MAUD = Actor("maud", Role.STEWARD)


@pytest.fixture
def fed(feed: Feed) -> None:
    feed([message for message in world_messages() if message.place.topic in TABLES])


Placed = dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]


def placed(engine: Engine) -> Placed:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select entity_id, domain, regions, business_units, legal_entities from placement")
        )
        return {row[0]: (row[1], *(tuple(sorted(part)) for part in row[2:])) for row in rows}


def anew(engine: Engine, plan: PlacementPlan) -> Placed:
    """Where everything belongs, worked out from nothing."""
    with engine.begin() as connection:
        connection.execute(text("delete from placement"))
    place_everything(engine, system_clock, plan, "tester")
    return placed(engine)


@pytest.mark.usefixtures("fed")
def test_what_was_placed_step_by_step_is_what_would_be_placed_anew(engine: Engine) -> None:
    step_by_step = placed(engine)
    with engine.connect() as connection:
        golden = set(connection.scalars(text("select entity_id from golden where known_to is null")))
    current = {id_: each for id_, each in step_by_step.items() if id_ in golden}

    assert current.keys() == golden, "every golden record belongs somewhere"
    assert {id_: each for id_, each in anew(engine, shipped_plan()).items() if id_ in golden} == current
    contracts = [each for each in current.values() if each[0] == "contract"]
    assert any(each[1] != ("unassigned",) for each in contracts)
    assert {each[1] for each in current.values() if each[0] == "product"} == {("*",)}


@pytest.mark.usefixtures("fed")
def test_contracts_follow_their_customer_to_another_region(engine: Engine, pipeline: Pipeline) -> None:
    with engine.connect() as connection:
        contract, customer, country = connection.execute(
            text(
                """select c.entity_id, x.entity_id, g."values"->>'country'
                   from golden c
                   join source_record r on r.system = c."values"->'customer'->>'system'
                     and r.type = c."values"->'customer'->>'type' and r.key = c."values"->'customer'->>'key'
                   join crosswalk x using (rec_id) join golden g on g.entity_id = x.entity_id and g.known_to is null
                   where c.domain = 'contract' and c.known_to is null and g."values"->>'country' in ('DE', 'NL', 'FR')
                   order by 1 limit 1"""
            )
        ).one()
    before = placed(engine)[contract][1]

    decided = steward.decide(pipeline, MAUD, Pin(EntityId(customer), "country", "US", reason="moved its seat"))
    if not decided.done:  # policy wants a second person
        assert decided.proposal_id is not None
        steward.approve(pipeline, Actor("noor", Role.ADMIN), decided.proposal_id)

    assert (before, country) == (("EMEA",), country)
    assert placed(engine)[customer][1] == ("AMER",)
    assert placed(engine)[contract][1] == ("AMER",)


@pytest.mark.usefixtures("fed")
def test_contracts_follow_their_customer_into_a_merger(engine: Engine, pipeline: Pipeline) -> None:
    with engine.connect() as connection:
        contract, customer = connection.execute(
            text(
                """select c.entity_id, x.entity_id from golden c
                   join source_record r on r.system = c."values"->'customer'->>'system'
                     and r.type = c."values"->'customer'->>'type' and r.key = c."values"->'customer'->>'key'
                   join crosswalk x using (rec_id) join placement p on p.entity_id = x.entity_id
                   where c.domain = 'contract' and c.known_to is null and p.regions = '{EMEA}' order by 1 limit 1"""
            )
        ).one()
        older = connection.execute(
            text(
                """select e.entity_id from entity e join placement p using (entity_id)
                   join source_record f on f.rec_id = e.founder
                   where e.domain = 'customer' and e.status = 'active' and p.regions = '{AMER}' and e.entity_id <> :own
                   order by e.founded_at, f.key limit 1"""
            ),
            {"own": customer},
        ).scalar_one()

    decided = steward.decide(pipeline, MAUD, Merge((EntityId(older), EntityId(customer)), reason="one company"))
    if not decided.done:
        assert decided.proposal_id is not None
        steward.approve(pipeline, Actor("noor", Role.ADMIN), decided.proposal_id)

    after = placed(engine)
    with engine.connect() as connection:
        survivor = connection.scalar(
            text("select coalesce(merged_into, entity_id) from entity where entity_id = :id"), {"id": customer}
        )
    assert after[contract][1] == after[str(survivor)][1]
    assert anew(engine, shipped_plan())[contract] == after[contract]


@pytest.mark.usefixtures("fed")
def test_row_security_holds_on_a_hub_that_ingested_the_world(engine: Engine) -> None:
    """The policies over real rows: every golden record is reached from exactly the regions that it is placed in."""
    where = placed(engine)
    for region in ("EMEA", "AMER", "APAC", "unassigned"):
        with scoped(engine, Scope(regions=frozenset({region}))).connect() as connection:
            seen = set(connection.scalars(text("select entity_id from golden where known_to is null")))
            rows = connection.scalar(
                text("select count(*) from source_record where not deleted and domain is not null")
            )
            members = connection.scalar(text("select count(*) from crosswalk"))
        assert seen
        assert all({region, "*"} & set(where[id_][1]) for id_ in seen)
        assert rows == members


def test_a_plan_of_ones_own_decides(tmp_path: Path) -> None:
    file = tmp_path / "placement.yaml"
    file.write_text("version: mine\nregions:\n  - attribute: country\nlegal_entities:\n  - attribute: currency\n")

    rules = load_rules(load_catalogue(None), placement=file)

    assert rules.placement.version == "mine"
    assert read_scope({"regions": ["NL"]}).regions == {"NL"}


@pytest.mark.parametrize(
    ("text_", "fault"),
    [
        ("regions: []", "lacks 'version'"),
        ("version: 1\nplanets: []", "planets is no dimension"),
        ("version: 1\nregions:\n  - attribute: colour", "no attribute colour"),
        ("version: 1\nregions:\n  - labels: {A: [b]}", "needs either"),
        ("version: 1\nregions:\n  - attribute: country\n    labels: {'no label!': [DE]}", "is no label"),
        ("version: 1\nregions: 7", "cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(text_: str, fault: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=fault):
        read_plan(text_, "plan")
