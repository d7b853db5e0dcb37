"""What fits better ranks above what fits worse, whatever the weights of the day are.

Each case is a record, one that fits it better and one that fits it worse; values are as sources write them.
"""

from typing import Any

import pytest

from matching.decision import Decision, decide
from matching.model import load_model
from matching.scoring import explain_pair
from mdm.intake.mapping import comparison_forms
from mdm.intake.paths import Path
from mdm.intake.rules import AttributeRule, Source
from mdm.intake.standardise.document_numbers import number_form, number_forms

RULES = {
    "customer": {
        "country": "country", "name": "organisation_name", "others": "organisation_names", "form": "legal_form",
        "vat": "identifiers", "phone": "phones", "email": "emails", "site": "web_domain", "address": "address",
    },
    "product": {"name": "product_name", "code": "product_codes", "gtin": "gtin", "version": "version", "unit": "unit",
        "brand": "brand"},
}  # fmt: skip


def rules(domain: str) -> tuple[AttributeRule, ...]:
    found = []
    for name, standardiser in RULES[domain].items():
        sources: tuple[Source, ...] = (Source(Path("name" if name == "form" else name)),)
        if name == "vat":
            sources = (Source(Path("vat"), options={"type": "vat"}),)
        if name == "others":
            sources = (Source(Path("name"), "others"), Source(Path("also")))
        if name == "address":
            sources = tuple(Source(Path(part), part) for part in ("street", "postal_code", "city"))
        found.append(AttributeRule(name, standardiser, sources))
    return tuple(found)


def record(domain: str, number: int, values: dict[str, str]) -> dict[str, Any]:
    forms = comparison_forms(rules(domain), values, customer=domain == "customer")
    return {**forms, "self": [f"test:row:{number}"]}


def weight(domain: str, left: dict[str, str], right: dict[str, str]) -> float:
    return explain_pair(load_model(domain), record(domain, 1, left), record(domain, 2, right)).weight


