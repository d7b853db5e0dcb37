"""Slips in names: in the country, in a marker, and forms that stand first."""

import pytest

from mdm.intake.standardise.organisations import organisation_name


def core(name: str, country: str | None = None) -> str | None:
    found = organisation_name(name, country)
    return found.core if found is not None else None


@pytest.mark.parametrize(
    ("country", "name", "expected"),
    [
        ("NL", "Jacobs Needrland", "jacobs netherlands"),
        ("PT", "Leite Portgal, Lda", "leite portugal"),
        ("MX", "Mexxico Borrego", "mexico borrego"),
        ("DE", "Foo Deutschalnd GmbH", "foo germany"),
        ("FR", "Franche Comté SA", "franche comte"),
        ("ES", "Espina Foods SL", "espina foods"),
        ("HU", "Hungry Horse Kft", "hungry horse"),
        ("DE", "Jacobs Needrland", "jacobs needrland"),
        ("PT", "Portgal", "portgal"),
    ],
)
def test_the_own_country_with_a_slip_is_that_country_unless_it_may_be_a_word(
    country: str, name: str, expected: str
) -> None:
    assert core(name, country) == expected


def test_a_marker_with_a_slip_is_a_marker_and_forms_stand_first_where_they_do() -> None:
    assert core("Eraslan Sigorta Kft - DO NO USE", "HU") == "eraslan sigorta"
    assert core("I/S Vestforbrænding", "DK") == core("Vestforbraending I/S", "DK")
    assert core("Cty CP Dược Hậu Giang", "VN") == core("Cong ty Co phan Duoc Hau Giang", "VN")
