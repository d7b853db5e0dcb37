"""The mapping of use and revenue as a document: what it may say, and what is refused with its line."""

from decimal import Decimal

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.usage_revenue import read_usage_revenue, shipped_usage_revenue

CALLS = "{unit: call, metric: calls, charged: metered, account: erp}"
GATE = '{unit: call, metric: thousand calls, charged: metered, per: 1000, account: "4010", products: [KIT-GATE-API]}'


def document(*rows: str, version: str = "1.0.0") -> str:
    return f'version: "{version}"\nrows:\n' + "".join(f"  - {row}\n" for row in rows)


def test_the_shipped_mapping_leads_from_every_unit_of_the_product_platform() -> None:
    mapping = shipped_usage_revenue()

    assert {row.unit for row in mapping.rows} == {"call", "seat", "instance", "unit"}
    assert [row.unit for row in mapping.rows if row.metered] == ["call"]


def test_a_row_for_a_product_stands_before_the_row_of_its_unit() -> None:
    mapping = read_usage_revenue(document(CALLS, GATE))

    general, own = mapping.row_of("call", {"other"}), mapping.row_of("call", {"kitgateapi"})

    assert general is not None
    assert (general.metric, general.per, general.account) == ("calls", Decimal(1), None)
    assert own is not None
    assert (own.metric, own.per, own.account) == ("thousand calls", Decimal(1000), "4010")
    assert mapping.row_of("seat", {"other"}) is None
    assert mapping.row_of(None, {"other"}) is None


def test_a_row_that_names_products_is_for_no_others() -> None:
    mapping = read_usage_revenue(document(GATE))

    assert mapping.row_of("call", {"other"}) is None


def test_what_it_says_is_named_and_not_how_it_is_written() -> None:
    written = read_usage_revenue(document(CALLS, GATE))
    other = read_usage_revenue("# another day\n" + document(CALLS, GATE.replace("KIT-GATE-API", "kit gate api")))

    assert written.fingerprint == other.fingerprint
    assert written.fingerprint != read_usage_revenue(document(CALLS, GATE, version="1.0.1")).fingerprint
    assert written.fingerprint != read_usage_revenue(document(CALLS, GATE.replace("1000", "100"))).fingerprint
    assert written.fingerprint != read_usage_revenue(document(GATE, CALLS.replace("erp", '"4010"'))).fingerprint


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([CALLS, CALLS], "line 4: unit call has a row already"),
        ([GATE, GATE.replace("KIT-GATE-API", "kit.gate.api")], "line 4: product kitgateapi has a row already"),
        ([CALLS.replace("metered", "sometimes")], "line 3: charged must be metered or licensed"),
        ([CALLS.replace("account: erp", "account: 0400")], "line 3: account must be erp, or an account in quotation"),
        ([CALLS.replace(", account: erp", "")], "line 3: a row must have account"),
        ([CALLS.replace("unit: call", "unit:")], "line 3: unit must be a text"),
        ([CALLS.replace("metric", "meter")], "line 3: meter is not known here"),
        ([CALLS.replace("unit: call", "unit: call, unit: seat")], "line 3: unit stands here twice"),
        ([GATE.replace("1000", "0")], "line 3: per must be more than 0"),
        ([GATE.replace("1000", ".nan")], "line 3: per must be a number"),
        ([GATE.replace("1000", "NaN")], "line 3: per must be more than 0"),
        ([GATE.replace("[KIT-GATE-API]", "[]")], "line 3: products must be a list of codes"),
        ([GATE.replace("[KIT-GATE-API]", "['--']")], "line 3: products has a code without letters and digits"),
        (["call"], "line 3: a row must be a mapping"),
        ([CALLS.replace("calls", "c" * 101)], "line 3: metric must have at most 100 characters"),
    ],
)
def test_a_fault_is_told_with_its_line(rows: list[str], told: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=told):
        read_usage_revenue(document(*rows))


@pytest.mark.parametrize(
    "text", ["", "- a", "version: 1", "version: 1\nrows: seat", "rows: [", "[" * 5000, "a: &a [*a]"]
)
def test_what_is_no_mapping_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        read_usage_revenue(text)
