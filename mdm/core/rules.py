"""The released rules that decide: one bundle, handed to every decision, named by one fingerprint."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matching.model import MatchModel
from mdm.core.former import Witness
from mdm.core.placing import PlacementPlan, shipped_plan
from mdm.lifecycle.policy import Policy, shipped_policy
from mdm.lifecycle.usage_revenue import UsageRevenue, shipped_usage_revenue
from mdm.model.ids import Domain
from mdm.model.platforms import Platforms
from survivorship.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Rules:
    """Match models, survivorship rule sets and source trust, and where golden records belong.

    `trust(system, type, attribute)` is 0..1 from the source profiles. `base` are the rules as they ship, where releases
    of this hub stand in for some of them. `placement` decides who reaches a golden record, and nothing of what it says.
    `usage_revenue` leads from use to revenue, and decides nothing of what golden records say either.
    `witnesses` are the tables whose earlier values stay evidence, to which no rule set may give a platform that echoes.
    `platforms` says what the platforms are by their contracts; rule sets and placement have roles resolved by it.
    `reconciliation` are the rules that the platforms are held against each other by.
    """

    models: Mapping[Domain, MatchModel]
    rulesets: Mapping[Domain, RuleSet]
    trust: Callable[[str, str, str], float]
    base: "Rules | None" = None
    placement: PlacementPlan = field(default_factory=shipped_plan)
    witnesses: frozenset[Witness] = frozenset()
    usage_revenue: UsageRevenue = field(default_factory=shipped_usage_revenue)
    platforms: Platforms = field(default_factory=Platforms)
    reconciliation: Policy = field(default_factory=shipped_policy)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits over the fingerprints of all models and rule sets."""
        parts = [f"{domain}:{self.models[domain].fingerprint}:{self.rulesets[domain].fingerprint}" for domain in Domain]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
