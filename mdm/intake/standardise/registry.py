"""The standardisers that a mapping may name."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mdm.intake.standardise import addresses, agreements, countries, goods, identifiers, names, phones, plain, web
from mdm.intake.standardise.result import Context, Inputs, Standardised

Standardiser: TypeAlias = Callable[[Inputs, Context], Standardised]

STANDARDISERS: Final[Mapping[str, Standardiser]] = {
    "text": plain.text,
    "texts": plain.texts,
    "code": plain.code,
    "boolean": plain.boolean,
    "integer": plain.integer,
    "decimal": plain.decimal,
    "date": plain.day,
    "currency": plain.currency,
    "language": plain.language,
    "reference": plain.reference,
    "organisation_name": names.name,
    "organisation_names": names.alternate_names,
    "legal_form": names.legal_form,
    "country": countries.country,
    "address": addresses.address,
    "former_address": addresses.former_address,
    "phones": phones.phones,
    "emails": web.emails,
    "web_domain": web.web_domain,
    "identifiers": identifiers.identifiers,
    "own_number": agreements.own_number,
    "stated_number": agreements.stated_number,
    "stated_numbers": agreements.stated_numbers,
    "lines": agreements.lines,
    "start": agreements.start,
    "end": agreements.end,
    "period": agreements.period,
    "product_name": goods.name,
    "product_code": goods.product_code,
    "product_codes": goods.product_codes,
    "gtin": goods.gtin,
    "version": goods.version,
    "family": goods.family,
    "brand": goods.brand,
    "unit": goods.unit,
}
