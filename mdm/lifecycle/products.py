"""Which product a row means when it names a product, an offer of one, or a code that somebody typed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mdm.lifecycle.facts import Offer
from mdm.lifecycle.material import Material, Stated
from mdm.lifecycle.numbers import folded
from mdm.lifecycle.policy import Policy
from mdm.model.ids import CrosswalkKey, EntityId

#: Golden attributes of a product that hold codes.
_CODES = ("code", "other_codes", "technical_name")


@dataclass(frozen=True, slots=True)
class Products:
    """Everything that leads to a product. `metered` are the products that are charged by use."""

    entities: Mapping[CrosswalkKey, EntityId]
    offers: Mapping[CrosswalkKey, Offer]
    codes: Mapping[str, EntityId]
    metered: frozenset[EntityId]

    def named(self, name: CrosswalkKey | None) -> EntityId | None:
        """The product of a name: of its row, of its offer, or the one product that has such a code."""
        if name is None:
            return None
        found = self.entities.get(name)
        if found is None and name in self.offers:
            found = self.offers[name].product
        return found if found is not None else self.codes.get(folded(name.key))


def read_products(material: Material, policy: Policy) -> Products:
    """The products of the material."""
    codes = _codes(material.products)
    rows = Products(material.entities, {}, codes, frozenset())
    offers = {row.key: _offer(row, rows, policy) for row in material.of_kind("offer")}
    metered = {entity for entity, values in material.products.items() if values.get("metered")}
    metered |= {offer.product for offer in offers.values() if offer.metered and offer.product is not None}
    return Products(material.entities, offers, codes, frozenset(metered))


def key_of(reference: Mapping[str, Any]) -> CrosswalkKey:
    """The row that a reference inside canonical values names."""
    return CrosswalkKey(reference["system"], reference["type"], reference["key"])


def codes_of(values: Mapping[str, Any]) -> frozenset[str]:
    """The folded codes of a golden product."""
    stated = (values.get(name) for name in _CODES)
    codes = (code for value in stated for code in (value if isinstance(value, list) else [value]) if code)
    return frozenset(map(folded, map(str, codes))) - {""}


def _offer(row: Stated, products: Products, policy: Policy) -> Offer:
    metered = policy.says("offer_metered", row.word("usage_type"))
    return Offer(row.key, products.named(row.target("offer_of")), row.amount("unit_amount"), metered)


def _codes(products: Mapping[EntityId, Mapping[str, Any]]) -> dict[str, EntityId]:
    """Products by folded code; a code that two products have leads to neither."""
    found: dict[str, set[EntityId]] = defaultdict(set)
    for entity, values in products.items():
        for code in codes_of(values):
            found[code].add(entity)
    return {code: entities.pop() for code, entities in found.items() if len(entities) == 1}
