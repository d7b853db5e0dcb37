"""Addresses taken apart and folded, so that two writings of one place are equal."""

from typing import Any

import pytest

from mdm.intake.standardise.places import city_form
from mdm.intake.standardise.street_lines import number_form, split_street
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
    ],
)
def test_street_and_house_number_are_parted(written: str, street: str, number: str, unit: str) -> None:
    assert split_street(written) == (street, number, unit)


@pytest.mark.parametrize(
    ("country", "written", "parts"),
    [
        ("FR", "12 bis rue de la Paix", ("rue de la Paix", "12bis", "")),
        ("FR", "12 B rue de la Paix", ("rue de la Paix", "12B", "")),
        ("FR", "CS 12345, 10 place de la Bourse", ("place de la Bourse", "10", "CS 12345")),
        ("FR", "Immeuble Le Triangle 5 av des Champs", ("av des Champs", "5", "Immeuble Le Triangle")),
        ("GB", "The Shard, 32 London Bridge Street", ("London Bridge Street", "32", "The Shard")),
        ("GB", "Unit 5, Brook Business Park, 12 Mill Lane", ("Mill Lane", "12", "Brook Business Park, Unit 5")),
        ("GB", "Flat 2, 10 High Street", ("High Street", "10", "Flat 2")),
        ("US", "One Market Plaza", ("Market Plaza", "1", "")),
        ("US", "100 M Street NW", ("M Street NW", "100", "")),
        ("AU", "Level 12, 60 Martin Place", ("Martin Place", "60", "Level 12")),
        ("IN", "No. 12, 3rd Floor, MG Road", ("MG Road", "12", "3rd Floor")),
        ("NL", "Keizersgracht 123-II", ("Keizersgracht", "123", "II")),
        ("NL", "Keizersgracht 123 2", ("Keizersgracht", "123", "2")),
        ("IT", "Corso Italia n. 5 B", ("Corso Italia", "5B", "")),
        ("ES", "Calle Mayor, 5, 2º izq.", ("Calle Mayor", "5", "2º izq.")),
        ("ES", "Avda. Diagonal 123 Esc. B 4º 1ª", ("Avda. Diagonal", "123", "Esc. B, 4º 1ª")),
        ("PT", "Rua Augusta, 25 - 3º Dto", ("Rua Augusta", "25", "3º Dto")),
        ("BR", "Av. Paulista, 1000 - 5º andar", ("Av. Paulista", "1000", "5º andar")),
        ("MX", "Av. Reforma No. 222 Piso 5 Col. Juárez", ("Av. Reforma", "222", "Piso 5, Col. Juárez")),
        ("TR", "Büyükdere Cad. No:123 Kat:4", ("Büyükdere Cad.", "123", "Kat:4")),
        ("SE", "Storgatan 5 lgh 1101", ("Storgatan", "5", "lgh 1101")),
        ("DK", "Vesterbrogade 12, 3. th", ("Vesterbrogade", "12", "3. th")),
        ("BE", "Rue de la Loi 16 bte 3", ("Rue de la Loi", "16", "bte 3")),
        ("DE", "Industriestr. 5, Halle 3", ("Industriestr.", "5", "Halle 3")),
        ("DE", "Straße des 17. Juni 135", ("Straße des 17. Juni", "135", "")),
        ("CN", "南京东路100号", ("南京东路", "100", "")),
        ("JP", "丸の内1丁目2番3号", ("丸の内", "1-2-3", "")),
        ("FR", "12 R DE LA PAIX", ("R DE LA PAIX", "12", "")),
        ("GB", "100 N Main St", ("N Main St", "100", "")),
        ("US", "123 5th Ave", ("5th Ave", "123", "")),
        ("NL", "Kerkstraat 5-A", ("Kerkstraat", "5-A", "")),
        ("HU", "Fő utca 3.", ("Fő utca", "3", "")),
        ("DE", "Hauptstr. 12 (2. OG)", ("Hauptstr.", "12", "2. OG")),
        ("IN", "Plot No. 12, MG Road", ("MG Road", "12", "")),
        ("MX", "Insurgentes Sur #1000", ("Insurgentes Sur", "1000", "")),
        ("RU", "ул. Тверская, д. 7", ("ул. Тверская", "7", "")),
    ],
)
def test_a_line_is_read_by_the_habits_of_its_country(country: str, written: str, parts: tuple[str, str, str]) -> None:
    assert split_street(written, "", country) == parts


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("DE", "12-14", "12"),
        ("DE", "12 a", "12A"),
        ("CA", "1200-200", "200"),
        ("AU", "5/60", "60"),
        ("CZ", "123/45", "45"),
        ("PL", "51/12", "51"),
        ("AT", "100/2/5", "100"),
        ("IT", "5/B", "5b"),
    ],
)
def test_writings_of_one_house_number_are_equal(country: str, one: str, other: str) -> None:
    assert number_form(one, country) == number_form(other, country)


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [("DE", "12", "14"), ("US", "100", "100a"), ("JP", "1-2", "1-3"), ("JP", "1-23", "12-3")],
)
def test_two_house_numbers_are_two(country: str, one: str, other: str) -> None:
    assert number_form(one, country) != number_form(other, country)


@pytest.mark.parametrize("atom", ["1- ", "No. (", "3rd floor ", "a12 ", "丁目a", "- "])
def test_a_line_without_end_is_not_taken_apart(atom: str) -> None:
    line = atom * 10_000

    assert split_street(line) == (line, "", "")


def test_a_postcode_that_a_spreadsheet_shortened_is_the_same() -> None:
    assert forms("ES", postal_code="8008", city="Barcelona") == forms("ES", postal_code="08008", city="Barcelona")
    assert forms("CH", postal_code="8008", city="Zürich")["postcode"] == "8008"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Goethe-Straße", "Goethestr."), ("Berliner Straße", "Berliner Str."), ("Karls Platz", "Karlsplatz")],
)
def test_kinds_of_street_are_written_in_one_word_or_two(one: str, other: str) -> None:
    assert street_form(one, "DE") == street_form(other, "DE")


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
        ("GR", "Ερμού", "Ermou"),
        ("UA", "вул. Сумська", "Sumska Street"),
        ("RU", "ул. Тверская", "Tverskaya St"),
        ("NO", "Storgata", "Storgaten"),
    ],
)
def test_writings_of_one_street_of_a_country_are_equal(country: str, one: str, other: str) -> None:
    assert street_form(one, country) == street_form(other, country) is not None


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
        ("St. Denis", "Saint-Denis"),
        ("St Gallen", "Sankt Gallen"),
        ("Neuilly s/ Seine", "Neuilly-sur-Seine"),
        ("Stratford-u-Avon", "Stratford upon Avon"),
        ("Mt Pleasant", "Mount Pleasant"),
        ("Paris 8e", "Paris"),
        ("Lyon 3ème arrondissement", "Lyon"),
        ("London EC1", "London"),
        ("75008 Paris", "Paris"),
        ("Milano (MI)", "Milan"),
        ("København K", "Copenhagen"),
        ("Luxembourg-Ville", "Luxembourg"),
        ("Köln-Ehrenfeld", "Cologne"),
        ("Frankfurt/Main", "Frankfurt am Main"),
        ("Frankfurt a.d. Oder", "Frankfurt (Oder)"),
        ("Kadıköy/İstanbul", "Istanbul"),
        ("Sydney NSW", "Sydney"),
        ("Praha 1 - Staré Město", "Prague"),
        ("서울특별시 강남구", "Seoul"),
        ("Toronto, ON", "Toronto"),
        ("A'dam", "Amsterdam"),
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
