"""How many keys find nobody partners because too many records share them: for an operator, not record by record.

Only what is fine and not refined by another rule is a question to a steward block by block (`mdm.hub.oversized`); of
the others a sample of pairs is looked at (`mdm.hub.uncompared`). Everything above its cap is counted here. It takes one
look at all keys of the hub: for a command and once a day, not for every scrape.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from matching.blocking import block_keys, block_numbers, dynamic_keys
from matching.model import MatchModel
from mdm.core.rules import Rules
from mdm.model.blocks import halved
from mdm.model.ids import RESOLUTION_ORDER, Domain
from mdm.store import neighbourhood
from mdm.store.large_blocks import Crowd, crowds_by_halvings, crowds_by_rule, large_of, look_for_large
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: Records whose comparison forms are in memory at a time.
_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class AboveCap:
    """The blocks of one rule of a domain that are above its cap. `rule` is empty for keys that no rule in force makes
    (they are made anew by a re-match); `asked` says whether each of them is a question to a steward, block by block."""

    domain: Domain
    rule: str
    cap: int | None
    asked: bool
    crowd: Crowd


def above_cap_by_cap(engine: Engine, rules: Rules) -> dict[tuple[Domain, int], Crowd]:
    """By domain and cap, what is above it; a cap that a domain has and nothing exceeds is there with zeros."""
    found = {
        (domain, halved(model.block_cap, halvings)): Crowd(0, 0, 0)
        for domain, model in rules.models.items()
        for halvings in {0, *model.coarse_rules.values()}
    }
    with snapshot(engine) as work:
        look_for_large(work, {domain: model.block_cap for domain, model in rules.models.items()})
        for (domain, halvings), crowd in crowds_by_halvings(work).items():
            found[domain, halved(rules.models[domain].block_cap, halvings)] = crowd
    return found


def above_cap_by_rule(engine: Engine, rules: Rules) -> list[AboveCap]:
    """By domain and rule, in the order of the models, what is above the cap of the rule.

    A key is a number in the store: which rule made it is told by a record that has it, as it is compared now.
    """
    found: list[AboveCap] = []
    with snapshot(engine) as work:
        look_for_large(work, {domain: model.block_cap for domain, model in rules.models.items()})
        for domain in RESOLUTION_ORDER:
            model = rules.models[domain]
            found += above_cap_of(work, domain, model, rules_of_large(work, domain, model))
    return found


def above_cap_of(work: UnitOfWork, domain: Domain, model: MatchModel, rule_of: Mapping[int, str]) -> list[AboveCap]:
    """The same of one domain, where `look_for_large` has looked; `rule_of` names the rule of each block."""
    crowds = crowds_by_rule(work, domain, rule_of.items())
    found: list[AboveCap] = []
    for rule in (*model.blocking, *model.dynamic):
        if (crowd := crowds.pop(rule.name, None)) is not None:
            asked = rule.name not in model.refined_rules and not rule.halvings
            found.append(AboveCap(domain, rule.name, model.cap_of(rule), asked, crowd))
    return found + [AboveCap(domain, rule, None, False, crowd) for rule, crowd in crowds.items()]


def rules_of_large(work: UnitOfWork, domain: Domain, model: MatchModel) -> dict[int, str]:
    """The rule of each block that `look_for_large` found, as a member of it tells; those that no rule makes lack."""
    return dict(_rules(work, domain, model))


def _rules(work: UnitOfWork, domain: Domain, model: MatchModel) -> Iterator[tuple[int, str]]:
    """The rule of each block above its cap, from the keys of one member."""
    large = large_of(work, domain)
    wanted = {each.block for each in large}
    members = sorted({each.member for each in large})
    for start in range(0, len(members), _AT_A_TIME):
        for comparison in neighbourhood.load_comparisons(work, domain, members[start : start + _AT_A_TIME]).values():
            keys = (*block_keys(model, comparison), *dynamic_keys(model, comparison))
            for key, block in zip(keys, block_numbers(model, keys), strict=True):
                if block in wanted:
                    wanted.remove(block)
                    yield block, key.rule
