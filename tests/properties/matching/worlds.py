"""Random comparison forms of every domain, dense enough that every level of a model is met."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

WORDS = st.lists(
    st.sampled_from(["acme", "acmee", "fort", "tools", "toolz", "nord", "nordic", "data", "kiln", "böen", "山田"]),
    max_size=4,
)
SMALL_LISTS = st.lists(st.sampled_from(["a", "b", "ab", "3112", "x:y:z"]), max_size=3, unique=True)
DAYS = st.integers(min_value=19_000, max_value=19_040)
IDENTIFIERS = st.sampled_from(
    [
        "vat:nl:nl169963937b05",
        "vat:nl:nl169963937b06",
        "vat:fr:fr06608414553",
        "registration:fr:608414553",
        "registration:fr:123456789",
        "duns::123456789",
        "lei::549300gizvrx65dny651",
    ]
)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}


@st.composite
def customers(draw: st.DrawFn) -> dict[str, Any]:
    words = draw(WORDS)
    return filled(
        {
            "name": " ".join(words),
            "name_sorted": " ".join(sorted(words)),
            "name_compact": "".join(words),
            "alternate_names": [" ".join(draw(WORDS))],
            "country": draw(st.sampled_from([None, "nl", "fr"])),
            "legal_form": draw(st.sampled_from([None, "llc", "jsc"])),
            "identifiers": draw(st.lists(IDENTIFIERS, max_size=2, unique=True)),
            "weak_identifiers": draw(st.lists(IDENTIFIERS, max_size=1)),
            "phones": draw(SMALL_LISTS),
            "emails": draw(st.lists(st.sampled_from(["info@acme.nl", "jan@acme.nl"]), max_size=1)),
            "domains": draw(
                st.lists(st.sampled_from(["acme.nl", "acme.fr", "nord-data.com"]), max_size=2, unique=True)
            ),
            "city": draw(st.sampled_from([None, "lyon", "breda"])),
            "street": draw(st.sampled_from([None, "hoofdstraat", "hoofdstr"])),
            "house_number": draw(st.sampled_from([None, "4"])),
            "postcode": draw(st.sampled_from([None, "9780np"])),
            "tokens": draw(SMALL_LISTS),
            "names_references": draw(st.lists(st.sampled_from(["crm:account:1", "crm:account:2"]), max_size=1)),
            "self": [draw(st.sampled_from(["crm:account:1", "crm:account:2", "erp:business_partner:7"]))],
            "parents": draw(st.lists(st.sampled_from(["crm:account:1", "crm:account:9"]), max_size=1)),
        }
    )


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    source = draw(st.sampled_from(["crm:contract", "billing:subscription", "erp:sales_contract"]))
    start = draw(st.none() | DAYS)
    subscription = source == "billing:subscription"
    return filled(
        {
            "numbers": draw(SMALL_LISTS),
            "start": start,
            "end": None if subscription else draw(st.none() | DAYS),
            "period_start": draw(DAYS) if subscription else None,
            "period_end": draw(DAYS) if subscription else None,
            "value": draw(st.none() | st.sampled_from([100.0, 100.005, 250.0])),
            "annual_value": draw(st.none() | st.sampled_from([100.0, 250.0])),
            "currency": draw(st.sampled_from([None, "eur", "usd"])),
            "source_type": source,
            "customer": draw(st.sampled_from([None, "cus_1", "cus_2"])),
            "products": draw(SMALL_LISTS),
            "tokens": draw(SMALL_LISTS),
            "self": [draw(st.sampled_from(["crm:contract:1", "erp:sales_contract:2"]))],
            "prior": draw(st.lists(st.sampled_from(["crm:contract:1", "crm:contract:3"]), max_size=1)),
        }
    )


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    return filled(
        {
            "codes": draw(st.lists(st.sampled_from(["acmest", "acmepro", "acmepr0"]), max_size=2, unique=True)),
            "code_parts": draw(SMALL_LISTS),
            "name": " ".join(draw(WORDS)),
            "name_tokens": sorted(set(draw(WORDS))),
            "gtin": draw(st.sampled_from([None, "3007822945943", "3007822945944", "4006381333931"])),
            "edition": draw(st.sampled_from([None, "starter", "professional"])),
            "version": draw(st.sampled_from([None, "v1", "v2"])),
            "family": draw(st.sampled_from([None, "analytics", "storage"])),
            "unit": draw(st.sampled_from([None, "unit", "seat", "hour", "rolle"])),
            "unit_kinds": draw(st.sampled_from([[], ["count"], ["count", "person"], ["hour"]])),
            "brand": draw(st.sampled_from([None, "acme", "acne", "bosch"])),
            "named_brand": draw(st.sampled_from([None, "bosch"])),
            "sizes": draw(st.lists(st.sampled_from(["500ml", "5000ml", "2.5mm"]), max_size=2, unique=True)),
            "pack": draw(st.sampled_from([None, "1", "6", "12"])),
            "self": [draw(st.sampled_from(["crm:product2:1", "erp:item:7"]))],
        }
    )


RECORDS = {"customer": customers(), "contract": contracts(), "product": products()}
