"""A name and a street in each other's columns."""

import pytest

from mdm.intake.exchanged import are_exchanged, in_place
from mdm.intake.mapping import comparison_forms
from mdm.intake.paths import Path
from mdm.intake.rules import AttributeRule, Source

RULES = (
    AttributeRule("name", "organisation_name", (Source(Path("name")),)),
    AttributeRule("address", "address", (Source(Path("street"), "street"), Source(Path("city"), "city"))),
)


@pytest.mark.parametrize(
    ("name", "street", "exchanged"),
    [
        ("Skogsvägen 29", "Nordwind Tryckeri A.B.", True),
        ("12 rue de la Paix", "Dupont SARL", True),
        ("Calle Mayor 5", "Construcciones García S.L.", True),
        ("73 West Nanjing Road", "Shenzhen Meichuang Company Limited", True),
        ("Nordwind GmbH", "Hauptstr. 5", False),
        ("Hauptstr. 5 GmbH", "Nordwind GmbH", False),
        ("Hauptstr. 5", "c/o Nordwind GmbH", False),
        ("Hauptstr. 5", "Nordwind", False),  # nothing says that it is a company
        ("Studio 54", "Nordwind GmbH", False),  # nothing says that it is a street
        ("Park Hotel", "Nordwind GmbH", False),
        ("Hauptstr. 5", "", False),
    ],
)
def test_they_are_told_by_what_they_are(name: str, street: str, exchanged: bool) -> None:
    assert are_exchanged(name, street) is exchanged


def test_the_row_is_read_as_if_each_were_in_its_column() -> None:
    row = {"name": "Hauptstr. 5", "street": "Nordwind Anlagen GmbH", "city": "Ulm"}

    found = comparison_forms(RULES, row, customer=True)

    assert found == comparison_forms(RULES, {**row, "name": row["street"], "street": row["name"]}, customer=True)
    assert (found["name"], found["house_number"]) == ("nordwind anlagen", "5")
    assert row["name"] == "Hauptstr. 5", "what the source wrote stays as it is"


def test_a_row_without_a_column_of_streets_stays_as_it_is() -> None:
    row = {"name": "Hauptstr. 5", "street": "Nordwind GmbH"}

    assert in_place(RULES[:1], row) is row
