"""Rows of the shipped platforms as source records: attributes, comparison, references, aliases, evidence."""

from functools import cache
from typing import Any

import pytest

from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.mapping import UNMAPPED, standardise
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.records import Evidence, Reference, SourceRecord


@cache
def shipped() -> Catalogue:
    return load_catalogue()


def record(system: str, table: str, key: str, /, **row: Any) -> SourceRecord:
    return standardise(shipped(), CrosswalkKey(system, table, key), row)


def test_an_account_is_a_customer_known_by_its_short_id_too() -> None:
    account = record("crm", "account", "0015gIv5WESmLhPAZV", id="0015gIv5WESmLhPAZV", name="Acme GmbH", type="Customer")

    assert (account.kind, account.domain) == ("customer", Domain.CUSTOMER)
    assert account.aliases == (CrosswalkKey("crm", "account#id15", "0015gIv5WESmLhP"),)
    assert account.comparison["self"] == ["crm:account#id15:0015gIv5WESmLhP", "crm:account:0015gIv5WESmLhPAZV"]
    assert account.attributes["status"] == "active"


def test_a_merged_account_claims_to_be_its_master() -> None:
    merged = record("crm", "account", "B", id="B", name="Acme", type="Customer", master_record_id="A")

    assert merged.attributes["status"] == "merged"
    assert merged.comparison["names_references"] == ["crm:account:A"]


def test_a_deleted_account_is_inactive() -> None:
    assert (
        record("crm", "account", "B", name="Acme", type="Customer", is_deleted=True).attributes["status"] == "inactive"
    )


def test_a_billing_customer_names_its_account_in_a_form_that_the_account_lists() -> None:
    short = record("billing", "customer", "cus_1", name="Acme", metadata='{"crm_account_id": "0015gIv5WESmLhP"}')
    long = record("billing", "customer", "cus_1", name="Acme", metadata='{"crm_account_id": "0015gIv5WESmLhPAZV"}')
    account = record("crm", "account", "0015gIv5WESmLhPAZV", id="0015gIv5WESmLhPAZV", name="Acme")

    assert short.comparison["names_references"] == long.comparison["names_references"]
    assert set(short.comparison["names_references"]) < set(account.comparison["self"])


def test_a_tenant_names_its_billing_customer_and_ignores_the_platforms_own_domain() -> None:
    tenant = record(
        "product", "tenant", "t1", display_name="Acme", domain="acme.onourcloud.app", billing_customer_ref="cus_1"
    )

    assert tenant.comparison["names_references"] == ["billing:customer:cus_1"]
    assert "domains" not in tenant.comparison
    assert tenant.rejected == {"web_domain": "DOMAIN_NOT_OWN"}


def test_a_partner_has_typed_identifiers_and_a_parent() -> None:
    partner = record(
        "erp", "business_partner", "100",
        bp_number="100", legal_name="Acme SAS", country="FR", vat_number="40303265045", duns="000000000",
        parent_bp="99",
    )  # fmt: skip

    assert partner.comparison["identifiers"] == ["registration:fr:303265045", "vat:fr:fr40303265045"]
    assert partner.comparison["parents"] == ["erp:business_partner:99"]
    assert partner.references == (Reference("parent", CrosswalkKey("erp", "business_partner", "99")),)
    assert partner.attributes["parent"] == {"system": "erp", "type": "business_partner", "key": "99"}
    assert partner.rejected["identifiers"] == "PLACEHOLDER"


def test_numbers_are_read_by_the_country_that_a_vat_number_gives_away() -> None:
    stated = record("erp", "business_partner", "1", legal_name="Acme", country="NL", phone="030 972 5926")
    assumed = record(
        "billing", "customer", "2", name="Acme", tax_id_type="eu_vat", tax_id="NL4495445B01", phone="030 972 5926"
    )

    assert assumed.comparison["phones"] == stated.comparison["phones"] == ["31309725926"]
    assert "country" not in assumed.attributes
    assert "country" not in assumed.comparison


def test_a_contract_names_customer_and_products_and_states_its_number_of_the_customer() -> None:
    contract = record(
        "crm", "contract", "800",
        contract_number="CT-2024-000123", account_id="A", prior_contract_id="700", start_date="2024-01-01",
        line_items='[{"product_code": "KIT", "quantity": 2, "unit_price": "10.00"}]',
    )  # fmt: skip

    assert contract.references == (
        Reference("customer", CrosswalkKey("crm", "account", "A")),
        Reference("prior_contract", CrosswalkKey("crm", "contract", "700")),
        Reference("product", CrosswalkKey("crm", "product2#product_code", "KIT")),
    )
    assert contract.evidence == (Evidence(CrosswalkKey("crm", "account", "A"), "contract:ct2024000123"),)
    assert contract.comparison["prior"] == ["crm:contract:700"]
    assert contract.comparison["source_type"] == "crm:contract"


