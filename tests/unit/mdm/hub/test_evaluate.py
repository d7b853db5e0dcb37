"""A world held against a truth: what the caps of blocks cost is told of it as of any table."""

from collections import Counter
from dataclasses import replace
from importlib.resources import as_file, files
from itertools import combinations
from pathlib import Path

from matching.blocking import BlockingKey, block_keys
from mdm.core.rules import Rules
from mdm.hub.evaluate import evaluate_world, world_records
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.ids import Domain

_HEAD = "platform,table,source_key,valid_to"


def world_of_one_company(folder: Path, catalogue: Catalogue, events: Path) -> list[frozenset[BlockingKey]]:
    """The sample world with a truth by which all customers are one; returns the keys of each, in order."""
    (folder / "truth").mkdir()
    (folder / "events").symlink_to(events)
    customers = [each.record for each in world_records(catalogue, events) if each.record.domain is Domain.CUSTOMER]
    rows = [f"{each.key.system},{each.key.type},{each.key.key},,one" for each in customers]
    (folder / "truth" / "customers.csv").write_text("\n".join([f"{_HEAD},entity_id", *rows]), "utf-8")
    for name in ("contract", "product"):
        (folder / "truth" / f"{name}s.csv").write_text(f"{_HEAD},{name}_id\n", "utf-8")
    model = load_rules(catalogue).models[Domain.CUSTOMER]
    return [frozenset(block_keys(model, each.comparison)) for each in customers]


def halved(rules: Rules, cap: int) -> Rules:
    return replace(rules, models={name: replace(each, block_cap=cap) for name, each in rules.models.items()})


def test_true_pairs_of_a_world_that_caps_keep_from_being_compared_are_counted(tmp_path: Path) -> None:
    catalogue = load_catalogue(None)
    rules = halved(load_rules(catalogue), 4)
    with as_file(files("mdm.demo") / "world") as sample:
        keys = world_of_one_company(tmp_path, catalogue, sample / "events")
        found = evaluate_world(catalogue, rules, tmp_path)[Domain.CUSTOMER]

    model = rules.models[Domain.CUSTOMER]
    caps = {rule.name: model.cap_of(rule) for rule in model.blocking}
    large = {key for key, number in Counter(key for each in keys for key in each).items() if number > caps[key.rule]}
    shared = [a & b for a, b in combinations(keys, 2)]
    by_caps_alone = sum(bool(both) and both <= large for both in shared)
    told = found.capped
    assert {rule.rule for rule in told.rules} == {key.rule for key in large}
    assert {rule.rule: rule.blocks for rule in told.rules} == Counter(key.rule for key in large)
    assert told.true_pairs_lost is not None
    # Some of them are found by what is stated about both, which no key tells.
    assert 0 < told.true_pairs_lost <= by_caps_alone
    assert max(rule.true_pairs_lost or 0 for rule in told.rules) <= told.true_pairs_lost
