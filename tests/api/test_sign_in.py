"""Signing in to the console: with an account of the hub, or through an identity provider."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from sqlalchemy import Engine

from api.app import ApiOptions, create_app
from api.console.oidc import OidcOptions, read_oidc
from mdm.access import Role
from mdm.clock import system_clock
from mdm.errors import ConfigurationInvalid, Invalid
from mdm.store import accounts
from tests.api.conftest import Surroundings
from tests.api.identity_provider import Provider, provider_app
from tests.api.test_console import form_token
from tests.e2e.browsing import serving


def visitor(surroundings: Surroundings, oidc: OidcOptions | None = None) -> TestClient:
    app = create_app(surroundings, ApiOptions(log=surroundings.log, remember_keys_seconds=0, oidc=oidc))
    return TestClient(app, follow_redirects=False, base_url="http://testserver")


def enter(browser: TestClient, username: str, password: str) -> int:
    token = form_token(browser.get("/console/sign-in").text)
    return browser.post(
        "/console/sign-in", data={"csrf": token, "username": username, "password": password}
    ).status_code


@pytest.fixture
def password(engine: Engine) -> str:
    with engine.begin() as connection:
        return accounts.create_account(connection, "Ada", "Ada Lovelace", Role.STEWARD)


def test_somebody_signs_in_with_a_password(surroundings: Surroundings, password: str) -> None:
    browser = visitor(surroundings)

    assert enter(browser, "ada", password) == 303
    assert "Ada Lovelace · steward" in browser.get("/console/").text


@pytest.mark.parametrize(("username", "word"), [("ada", "wrong password"), ("nobody", "wrong password"), ("ada", "")])
def test_a_wrong_name_or_password_says_nothing_more(
    surroundings: Surroundings, password: str, username: str, word: str
) -> None:
    browser = visitor(surroundings)

    assert enter(browser, username, word) == 401
    assert browser.get("/console/").status_code == 303


def test_after_five_wrong_passwords_an_account_rests(surroundings: Surroundings, password: str) -> None:
    browser = visitor(surroundings)
    for _ in range(5):
        assert enter(browser, "ada", "not the password") == 401

    assert enter(browser, "ada", password) == 401
    surroundings.clock = lambda: system_clock() + timedelta(minutes=6)
    assert enter(visitor(surroundings), "ada", password) == 303


def test_a_session_ends_with_its_account(surroundings: Surroundings, password: str, engine: Engine) -> None:
    browser = visitor(surroundings)
    enter(browser, "ada", password)
    with engine.begin() as connection:
        accounts.disable(connection, "ada", system_clock())

    assert browser.get("/console/").status_code == 303
    assert enter(browser, "ada", password) == 401


def test_only_a_hash_of_the_password_is_kept(password: str, engine: Engine) -> None:
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("select password_hash from console_account").scalar_one()

    assert stored.startswith("$argon2id$")
    assert password not in stored


@pytest.mark.parametrize(
    ("username", "role", "password"),
    [("", Role.STEWARD, None), ("a b", Role.STEWARD, None), ("x", Role.ERP, None), ("x", Role.ADMIN, "short")],
)
def test_accounts_that_make_no_sense_are_refused(
    engine: Engine, username: str, role: Role, password: str | None
) -> None:
    with engine.begin() as connection, pytest.raises(Invalid):
        accounts.create_account(connection, username, "", role, password)


@pytest.fixture
def provider() -> Iterator[Provider]:
    known = Provider()
    with serving(provider_app(known)) as address:
        known.issuer = address
        yield known


def come_back(browser: TestClient, provider: Provider) -> Any:
    """Follow the way to the identity provider and back."""
    import httpx

    away = browser.get("/console/sign-in/company?next=/console/reviews")
    back = httpx.get(away.headers["location"]).headers["location"]
    return browser.get(back.removeprefix("http://testserver"))


def options(provider: Provider) -> OidcOptions:
    return OidcOptions(provider.issuer, "mdm-hub", None, {"data-stewards": Role.STEWARD, "data-admins": Role.ADMIN})


def test_somebody_signs_in_through_the_identity_provider(surroundings: Surroundings, provider: Provider) -> None:
    browser = visitor(surroundings, options(provider))
    assert "Sign in with your company account" in browser.get("/console/sign-in").text

    back = come_back(browser, provider)

    assert (back.status_code, back.headers["location"]) == (303, "/console/reviews")
    assert "Ada · steward" in browser.get("/console/").text


@pytest.mark.parametrize(
    ("claims", "spoils"),
    [
        ({"roles": ["guests"]}, {}),
        ({"roles": []}, {}),
        ({}, {"aud": "another-client"}),
        ({}, {"iss": "https://elsewhere.example"}),
        ({}, {"nonce": "of another sign-in"}),
        ({}, {"exp": 1}),
    ],
)
def test_what_the_provider_says_must_be_about_this_sign_in(
    surroundings: Surroundings, provider: Provider, claims: dict[str, Any], spoils: dict[str, Any]
) -> None:
    provider.claims |= claims
    provider.spoils = spoils
    browser = visitor(surroundings, options(provider))

    assert come_back(browser, provider).status_code == 403
    assert browser.get("/console/").status_code == 303


def test_where_a_scope_is_required_nobody_comes_without_one(surroundings: Surroundings, provider: Provider) -> None:
    required = replace(options(provider), scope_required=True)
    assert come_back(visitor(surroundings, required), provider).status_code == 403
    provider.claims |= {"mdm_scope": {"regions": ["EMEA"]}}
    assert come_back(visitor(surroundings, required), provider).status_code == 303


def test_a_token_signed_by_a_stranger_opens_nothing(surroundings: Surroundings, provider: Provider) -> None:
    provider.stranger = RSAKey.generate_key(2048, {"kid": "k1"})
    browser = visitor(surroundings, options(provider))

    assert come_back(browser, provider).status_code == 403


def test_the_way_back_works_once_and_only_in_the_browser_that_began(
    surroundings: Surroundings, provider: Provider
) -> None:
    import httpx

    browser = visitor(surroundings, options(provider))
    away = browser.get("/console/sign-in/company")
    back = httpx.get(away.headers["location"]).headers["location"].removeprefix("http://testserver")

    assert TestClient(browser.app, follow_redirects=False).get(back).status_code == 403
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403


def test_without_a_provider_there_is_no_way_to_one(surroundings: Surroundings) -> None:
    assert visitor(surroundings).get("/console/sign-in/company").status_code == 404


def test_settings_of_the_provider_are_read_and_checked() -> None:
    given = {
        "MDM_OIDC_ISSUER": "https://id.example/",
        "MDM_OIDC_CLIENT_ID": "hub",
        "MDM_OIDC_ROLES": "a=steward,b=admin",
    }

    found = read_oidc(given)

    assert found is not None
    assert (found.issuer, found.roles) == ("https://id.example", {"a": Role.STEWARD, "b": Role.ADMIN})
    assert read_oidc({}) is None
    for wrong in ({"MDM_OIDC_CLIENT_ID": ""}, {"MDM_OIDC_ROLES": "a=erp"}, {"MDM_OIDC_ROLES": "a"}):
        with pytest.raises(ConfigurationInvalid):
            read_oidc(given | wrong)
