"""What the mapping of use and revenue covers of this hub. Reads, and never writes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mdm.hub.process import Pipeline
from mdm.hub.reconcile import read_material
from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.coverage import Chain, Coverage, coverage
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.usage_revenue import UsageRevenue

#: Products that a report names by id; all are counted.
_SAMPLE = 20


def read_coverage(hub: Pipeline, policy: Policy | None = None) -> Coverage:
    """The way from use to revenue of every active product, by the mapping in force.

    Raises:
        TransientError: the database cannot be reached now.
    """
    policy = policy or hub.rules.reconciliation
    material = read_material(hub.engine, hub.catalogue, policy)
    return coverage(material.usage_revenue, material, policy, *read_story(material, policy))


def compare_mappings(hub: Pipeline, before: UsageRevenue, after: UsageRevenue) -> dict[str, Any]:
    """What another mapping changes for the products that are active now: counts, and ids of some.

    Raises:
        TransientError: the database cannot be reached now.
    """
    policy = hub.rules.reconciliation
    material = read_material(hub.engine, hub.catalogue, policy)
    story = read_story(material, policy)
    was, would = (coverage(each, material, policy, *story) for each in (before, after))
    pairs = list(zip(_by_product(was), _by_product(would), strict=True))
    lost = [new.product for old, new in pairs if old.mapped and not new.mapped]
    return {
        "entities": len(pairs),
        "mapped_before": was.mapped,
        "mapped": would.mapped,
        "newly_mapped": sum(new.mapped and not old.mapped for old, new in pairs),
        "no_longer_mapped": len(lost),
        "changed": sum(replace(old, lacks=()) != replace(new, lacks=()) for old, new in pairs),
        "codes_of_no_product": len(would.idle),
        "lost": lost[:_SAMPLE],
    }


def _by_product(found: Coverage) -> Sequence[Chain]:
    return sorted(found.chains, key=lambda chain: chain.product)
