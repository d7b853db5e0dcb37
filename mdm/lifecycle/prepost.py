"""The pre-posting check: may this be posted, or will ERP refuse it? Pass or block, with a reason for each thing wrong.

Pure: what the hub knows of partners, products and closed months comes from outside (`mdm.hub.prepost`); accounts and
tax codes are documents (`accounts`, `tax_codes`). Every check is made, so that whoever mends a posting mends it once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

import yaml

from mdm.access.scope import EVERYWHERE, UNASSIGNED
from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.accounts import AccountKind, Accounts, Company
from mdm.lifecycle.declared import Span
from mdm.lifecycle.tax_codes import TaxCodes, codes_on
from mdm.model.ids import Domain, EntityId

#: Labels of a placement that leave it open which legal entity sells.
_OPEN = frozenset({EVERYWHERE, UNASSIGNED})
#: Golden attributes that sentences about accounts and tax codes tell of.
_BOOKED = ((Domain.PRODUCT, "revenue_account"),)
_TAXED = ((Domain.CUSTOMER, "tax_classification"), (Domain.PRODUCT, "tax_code"))


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line as it would be posted. Without an account the one of the mapping is meant; debits are positive."""

    account: str | None = None
    product: str | None = None
    amount: Decimal | None = None
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedPosting:
    """A journal entry before it is made. `partner` is a number of ERP, `customer` a golden id, `product` an item."""

    reference: str
    company_code: str
    posting_date: date
    currency: str
    lines: tuple[PlannedLine, ...]
    partner: str | None = None
    customer: str | None = None

    @property
    def month(self) -> str:
        """Whose books it goes into, like 2026-10."""
        return f"{self.posting_date:%Y-%m}"


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """What the hub knows of a golden customer. `legal_entities` are the labels of its placement."""

    entity_id: EntityId
    blocked: bool
    approved: bool
    in_erp: bool
    country: str | None
    tax_category: str | None
    legal_entities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownProduct:
    """A golden product: its account by the mapping in force, or why there is none, and its tax code in ERP."""

    entity_id: EntityId
    account: str | None
    lacks: str
    tax_code: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows about a batch: what numbers mean, by number, and who and what that is, by id.

    `gone` and `gone_items` are numbers of rows that were deleted; `ids` leads from a golden id to the id of now.
    """

    partners: Mapping[str, tuple[EntityId, ...]] = field(default_factory=dict)
    items: Mapping[str, tuple[EntityId, ...]] = field(default_factory=dict)
    ids: Mapping[str, EntityId] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    gone_items: frozenset[str] = frozenset()
    customers: Mapping[EntityId, KnownCustomer] = field(default_factory=dict)
    products: Mapping[EntityId, KnownProduct] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents that postings are held against."""

    accounts: Accounts
    tax_codes: TaxCodes


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a posting is blocked: a code of the catalogue, where (a JSON pointer into the posting), and a sentence.

    `about` are the golden attributes that the sentence tells of: nobody is told it who may not see them.
    """

    code: str
    path: str
    message: str
    about: tuple[tuple[Domain, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the check says of one posting, and on whom it would be posted."""

    posting: PlannedPosting
    customer: EntityId | None
    reasons: tuple[Reason, ...]

    @property
    def passes(self) -> bool:
        """Whether nothing stands against it."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explained:
    """A code of the catalogue: what it means, whose move it is and what to do."""

    code: str
    means: str
    owner: str
    action: str


@cache
def reason_codes() -> Mapping[str, Explained]:
    """The catalogue of codes (`prepost.yaml`), in its order.

    Raises:
        ConfigurationInvalid: a part is missing; names it.
    """
    try:
        document = yaml.safe_load((files("mdm.lifecycle") / "prepost.yaml").read_text("utf-8"))
        return {
            code: Explained(code, str(each["means"]), str(each["owner"]), str(each["action"]))
            for code, each in document["codes"].items()
        }
    except KeyError as fault:
        raise ConfigurationInvalid(f"The codes of the pre-posting check lack {fault}.") from fault


def judge(posting: PlannedPosting, known: Known, documents: Documents) -> Judgement:
    """Everything that stands against a posting."""
    company = documents.accounts.companies.get(posting.company_code)
    customer, reasons = _partner(posting, known)
    reasons += _header(posting, company, known)
    if customer is not None:
        reasons += _standing(posting, customer, company)
    reasons += _lines(posting, company, customer, known, documents.tax_codes)
    return Judgement(posting, customer.entity_id if customer is not None else None, tuple(reasons))


def untaxed_companies(documents: Documents) -> tuple[str, ...]:
    """Company codes of whose country there is no tax code: nothing can be sold from them."""
    taxed = {row.country for row in documents.tax_codes.rows}
    return tuple(each.code for each in documents.accounts.companies.values() if each.country not in taxed)


def _header(posting: PlannedPosting, company: Company | None, known: Known) -> Iterator[Reason]:
    day = posting.posting_date
    if posting.month in known.closed:
        yield Reason("PERIOD_CLOSED", "/posting_date", f"The books of {posting.month} are closed.")
    amounts = [each.amount for each in posting.lines if each.amount is not None]
    if len(amounts) == len(posting.lines) > 1 and (over := sum(amounts, Decimal(0))):
        yield Reason("ENTRY_UNBALANCED", "/lines", f"The lines add up to {over:f} {posting.currency}, not to nothing.")
    if company is None:
        yield Reason("COMPANY_UNKNOWN", "/company_code", f"There is no company code {posting.company_code}.")
        return
    spans = company.currencies.get(posting.currency, ())
    if not any(each.covers(day) for each in spans):
        held = f"; it does {_when(spans)}" if spans else ""
        message = f"Company code {company.code} does not book in {posting.currency} on {day.isoformat()}{held}."
        yield Reason("CURRENCY_NOT_MAINTAINED", "/currency", message)


def _partner(posting: PlannedPosting, known: Known) -> tuple[KnownCustomer | None, list[Reason]]:
    """The one golden customer on whom it is posted, or why there is none."""
    named, given = posting.partner, posting.customer
    path = "/partner" if named is not None else "/customer"
    stated = None if given is None else known.ids.get(given)
    meant = known.partners.get(named, ()) if named is not None else (() if stated is None else (stated,))
    if named is None and given is None:
        return None, [Reason("PARTNER_NOT_STATED", "/partner", "No business partner and no golden customer is named.")]
    if given is not None and stated is None:
        return None, [_unknown(given, "/customer", "customer", known)]
    if not meant:
        return None, [_unknown(str(named), "/partner", "business partner", known)]
    if stated is not None and stated not in meant:
        message = f"Business partner {named} belongs to {meant[0]}, not to {stated}."
        return None, [Reason("PARTNER_DIFFERS", "/customer", message)]
    if stated is None and len(meant) > 1:
        message = f"Business partner {named} means {len(meant)} golden customers: {', '.join(meant)}."
        return None, [Reason("PARTNER_AMBIGUOUS", path, message)]
    found = known.customers.get(stated or meant[0])
    if found is None:
        return None, [Reason("PARTNER_GONE", path, "The customer has no golden record any more.")]
    return found, []


def _unknown(name: str, path: str, what: str, known: Known) -> Reason:
    if name in known.gone:
        return Reason("PARTNER_GONE", path, f"The {what} {name} is not there any more.")
    return Reason("PARTNER_UNKNOWN", path, f"The hub knows no {what} {name}.")


def _standing(posting: PlannedPosting, customer: KnownCustomer, company: Company | None) -> Iterator[Reason]:
    """Whether anything may be posted on the customer at all, in this company code."""
    path = "/partner" if posting.partner is not None else "/customer"
    if not customer.in_erp:
        yield Reason("PARTNER_MISSING", path, f"Customer {customer.entity_id} has no business partner in ERP.")
    if not customer.approved:
        message = f"Nobody has confirmed the legal entity of customer {customer.entity_id}."
        yield Reason("PARTNER_NOT_APPROVED", path, message, ((Domain.CUSTOMER, "validated"),))
    if customer.blocked:
        message = f"Customer {customer.entity_id} is blocked for posting."
        yield Reason("PARTNER_BLOCKED", path, message, ((Domain.CUSTOMER, "blocked"),))
    placed = customer.legal_entities
    if company is not None and placed and placed.isdisjoint(_OPEN | {company.legal_entity}):
        message = (
            f"Customer {customer.entity_id} belongs to {', '.join(sorted(placed))}, and company code {company.code} "
            f"is {company.legal_entity}."
        )
        yield Reason("COMPANY_NOT_OPENED", "/company_code", message)


@dataclass(frozen=True, slots=True)
class _Sale:
    """A line with everything that it is held against. `item` is the product of a line that books revenue."""

    posting: PlannedPosting
    number: int
    company: Company | None
    customer: KnownCustomer | None
    item: KnownProduct | None

    @property
    def line(self) -> PlannedLine:
        return self.posting.lines[self.number]

    def at(self, member: str) -> str:
        """Where a member of the line stands."""
        return f"/lines/{self.number}/{member}"


def _lines(
    posting: PlannedPosting, company: Company | None, customer: KnownCustomer | None, known: Known, taxes: TaxCodes
) -> Iterator[Reason]:
    unclassified = False
    for number, line in enumerate(posting.lines):
        product, reason = _product(line, f"/lines/{number}/product", known)
        if reason is not None:
            yield reason
        kind = _kind(line, company)
        sells = kind is AccountKind.REVENUE or (kind is None and line.product is not None)
        sale = _Sale(posting, number, company, customer, product if sells else None)
        yield from _account(sale)
        if kind is AccountKind.REVENUE and line.product is None:
            yield Reason("PRODUCT_NOT_STATED", sale.at("product"), "Revenue is booked on it, and no product is named.")
        # Of an item that nobody knows no tax code can be known: one thing is told once.
        if company is None or customer is None or reason is not None or not (sells or line.tax_code):
            continue
        if customer.tax_category is not None:
            yield from _tax(sale, company, customer, taxes)
        elif not unclassified:
            unclassified = True
            where = "/partner" if posting.partner is not None else "/customer"
            message = f"Customer {customer.entity_id} has no tax classification."
            yield Reason("TAX_CATEGORY_MISSING", where, message, ((Domain.CUSTOMER, "tax_classification"),))


def _kind(line: PlannedLine, company: Company | None) -> AccountKind | None:
    found = company.accounts.get(line.account) if company is not None and line.account is not None else None
    return found.kind if found is not None else None


def _product(line: PlannedLine, path: str, known: Known) -> tuple[KnownProduct | None, Reason | None]:
    if line.product is None:
        return None, None
    meant = known.items.get(line.product, ())
    found = known.products.get(meant[0]) if len(meant) == 1 else None
    if found is not None:
        return found, None
    message = f"The hub knows no item {line.product}."
    if len(meant) > 1:
        message = f"Item {line.product} means {len(meant)} golden products."
    elif line.product in known.gone_items:
        message = f"Item {line.product} was deleted in ERP."
    return None, Reason("PRODUCT_UNKNOWN", path, message)


def _account(sale: _Sale) -> Iterator[Reason]:
    """The account is the one that the mapping has for the product, and exists in the company code on that day."""
    line, item, path = sale.line, sale.item, sale.at("account")
    expected = item.account if item is not None and not item.lacks else None
    if item is not None and item.lacks:
        message = f"Item {line.product} has no revenue account: {item.lacks}."
        yield Reason("ACCOUNT_UNMAPPED", path, message, _BOOKED)
    elif expected is not None and line.account not in (None, expected):
        message = f"Revenue of item {line.product} is booked on account {expected}, not on {line.account}."
        yield Reason("ACCOUNT_DIFFERS", path, message, _BOOKED)
    account = line.account or expected
    if account is None and line.product is None:
        yield Reason("ACCOUNT_NOT_STATED", path, "The line names neither an account nor a product.")
    if account is None or sale.company is None:
        return
    day, found = sale.posting.posting_date, sale.company.accounts.get(account)
    if found is None or not any(each.covers(day) for each in found.spans):
        held = f"; it is open {_when(found.spans)}" if found is not None else ""
        message = f"Account {account} is not defined in company code {sale.company.code} on {day.isoformat()}{held}."
        yield Reason("ACCOUNT_NOT_DEFINED", path, message, () if line.account else _BOOKED)


def _tax(sale: _Sale, company: Company, customer: KnownCustomer, taxes: TaxCodes) -> Iterator[Reason]:
    """The stated tax code holds for country, category and product on that day; where none is stated, exactly one does.

    Without a product the code of any product will do.
    """
    line, item, path, day = sale.line, sale.item, sale.at("tax_code"), sale.posting.posting_date
    own = item.tax_code if item is not None else None
    category = str(customer.tax_category)
    rows = taxes.rows_for(company.country, category, customer.country, own, any_product=item is None)
    codes = codes_on(rows, day)
    what = f"category {category} in {customer.country or 'no known country'}"
    if item is not None:
        what += f" and an item of tax code {own or 'none'}"
    if not codes:
        held = f"; one does {_when([row.span for row in rows])}" if rows else ""
        message = f"No tax code of {company.country} holds on {day.isoformat()} for a customer of {what}{held}."
        yield Reason("TAX_CODE_MISSING", path, message, _TAXED)
    elif line.tax_code is not None and line.tax_code not in codes:
        message = f"On {day.isoformat()} {' or '.join(codes)} is for a customer of {what}, not {line.tax_code}."
        yield Reason("TAX_CODE_DIFFERS", path, message, _TAXED)
    elif line.tax_code is None and item is not None and len(codes) > 1:
        message = f"For a customer of {what} tax codes {', '.join(codes)} hold, and none is stated."
        yield Reason("TAX_CODE_MISSING", path, message, _TAXED)


def _when(spans: Sequence[Span]) -> str:
    return " and ".join(dict.fromkeys(map(str, spans)))
