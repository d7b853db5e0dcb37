"""Addresses taken apart and folded, so that two writings of one place are equal."""

from typing import Any

import pytest

from mdm.intake.standardise.places import city_form
from mdm.intake.standardise.street_parts import house_form, split_street
from mdm.intake.standardise.streets import street_form
from tests.unit.mdm.intake.standardise.given import standardised


@pytest.mark.parametrize(
    ("written", "street", "number", "unit"),
    [
        ("Goethestrasse 18", "Goethestrasse", "18", ""),
        ("30 Queen Street", "Queen Street", "30", ""),
        ("53 Rue de la République", "Rue de la République", "53", ""),
        ("Jarilaan 48a", "Jarilaan", "48a", ""),
        ("Hauptstr. 12-14", "Hauptstr.", "12-14", ""),
        ("Harald-Haase-Platz 52", "Harald-Haase-Platz", "52", ""),
        ("Via Roma, 7", "Via Roma", "7", ""),
        ("5 Main Street, Suite 200", "Main Street", "5", "Suite 200"),
        ("12 High St Apt 4B", "High St", "12", "Apt 4B"),
        ("Gran Vía", "Gran Vía", "", ""),
        ("PO Box 5130", "PO Box", "5130", ""),
        ("Postfach 12 34", "PO Box", "1234", ""),
        ("Mieszka I 100d", "Mieszka I", "100d", ""),
        ("Kerkstraat 5-A", "Kerkstraat", "5-A", ""),
        ("Via Roma n. 12/B", "Via Roma", "12/B", ""),
        ("12 bis, rue de la Paix", "rue de la Paix", "12bis", ""),
        ("12 R DE LA PAIX", "R DE LA PAIX", "12", ""),
        ("100 N Main St", "N Main St", "100", ""),
        ("123 5th Ave", "5th Ave", "123", ""),
        ("Flat 2, 12 High Street", "High Street", "12", "Flat 2"),
        ("Suite 5, Level 3, 12 George Street", "George Street", "12", "Suite 5, Level 3"),
        ("Rose House, 12 High Street", "High Street", "12", "Rose House"),
        ("Plot No. 12, MG Road", "MG Road", "12", ""),
        ("C/ Mayor, 5, 2º B", "C/ Mayor", "5", "2º B"),
        ("Rua Augusta, 5 - 2º Esq.", "Rua Augusta", "5", "2º Esq."),
        ("Rua Augusta nº5", "Rua Augusta", "5", ""),
        ("Storgatan 5, 2 tr", "Storgatan", "5", "2 tr"),
        ("Nørregade 5, 2. tv", "Nørregade", "5", "2. tv"),
        ("Mannerheimintie 5 A 3", "Mannerheimintie", "5A", "3"),
        ("Ringstraße 12 Top 4", "Ringstraße", "12", "Top 4"),
        ("Hauptstr. 12 (2. OG)", "Hauptstr.", "12", "2. OG"),
        ("Str. Lungă, Nr. 4, bl. A, ap. 3", "Str. Lungă", "4", "bl. A, ap. 3"),
        ("Atatürk Cad. No:5 D:3", "Atatürk Cad.", "5", "D:3"),
        ("ул. Тверская, д. 7, оф. 5", "ул. Тверская", "7", "оф. 5"),
        ("Insurgentes Sur #1000", "Insurgentes Sur", "1000", ""),
        ("天府大道761号", "天府大道", "761号", ""),
        ("丸の内二丁目4番1号", "丸の内", "2-4-1", ""),
        ("Straße des 17. Juni 135", "Straße des 17. Juni", "135", ""),
    ],
)
def test_street_and_house_number_are_parted(written: str, street: str, number: str, unit: str) -> None:
    assert split_street(written) == (street, number, unit)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Goethestraße", "GOETHESTR."),
        ("Aliciaboulevard", "Aliciablvd"),
        ("Lake Shore Drive", "Lake Shore Dr"),
        ("Rue de la République", "r. République"),
        ("ul. Marszałkowska", "Marszałkowska"),
        ("P.za Lussu", "Piazza Lussu"),
        ("C/ Mayor", "Calle Mayor"),
        ("al. Jerozolimskie", "Aleje Jerozolimskie"),
        ("Am Mühlbach", "Am Muehlbach"),
        ("天府大道", "Tianfu Avenue"),
        ("테헤란로", "Teheran-ro"),
        ("강남대로", "Gangnam-daero"),
        ("M.G. Road", "MG Rd"),
        ("Saint James Place", "St. James Pl"),
        ("Fifth Avenue", "5th Ave"),
        ("Atatürk Caddesi", "Ataturk Cad."),
        ("Storgata", "Storgaten"),
        ("Bulevardul Unirii", "B-dul Unirii"),
        ("5 bd St-Germain", "5 boulevard Saint-Germain"),
        ("av. du Gal de Gaulle", "Avenue du Général de Gaulle"),
        ("Prof.-Messerschmitt-Str.", "Professor-Messerschmitt-Straße"),
        ("W. 5th Ave", "West Fifth Avenue"),
        ("Pº de la Castellana", "Paseo de la Castellana"),
        ("Z.I. Nord", "Zone Industrielle Nord"),
        ("ZA des Prés", "Zone d'activité des Prés"),
        ("Ind. Est. Park", "Industrial Estate Park"),
    ],
)
def test_writings_of_one_street_are_equal(one: str, other: str) -> None:
    assert street_form(one) == street_form(other) is not None


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("DE", "Haupt-Straße", "Hauptstr."),
        ("GR", "Ερμού", "Ermou"),
        ("UA", "вул. Сумська", "Sumska Street"),
        ("RU", "ул. Тверская", "Tverskaya St"),
    ],
)
def test_writings_of_one_street_of_a_country_are_equal(country: str, one: str, other: str) -> None:
    assert street_form(one, country) == street_form(other, country) is not None


