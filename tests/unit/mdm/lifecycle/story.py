"""A clean story from contract to posting, told row by row as the hub would hold it, to be spoilt by a test.

One customer, one product with its offer, one contract signed in CRM, one subscription under the same resolved contract.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mdm.lifecycle.findings import Finding
from mdm.lifecycle.material import Material, Stated, Version
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.reconciliation import reconcile
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.records import Reference

CUSTOMER = EntityId("cus_1")
CONTRACT = EntityId("con_1")
PRODUCT = EntityId("prd_1")

ACCOUNT_KEY = CrosswalkKey("crm", "account", "A1")
CONTRACT_KEY = CrosswalkKey("crm", "contract", "C1")
SUBSCRIPTION_KEY = CrosswalkKey("billing", "subscription", "S1")
OFFER_KEY = CrosswalkKey("billing", "price", "P1")
BILLING_CUSTOMER = CrosswalkKey("billing", "customer", "B1")
PARTNER = CrosswalkKey("erp", "business_partner", "0001")
TENANT = CrosswalkKey("product", "tenant", "T1")
FEATURE = CrosswalkKey("product", "feature", "sku")
BILLING_PRODUCT = CrosswalkKey("billing", "product", "prod")
CODE = CrosswalkKey("crm", "product2#product_code", "SKU")

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
#: The newest event of the story.
AS_OF = datetime(2025, 6, 30, tzinfo=UTC)


def line(product: CrosswalkKey, quantity: str, unit_price: str | None = None) -> dict[str, Any]:
    return {"product": product._asdict(), "quantity": quantity, "unit_price": unit_price}


def row(
    kind: str,
    key: CrosswalkKey,
    attributes: dict[str, Any],
    changed_at: datetime = LONG_AGO,
    **references: CrosswalkKey,
) -> Stated:
    """A source row; every keyword is a reference in that role."""
    return Stated(key, kind, attributes, tuple(Reference(role, to) for role, to in references.items()), changed_at)


@dataclass
class Story:
    """Rows that agree with each other. Tests change what they need and ask for the findings."""

    as_of: datetime = AS_OF
    facts: list[Stated] = field(default_factory=list)
    records: dict[CrosswalkKey, Stated] = field(default_factory=dict)
    accounts: list[Stated] = field(default_factory=list)
    entities: dict[CrosswalkKey, EntityId] = field(default_factory=dict)
    contracts: dict[EntityId, dict[str, Any]] = field(default_factory=dict)
    metered: bool = False
    product: dict[str, Any] = field(default_factory=lambda: {"unit": "seat", "revenue_account": "4010"})
    versions: dict[CrosswalkKey, list[Version]] = field(default_factory=dict)
    unknown: set[CrosswalkKey] = field(default_factory=set)
    heard: dict[str, datetime] = field(default_factory=dict)

    def findings(self) -> tuple[Finding, ...]:
        return reconcile(self.material(), shipped_policy())

    def material(self) -> Material:
        """The story as reconciliation reads it."""
        return Material(
            as_of=self.as_of,
            facts=self.facts,
            contract_records=list(self.records.values()),
            accounts=self.accounts,
            entities=self.entities,
            contracts=self.contracts,
            products={PRODUCT: {"code": "SKU", "metered": self.metered, **self.product}},
            versions=self.versions,
            unknown=frozenset(self.unknown),
            heard=self.heard,
        )

    def found(self) -> list[str]:
        """The rules that found something."""
        return [finding.rule for finding in self.findings()]

    def only_finding(self) -> Finding:
        found = self.findings()
        assert len(found) == 1, [finding.rule for finding in found]
        return found[0]

    def of_rule(self, rule: str) -> Finding:
        """The only finding of a rule, whatever others there are."""
        (finding,) = [each for each in self.findings() if each.rule == rule]
        return finding

    def change(self, key: CrosswalkKey, **attributes: Any) -> None:
        """Give a fact or contract record other attributes."""
        self.facts = [self._changed(fact, attributes) if fact.key == key else fact for fact in self.facts]
        if key in self.records:
            self.records[key] = self._changed(self.records[key], attributes)

    def subscribe(self, status: str) -> None:
        """Give the subscription another status; a contract whose subscription is cancelled is cancelled with it."""
        self.change(SUBSCRIPTION_KEY, status=status)
        if status == "cancelled":
            self.change(CONTRACT_KEY, status=status)
            self.contracts[CONTRACT]["status"] = status

    @staticmethod
    def _changed(fact: Stated, attributes: dict[str, Any]) -> Stated:
        return replace(fact, attributes={**fact.attributes, **attributes})

    def invoice(
        self,
        number: str = "INV-2025-000001",
        *,
        start: str = "2025-02-01",
        issued: str = "2025-02-03",
        price: str = "100.0000",
        quantity: str = "2.0000",
        currency: str = "EUR",
        total: str = "200.00",
        status: str = "paid",
        **attributes: Any,
    ) -> CrosswalkKey:
        """An invoice of the subscription with one line; its key is `in_` and its number. Further attributes are its
        own, like `due_date`."""
        key = CrosswalkKey("billing", "invoice", f"in_{number}")
        self.facts.append(
            row(
                "invoice",
                key,
                {
                    "number": number,
                    "status": status,
                    "currency": currency,
                    "total": total,
                    "period_start": start,
                    "issued_at": f"{issued}T10:00:00.000000Z",
                    **attributes,
                },
                customer=BILLING_CUSTOMER,
                contract=SUBSCRIPTION_KEY,
            )
        )
        self.facts.append(
            row(
                "invoice_line",
                CrosswalkKey("billing", "invoice_line", f"il_{number}"),
                {"quantity": quantity, "unit_amount": price, "amount": total},
                invoice=key,
                product=BILLING_PRODUCT,
            )
        )
        return key

    def entry(
        self,
        reference: str = "INV-2025-000001",
        *,
        number: str = "JE1",
        receivable: str = "200.00",
        status: str = "posted",
        partner: bool = True,
    ) -> None:
        """A journal entry of two lines that names an invoice."""
        for position, (account, amount) in enumerate((("1200", receivable), ("4000", f"-{receivable}")), 1):
            attributes = {
                "journal_entry": number,
                "invoice_number": reference,
                "account": account,
                "amount": amount,
                "status": status,
                "reject_reason": "Period is closed" if status == "rejected" else None,
            }
            key = CrosswalkKey("erp", "posting", f"{number}|{position}")
            self.facts.append(row("posting", key, attributes, **({"customer": PARTNER} if partner else {})))

    def entitlement(self, key: str = "E1", *, named: bool = True, **attributes: Any) -> CrosswalkKey:
        """An active entitlement to two units; `named` says whether it names its subscription."""
        known = {"quantity": 2, "valid_from": "2025-01-01", "valid_to": "2025-12-31", "status": "active"}
        name = CrosswalkKey("product", "entitlement", key)
        references = {"customer": TENANT, "product": FEATURE} | ({"contract": SUBSCRIPTION_KEY} if named else {})
        self.facts.append(row("entitlement", name, {**known, **attributes}, **references))
        return name

    def usage(self, key: str, *, received: str, event: str = "ev-1", product: CrosswalkKey = FEATURE) -> None:
        """Usage of January."""
        attributes = {
            "event_id": event,
            "quantity": "1000",
            "period_start": "2025-01-01",
            "period_end": "2025-01-31",
            "received_at": f"{received}T08:00:00.000000Z",
        }
        name = CrosswalkKey("product", "usage_batch", key)
        self.facts.append(row("usage_batch", name, attributes, customer=TENANT, product=product))


def clean_story() -> Story:
    """A monthly contract over 2025 for two units at 1,200 EUR a year, its subscription, and nothing billed yet."""
    contract = {
        "number": "CT-2025-000001",
        "lines": [line(CODE, "2", "1200.0000")],
        "start_date": "2025-01-01",
        "end_date": "2025-12-31",
        "value": "2400.00",
        "currency": "EUR",
        "billing_frequency": "monthly",
        "status": "active",
        "activated_on": "2024-12-20",
        "amendment": 0,
    }
    subscription = {
        "number": "S1",
        "lines": [line(OFFER_KEY, "2")],
        "start_date": "2025-01-01",
        "currency": "EUR",
        "status": "active",
    }
    story = Story()
    story.records = {
        CONTRACT_KEY: row("contract", CONTRACT_KEY, contract, customer=ACCOUNT_KEY),
        SUBSCRIPTION_KEY: row("contract", SUBSCRIPTION_KEY, subscription, customer=BILLING_CUSTOMER),
    }
    story.accounts = [row("customer", ACCOUNT_KEY, {"validated": True, "validated_on": "2024-12-01"})]
    story.entities = {
        **dict.fromkeys((ACCOUNT_KEY, BILLING_CUSTOMER, PARTNER, TENANT), CUSTOMER),
        **dict.fromkeys((FEATURE, BILLING_PRODUCT, CODE), PRODUCT),
        **dict.fromkeys((CONTRACT_KEY, SUBSCRIPTION_KEY), CONTRACT),
    }
    story.contracts = {CONTRACT: {**contract, "customer": ACCOUNT_KEY._asdict()}}
    story.facts = [
        row("offer", OFFER_KEY, {"unit_amount": "100.0000", "usage_type": "licensed"}, offer_of=BILLING_PRODUCT)
    ]
    return story
