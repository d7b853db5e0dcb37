"""Pinned values: they hold, remember what they overruled, are challenged, expire, and can be cleared."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from mdm.access import Role
from mdm.errors import Conflict, Invalid, NotFound, Refused
from mdm.hub.process import process
from mdm.hub.steward import Actor
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Clear, Command, Confirm, JudgeTask, Merge, Pin, Restore, Split, Verdict
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.steward.alone import decide, undo_last
from tests.integration.hub.steward.comparing import assert_preview_comes_true
from tests.integration.hub.steward.conftest import ANNA, BEN, World
from tests.integration.hub.steward.test_undoing import picture

NAME = "Pinned & Sons Ltd"


def pinned(world: World, entity_id: str, attribute: str = "name", value: Any = NAME) -> int:
    """Pin a value; returns the override's id."""
    decide(world.pipeline, ANNA, Pin(EntityId(entity_id), attribute, value, reason="the register says so"))
    return int(world.one("select max(override_id) from golden_override where ended_at is null"))


def lineage(world: World, entity_id: str, attribute: str = "name") -> dict[str, Any]:
    return dict(
        world.one(
            "select lineage->:attribute from golden where entity_id = :id and known_to is null",
            id=entity_id,
            attribute=attribute,
        )
    )


def newest_event(key: CrosswalkKey) -> Message:
    """The last event of a row that carries its columns."""
    topic = f"{key.system}.public.{key.type}"
    found = [
        message
        for message in world_messages()
        if message.place.topic == topic and message.key and message.value
        if key.key in map(str, columns_of(message.key).values()) and columns_of(message.value).get("after")
    ]
    return found[-1]


def columns_of(text: bytes) -> dict[str, Any]:
    """A key or an envelope, with or without its embedded schema."""
    content = orjson.loads(text)
    return dict(content.get("payload", content))


def crm_member(world: World, entity_id: str) -> CrosswalkKey:
    return next(each for each in sorted(world.members(entity_id)) if (each.system, each.type) == ("crm", "account"))


def says(world: World, key: CrosswalkKey, offset: int, at: datetime | None = None, **columns: Any) -> None:
    """The row changes in its platform, just now or at another time."""
    value = orjson.loads(newest_event(key).value or b"")
    value["op"] = "u"
    value["after"] |= columns
    position = 10**12 + offset
    value["source"] |= {"lsn": position, "sequence": orjson.dumps([str(position), str(position)]).decode()}
    now = int(datetime.now(UTC).timestamp() * 1000) + offset if at is None else int(at.timestamp() * 1000)
    value["source"] |= {"snapshot": "false", "ts_ms": now, "ts_us": now * 1000, "ts_ns": now * 1_000_000}
    message = replace(newest_event(key), place=Place(f"{key.system}.public.{key.type}", 8, offset))
    process(world.pipeline, "test", [replace(message, value=orjson.dumps(value))])


def vanishes(world: World, key: CrosswalkKey, offset: int) -> None:
    """The row is deleted in its platform."""
    value = orjson.loads(newest_event(key).value or b"")
    position = 10**12 + offset
    value |= {"op": "d", "before": {"id": key.key}, "after": None}
    value["source"] |= {"lsn": position, "sequence": orjson.dumps([str(position), str(position)]).decode()}
    value["source"]["snapshot"] = "false"
    message = replace(newest_event(key), place=Place(f"{key.system}.public.{key.type}", 8, offset))
    process(world.pipeline, "test", [replace(message, value=orjson.dumps(value))])


@pytest.fixture
def entity_id(world: World) -> str:
    """A customer with several members, one of them in CRM."""
    return str(
        world.one(
            """select entity_id from crosswalk join source_record r using (rec_id) join entity using (entity_id)
               where r.domain = 'customer' group by entity_id having count(*) >= 3 and bool_or(r.type = 'account')
               order by count(*) desc, min(key) limit 1"""
        )
    )


def test_a_pinned_value_survives_with_who_why_and_what_it_overruled(world: World, entity_id: str) -> None:
    by_rule = world.values(entity_id)["name"]

    pinned(world, entity_id)

    assert world.values(entity_id)["name"] == NAME
    told = lineage(world, entity_id)
    assert (told["rule"], told["override"]["author"], told["override"]["reason"]) == (
        "override",
        "anna",
        "the register says so",
    )
    assert told["runners_up"][0]["value"] == by_rule
    assert told["runners_up"][0]["rule"] == "overruled"
    assert world.one("select cause from golden where entity_id = :id and known_to is null", id=entity_id) == "override"
    world.assert_verified()


