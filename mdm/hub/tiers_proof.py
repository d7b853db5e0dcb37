"""Shows of each workflow what the hub does when a message of it is refused: by its own contract, in a scratch hub.

A row gets a message that cannot be read and a sound one behind it, another row a sound one. Then time passes, one
person discards the refused message, and a second one agrees. What the hub did is told beside what the tier asks for.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import text

from mdm.access import Role
from mdm.core.four_eyes import Policy
from mdm.hub import steward
from mdm.hub.leaving_out import leave_out_due
from mdm.hub.letting_go import let_go
from mdm.hub.process import Pipeline, process
from mdm.hub.tiers import needs_two
from mdm.hub.verify import verify
from mdm.intake.catalogue import Profile
from mdm.intake.debezium import translate
from mdm.intake.tiers import Workflow
from mdm.intake.types import Kind
from mdm.model.events import Message, Place
from mdm.model.stewardship import Discard
from mdm.store.scratch import scratch_engine, scratch_schema

_PARTITION: Final = 990
_ROW, _OTHER = 1, 2
#: As long as nobody waits: what is not left out within it is not left out.
_AGES: Final = timedelta(days=3660)
_AS_IF: Final = "as if nothing had been"
_ANNA, _BOB = steward.Actor("first person", Role.OPERATOR), steward.Actor("second person", Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Shown:
    """A control of a workflow: what its tier asks for and what the hub did, tried with one table of it."""

    workflow: str
    tier: int
    table: str
    control: str
    asked: str
    seen: str

    @property
    def holds(self) -> bool:
        return self.asked == self.seen


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown, and workflows of which nothing could be: no table serves them, or no sample can be made."""

    shown: tuple[Shown, ...]
    not_shown: Mapping[str, str]

    @property
    def holds(self) -> bool:
        return not self.not_shown and all(each.holds for each in self.shown)


def prove_tiers(pipeline: Pipeline, policy: Policy, progress: Callable[[str], None] = lambda _: None) -> Proof:
    """Try every workflow that tables serve. The live hub is neither read nor written.

    Raises:
        Conflict: somebody else is proving tiers just now.
    """
    shown: list[Shown] = []
    not_shown: dict[str, str] = {}
    for workflow in pipeline.catalogue.tiers.workflows.values():
        profiles = [each for each in pipeline.catalogue.profiles if each.workflow.name == workflow.name]
        if not profiles:
            continue
        progress(workflow.name)
        found = next((each for each in profiles if _can_be_sampled(pipeline, each)), None)
        if found is None:
            not_shown[workflow.name] = "No message of its tables can be made up by their contracts."
            continue
        with _scratch(pipeline) as inside:
            shown += _try(inside, policy, workflow, found)
    return Proof(tuple(shown), not_shown)


@contextmanager
def _scratch(pipeline: Pipeline) -> Iterator[Pipeline]:
    with scratch_schema(pipeline.engine, "tiers") as schema:
        inside = replace(pipeline, engine=scratch_engine(pipeline.engine.url, schema))
        try:
            yield inside
        finally:
            inside.engine.dispose()


def _try(hub: Pipeline, policy: Policy, workflow: Workflow, profile: Profile) -> Iterator[Shown]:
    tier, table = workflow.tier, f"{profile.system}.{profile.table}"

    def shown(control: str, asked: str, seen: str) -> Shown:
        return Shown(workflow.name, tier.number, table, control, asked, seen)

    bad = replace(_message(profile, _ROW, 1), value=b'{"op":')
    process(hub, "proof", [bad, _message(profile, _ROW, 2), _message(profile, _OTHER, 3)])
    rows = _rows(hub)
    held = "waits" if tier.order_held else "goes on"
    yield shown("order", held, "goes on" if _ROW in rows else "waits")
    yield shown("others", "go on", "go on" if _OTHER in rows else "wait")
    yield shown("due", f"{tier.mend_within} hours", f"{_due(hub)} hours")

    days = tier.skipped_after
    asked = "never" if days is None else f"after {days} days"
    yield shown("left_out", asked, _left_out(hub, days))
    if letters := _open(hub):
        two = "two persons" if needs_two(tier, policy) else "one person"
        decided = steward.decide(hub, _ANNA, Discard(letters, "a proof"), policy=policy)
        yield shown("discard", two, "one person" if decided.done else "two persons")
        if decided.proposal_id is not None:
            steward.approve(hub, _BOB, decided.proposal_id, "a proof", policy=policy)
    let_go(hub)
    agrees = _rows(hub) == {_ROW, _OTHER} and verify(hub.engine, hub.catalogue, hub.rules).agrees
    yield shown("converges", _AS_IF, _AS_IF if agrees else "otherwise")


def _left_out(hub: Pipeline, days: int | None) -> str:
    """When the hub left the refused message out, by a clock that is put forward."""

    def left_out_after(waited: timedelta) -> bool:
        return leave_out_due(replace(hub, clock=lambda: hub.clock() + waited)) > 0

    if days is None:
        return "by itself" if left_out_after(_AGES) else "never"
    if left_out_after(timedelta(days=days, hours=-1)):
        return "too early"
    return f"after {days} days" if left_out_after(timedelta(days=days, hours=1)) else "never"


def _rows(hub: Pipeline) -> set[int]:
    """The numbers of the rows that were taken in."""
    with hub.engine.connect() as connection:
        keys = connection.scalars(text("select key from source_record where not deleted"))
        return {int(key.partition("|")[0]) for key in keys}


def _open(hub: Pipeline) -> tuple[int, ...]:
    """The message that somebody must deal with."""
    with hub.engine.connect() as connection:
        query = text("select dead_letter_id from dead_letter where status = 'open' and behind is null")
        return tuple(connection.scalars(query))


def _due(hub: Pipeline) -> int:
    with hub.engine.connect() as connection:
        query = text("select extract(epoch from due_at - first_seen) / 3600 from dead_letter where behind is null")
        return int(connection.scalars(query).one())


def _can_be_sampled(pipeline: Pipeline, profile: Profile) -> bool:
    if profile.mapping is None or any(
        profile.contract.columns[name].type.kind not in (Kind.TEXT, Kind.INTEGER)
        for name in profile.contract.primary_key
    ):
        return False
    return len(translate([_message(profile, _ROW, 1)], pipeline.catalogue).events) == 1


def _message(profile: Profile, row: int, at: int) -> Message:
    """An event of a row number so many that says no more than its key, as the contract has it."""
    contract = profile.contract
    key: dict[str, Any] = {
        name: row if contract.columns[name].type.kind is Kind.INTEGER else str(row) for name in contract.primary_key
    }
    place = {"sequence": f'["{at}","{at}"]', "lsn": at, "ts_ms": 1_700_000_000_000 + at}
    value: dict[str, Any]
    if contract.flat:
        value = key | {"__op": "c", **{f"__source_{name}": place[name] for name in ("ts_ms", "sequence")}, "__lsn": at}
    else:
        value = {"op": "c", "before": None, "after": key, "source": place | {"snapshot": "false"}}
    return Message(Place(contract.topic, _PARTITION, at), 0, (), orjson.dumps(key), orjson.dumps(value))
