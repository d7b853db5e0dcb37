"""How sentences name amounts and documents."""

from decimal import Decimal

from mdm.lifecycle.facts import Contract, Invoice


def money(amount: Decimal | None, currency: str | None) -> str:
    """`1,234.50 EUR`; says so when the amount is not known."""
    if amount is None:
        return "an unknown amount"
    return f"{amount:,.2f} {currency}" if currency else f"{amount:,.2f}"


def plain(number: Decimal) -> str:
    """A number without trailing zeros and without exponent."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def name(invoice: Invoice) -> str:
    return invoice.number or invoice.key.key


def contract_name(contract: Contract) -> str:
    return contract.number or contract.entity_id
