"""The canonical models: every attribute of customer, contract and product with its definition, type, owner and class.

This catalogue is the contract between intake (which fills attributes), survivorship (which chooses among them) and the
API (which serves and masks them). Standard terms, ISO codes, money as decimal text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mdm.model.ids import Domain


class DataClass(StrEnum):
    """How far a value may travel."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Shape(StrEnum):
    """The JSON form of an attribute's value."""

    TEXT = "text"
    CODE = "code"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"  # text, never a float
    DATE = "date"  # YYYY-MM-DD
    TEXTS = "list of text"
    ADDRESS = "address"
    IDENTIFIERS = "list of identifier"
    PHONES = "list of phone"
    EMAILS = "list of email"
    REFERENCE = "reference"  # {"system", "type", "key"}: a source row; served with its entity id
    LINES = "list of contract line"
    EXTENSIONS = "extensions"  # {platform: {name: text, number, flag, date or list of text}}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One canonical attribute. `owner` is the accountable team; attributes with one `group` survive together."""

    name: str
    shape: Shape
    definition: str
    owner: str
    data_class: DataClass = DataClass.INTERNAL
    group: str | None = None


_SALES, _FINANCE, _PRODUCT, _MASTER = "sales-operations", "finance-master-data", "product-operations", "master-data"

CUSTOMER: tuple[Attribute, ...] = (
    Attribute("name", Shape.TEXT, "Registered name of the legal entity.", _FINANCE, DataClass.PUBLIC),
    Attribute("alternate_names", Shape.TEXTS, "Trading, former and additional names.", _MASTER, DataClass.PUBLIC),
    Attribute("legal_form", Shape.TEXT, "Legal form as registered, e.g. GmbH.", _FINANCE, DataClass.PUBLIC),
    Attribute("country", Shape.CODE, "Country of the seat, ISO 3166-1 alpha-2.", _FINANCE, DataClass.PUBLIC),
    Attribute(
        "identifiers",
        Shape.IDENTIFIERS,
        "Typed identifiers: type (vat, tax, registration, lei, duns), country, value as written, normal form, and "
        "checksum state (valid, invalid, unverifiable).",
        _FINANCE,
        DataClass.CONFIDENTIAL,
    ),
    Attribute(
        "address",
        Shape.ADDRESS,
        "Seat: street, house_number, line2, postal_code, city, region, country. Survives as one value.",
        _FINANCE,
        DataClass.INTERNAL,
        group="address",
    ),
    Attribute("phones", Shape.PHONES, "Phone numbers: value, e164, valid.", _SALES, DataClass.CONFIDENTIAL),
    Attribute(
        "emails",
        Shape.EMAILS,
        "E-mail addresses: value, domain, shared mailbox or not.",
        _SALES,
        DataClass.CONFIDENTIAL,
    ),
    Attribute("web_domain", Shape.TEXT, "Registrable web domain of the entity.", _SALES, DataClass.PUBLIC),
    Attribute("parent", Shape.REFERENCE, "The direct parent as the source states it.", _FINANCE),
    Attribute("status", Shape.CODE, "prospect, active, inactive, blocked or merged.", _SALES),
    Attribute("industry", Shape.TEXT, "Line of business.", _SALES, DataClass.PUBLIC),
    Attribute("employees", Shape.INTEGER, "Number of employees.", _SALES),
    Attribute("annual_revenue", Shape.DECIMAL, "Annual revenue in the source's currency.", _SALES),
    Attribute("currency", Shape.CODE, "Billing currency, ISO 4217.", _FINANCE),
    Attribute("language", Shape.CODE, "Correspondence language, ISO 639-1.", _SALES),
    Attribute("payment_terms", Shape.CODE, "Terms of payment key of ERP.", _FINANCE, DataClass.CONFIDENTIAL),
    Attribute("tax_classification", Shape.CODE, "Tax classification of ERP.", _FINANCE, DataClass.CONFIDENTIAL),
    Attribute("blocked", Shape.BOOLEAN, "Blocked for posting in ERP.", _FINANCE),
    Attribute("block_reason", Shape.TEXT, "Why ERP blocks the partner.", _FINANCE),
    Attribute("validated", Shape.BOOLEAN, "Legal entity validated by finance.", _FINANCE),
    Attribute("validated_on", Shape.DATE, "Date of the validation.", _FINANCE),
    Attribute("delinquent", Shape.BOOLEAN, "Has overdue invoices in billing.", _FINANCE, DataClass.CONFIDENTIAL),
    Attribute("segment", Shape.TEXT, "Market segment.", _SALES),
    Attribute("plan", Shape.CODE, "Plan of the product platform.", _PRODUCT),
)