def test_no_value_at_all_can_be_pinned_too(world: World, entity_id: str) -> None:
    pinned(world, entity_id, "country", None)

    assert "country" not in world.values(entity_id)
    world.assert_verified()


def test_what_another_record_says_can_be_picked(world: World, entity_id: str) -> None:
    source = crm_member(world, entity_id)

    decide(world.pipeline, ANNA, Pin(EntityId(entity_id), "name", from_record=source, reason="CRM is right"))

    assert world.values(entity_id)["name"] == world.one(
        "select attributes->>'name' from source_record where system = 'crm' and type = 'account' and key = :key",
        key=source.key,
    )
    world.assert_verified()


def test_pinned_identifiers_and_contacts_are_completed_as_those_of_sources_are(world: World, entity_id: str) -> None:
    pinned(world, entity_id, "identifiers", [{"type": "vat", "value": "NL 004495445 B01", "country": "NL"}])
    pinned(world, entity_id, "phones", [{"value": "+31 20 794 0800"}])
    pinned(world, entity_id, "emails", [{"value": "office@acme-anvils.nl"}])

    values = world.values(entity_id)
    assert values["identifiers"][0]["normal"]
    assert values["identifiers"][0]["state"] in ("valid", "invalid", "unverifiable")
    assert values["phones"] == [{"value": "+31 20 794 0800", "e164": "+31207940800", "valid": True}]
    assert values["emails"][0]["domain"] == "acme-anvils.nl"
    world.assert_verified()


def test_it_holds_when_sources_say_the_same_again(world: World, entity_id: str) -> None:
    pinned(world, entity_id)

    says(world, crm_member(world, entity_id), 1)

    assert world.values(entity_id)["name"] == NAME
    assert not [each for each in world.open_tasks() if each.startswith("override:")]
    world.assert_verified()


def test_a_source_that_says_something_new_challenges_it_until_somebody_answers(world: World, entity_id: str) -> None:
    override_id = pinned(world, entity_id)
    source = crm_member(world, entity_id)

    says(world, source, 1, name="Brand New Name GmbH")

    assert world.values(entity_id)["name"] == NAME, "the override holds until somebody decides"
    assert f"override:{override_id}" in world.open_tasks()
    task_id, detail = world.rows("select task_id, detail from steward_task where kind = 'override_challenged'")[0]
    assert "Brand New" not in detail
    with pytest.raises(Invalid, match="override"):
        decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME))
    world.assert_verified()

    decide(world.pipeline, BEN, Confirm(override_id, "asked the customer"))

    assert world.one("select status from steward_task where task_id = :id", id=task_id) == "resolved"
    assert world.values(entity_id)["name"] == NAME
    assert not [each for each in world.open_tasks() if each.startswith("override:")]
    says(world, source, 2, name="Yet Another Name GmbH")
    assert [each for each in world.open_tasks() if each.startswith("override:")]
    world.assert_verified()


def test_a_source_that_takes_its_change_back_withdraws_the_challenge(world: World, entity_id: str) -> None:
    pinned(world, entity_id)
    source = crm_member(world, entity_id)
    before = orjson.loads(newest_event(source).value or b"")["after"]["name"]

    says(world, source, 1, name="Brand New Name GmbH")
    says(world, source, 2, name=before)

    assert not [each for each in world.open_tasks() if each.startswith("override:")]


def test_clearing_brings_back_what_survives_by_rule(world: World, entity_id: str) -> None:
    by_rule = world.values(entity_id)
    override_id = pinned(world, entity_id)

    decide(world.pipeline, BEN, Clear(override_id, "the register was wrong"))

    assert world.values(entity_id) == by_rule
    assert lineage(world, entity_id)["record"]
    with pytest.raises(Conflict):
        decide(world.pipeline, BEN, Clear(override_id))
    world.assert_verified()


def test_pinning_clearing_and_restoring_can_be_taken_back(world: World, entity_id: str) -> None:
    override_id = pinned(world, entity_id)
    for command in (
        Clear(override_id),
        Confirm(override_id),
        Pin(EntityId(entity_id), "name", "Other", reason="typo"),
        Pin(EntityId(entity_id), "web_domain", "pinned.example", reason="new site"),
        Restore(EntityId(entity_id), 1, "as it was"),
    ):
        before = picture(world)
        decide(world.pipeline, ANNA, command)
        undo_last(world.pipeline, ANNA)
        assert picture(world, before["fates"]) == before, command
    world.assert_verified()