def test_a_product_is_found_by_the_code_that_contracts_name() -> None:
    product = record("crm", "product2", "01t", product_code="KIT", name="Kite")

    assert product.aliases == (CrosswalkKey("crm", "product2#product_code", "KIT"),)


def test_a_subscription_states_contract_and_itself_of_its_customer() -> None:
    subscription = record(
        "billing", "subscription", "sub_1",
        id="sub_1", customer="cus_1", contract_ref="ct 2024 000123", items='[{"price": "price_1", "quantity": 3}]',
    )  # fmt: skip
    customer = CrosswalkKey("billing", "customer", "cus_1")

    assert subscription.evidence == (
        Evidence(customer, "contract:ct2024000123"),
        Evidence(customer, "subscription:sub_1"),
    )
    assert Reference("product", CrosswalkKey("billing", "price", "price_1")) in subscription.references
    assert subscription.comparison["stated_number"] == "ct2024000123"
    assert "own_number" not in subscription.comparison


def test_a_price_is_an_offer_of_its_product() -> None:
    price = record("billing", "price", "price_1", product="prod_1", currency="eur", unit_amount="10.0000")

    assert (price.kind, price.domain) == ("offer", None)
    assert price.references == (Reference("offer_of", CrosswalkKey("billing", "product", "prod_1")),)
    assert price.comparison == {}


def test_an_entitlement_states_subscription_and_contract_of_its_tenant() -> None:
    entitlement = record(
        "product",
        "entitlement",
        "e1",
        tenant_id="t1",
        sku="kit",
        subscription_ref="sub_1",
        contract_ref="CT-2024-000123",
    )
    tenant = CrosswalkKey("product", "tenant", "t1")

    assert entitlement.evidence == (
        Evidence(tenant, "contract:ct2024000123"),
        Evidence(tenant, "subscription:sub_1"),
    )


def test_invoice_and_posting_state_one_token_of_their_customers() -> None:
    invoice = record("billing", "invoice", "in_1", number="INV-2024-000001", customer="cus_1")
    posting = record("erp", "posting", "JE1|1", bp_number="100", invoice_ref="INV-2024-000001")

    assert {evidence.token for evidence in (*invoice.evidence, *posting.evidence)} == {"invoice:inv2024000001"}


@pytest.mark.parametrize("nothing", ["\0", " ", "", "c" * 3000, None])
def test_what_is_stated_of_a_customer_whose_key_is_none_is_stated_of_nobody(nothing: str | None) -> None:
    assert record("billing", "invoice", "in_1", number="INV-2024-000001", customer=nothing).evidence == ()


def test_a_customer_is_named_without_the_characters_that_no_key_has() -> None:
    invoice = record("billing", "invoice", "in_1", number="INV-1", customer=" cus\0_1 ")

    assert [evidence.owner for evidence in invoice.evidence] == [CrosswalkKey("billing", "customer", "cus_1")]
    assert [reference.target for reference in invoice.references] == [CrosswalkKey("billing", "customer", "cus_1")]


def test_a_column_that_is_absent_or_null_is_simply_unknown() -> None:
    record_without_anything = record("crm", "account", "A", name=None)

    assert record_without_anything.attributes == {}
    assert record_without_anything.comparison == {"self": ["crm:account:A"]}


@pytest.mark.parametrize("column", ["name", "website", "billing_street", "phone", "vat_number__c"])
def test_a_value_of_a_whole_file_is_no_attribute(column: str) -> None:
    found = record("crm", "account", "A", **{column: "Acme 1 " * 200_000})

    assert found.attributes == {}
    assert set(found.rejected.values()) == {"TOO_LONG"}
    assert found.comparison == {"self": ["crm:account:A"]}


def test_a_value_beside_one_of_a_whole_file_counts() -> None:
    found = record("crm", "account", "A", billing_street="x" * 1_000_000, billing_city="Berlin")

    assert found.attributes["address"]["city"] == "Berlin"
    assert not found.rejected


def test_a_table_that_nobody_mapped_is_named_so() -> None:
    assert record("crm", "nothing", "1").kind == UNMAPPED
