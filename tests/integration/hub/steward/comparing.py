"""Previews compared with what then happens."""

from typing import Any

import msgspec

from mdm.hub.steward import preview
from mdm.hub.steward.carrying import carry_out
from mdm.hub.steward.commands import history_json
from mdm.hub.steward.desk import plan_of
from mdm.hub.steward.tokens import Expected
from mdm.model.stewardship import Command, Effect
from mdm.store.unit_of_work import unit_of_work
from tests.integration.hub.steward.conftest import ANNA, World


def assert_preview_comes_true(world: World, command: Command, keep: bool = True) -> None:
    """Preview a command, let it happen, and compare the two pictures - and the picture with the store.

    Without `keep` the unit of work that makes it happen is given up in the end.
    """
    shown = plain(preview(world.pipeline, ANNA, command).effect)
    try:
        with unit_of_work(world.pipeline.engine, world.pipeline.clock, "test") as work:
            plan = plan_of(work, world.pipeline, ANNA, command, Expected())
            _, effect = carry_out(work, world.pipeline.rules, plan, ANNA.name, history_json(command))
            founded = {
                row[0] for row in work.query("select entity_id from entity where founded_batch = %s", work.batch_id)
            }
            mine = "select override_id from golden_override join decision using (decision_id) where batch_id = %s"
            pinned = {row[0] for row in work.query(mine, work.batch_id)}
            current = {
                row[0]: (row[1], row[2])
                for row in work.query(
                    'select entity_id, version, "values" from golden where known_to is null and entity_id = any(%s)',
                    [each.entity_id for each in effect.entities],
                )
            }
            if not keep:
                raise _GivenUp
    except _GivenUp:
        pass
    happened = plain(effect)
    for each in happened["entities"]:
        if each["version_after"] is not None:
            assert current[each["entity_id"]] == (each["version_after"], each["after"])
    forget(happened, founded, pinned)
    assert shown == happened


class _GivenUp(Exception):
    pass


def plain(effect: Effect) -> Any:
    return msgspec.to_builtins(effect)


def forget(told: Any, founded: set[str], pinned: set[int]) -> None:
    """Replace ids and times that were issued meanwhile by None, as previews do."""
    for each in told["entities"]:
        if each["entity_id"] in founded:
            each["entity_id"] = None
        for part in each["lineage"].values():
            if part.get("override") and part["override"]["override_id"] in pinned:
                part["override"] |= {"override_id": None, "at": None}
    for each in told["moves"]:
        for end in ("left", "joined"):
            if each[end] in founded:
                each[end] = None