COMPANY = {"country": "DE", "street": "Hauptstr. 5", "postal_code": "80331", "city": "München"}
AT_HOME = {**COMPANY, "phone": "+49 89 1234567", "site": "nordwind-anlagen.de"}
CUSTOMERS = {
    "legal form written out": (
        {**COMPANY, "name": "Nordwind Anlagenbau GmbH"},
        {**COMPANY, "name": "Nordwind Anlagenbau Gesellschaft mit beschränkter Haftung"},
        {**COMPANY, "name": "Nordwind Anlagenbau AG"},
    ),
    "word order": (
        {**COMPANY, "name": "Anlagenbau Nordwind GmbH"},
        {**COMPANY, "name": "Nordwind Anlagenbau GmbH"},
        {**COMPANY, "name": "Nordwind Logistik GmbH"},
    ),
    "umlauts and typing errors": (
        {**COMPANY, "name": "Müller Präzisionstechnik GmbH"},
        {**COMPANY, "name": "Mueller Praezisionstechnk"},
        {**COMPANY, "name": "Müller Gartentechnik GmbH"},
    ),
    "a name that it trades under": (
        {**COMPANY, "name": "Nordwind Anlagenbau GmbH t/a Windkraft Meyer"},
        {**COMPANY, "name": "Windkraft Meyer"},
        {**COMPANY, "name": "Wasserkraft Meyer"},
    ),
    "a former name": (
        {**COMPANY, "name": "Helios Energy SE", "also": "Sonnenschein Energie AG"},
        {**COMPANY, "name": "Sonnenschein Energie AG"},
        {**COMPANY, "name": "Sonnenschein Touristik AG"},
    ),
    "an acronym": (
        {**COMPANY, "name": "Norddeutsche Anlagen Werke GmbH"},
        {**COMPANY, "name": "NAW GmbH"},
        {**COMPANY, "name": "NBX GmbH"},
    ),
    "Cyrillic and its Latin spelling": (
        {"country": "RU", "name": "Ромашка Логистика"},
        {"country": "RU", "name": "Romashka Logistika"},
        {"country": "RU", "name": "Vasilek Logistika"},
    ),
    "the brand alone is less than the name": (
        {**AT_HOME, "name": "Nordwind Anlagenbau GmbH"},
        {**AT_HOME, "name": "Nordwind Anlagenbau"},
        {**AT_HOME, "name": "Nordwind Logistik"},
    ),
    "a company that moved is still itself, unlike its sister": (
        {**AT_HOME, "name": "Nordwind Anlagenbau GmbH"},
        {**AT_HOME, "name": "Nordwind Anlagenbau GmbH", "street": "Ring 9", "postal_code": "10115", "city": "Berlin"},
        {**AT_HOME, "name": "Nordwind Logistik GmbH", "street": "Ring 9", "postal_code": "10115", "city": "Berlin"},
    ),
    "a number of one's own outweighs a shared house": (
        {**COMPANY, "name": "Nordwind Anlagenbau GmbH", "vat": "DE136695976"},
        {"country": "DE", "name": "Nordwind Anlagen", "vat": "DE 136 695 976"},
        {**COMPANY, "name": "Nordwind Anlagenbau GmbH", "vat": "DE129273398"},
    ),
    "one country's company is not another's": (
        {"country": "DE", "name": "Nordwind Anlagenbau GmbH"},
        {"country": "DE", "name": "Nordwind Anlagenbau"},
        {"country": "FR", "name": "Nordwind Anlagenbau"},
    ),
    "a shared switchboard is less than a mailbox of one's own": (
        {"country": "DE", "name": "Nordwind GmbH", "phone": "+49 89 1234567", "email": "einkauf@nordwind.de"},
        {"country": "DE", "name": "Nordwind GmbH", "email": "einkauf@nordwind.de"},
        {"country": "DE", "name": "Bäckerei Huber", "phone": "+49 89 1234567"},
    ),
}
PRODUCTS = {
    "an edition separates": (
        {"name": "Acme Payroll Professional"},
        {"name": "SUBSCR ACME PAYROLL PROF"},
        {"name": "Acme Payroll Starter"},
    ),
    "a version separates": (
        {"name": "Acme Payroll v2", "code": "ACM-PAY-2"},
        {"name": "Acme Payroll 2.0", "code": "ACM-PAY-2"},
        {"name": "Acme Payroll v3", "code": "ACM-PAY-3"},
    ),
    "a pack size separates": (
        {"name": "Acme Sensor 10 Pack"},
        {"name": "Acme Sensor Pack of 10"},
        {"name": "Acme Sensor 50 Pack"},
    ),
    "a measure separates, however its unit is written": (
        {"name": "Acme Oil 5 L"},
        {"name": "Acme Oil 5000ml"},
        {"name": "Acme Oil 20 L"},
    ),
    "a fraction of a unit separates": (
        {"name": "Acme Cable 2.5 mm"},
        {"name": "Acme Cable 2,5mm"},
        {"name": "Acme Cable 1.5 mm"},
    ),
    "a trade item number outweighs the name": (
        {"name": "Acme Sensor Basic", "gtin": "4006381333931"},
        {"name": "Sensor Acme", "gtin": "4006381333931"},
        {"name": "Acme Sensor Basic", "gtin": "3007822945943"},
    ),
    "region marks of a code say little": (
        {"name": "Acme Insight", "code": "ACM-INS-PRO"},
        {"name": "Acme Insight", "code": "ACM-INS-PRO-EU"},
        {"name": "Acme Insight", "code": "ACM-INV-STD"},
    ),
    "a pack of six is not one of twelve, nor a bottle": (
        {"name": "Acme Water 6x0.5l"},
        {"name": "Acme Water 6 x 500 ml"},
        {"name": "Acme Water 0.5 l"},
    ),
    "what is sold by the hour is not what is sold by the month": (
        {"name": "Acme Support", "unit": "HUR"},
        {"name": "Acme Support", "unit": "Stunde"},
        {"name": "Acme Support", "unit": "Monat"},
    ),
    "a seat may be an ERP's each": (
        {"name": "Acme Payroll", "unit": "seat"},
        {"name": "Acme Payroll", "unit": "EA"},
        {"name": "Acme Payroll", "unit": "GB"},
    ),
    "a brand separates what is named alike": (
        {"name": "LaserJet 400", "brand": "HP"},
        {"name": "LaserJet 400", "brand": "Hewlett-Packard"},
        {"name": "LaserJet 400", "brand": "Kyocera"},
    ),
    "a name that begins with the brand states it": (
        {"name": "Ultra 400", "brand": "Nordic Tools AB"},
        {"name": "Nordic Tools Ultra 400"},
        {"name": "Makita Ultra 400"},
    ),
    "what is metered is not the subscription": (
        {"name": "Acme Search API calls"},
        {"name": "Acme Search API requests"},
        {"name": "Acme Search"},
    ),
}