CONTRACT: tuple[Attribute, ...] = (
    Attribute("number", Shape.TEXT, "Contract number.", _SALES),
    Attribute("other_numbers", Shape.TEXTS, "Numbers of the same contract in other platforms.", _SALES),
    Attribute("customer", Shape.REFERENCE, "The contracting customer.", _SALES),
    Attribute(
        "lines",
        Shape.LINES,
        "Products sold: product (reference), quantity, unit_price.",
        _SALES,
    ),
    Attribute("start_date", Shape.DATE, "First day of the term.", _SALES, group="term"),
    Attribute("end_date", Shape.DATE, "Last day of the term.", _SALES, group="term"),
    Attribute("term_months", Shape.INTEGER, "Length of the term in months.", _SALES, group="term"),
    Attribute("value", Shape.DECIMAL, "Total contract value.", _FINANCE, DataClass.CONFIDENTIAL, group="value"),
    Attribute("currency", Shape.CODE, "Currency, ISO 4217.", _FINANCE, group="value"),
    Attribute("billing_frequency", Shape.CODE, "monthly, quarterly, annual.", _FINANCE),
    Attribute("status", Shape.CODE, "draft, active, past_due, cancelled, expired or closed.", _SALES),
    Attribute("activated_on", Shape.DATE, "Day on which the contract was activated.", _SALES),
    Attribute("prior_contract", Shape.REFERENCE, "The contract that this one renews.", _SALES),
    Attribute("amendment", Shape.INTEGER, "Number of the latest amendment.", _SALES),
    Attribute("special_terms", Shape.TEXT, "Clauses that deviate from the standard.", _SALES, DataClass.CONFIDENTIAL),
)

PRODUCT: tuple[Attribute, ...] = (
    Attribute("name", Shape.TEXT, "Commercial name.", _PRODUCT, DataClass.PUBLIC),
    Attribute("technical_name", Shape.TEXT, "Name in the product platform.", _PRODUCT),
    Attribute("code", Shape.TEXT, "Article code (SKU).", _PRODUCT, DataClass.PUBLIC),
    Attribute("other_codes", Shape.TEXTS, "Codes of the same product elsewhere.", _PRODUCT, DataClass.PUBLIC),
    Attribute("identifiers", Shape.IDENTIFIERS, "GTIN with its checksum state.", _PRODUCT, DataClass.PUBLIC),
    Attribute("description", Shape.TEXT, "Description.", _PRODUCT, DataClass.PUBLIC),
    Attribute("family", Shape.TEXT, "Product family.", _PRODUCT, DataClass.PUBLIC),
    Attribute("brand", Shape.TEXT, "Brand or manufacturer.", _PRODUCT, DataClass.PUBLIC),
    Attribute("version", Shape.TEXT, "Version or generation.", _PRODUCT, DataClass.PUBLIC),
    Attribute("unit", Shape.CODE, "Unit of measure.", _PRODUCT),
    Attribute("metered", Shape.BOOLEAN, "Charged by usage.", _PRODUCT),
    Attribute("tax_code", Shape.CODE, "Tax code of ERP.", _FINANCE),
    Attribute("revenue_account", Shape.CODE, "Revenue account of ERP.", _FINANCE, DataClass.CONFIDENTIAL),
    Attribute("status", Shape.CODE, "active or inactive.", _PRODUCT),
    Attribute("labels", Shape.TEXTS, "Labels of the product platform.", _PRODUCT),
)

ATTRIBUTES: Mapping[Domain, tuple[Attribute, ...]] = {
    Domain.CUSTOMER: CUSTOMER,
    Domain.CONTRACT: CONTRACT,
    Domain.PRODUCT: PRODUCT,
}

#: What platforms say beyond the model, in a namespace of each: no mapping, rule or release adds to `ATTRIBUTES` for it.
#: Nobody classified it, so it travels as far as confidential values.
EXTENSION = Attribute(
    "ext",
    Shape.EXTENSIONS,
    "Extension attributes that mappings declare beyond this model, by platform and name.",
    _MASTER,
    DataClass.CONFIDENTIAL,
)

#: The attribute whose class the display name of a golden record has; no other of a higher class may lend it its value.
NAMING: Mapping[Domain, str] = {Domain.CUSTOMER: "name", Domain.CONTRACT: "number", Domain.PRODUCT: "name"}

#: Kinds that are kept as linked facts: stored, referenced and served with their master data, never resolved.
LINKED_FACTS: frozenset[str] = frozenset(
    {
        "contact",
        "opportunity",
        "quote",
        "offer",
        "order",
        "entitlement",
        "usage_batch",
        "invoice",
        "invoice_line",
        "payment",
        "posting",
    }
)