@pytest.mark.parametrize(
    ("country", "number", "house"),
    [
        ("NL", "5-A", "5a"),
        ("NL", "5 A", "5a"),
        ("PL", "5/3", "5"),
        ("DE", "12-14", "12"),
        ("DE", "007", "7"),
        ("AU", "3/12", "12"),
        ("JP", "2-4-1", "241"),
        ("CN", "761号", "761"),
        ("DE", "A", "a"),
    ],
)
def test_the_house_is_told_without_flat_and_range(country: str, number: str, house: str) -> None:
    assert house_form(number, country) == house


@pytest.mark.parametrize("piece", [", ", "1a-", "x", "no ", "로", " (", "apt 1 "])
def test_a_line_that_is_no_street_takes_no_time(piece: str) -> None:
    line = piece * (30_000 // len(piece))

    assert split_street(line) == (line, "", "")


@pytest.mark.parametrize("syllable", ["가", "시", "로", "대로"])
def test_a_street_of_very_many_syllables_is_read_in_one_pass(syllable: str) -> None:
    """The search for a kind of street began anew at each syllable and took half a minute."""
    street = syllable * (30_000 // len(syllable))

    assert street_form(street) is not None
    assert (street_form(f"{street}길 7") or "").endswith(" gil 7")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("München", "Munich"),
        ("Köln", "COLOGNE"),
        ("Łódź", "Lodz"),
        ("大阪市", "Osaka"),
        ("Lyon Cedex 03", "Lyons"),
        ("대전광역시", "Daejeon"),
        ("Kadıköy/İstanbul", "Istanbul"),
        ("Milano (MI)", "Milan"),
        ("Sydney NSW", "Sydney"),
        ("Praha 1 - Staré Město", "Prague"),
        ("서울특별시 강남구", "Seoul"),
        ("St. Denis", "Saint-Denis"),
        ("St Gallen", "Sankt Gallen"),
        ("Neuilly s/ Seine", "Neuilly-sur-Seine"),
        ("Stratford-u-Avon", "Stratford upon Avon"),
        ("Mt Pleasant", "Mount Pleasant"),
        ("Paris 8e", "Paris"),
        ("Lyon 3ème arrondissement", "Lyon"),
        ("London EC1", "London"),
        ("75008 Paris", "Paris"),
        ("København K", "Copenhagen"),
        ("Luxembourg-Ville", "Luxembourg"),
        ("Köln-Ehrenfeld", "Cologne"),
        ("Frankfurt/Main", "Frankfurt am Main"),
        ("Frankfurt a.d. Oder", "Frankfurt (Oder)"),
    ],
)
def test_one_city_under_two_names_is_one(one: str, other: str) -> None:
    assert city_form(one) == city_form(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Frankfurt (Oder)", "Frankfurt"),
        ("Halle (Westf.)", "Halle (Saale)"),
        ("Tours-sur-Marne", "Tours"),
        ("New York Mills", "New York"),
        ("Boulogne-Billancourt", "Boulogne-sur-Mer"),
        ("Neuilly-sur-Seine", "Neuilly-sur-Marne"),
    ],
)
def test_two_cities_of_one_name_are_two(one: str, other: str) -> None:
    assert city_form(one) != city_form(other)


def test_a_number_is_no_city() -> None:
    assert city_form("75008") is None


def forms(country: str | None = None, **parts: Any) -> dict[str, Any]:
    return dict(standardised("address", country=country, **parts).comparison)


def test_a_postcode_loses_country_prefix_and_spaces() -> None:
    assert forms(city="Verona", postal_code="IT-37196")["postcode"] == "37196"
    assert forms(city="Groningen", postal_code="9780 NP")["postcode"] == "9780np"
    assert forms(country="US", city="Boston", postal_code="02172-1234")["postcode"] == "02172"


def test_region_code_and_name_of_a_known_country_are_equal() -> None:
    assert forms(country="US", region="TX") == forms(country="US", region="Texas") == {"region": "us-tx"}


def test_city_and_postcode_in_each_others_field_are_put_right() -> None:
    address = standardised("address", street="Jiřinková 92", city="702 76", postal_code="Ostrava").value

    assert (address["city"], address["postal_code"]) == ("Ostrava", "702 76")


def test_a_city_in_the_postcode_field_is_a_city() -> None:
    address = standardised("address", street="Gran Vía 3", postal_code="Alicante").value

    assert (address["city"], address["postal_code"]) == ("Alicante", None)


def test_a_post_office_box_is_kept_but_contradicts_no_street() -> None:
    result = standardised("address", street="PO Box 5130", city="London")

    assert (result.value["street"], result.value["house_number"]) == ("PO Box", "5130")
    assert result.comparison == {"city": "london"}


def test_placeholders_are_left_out_and_named() -> None:
    result = standardised("address", street="N/A", city="Lyon", postal_code="00000")

    assert result.comparison == {"city": "lyon"}
    assert result.rejected == "PLACEHOLDER"


def test_a_house_number_of_one_digit_is_no_placeholder() -> None:
    assert forms(street="Alihof", house_number="2") == {"street": "alihof", "house_number": "2"}


def test_an_empty_address_is_none() -> None:
    assert standardised("address", street=None, city="").value is None
