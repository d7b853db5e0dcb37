"""Phones, e-mails and web sites: what is somebody's own, and what is nobody's."""

import pytest

from tests.unit.mdm.intake.standardise.given import standardised


@pytest.mark.parametrize(
    "written", ["+31 30 972 5926", "0031 30 9725926", "030 972 5926", "(030) 972-5926", "030/9725926", "+31309725926"]
)
def test_writings_of_one_number_are_one(written: str) -> None:
    assert standardised("phones", written, country="NL").comparison == {"phones": ["31309725926"]}


@pytest.mark.parametrize("junk", ["0000000", "1234567", "+1 555 0100", "555-0199", "n/a", "9999999999"])
def test_a_placeholder_is_no_number(junk: str) -> None:
    result = standardised("phones", junk, country="US")

    assert (result.value, result.rejected) == (None, "PLACEHOLDER")


def test_a_number_that_cannot_be_read_is_kept_but_not_compared() -> None:
    result = standardised("phones", "030 972 5926")

    assert result.value == [{"value": "030 972 5926", "e164": None, "valid": False}]
    assert result.comparison == {}


def test_two_writings_of_one_number_are_one_entry() -> None:
    assert len(standardised("phones", "+31 30 972 5926", "030 9725926", country="NL").value) == 1


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("089 1234560 / 0171 1234567", ["491711234567", "49891234560"]),
        ("+49 89 1234560, +49 89 1234561", ["49891234560", "49891234561"]),
        ("Tel 089/1234560 Fax 089/1234561", ["49891234560", "49891234561"]),
        ("089 1234560 oder 0171 1234567", ["491711234567", "49891234560"]),
    ],
)
def test_several_numbers_in_one_field_are_several(written: str, numbers: list[str]) -> None:
    assert standardised("phones", written, country="DE").comparison["phones"] == numbers


def test_an_address_gives_mailbox_and_domain() -> None:
    result = standardised("emails", " Info+news@Mail.Example-Tools.co.uk ")

    assert result.value == [
        {"value": "Info+news@Mail.Example-Tools.co.uk", "domain": "example-tools.co.uk", "shared": True}
    ]
    assert result.comparison == {"emails": ["info@mail.example-tools.co.uk"], "domains": ["example-tools.co.uk"]}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (" info@acme.de ; ", ["info@acme.de"]),
        ("Max Muster <Max.Muster@acme.de>", ["max.muster@acme.de"]),
        ("a@acme.de; b@acme.de", ["a@acme.de", "b@acme.de"]),
        ("Ann <a@acme.de>, Bob <b@acme.de>", ["a@acme.de", "b@acme.de"]),
        ("john doe@acme.de", None),
        ("a@b@c.de", None),
    ],
)
def test_a_field_is_read_as_people_fill_it(written: str, found: list[str] | None) -> None:
    assert standardised("emails", written).comparison.get("emails") == found


def test_of_several_sites_in_one_field_the_first_counts() -> None:
    assert standardised("web_domain", "acme.de, acme.com").value == "acme.de"


def test_a_free_mailbox_is_kept_but_is_no_evidence() -> None:
    result = standardised("emails", "jane@gmail.com")

    assert result.value[0]["domain"] == "gmail.com"
    assert result.comparison == {}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("noreply@tools.de", "PLACEHOLDER"),
        ("a@example.com", "PLACEHOLDER"),
        ("n/a", "PLACEHOLDER"),
        ("x at y", "EMAIL_MALFORMED"),
    ],
)
def test_an_address_that_reaches_nobody_is_rejected(written: str, code: str) -> None:
    result = standardised("emails", written)

    assert (result.value, result.rejected) == (None, code)


@pytest.mark.parametrize(
    "written",
    ["https://www.tools.co.jp/about?x=1", "tools.co.jp", "HTTP://TOOLS.CO.JP/", "www.shop.tools.co.jp:8080"],
)
def test_a_site_gives_its_registrable_domain(written: str) -> None:
    assert standardised("web_domain", written).value == "tools.co.jp"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("https://www.linkedin.com/company/tools", "DOMAIN_NOT_OWN"),
        ("facebook.com/tools", "DOMAIN_NOT_OWN"),
        ("localhost", "DOMAIN_MALFORMED"),
        ("10.0.0.1", "DOMAIN_MALFORMED"),
        ("none", "PLACEHOLDER"),
    ],
)
def test_a_site_that_is_not_their_own_is_rejected(written: str, code: str) -> None:
    result = standardised("web_domain", written)

    assert (result.value, result.rejected) == (None, code)


def test_a_domain_under_which_the_platform_hosts_everybody_is_nobodys() -> None:
    result = standardised("web_domain", "tools.ourcloud.app", options={"except": "ourcloud.app"})

    assert result.rejected == "DOMAIN_NOT_OWN"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Deutschland", "DE"), ("USA", "US"), ("U.S.A.", "US"), ("Česká republika", "CZ"), ("日本", "JP"), ("NA", "NA"),
        ("Holland", "NL"), ("England", "GB"), ("UK", "GB"), ("fra", "FR"), ("République française", "FR"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_any_usual_name(written: str, code: str) -> None:
    result = standardised("country", written)

    assert (result.value, result.comparison) == (code, {"country": code.lower()})


@pytest.mark.parametrize(("written", "code"), [("N/A", "PLACEHOLDER"), ("Atlantis", "COUNTRY_UNKNOWN")])
def test_what_is_no_country_is_rejected(written: str, code: str) -> None:
    assert standardised("country", written).rejected == code


@pytest.mark.parametrize("site", ["https://com.com", "co.org", "http://www.net.net/"])
def test_what_is_left_of_a_mistyped_address_is_nobody_s_own(site: str) -> None:
    assert standardised("web_domain", site).rejected == "DOMAIN_NOT_OWN"


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("+49 (0)89 / 32 45 67-0", "089 324567-15", {"4989324567-"}),
        ("+43 1 5123456-0", "+43 1 5123456 - 22", {"4315123456-"}),
        ("+49 89 324567-0", "089 3245670", {"49893245670"}),
        ("+49 89 324567-0", "089 324568-15", set()),
        ("+1 212-736-5000", "+1 212-736-6000", set()),
    ],
)
def test_extensions_of_one_house_share_its_number(one: str, other: str, shared: set[str]) -> None:
    first, second = (set(standardised("phones", each, country="DE").comparison["phones"]) for each in (one, other))

    assert first & second == shared