@pytest.mark.parametrize("case", CUSTOMERS)
def test_customers(case: str) -> None:
    it, better, worse = CUSTOMERS[case]

    assert weight("customer", it, better) > weight("customer", it, worse)


@pytest.mark.parametrize("case", PRODUCTS)
def test_products(case: str) -> None:
    it, better, worse = PRODUCTS[case]

    assert weight("product", it, better) > weight("product", it, worse)


def numbered(written: str) -> dict[str, Any]:
    """What a contract says of its number when somebody wrote it like this."""
    form = number_form(written)
    assert form is not None
    return {"own_number": form, "numbers": sorted(number_forms(written))}


def contract(number: str, start: int, customer: str = "cus_1", **more: Any) -> dict[str, Any]:
    return {
        "numbers": [number], "own_number": number, "start": start, "end": start + 364, "value": 12_000.0,
        "annual_value": 12_000.0, "currency": "eur", "customer": customer, "products": ["p1"],
        "source_type": "crm:contract", "self": [f"crm:contract:{number}"], **more,
    }  # fmt: skip


CONTRACTS = {
    "the renewal is another contract": (
        contract("ct2024000123", 19_700),
        contract("ct2024000123", 19_700, source_type="erp:sales_contract"),
        contract("ct2024000123r1", 20_065, source_type="erp:sales_contract"),
    ),
    "an amendment of value is the same contract": (
        contract("ct2024000123", 19_700),
        contract("ct2024000123", 19_700, source_type="erp:sales_contract", value=13_000.0, annual_value=13_000.0),
        contract("ct2024000999", 19_700, source_type="erp:sales_contract"),
    ),
    "the customer tells contracts of one term apart": (
        contract("ct2024000123", 19_700),
        contract("ct2024000124", 19_700, source_type="erp:sales_contract"),
        contract("ct2024000124", 19_700, customer="cus_2", source_type="erp:sales_contract"),
    ),
    "a number is itself when it is typed anew": (
        contract("ct2024000123", 19_700) | numbered("CT-2024-000123"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("ct 2024/000123 (rev 2)"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("CT-2024-000124"),
    ),
    "a number is itself without its prefix": (
        contract("ct2024000123", 19_700) | numbered("CT-2024-000123"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("2024-000123"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("2024-000124"),
    ),
    "a number is itself behind words that say what it is": (
        contract("ct2024000123", 19_700) | numbered("CT-2024-000123"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("Vertrag Nr. CT-2024-000123"),
        contract("erp", 19_700, source_type="erp:sales_contract") | numbered("Vertrag Nr. CT-2024-000124"),
    ),
    "the renewal under the old number is another contract": (
        contract("ct2024000123", 19_700),
        contract("ct2024000123", 19_700, source_type="erp:sales_contract"),
        contract("ct2024000123", 20_065, source_type="erp:sales_contract"),
    ),
    "money has a currency": (
        contract("ct2024000123", 19_700),
        contract("ct2024000123", 19_700, source_type="erp:sales_contract"),
        contract("ct2024000123", 19_700, source_type="erp:sales_contract", currency="usd"),
    ),
}


#: Names that resemble each other; whether the numbers in them may be those of one thing.
NUMBERED = [
    ("customer", "Solarpark Talheim 12 GmbH", "Solarpark Talheim 14 GmbH", False),
    ("customer", "Windfonds Talheim II GmbH & Co. KG", "Windfonds Talheim III GmbH & Co. KG", False),
    ("customer", "Windfonds Talheim II GmbH & Co. KG", "Windfonds Talheim 2 GmbH & Co. KG", True),
    ("customer", "Brauhaus Talheim 1898 GmbH", "Brauhaus Talheim GmbH", True),
    ("product", "Mineral Water 6 x 500 ml", "Mineral Water 12 x 500 ml", False),
    ("product", "Hydraulic Oil HLP 46 5 l", "Hydraulic Oil HLP 46 20 l", False),
    ("product", "Hydraulic Oil HLP 46 5 l", "Hydraulic Oil HLP 46 5000 ml", True),
    ("product", "Hydraulic Oil HLP 46", "Hydraulic Oil HLP 46 5 l", True),
]


@pytest.mark.parametrize(("domain", "one", "other", "may_be_one"), NUMBERED)
def test_a_number_that_differs_is_never_passed_over(domain: str, one: str, other: str, may_be_one: bool) -> None:
    model, more = load_model(domain), AT_HOME if domain == "customer" else {}

    score = explain_pair(model, record(domain, 1, {**more, "name": one}), record(domain, 2, {**more, "name": other}))

    decided = decide(model, score.weight, score.vetoes[0] if score.vetoes else None)
    assert (decided is Decision.MATCH) is may_be_one
    assert score.vetoes or may_be_one


#: What two rows of one code and name say beside them, and the reason why that is a question.
SEPARATING = [
    ({"unit": "hour"}, {"unit": "MON"}, "unit_differs"),
    ({"unit": "seat"}, {"unit": "GB"}, "unit_differs"),
    ({"unit": "seat"}, {"unit": "EA"}, None),
    ({"unit": "seat"}, {"unit": "Sonderposten"}, None),
    ({"unit": "hour"}, {}, None),
    ({"brand": "Bosch"}, {"brand": "Makita"}, "brand_differs"),
    ({"brand": "Bosch"}, {"brand": "Robert Bosch GmbH"}, None),
    ({"brand": "Bosch"}, {}, None),
    ({"name": "Acme Water 6x0.5l"}, {"name": "Acme Water 12x0.5l"}, "pack_differs"),
    ({"name": "Acme Water 6x0.5l"}, {"name": "Acme Water 0.5l"}, "pack_differs"),
    ({"name": "Acme Water 0.5l"}, {"name": "Acme Water 500 g"}, "size_differs"),
    ({"name": "Acme Water 0.5l"}, {"name": "Acme Water"}, None),
]


@pytest.mark.parametrize(("one", "other", "reason"), SEPARATING)
def test_unit_pack_size_and_brand_separate_products_unless_a_trade_item_number_joins_them(
    one: dict[str, str], other: dict[str, str], reason: str | None
) -> None:
    model, base = load_model("product"), {"name": "Acme Water", "code": "ACM-WAT-5"}
    gtin = {"gtin": "4006381333931"}

    apart = explain_pair(model, record("product", 1, base | one), record("product", 2, base | other))
    joined = explain_pair(model, record("product", 1, base | one | gtin), record("product", 2, base | other | gtin))

    assert (reason in apart.vetoes) if reason else not apart.vetoes
    assert not joined.vetoes
    assert joined.weight > model.thresholds.match


def test_a_code_alone_is_enough_and_what_is_not_said_speaks_against_nothing() -> None:
    model = load_model("product")
    code = {"code": "ACM-WAT-5"}

    for other in (code, code | {"name": "Acme Water 6x0.5l", "unit": "EA", "brand": "Bosch"}):
        score = explain_pair(model, record("product", 1, code), record("product", 2, other))

        assert [each.comparison for each in score.contributions if each.bits] == ["code"]
        assert decide(model, score.weight, score.vetoes[0] if score.vetoes else None) is Decision.MATCH


def test_generations_of_a_product_are_a_question_although_their_codes_are_alike() -> None:
    model = load_model("product")
    second, third = (
        record("product", each, {"name": f"Nimbus Analytics {each}", "code": f"NIM-ANAL-{each}"}) for each in (2, 3)
    )

    assert explain_pair(model, second, third).vetoes == ("number_differs",)


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("CT-2024-000123", {"ct2024000123", "2024000123"}),
        ("2024-000123", {"2024000123"}),
        ("Contract no. CT-2024-000123", {"contractnoct2024000123", "ct2024000123", "2024000123"}),
        ("CT-2024-000123-R1", {"ct2024000123r1"}),
        ("NO-7", {"no7"}),
    ],
)
def test_the_forms_of_a_contract_number(written: str, forms: set[str]) -> None:
    assert set(numbered(written)["numbers"]) == forms


@pytest.mark.parametrize("case", CONTRACTS)
def test_contracts(case: str) -> None:
    it, better, worse = CONTRACTS[case]
    model = load_model("contract")

    assert explain_pair(model, it, better).weight > explain_pair(model, it, worse).weight


def test_a_renewal_is_not_joined_with_the_contract_that_it_renews() -> None:
    model = load_model("contract")
    old = contract("ct2024000123", 19_700)
    for number in ("ct2024000123r1", "ct2024000123", "ct2025000777"):
        renewal = contract(number, 20_065, source_type="erp:sales_contract", prior=["ct2024000123"])

        score = explain_pair(model, old, renewal)

        assert decide(model, score.weight, score.vetoes[0] if score.vetoes else None) is not Decision.MATCH, number
