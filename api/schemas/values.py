"""The values of golden records as JSON, derived from the catalogue of canonical attributes."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field, create_model

from api.schemas.common import Form, Reference
from mdm.model.canonical import ATTRIBUTES, EXTENSION, Attribute, DataClass, Shape
from mdm.model.ids import Domain


class Address(Form):
    """A postal address; it survives as one value."""

    street: str | None = None
    house_number: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = Field(None, description="ISO 3166-1 alpha-2.")


class Identifier(Form):
    """A typed identifier."""

    type: str = Field(examples=["vat"])
    country: str | None = None
    value: str | None = Field(None, description="As written in the source.")


class Phone(Form):
    """A phone number."""

    value: str | None = None
    e164: str | None = None
    valid: bool | None = None


class Email(Form):
    """An e-mail address."""

    value: str | None = None
    domain: str | None = None


class ContractLine(Form):
    """A product of a contract."""

    product: Reference | None = None
    quantity: Any = None
    unit_price: str | None = None


_FORMS: dict[Shape, Any] = {
    Shape.TEXT: str,
    Shape.CODE: str,
    Shape.BOOLEAN: bool,
    Shape.INTEGER: int,
    Shape.DECIMAL: str,
    Shape.DATE: date,
    Shape.TEXTS: list[str],
    Shape.ADDRESS: Address,
    Shape.IDENTIFIERS: list[Identifier],
    Shape.PHONES: list[Phone],
    Shape.EMAILS: list[Email],
    Shape.REFERENCE: Reference,
    Shape.LINES: list[ContractLine],
    Shape.EXTENSIONS: dict[str, dict[str, str | bool | int | float | list[str]]],
}


def _values_form(domain: Domain) -> type[BaseModel]:
    fields: dict[str, Any] = {
        attribute.name: (_FORMS[attribute.shape] | None, Field(None, description=_description(attribute)))
        for attribute in (*ATTRIBUTES[domain], EXTENSION)
    }
    form: type[BaseModel] = create_model(
        f"{domain.value.capitalize()}Values",
        __base__=Form,
        __doc__=f"Golden values of a {domain.value}. An attribute without a known value is absent.",
        **fields,
    )
    return form


def _description(attribute: Attribute) -> str:
    words = f"{attribute.definition} Owner: {attribute.owner}."
    if attribute.data_class in (DataClass.CONFIDENTIAL, DataClass.RESTRICTED):
        words += f" {attribute.data_class.value.capitalize()}: hidden from the role reader."
    return words


#: The form of the values of each domain.
VALUES: dict[Domain, type[BaseModel]] = {domain: _values_form(domain) for domain in Domain}