def test_an_old_version_is_restored_as_a_new_one(world: World) -> None:
    entity_id = world.one(
        """select entity_id from golden g join entity using (entity_id) join source_record f on f.rec_id = founder
           where g.domain = 'customer' and status = 'active'
           group by entity_id having count(distinct "values"->>'name') > 1 order by min(f.key) limit 1"""
    )
    newest = world.one("select max(version) from golden where entity_id = :id", id=entity_id)
    then = world.one('select "values" from golden where entity_id = :id and version = 1', id=entity_id)

    assert_preview_comes_true(world, Restore(EntityId(entity_id), 1, "the old one was right"))

    assert world.values(entity_id) == then
    assert world.one("select max(version) from golden where entity_id = :id", id=entity_id) == newest + 1
    with pytest.raises(Conflict, match="already"):
        decide(world.pipeline, ANNA, Restore(EntityId(entity_id), 1, "again"))
    world.assert_verified()


def test_an_override_goes_where_its_id_goes(world: World, entity_id: str) -> None:
    pinned(world, entity_id)
    members = sorted(world.members(entity_id))
    founder = world.one(
        "select r.key from entity e join source_record r on r.rec_id = e.founder where entity_id = :id", id=entity_id
    )
    leaving = next(each for each in members if each.key != founder)

    decide(world.pipeline, ANNA, Split(EntityId(entity_id), (leaving,)))
    assert world.values(entity_id)["name"] == NAME
    assert world.values(world.home(leaving))["name"] != NAME
    world.assert_verified()

    asked = (world.some_task(number=number)[1] for number in range(20))
    a = next(each for each in asked if world.home(each) not in (entity_id, world.home(leaving)))
    decide(world.pipeline, ANNA, Merge((EntityId(entity_id), EntityId(world.home(a)))))
    assert world.values(world.home(a))["name"] == NAME
    world.assert_verified()


def test_an_override_outlives_the_record_it_was_tied_to_first(world: World) -> None:
    entity_id = world.one(
        """select entity_id from crosswalk join entity using (entity_id) join source_record f on f.rec_id = founder
           where f.type = 'account' and f.system = 'crm' and not f.deleted group by entity_id having count(*) >= 2
           order by min(f.key) limit 1"""
    )
    pinned(world, entity_id)
    first = world.one("select anchors[1] from golden_override")
    row = world.rows("select system, type, key from source_record where rec_id = :id", id=first)[0]
    key = CrosswalkKey(*row)
    rest = sorted(world.members(entity_id) - {key})

    vanishes(world, key, 1)

    assert world.values(world.home(rest[0]))["name"] == NAME
    world.assert_verified()


def test_a_pinned_value_that_erp_takes_over_is_an_echo(world: World) -> None:
    entity_id = world.one(
        """select entity_id from crosswalk join source_record using (rec_id)
           where domain = 'customer' group by entity_id
           having count(*) > 1 and count(*) filter (where system = 'erp') = 1
           order by count(*) desc, min(key) limit 1"""
    )
    partner = next(each for each in sorted(world.members(entity_id)) if each.system == "erp")
    override_id = pinned(world, entity_id)

    says(world, partner, 1, legal_name=NAME)

    assert world.rows("select attribute from echo") == [("name",)]
    losers = {each["record"]["system"]: each["rule"] for each in lineage(world, entity_id)["runners_up"]}
    assert losers["erp"] == "echo"
    assert f"override:{override_id}" not in world.open_tasks(), "nothing new was said"
    world.assert_verified()
    # Near enough to what its other rows say to stay with them.
    before = orjson.loads(newest_event(partner).value or b"")["after"]["legal_name"]
    says(world, partner, 2, legal_name=f"{before} International")
    assert f"override:{override_id}" in world.open_tasks()
    says(world, partner, 3, legal_name=NAME)
    decide(world.pipeline, ANNA, Clear(override_id, "the register was wrong"))
    assert world.values(entity_id)["name"] != NAME, "ERP only repeats what was pinned"
    world.assert_verified()


def test_a_pinned_name_that_erp_takes_over_parts_nobody(world: World) -> None:
    """The name is unlike all that platforms say, so by that name ERP's record would no longer match its customer."""
    entity_id, partner = next(
        (entity_id, partner)
        for entity_id, partner in erp_customers(world)
        if len(world.members(entity_id)) > 1 and leaves_when_renamed(world, entity_id, partner)
    )
    members = world.members(entity_id)
    override_id = pinned(world, entity_id)

    says(world, partner, 101, legal_name=NAME)
    assert world.members(entity_id) == members
    assert world.rows("select attribute from echo") == [("name",)]

    decide(world.pipeline, ANNA, Clear(override_id, "the register was wrong"))
    says(world, partner, 102, legal_name=NAME, phone="+31 20 555 0102")
    assert world.members(entity_id) == members, "it goes on repeating what is not golden any more"
    assert world.values(entity_id)["name"] != NAME

    says(world, partner, 103, legal_name="Entirely Unlike Ltd")
    assert world.home(partner) != entity_id, "its own words part it"

    says(world, partner, 105, legal_name=NAME)
    old = columns_of(newest_event(partner).value or b"")["after"]["legal_name"]
    says(world, partner, 104, legal_name=old)
    assert world.members(entity_id) == members, "what it had said in between came late"
    world.assert_verified()


