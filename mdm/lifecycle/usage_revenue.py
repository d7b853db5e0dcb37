"""The canonical mapping of use and revenue: usage unit, billing metric, revenue account. One versioned document.

It is read completely when it is loaded, and changes by release. What it makes of the products that are sold is decided
in `mdm.lifecycle.coverage`.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files

import yaml

from mdm.lifecycle.declared import DeclaredReader, fingerprint_of
from mdm.lifecycle.numbers import folded
from mdm.model.ids import Domain

#: Says that the account is the one that ERP holds for the product.
_ERP = "erp"
_CHARGED = {"metered": True, "licensed": False}
_KEYS = ("unit", "metric", "charged", "per", "account", "products")
_NEEDED = ("unit", "metric", "charged", "account")
_ADVICE = "Correct the mapping."


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row: `per` units of use are one billed unit of the metric, which is charged by use if it is `metered`.

    `account` is None where ERP says the account of each product. `products` are the folded codes of the only products
    that the row is for; none means all products of the unit.
    """

    unit: str
    metric: str
    metered: bool
    per: Decimal
    account: str | None
    products: tuple[str, ...] = ()

    @property
    def charged(self) -> str:
        """How billing charges, in the word of the document."""
        return next(word for word, metered in _CHARGED.items() if metered is self.metered)


@dataclass(frozen=True, slots=True)
class UsageRevenue:
    """The mapping. The fingerprint is of what it says: comments, order of keys and quotation marks do not change it."""

    version: str
    fingerprint: str
    rows: tuple[UsageRow, ...]
    document: str

    @property
    def domain(self) -> Domain:
        """What it is about, as a release is."""
        return Domain.PRODUCT

    def row_of(self, unit: str | None, codes: Collection[str]) -> UsageRow | None:
        """The row of a product with this unit and these folded codes: one that names it, else that of its unit."""
        named = [row for row in self.rows if any(code in codes for code in row.products)]
        if named:
            return named[0]
        return next((row for row in self.rows if not row.products and row.unit == unit), None)


@cache
def shipped_usage_revenue() -> UsageRevenue:
    """The mapping that ships with the hub (`usage_revenue.yaml`)."""
    name = "usage_revenue.yaml"
    return read_usage_revenue((files("mdm.lifecycle") / name).read_text("utf-8"), name)


def read_usage_revenue(text: str, name: str = "usage-revenue mapping") -> UsageRevenue:
    """The mapping in a text; `name` is what faults call it.

    Raises:
        ConfigurationInvalid: it is no such document; the message names the line and key.
    """
    return _Reader(name, _ADVICE).mapping(text)


class _Reader(DeclaredReader):
    def mapping(self, text: str) -> UsageRevenue:
        parts = self.parts(self.root(text), "the document", ("version", "rows"), ("version", "rows"))
        listed = parts["rows"]
        if not isinstance(listed, yaml.SequenceNode):
            self.refuse(listed, "rows must be a list")
        version = self.text(parts["version"], "version")
        rows = tuple(self._row(each) for each in listed.value)
        self._once(listed.value, rows)
        return UsageRevenue(version, _fingerprint(version, rows), rows, text)

    def _row(self, node: yaml.Node) -> UsageRow:
        parts = self.parts(node, "a row", _KEYS, _NEEDED)
        charged = self.text(parts["charged"], "charged")
        if charged not in _CHARGED:
            self.refuse(parts["charged"], f"charged must be {' or '.join(_CHARGED)}")
        account = self._account(parts["account"])
        return UsageRow(
            unit=self.text(parts["unit"], "unit"),
            metric=self.text(parts["metric"], "metric"),
            metered=_CHARGED[charged],
            per=self._per(parts["per"]) if "per" in parts else Decimal(1),
            account=None if account == _ERP else account,
            products=self._codes(parts["products"]) if "products" in parts else (),
        )

    def _account(self, node: yaml.Node) -> str:
        account = self.text(node, "account")
        if not node.tag.endswith(":str"):
            # 0400 without quotation marks is read by some as the number 256.
            self.refuse(node, "account must be erp, or an account in quotation marks")
        return account

    def _per(self, node: yaml.Node) -> Decimal:
        written = self.text(node, "per")
        try:
            per = Decimal(written)
        except InvalidOperation:
            self.refuse(node, "per must be a number")
        if not per.is_finite() or not 0 < per <= 10**12:
            self.refuse(node, "per must be more than 0, and no more than a trillion")
        return per

    def _codes(self, node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.refuse(node, "products must be a list of codes")
        codes = tuple(folded(self.text(each, "products")) for each in node.value)
        for code, each in zip(codes, node.value, strict=True):
            if not code:
                self.refuse(each, "products has a code without letters and digits")
        return codes

    def _once(self, nodes: Sequence[yaml.Node], rows: Sequence[UsageRow]) -> None:
        """No product and no unit has two rows: which one holds would be a matter of luck."""
        seen: set[tuple[str, str]] = set()
        for node, row in zip(nodes, rows, strict=True):
            names = [("product", code) for code in row.products] or [("unit", row.unit)]
            for what, name in names:
                if (what, name) in seen:
                    self.refuse(node, f"{what} {name} has a row already")
                seen.add((what, name))


def _fingerprint(version: str, rows: Sequence[UsageRow]) -> str:
    said = {"version": version, "rows": [asdict(row) | {"per": str(row.per.normalize())} for row in rows]}
    return fingerprint_of(said)
