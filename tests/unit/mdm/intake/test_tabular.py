"""A document says what the columns of any table mean, and names its own faults."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.columns import DERIVERS
from mdm.intake.tabular import read_tabular

COLUMNS = ("id", "name", "phone", "price")


def mapping(folder: Path, text: str) -> Path:
    file = folder / "mapping.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(
    ("deriver", "options", "texts", "expected"),
    [
        ("folded", {}, ["Café  ZÜRICH"], "cafe zurich"),
        ("folded", {"words": "1"}, ["Sony Turntable"], "sony"),
        ("compact", {"last": "4"}, ["+31 (0)20-555"], "0555"),
        ("words", {"without": "digits", "shortest": "3"}, ["12 Main st 5th"], ["main", "5th"]),
        ("word_pairs", {"longest": "2"}, ["the quick fox jumped"], ["jumped+quick"]),
        ("initials", {}, ["International Business Machines"], "ibm"),
        ("initials", {}, ["Two Words"], None),
        ("digits", {}, ["12-3"], None),
        ("digits", {"last": "7"}, ["702-919-1300"], "9191300"),
        ("codes", {}, ["Sony Turntable - PSLX-350H 5 Pack 10250"], ["pslx350h", "10250"]),
        ("amount", {}, ["$1,299.00"], 1299.0),
        ("amount", {"scale": "log"}, ["8"], 3.0),
        ("amount", {}, ["EUR 1.299,00"], 1299.0),
        ("amount", {}, ["12,50 €"], 12.5),
        ("amount", {}, ["1,299"], 1299.0),
        ("amount", {}, ["1.299"], 1.299),
        ("amount", {"decimal": "comma"}, ["1.299"], 1299.0),
        ("amount", {"decimal": "comma"}, ["1.299.000,5"], 1_299_000.5),
        ("amount", {"decimal": "comma"}, ["0,125"], 0.125),
        ("day", {}, ["1978-12-11"], "1978-12-11"),
        ("day", {"format": "%m/%d/%Y"}, ["12/11/1978"], "1978-12-11"),
        ("swapped_day", {}, ["1978-12-11"], "1978-11-12"),
        ("swapped_day", {}, ["1978-12-25"], None),
        ("year", {}, ["proc. of sigmod '99, 1999."], 1999.0),
        ("list", {"keep": "last"}, ["Gottfried Vossen, Mathias Weske"], ["vossen", "weske"]),
        ("given_names", {}, ["Mr Bob"], ["robert"]),
    ],
)
def test_a_column_is_made_of_texts(
    deriver: str, options: dict[str, str], texts: Sequence[str], expected: object
) -> None:
    assert DERIVERS[deriver](texts, options) == expected


def test_rows_become_what_matching_reads(tmp_path: Path) -> None:
    text = """
domain: shop
id: id
distinct_files: true
attributes:
  name: {as: organisation_name, from: name}
columns:
  words: {as: words, from: name}
  price: {as: amount, from: price}
  numbers: {as: digits, from: [phone, id], each: true, shortest: 3}
"""
    found = read_tabular(mapping(tmp_path, text), COLUMNS)

    row = {"id": "7", "name": "Acme Tools GmbH", "phone": "030 1234", "price": ""}
    assert found.comparison(row, "shop:7", "shop") == {
        "name": "acme tools",
        "name_sorted": "acme tools",
        "name_compact": "acmetools",
        "legal_form": "llc",
        "words": ["acme", "tools", "gmbh"],
        "numbers": ["0301234"],
        "self": ["shop:7"],
        "distinct_in": "shop",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("domain: shop\nid: key\ncolumns: {n: name}", "yaml:2: id 'key' is not a column"),
        ("domain: shop\ncolumns: {n: {as: word, from: name}}", "yaml:2: columns.n.as must be one of"),
        ("domain: shop\ncolumns: {n: {as: words}}", "must name the columns"),
        ("domain: shop\ncolumns: {n: nmae}", "'nmae' is not a column"),
        ("domain: shop\nattributes: {n: {as: organisation_name, from: nmae}}", "'nmae' is not a column"),
        ("domain: shop", "attributes or columns"),
        ("domain: shop\ncolumns: {n: {as: words, from: name, shortst: 3}}", "yaml:2: columns.n.shortst is not a known"),
        ("domain: shop\ncolumns: {n: {as: words, from: name, first: many}}", "yaml:2: columns.n.first must be a whole"),
        ("domain: shop\ncolumns: {n: {as: digits, from: name, last: -3}}", "must be a whole number above 0, not '-3'"),
        ("domain: shop\ncolumns: {n: {as: list, from: name, by: '('}}", "must be a regular expression"),
        ("domain: shop\ncolumns: {n: {as: list, from: name, by: '|'}}", "must be a regular expression"),
        ("domain: shop\ncolums: {n: name}", "colums is not a known key"),
        ("domain: shop\ntruth: {pairs: [a]}\ncolumns: {n: name}", "two columns"),
        ("domain: shop\ntruth: {pairs: [a, b], entity: e}\ncolumns: {n: name}", "give one of the two"),
    ],
)
def test_a_wrong_document_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=complaint):
        read_tabular(mapping(tmp_path, text), COLUMNS)