def test_what_erp_said_before_the_hub_did_is_no_echo_however_far_behind_the_hub_is(world: World) -> None:
    entity_id, partner = next(each for each in erp_customers(world) if len(world.members(each[0])) > 1)
    before = datetime.now(UTC)
    pinned(world, entity_id)
    after = datetime.now(UTC) + timedelta(milliseconds=2)

    # The hub takes both in only now; what was golden when the second was said does not know of the first.
    says(world, partner, 1, at=before, legal_name=NAME)
    says(world, partner, 2, at=after, legal_name=NAME, phone="+31 20 555 0102")

    assert world.rows("select attribute from echo where attribute = 'name'") == []
    world.assert_verified()


def erp_customers(world: World) -> list[tuple[str, CrosswalkKey]]:
    return [
        (row[0], CrosswalkKey(*row[1:]))
        for row in world.rows(
            """select entity_id, system, type, key from crosswalk join source_record using (rec_id)
               where domain = 'customer' and system = 'erp' order by key"""
        )
    ]


def leaves_when_renamed(world: World, entity_id: str, partner: CrosswalkKey) -> bool:
    """Whether its own renaming would part it; its old name comes back afterwards."""
    old = columns_of(newest_event(partner).value or b"")["after"]["legal_name"]
    number = len(world.rows("select 1 from event_ledger where partition = 8"))
    says(world, partner, number, legal_name="Entirely Unlike Ltd")
    left = world.home(partner) != entity_id
    says(world, partner, number + 1, legal_name=old)
    assert world.home(partner) == entity_id
    return left


def test_the_preview_of_an_override_comes_true(world: World, entity_id: str) -> None:
    assert_preview_comes_true(world, Pin(EntityId(entity_id), "name", NAME, reason="the register says so"))
    override_id = int(world.one("select max(override_id) from golden_override"))
    assert_preview_comes_true(world, Confirm(override_id), keep=False)
    assert_preview_comes_true(world, Clear(override_id))


def nonsense(entity_id: EntityId) -> Sequence[tuple[Command, type[Exception]]]:
    past = datetime.now(UTC) - timedelta(days=1)
    stranger = CrosswalkKey("crm", "account", "nobody")
    return [
        (Pin(entity_id, "name", "X", reason=" "), Invalid),
        (Pin(entity_id, "nome", "X", reason="typo"), Invalid),
        (Pin(entity_id, "name", 7, reason="typo"), Invalid),
        (Pin(entity_id, "name", "", reason="typo"), Invalid),
        (Pin(entity_id, "blocked", "yes", reason="typo"), Invalid),
        (Pin(entity_id, "employees", True, reason="typo"), Invalid),
        (Pin(entity_id, "annual_revenue", 1.5, reason="typo"), Invalid),
        (Pin(entity_id, "validated_on", "2025-02-30", reason="typo"), Invalid),
        (Pin(entity_id, "identifiers", [{"type": "vat"}], reason="typo"), Invalid),
        (Pin(entity_id, "address", {"planet": "Mars"}, reason="typo"), Invalid),
        (Pin(entity_id, "parent", {"system": "crm"}, reason="typo"), Invalid),
        (Pin(entity_id, "name", "X", reason="late", expires_at=past), Invalid),
        (Pin(entity_id, "name", from_record=stranger, reason="whose?"), NotFound),
        (Pin(EntityId("cus_nothing"), "name", "X", reason="whose?"), NotFound),
        (Clear(10**9), NotFound),
        (Confirm(10**9), NotFound),
        (Restore(entity_id, 10**6, "when?"), NotFound),
    ]


def test_nonsense_is_refused_with_a_sentence(world: World, entity_id: str) -> None:
    for command, error in nonsense(EntityId(entity_id)):
        with pytest.raises(error) as told:
            decide(world.pipeline, ANNA, command)
        assert str(told.value), command
    assert world.one("select count(*) from decision") == 0


def test_nobody_pins_what_they_may_not_see(world: World, entity_id: str) -> None:
    reader = Actor("rita", Role.READER)
    with pytest.raises(Refused):
        decide(world.pipeline, reader, Pin(EntityId(entity_id), "payment_terms", "N30", reason="agreed"))
