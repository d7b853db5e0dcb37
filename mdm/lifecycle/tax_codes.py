"""Which tax code a posting needs: by the country of the company code, the customer's tax category, and the product.

One document, read completely when it is loaded; a setting replaces the one that ships.
"""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import yaml

from mdm.lifecycle.declared import DeclaredReader, Span, fingerprint_of

_NAME = "tax codes"
_ADVICE = "Correct the document; `mdm postings lint` reads it again."
_KEYS = ("country", "category", "customers", "but_not", "products", "code", "name", "from", "to")
_NEEDED = ("country", "category", "code")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,16}")
_CODE_LIKE = "letters, digits, dots and dashes, at most 16"
_COUNTRY = re.compile("[A-Z]{2}")
_COUNTRY_LIKE = "a country of two capital letters, like DE"


@dataclass(frozen=True, slots=True)
class TaxRow:
    """A tax code, and for whom it is. An empty set of customers or products leaves it open to all.

    `country` is where the tax is owed, `category` the tax classification of the customer, `customers` and `but_not`
    are countries of customers, `products` the tax codes that ERP holds for products.
    """

    country: str
    category: str
    code: str
    customers: frozenset[str]
    but_not: frozenset[str]
    products: frozenset[str]
    span: Span

    def fits(self, country: str, category: str, customer: str | None, product: str | None, any_product: bool) -> bool:
        """Whether it is for this sale, on whatever day."""
        return (
            (self.country, self.category) == (country, category)
            and (not self.customers or customer in self.customers)
            and (not self.but_not or (customer is not None and customer not in self.but_not))
            and (any_product or not self.products or product in self.products)
        )


@dataclass(frozen=True, slots=True)
class TaxCodes:
    """The codes of all countries. The fingerprint is of what it says: comments and order do not change it."""

    version: str
    fingerprint: str
    rows: tuple[TaxRow, ...]

    def rows_for(
        self, country: str, category: str, customer: str | None, product: str | None = None, any_product: bool = False
    ) -> tuple[TaxRow, ...]:
        """The rows for this sale, on whatever day; with `any_product` those of every product."""
        return tuple(row for row in self.rows if row.fits(country, category, customer, product, any_product))


def codes_on(rows: Sequence[TaxRow], day: date) -> tuple[str, ...]:
    """The codes of those rows that hold on the day, each once."""
    return tuple(dict.fromkeys(row.code for row in rows if row.span.covers(day)))


@cache
def shipped_tax_codes() -> TaxCodes:
    """The codes that ship with the hub (`tax_codes.yaml`): of the sample company."""
    return read_tax_codes((files("mdm.lifecycle") / "tax_codes.yaml").read_text("utf-8"), "tax_codes.yaml")


def read_tax_codes(text: str, name: str = _NAME) -> TaxCodes:
    """The codes in a text; `name` is what faults call it.

    Raises:
        ConfigurationInvalid: it is no such document; the message names the line and what is wrong there.
    """
    return _Reader(name, _ADVICE).codes(text)


class _Reader(DeclaredReader):
    def codes(self, text: str) -> TaxCodes:
        parts = self.parts(self.root(text), "the document", ("version", "rows"), ("version", "rows"))
        version = self.text(parts["version"], "version")
        rows: list[TaxRow] = []
        for node in self.items(parts["rows"], "rows"):
            row = self._row(node)
            if any(astuple(row)[:-1] == astuple(each)[:-1] and row.span.meets(each.span) for each in rows):
                self.refuse(node, "this row stands here already, and both hold on the same days")
            rows.append(row)
        return TaxCodes(version, fingerprint_of([version, *sorted(map(_said, rows))]), tuple(rows))

    def _row(self, node: yaml.Node) -> TaxRow:
        parts = self.parts(node, "a row", _KEYS, _NEEDED)
        if "customers" in parts and "but_not" in parts:
            self.refuse(parts["but_not"], "a row has customers or but_not, not both")
        if "name" in parts:
            self.text(parts["name"], "name")
        return TaxRow(
            country=self.quoted(parts["country"], "country", _COUNTRY, _COUNTRY_LIKE),
            category=self.text(parts["category"], "category"),
            code=self.quoted(parts["code"], "code", _CODE, _CODE_LIKE),
            customers=self._set(parts.get("customers"), "customers", _COUNTRY, _COUNTRY_LIKE),
            but_not=self._set(parts.get("but_not"), "but_not", _COUNTRY, _COUNTRY_LIKE),
            products=self._set(parts.get("products"), "products", _CODE, _CODE_LIKE),
            span=self.span(parts),
        )

    def _set(self, node: yaml.Node | None, key: str, form: re.Pattern[str], like: str) -> frozenset[str]:
        if node is None:
            return frozenset()
        return frozenset(self.quoted(each, key, form, like) for each in self.items(node, key))


def _said(row: TaxRow) -> list[str]:
    sets = (row.customers, row.but_not, row.products)
    return [row.country, row.category, row.code, *(" ".join(sorted(each)) for each in sets), str(row.span)]
