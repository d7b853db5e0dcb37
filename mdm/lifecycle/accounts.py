"""The chart of accounts as ERP has it, company code by company code: what may be booked where, in what, and when.

One document, read completely when it is loaded; a setting replaces the one that ships. What it means for a posting is
decided in `mdm.lifecycle.prepost`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml

from mdm.lifecycle.declared import DeclaredReader, Span, fingerprint_of

_NAME = "chart of accounts"
_ADVICE = "Correct the document; `mdm postings lint` reads it again."
_COMPANY_KEYS = ("code", "name", "country", "legal_entity", "currencies", "accounts")
_COMPANY_NEEDS = ("code", "country", "currencies", "accounts")
_ACCOUNT_KEYS = ("number", "kind", "name", "from", "to")
_CURRENCY_KEYS = ("code", "from", "to")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,16}")
_CODE_LIKE = "letters, digits, dots and dashes, at most 16"
_CURRENCY = re.compile("[A-Z]{3}")
_COUNTRY = re.compile("[A-Z]{2}")
#: The label of a legal entity, as scopes name it.
_LABEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class AccountKind(StrEnum):
    """What is booked on an account. Revenue follows the mapping of use and revenue, and needs a tax code."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    TAX = "tax"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a company code, and when it may be booked on: no two of its spans have a day in common."""

    number: str
    kind: AccountKind
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """A company code: the country whose taxes it owes, the label that placements call it by, currencies, accounts."""

    code: str
    country: str
    legal_entity: str
    currencies: Mapping[str, tuple[Span, ...]]
    accounts: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The chart of all company codes. The fingerprint is of what it says: comments and order do not change it."""

    version: str
    fingerprint: str
    companies: Mapping[str, Company]


@cache
def shipped_accounts() -> Accounts:
    """The chart that ships with the hub (`accounts.yaml`): of the sample company."""
    return read_accounts((files("mdm.lifecycle") / "accounts.yaml").read_text("utf-8"), "accounts.yaml")


def read_accounts(text: str, name: str = _NAME) -> Accounts:
    """The chart in a text; `name` is what faults call it.

    Raises:
        ConfigurationInvalid: it is no such document; the message names the line and what is wrong there.
    """
    return _Reader(name, _ADVICE).chart(text)


class _Reader(DeclaredReader):
    def chart(self, text: str) -> Accounts:
        parts = self.parts(self.root(text), "the document", ("version", "companies"), ("version", "companies"))
        version = self.text(parts["version"], "version")
        companies: dict[str, Company] = {}
        for node in self.items(parts["companies"], "companies"):
            company = self._company(node)
            if company.code in companies:
                self.refuse(node, f"company code {company.code} stands here already")
            companies[company.code] = company
        return Accounts(version, fingerprint_of([version, *map(_said, companies.values())]), companies)

    def _company(self, node: yaml.Node) -> Company:
        parts = self.parts(node, "a company code", _COMPANY_KEYS, _COMPANY_NEEDS)
        code = self.quoted(parts["code"], "code", _CODE, _CODE_LIKE)
        if "name" in parts:
            self.text(parts["name"], "name")
        label = parts.get("legal_entity")
        return Company(
            code=code,
            country=self.quoted(parts["country"], "country", _COUNTRY, "a country of two capital letters, like DE"),
            legal_entity=code
            if label is None
            else self.quoted(label, "legal_entity", _LABEL, "a label of a placement"),
            currencies=self._currencies(self.items(parts["currencies"], "currencies")),
            accounts=self._accounts(self.items(parts["accounts"], "accounts")),
        )

    def _currencies(self, nodes: Sequence[yaml.Node]) -> Mapping[str, tuple[Span, ...]]:
        found: dict[str, tuple[Span, ...]] = {}
        for node in nodes:
            span, written = Span(), node
            if isinstance(node, yaml.MappingNode):
                parts = self.parts(node, "a currency", _CURRENCY_KEYS, ("code",))
                span, written = self.span(parts), parts["code"]
            code = self.quoted(written, "a currency", _CURRENCY, "three capital letters, like EUR")
            found[code] = self._added(node, f"currency {code}", found.get(code, ()), span)
        return found

    def _accounts(self, nodes: Sequence[yaml.Node]) -> Mapping[str, Account]:
        found: dict[str, Account] = {}
        for node in nodes:
            parts = self.parts(node, "an account", _ACCOUNT_KEYS, ("number", "kind"))
            number = self.quoted(parts["number"], "number", _CODE, _CODE_LIKE)
            if "name" in parts:
                self.text(parts["name"], "name")
            kind = self._kind(parts["kind"])
            known = found.get(number)
            if known is not None and known.kind is not kind:
                self.refuse(parts["kind"], f"account {number} is of the kind {known.kind.value} above")
            spans = self._added(node, f"account {number}", known.spans if known else (), self.span(parts))
            found[number] = Account(number, kind, spans)
        return found

    def _kind(self, node: yaml.Node) -> AccountKind:
        written = self.text(node, "kind")
        if written not in set(AccountKind):
            self.refuse(node, f"kind must be one of {', '.join(AccountKind)}")
        return AccountKind(written)

    def _added(self, node: yaml.Node, what: str, spans: tuple[Span, ...], span: Span) -> tuple[Span, ...]:
        if any(each.meets(span) for each in spans):
            self.refuse(node, f"{what} stands here already, and both hold on the same days")
        return (*spans, span)


def _said(company: Company) -> list[object]:
    currencies = sorted((code, sorted(map(str, spans))) for code, spans in company.currencies.items())
    accounts = sorted((each.number, each.kind, sorted(map(str, each.spans))) for each in company.accounts.values())
    return [company.code, company.country, company.legal_entity, currencies, accounts]
