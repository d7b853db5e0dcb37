"""Every wire form of a value has one canonical form, or is refused."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.intake.encoding import reader_by_contract
from mdm.intake.reading import Unreadable
from mdm.intake.types import Encodings, column_type


def read(physical: str, value: Any, **settings: str) -> Any:
    column = column_type(physical, "string", settings.get("database", "postgresql"))
    assert column is not None
    return reader_by_contract(column, Encodings(**settings))(value)


@pytest.mark.parametrize(
    ("physical", "settings", "value", "canonical"),
    [
        ("numeric(18,2)", {"decimals": "precise"}, "+M7Yvrg=", "-308894272.72"),
        ("numeric(18,2)", {"decimals": "string"}, "-308894272.72", "-308894272.72"),
        ("numeric(18,2)", {"decimals": "double"}, -308894272.72, "-308894272.72"),
        ("numeric(18,2)", {"decimals": "double"}, 3, "3.00"),
        ("numeric(18,2)", {"decimals": "precise"}, "AA==", "0.00"),
        ("numeric(18,2)", {"decimals": "precise"}, "/w==", "-0.01"),
        ("numeric", {"decimals": "precise"}, {"scale": 1, "value": "Ag=="}, "0.2"),
        ("numeric", {"decimals": "precise"}, {"scale": 0, "value": "CAAO"}, "524302"),
        ("numeric", {"decimals": "string"}, "NAN", "NaN"),
        ("numeric", {"decimals": "string"}, "1E+3", "1000"),
        ("money", {"decimals": "precise"}, "BNI=", "12.34"),
        ("date", {}, 20328, "2025-08-28"),
        ("date", {"times": "isostring"}, "2025-08-28Z", "2025-08-28"),
        ("date", {}, 2932896, "9999-12-31"),
        ("date", {}, 2932897, "10000-01-01"),
        ("date", {}, -719163, "0001-12-31 BC"),
        ("time", {}, 27000123456, "07:30:00.123456"),
        ("time", {"times": "isostring"}, "07:30:00.123456Z", "07:30:00.123456"),
        ("time", {"times": "connect"}, 27000123, "07:30:00.123000"),
        ("time(3)", {}, 27000123, "07:30:00.123000"),
        ("time", {"database": "mysql", "times": "adaptive_time_microseconds"}, -1800000000, "-00:30:00.000000"),
        ("timetz", {}, "07:15:00.5Z", "07:15:00.500000Z"),
        ("timestamp", {}, 1701907200000000, "2023-12-07T00:00:00.000000"),
        ("timestamp(3)", {}, 1701907200000, "2023-12-07T00:00:00.000000"),
        ("timestamp(3)", {"times": "microseconds"}, 1701907200000000, "2023-12-07T00:00:00.000000"),
        ("timestamp", {"times": "nanoseconds"}, 1701907200000000123, "2023-12-07T00:00:00.000000"),
        ("timestamp", {"times": "isostring"}, "2023-12-07T00:00:00.5Z", "2023-12-07T00:00:00.500000"),
        ("timestamp", {}, -1, "1969-12-31T23:59:59.999999"),
        ("timestamp", {}, 9223372036825200000, "infinity"),
        ("datetime", {"database": "mysql"}, 1701907200000, "2023-12-07T00:00:00.000000"),
        ("timestamptz", {}, "2025-02-11T05:50:50.075Z", "2025-02-11T05:50:50.075000Z"),
        ("timestamptz", {}, "2025-02-11T05:50:50Z", "2025-02-11T05:50:50.000000Z"),
        ("timestamptz", {}, "2025-02-11T07:50:50.5+02:00", "2025-02-11T05:50:50.500000Z"),
        ("timestamptz", {}, "-infinity", "-infinity"),
        ("timestamp", {"database": "mysql"}, "2025-02-11T05:50:50Z", "2025-02-11T05:50:50.000000Z"),
        ("bytea", {}, "AP8Q", "\\x00ff10"),
        ("bytea", {"binary": "hex"}, "00ff10", "\\x00ff10"),
        ("bytea", {"binary": "base64-url-safe"}, "_-8=", "\\xffef"),
        ("bit(10)", {}, "AQI=", "1000000001"),
        ("bit(1)", {}, True, True),
        ("bigint unsigned", {"database": "mysql"}, -1, 2**64 - 1),
        ("bigint unsigned", {"database": "mysql"}, "AP//////////", 2**64 - 1),
        ("jsonb", {}, '{"b": 1, "a": [null]}', '{"b": 1, "a": [null]}'),
        ("text[]", {}, ["a", None, ""], ["a", None, ""]),
        ("numeric(6,2)[]", {"decimals": "string"}, ["1.50", None], ["1.50", None]),
        ("point", {}, {"x": 0.5, "y": 1, "wkb": "", "srid": None}, "(0.5,1)"),
        ("double precision", {}, "NaN", "NaN"),
        ("interval", {}, 34570800000000, 34570800000000),
        ("tax_class", {}, "export", "export"),
    ],
)
def test_a_value_has_one_canonical_form(physical: str, settings: dict[str, str], value: Any, canonical: Any) -> None:
    assert read(physical, value, **settings) == canonical


@pytest.mark.parametrize(
    ("physical", "settings", "value"),
    [
        ("text", {}, 1),
        ("integer", {}, 1.5),
        ("integer", {}, True),
        ("boolean", {}, 1),
        ("real", {}, "fast"),
        ("numeric(5,2)", {"decimals": "string"}, 1.5),
        ("numeric(5,2)", {"decimals": "string"}, "1,50"),
        ("numeric(5,2)", {"decimals": "precise"}, "not base64!"),
        ("numeric", {"decimals": "precise"}, "AQ=="),
        ("date", {}, "2025-08-28"),
        ("date", {"times": "isostring"}, 20328),
        ("timestamp", {}, "2025-08-28T00:00:00Z"),
        ("timestamptz", {}, "yesterday"),
        ("bytea", {}, "%%%"),
        ("text[]", {}, "a"),
        ("text[]", {}, [1]),
    ],
)
def test_a_value_of_another_kind_is_refused(physical: str, settings: dict[str, str], value: Any) -> None:
    with pytest.raises(Unreadable):
        read(physical, value, **settings)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_decimal_reads_the_same_from_text_and_from_its_bytes(number: Any) -> None:
    unscaled = int(number.scaleb(4))
    length = unscaled.bit_length() // 8 + 1
    wire = base64.b64encode(unscaled.to_bytes(length, "big", signed=True)).decode()

    assert read("numeric(20,4)", wire, decimals="precise") == read("numeric(20,4)", f"{number:f}", decimals="string")


@given(st.dates())
def test_a_date_reads_the_same_from_days_and_from_text(day: Any) -> None:
    days = day.toordinal() - 719163

    assert read("date", days) == read("date", f"{day.isoformat()}Z", times="isostring") == day.isoformat()


def test_an_unknown_word_means_what_the_logical_type_says() -> None:
    assert column_type("mood", "string") == column_type("text")
    assert column_type("mood") is None
