"""Overrides: pin a golden value with the memory of what it overrules, clear it, keep it, restore an old version."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from mdm.access import may_see
from mdm.core.overrides import stated
from mdm.errors import Conflict, Invalid, NotFound, Refused
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.shapes import completed, refuse_misshapen
from mdm.model.canonical import ATTRIBUTES, Attribute
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.stewardship import Clear, Confirm, NewOverride, Override, Pick, Pin, Plan, Restore
from mdm.store import stewardship as store
from mdm.store.unit_of_work import UnitOfWork

#: Records to which an override is tied; it is lost only when all of them are gone.
_MOST_ANCHORS = 50


def plan_pin(work: UnitOfWork, actor: Actor, command: Pin) -> Plan:
    """Pin one golden value.

    Raises:
        Invalid: there is no such attribute, the value has not its shape, or no reason is given.
        Refused: the attribute's data class is above the actor's clearance.
    """
    domain, _, founder = store.live_entity(work, command.entity_id)
    attribute = attribute_of(domain, command.attribute)
    _check_clearance(actor, attribute)
    _check_reason(command.reason)
    _check_expiry(work, command.expires_at)
    members = _Members(work, [command.entity_id], founder)
    value = command.value
    if command.from_record is not None:
        value = members.said_by(command.from_record, attribute.name)
    if value is not None and command.from_record is None:
        refuse_misshapen(attribute, value)
        value = completed(attribute, value)
    return Plan(
        kind="override",
        domain=domain,
        records=frozenset(members.anchors),
        reason=command.reason,
        cause="override",
        overrides=(members.override(work, actor, attribute.name, value, command.reason, command.expires_at),),
        end_overrides=tuple(members.live_overrides(work, {attribute.name})),
        entities=(command.entity_id,),
        attributes=frozenset({attribute.name}),
    )


def with_picks(work: UnitOfWork, actor: Actor, plan: Plan, picks: Sequence[Pick]) -> Plan:
    """A plan that makes golden records one, and pins values of the one they become.

    Raises:
        NotFound: a record belongs to none of them.
        Invalid: there is no such attribute, it is picked twice, or the record says nothing about it.
        Refused: the attribute's data class is above the actor's clearance.
    """
    names = [each.attribute for each in picks]
    if len(set(names)) < len(names):
        raise Invalid("An attribute is picked twice.", action="Take each value from one record.")
    for name in names:
        assert plan.domain is not None  # picks go with a verdict about records
        _check_clearance(actor, attribute_of(plan.domain, name))
    rows = work.query(
        """select distinct c.entity_id, e.founder from crosswalk c join entity e using (entity_id)
           where c.rec_id = any(%s) order by 1""",
        sorted(plan.records),
    )
    # Ids sort by age and the oldest survives, so the pins go where its founding record goes.
    members = _Members(work, [EntityId(row[0]) for row in rows], RecordId(rows[0][1]))
    reason = plan.reason.strip() or f"picked when question {plan.task_id} was answered"
    return replace(
        plan,
        overrides=tuple(
            members.override(work, actor, each.attribute, members.said_by(each.record, each.attribute), reason, None)
            for each in picks
        ),
        end_overrides=tuple(members.live_overrides(work, set(names))),
        attributes=frozenset(names),
    )


def plan_clear(work: UnitOfWork, actor: Actor, command: Clear) -> Plan:
    """End an override."""
    override = store.find_override(work, command.override_id)
    _check_clearance(actor, attribute_of(override.domain, override.attribute))
    return Plan(
        kind="clear",
        domain=override.domain,
        records=frozenset(override.anchors),
        reason=command.reason,
        cause="override",
        end_overrides=(override.override_id,),
        attributes=frozenset({override.attribute}),
        task_id=_challenge(work, override),
    )


def plan_confirm(work: UnitOfWork, actor: Actor, command: Confirm) -> Plan:
    """Replace an override by itself with a new memory.

    Raises:
        Conflict: it holds nowhere at present.
    """
    override = store.find_override(work, command.override_id)
    _check_clearance(actor, attribute_of(override.domain, override.attribute))
    _check_expiry(work, command.expires_at)
    entity_id = _holds_for(work, override)
    _, _, founder = store.live_entity(work, entity_id)
    members = _Members(work, [entity_id], founder)
    until = command.expires_at or override.expires_at
    reason = command.reason or override.reason
    return Plan(
        kind="confirm",
        domain=override.domain,
        records=frozenset(members.anchors) | frozenset(override.anchors),
        reason=command.reason,
        cause="override",
        overrides=(members.override(work, actor, override.attribute, override.value, reason, until),),
        end_overrides=(override.override_id,),
        entities=(entity_id,),
        attributes=frozenset({override.attribute}),
        task_id=_challenge(work, override),
    )


def plan_restore(work: UnitOfWork, actor: Actor, command: Restore) -> Plan:
    """Pin every attribute whose value in that version differs from the value now.

    Raises:
        NotFound: there is no such version.
        Conflict: the values are those of that version already.
    """
    domain, _, founder = store.live_entity(work, command.entity_id)
    _check_reason(command.reason)
    rows = work.query(
        """select version, "values"::text from golden where entity_id = %s and (version = %s or known_to is null)""",
        command.entity_id,
        command.version,
    )
    versions = {row[0]: orjson.loads(row[1]) for row in rows}
    if command.version not in versions:
        raise NotFound(f"{command.entity_id} has no version {command.version}.")
    then, now = versions[command.version], versions[max(versions)]
    differing = [each for each in ATTRIBUTES[domain] if then.get(each.name) != now.get(each.name)]
    if not differing:
        raise Conflict(f"{command.entity_id} has the values of version {command.version} already.")
    for attribute in differing:
        _check_clearance(actor, attribute)
    members = _Members(work, [command.entity_id], founder)
    return Plan(
        kind="restore",
        domain=domain,
        records=frozenset(members.anchors),
        reason=command.reason,
        cause="restore",
        overrides=tuple(
            members.override(work, actor, each.name, then.get(each.name), command.reason, None) for each in differing
        ),
        end_overrides=tuple(members.live_overrides(work, {each.name for each in differing})),
        entities=(command.entity_id,),
        attributes=frozenset(each.name for each in differing),
    )


class _Members:
    """The members of an entity, or of several that become one, with what they say."""

    def __init__(self, work: UnitOfWork, entities: Collection[EntityId], founder: RecordId) -> None:
        placed = [each for those in store.members(work, entities).values() for each in those]
        self._entities = entities
        self._ids = {each.key: each.rec_id for each in placed}
        rows = work.query(
            "select rec_id, attributes::text from source_record where rec_id = any(%s)", list(self._ids.values())
        )
        self._attributes: Mapping[RecordId, dict[str, Any]] = {RecordId(row[0]): orjson.loads(row[1]) for row in rows}
        #: The founding record first: an override goes where the id goes.
        self.anchors = tuple(sorted((each.rec_id for each in placed), key=lambda rec: rec != founder))[:_MOST_ANCHORS]

    def said_by(self, key: CrosswalkKey, attribute: str) -> Any:
        """What a member says.

        Raises:
            NotFound, Invalid: it is no member, or says nothing.
        """
        if key not in self._ids:
            raise NotFound(f"{key} is not a member of {' or '.join(self._entities)}.")
        value = stated(self._attributes[self._ids[key]], attribute)
        if value is None:
            raise Invalid(f"{key} says nothing about {attribute}.")
        return value

    def override(
        self, work: UnitOfWork, actor: Actor, attribute: str, value: Any, reason: str, expires_at: datetime | None
    ) -> NewOverride:
        """An override of this entity that remembers what its members say now."""
        said = {rec: stated(attributes, attribute) for rec, attributes in self._attributes.items()}
        return NewOverride(
            attribute=attribute,
            value=value,
            anchors=self.anchors,
            overruled={rec: each for rec, each in said.items() if each is not None},
            author=actor.name,
            reason=reason,
            created_at=work.now,
            expires_at=expires_at,
        )

    def live_overrides(self, work: UnitOfWork, attributes: set[str]) -> list[int]:
        """Overrides of these attributes that hold for this entity."""
        live = set(self._attributes)
        anchors = {rec for each in store.live_overrides(work, self.anchors) for rec in each.anchors}
        rows = work.query("select rec_id from source_record where rec_id = any(%s) and not deleted", list(anchors))
        everywhere = live | {RecordId(row[0]) for row in rows}
        return [
            each.override_id
            for each in store.live_overrides(work, self.anchors)
            if each.attribute in attributes and each.home(everywhere) in live
        ]


def attribute_of(domain: Domain, name: str) -> Attribute:
    """The canonical attribute.

    Raises:
        Invalid: the domain has none of this name.
    """
    for attribute in ATTRIBUTES[domain]:
        if attribute.name == name:
            return attribute
    names = ", ".join(each.name for each in ATTRIBUTES[domain])
    raise Invalid(f"A {domain} has no attribute {name!r}.", action=f"Its attributes are {names}.")


def _holds_for(work: UnitOfWork, override: Override) -> EntityId:
    rows: Sequence[tuple[Any, ...]] = work.query(
        """select c.entity_id from unnest(%s::bigint[]) with ordinality as anchor(rec_id, place)
           join source_record r using (rec_id) join crosswalk c using (rec_id)
           where not r.deleted order by anchor.place limit 1""",
        list(override.anchors),
    )
    if not rows:
        raise Conflict(f"Override {override.override_id} holds nowhere: all records it was pinned with are gone.")
    return EntityId(rows[0][0])


def _challenge(work: UnitOfWork, override: Override) -> int | None:
    rows = work.query(
        "select task_id from steward_task where status = 'open' and question = %s", f"override:{override.override_id}"
    )
    return rows[0][0] if rows else None


def _check_clearance(actor: Actor, attribute: Attribute) -> None:
    if not may_see(actor.role, attribute.data_class):
        raise Refused(
            f"{attribute.name} is {attribute.data_class.value}; the role {str(actor.role)!r} may not see it, "
            "so it may not pin it either."
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("An override needs a reason.", action="Say in a sentence why the sources are wrong.")


def _check_expiry(work: UnitOfWork, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= work.now:
        raise Invalid("The override would have expired already.", action="Give a time that is still to come.")
