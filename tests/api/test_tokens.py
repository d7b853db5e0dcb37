"""Access tokens of an identity provider, and rate limits."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from api.app import ApiOptions, create_app
from api.rate import Limiter, Rate
from mdm.access import Role
from mdm.hub.tokens import TokenRules, TokenVerifier
from tests.api.conftest import Surroundings

_ISSUER, _AUDIENCE = "https://idp.example", "mdm"


class Provider:
    """A small identity provider: it signs, publishes its keys, and can change them."""

    def __init__(self) -> None:
        self.fetched = 0
        self.rotate()

    def rotate(self) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)

    def jwks(self) -> dict[str, Any]:
        self.fetched += 1
        return KeySet([self.key]).as_dict(private=False)  # type: ignore[return-value]

    def token(self, *, key: Any = None, alg: str = "ES256", **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "erp-sync", "exp": now + 300, "groups": ["mdm-erp"]} | claims
        signing = key or self.key
        header = {"alg": alg, "kid": self.key.kid}
        return jwt.encode(
            header, {name: value for name, value in said.items() if value is not None}, signing, algorithms=[alg]
        )


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ask(surroundings: Surroundings, provider: Provider) -> Callable[[str], int]:
    rules = TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP, "mdm-stewards": Role.STEWARD})
    tokens = TokenVerifier(rules, provider.jwks)
    client = TestClient(create_app(surroundings, ApiOptions(log=surroundings.log, tokens=tokens)))

    def status(token: str, address: str = "/v1/customers") -> int:
        return client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code

    return status


def test_a_token_of_the_provider_is_believed(ask: Callable[..., int], provider: Provider) -> None:
    assert ask(provider.token()) == 200
    assert ask(provider.token(aud=["other", _AUDIENCE])) == 200


def test_a_group_gives_its_role_and_no_more(ask: Callable[..., int], provider: Provider) -> None:
    assert ask(provider.token(), "/v1/decisions") == 403
    assert ask(provider.token(groups=["mdm-erp", "mdm-stewards"]), "/v1/decisions") == 200


NOW = time.time()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"}, {"aud": "other"}, {"aud": None}, {"sub": None}, {"exp": None},
        {"exp": int(NOW) - 3600}, {"nbf": int(NOW) + 3600}, {"exp": "tomorrow"}, {"groups": []}, {"groups": ["else"]},
        {"groups": None}, {"exp": True},
    ],
)  # fmt: skip
def test_a_token_that_says_otherwise_is_not_believed(
    ask: Callable[..., int], provider: Provider, claims: dict[str, Any]
) -> None:
    assert ask(provider.token(**claims)) == 401


def test_clocks_may_differ_a_little(ask: Callable[..., int], provider: Provider) -> None:
    assert ask(provider.token(exp=int(time.time()) - 30)) == 200


def test_a_signature_of_another_key_or_kind_is_not_believed(ask: Callable[..., int], provider: Provider) -> None:
    stranger = ECKey.generate_key("P-256")
    shared = OctKey.import_key("a-secret-that-is-long-enough-for-hs256")
    good = provider.token()
    header, payload, signature = good.split(".")

    assert ask(provider.token(key=stranger)) == 401
    assert ask(provider.token(key=shared, alg="HS256")) == 401
    assert ask(provider.token(key=RSAKey.generate_key(2048), alg="RS256")) == 401
    assert ask(f"eyJhbGciOiJub25lIn0.{payload}.") == 401
    assert ask(f"{header}.{payload}.{signature[::-1]}") == 401
    assert ask("a.b.c") == 401


def test_new_keys_are_fetched_when_a_token_needs_them_but_not_for_every_bad_one(provider: Provider) -> None:
    tokens = TokenVerifier(TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}), provider.jwks)
    assert tokens.caller(provider.token()) is not None
    stranger = ECKey.generate_key("P-256")
    for _ in range(20):
        assert tokens.caller(provider.token(key=stranger)) is None

    assert provider.fetched == 1, "whoever sends nonsense cannot make the hub call the provider"


def test_whoever_asks_too_often_waits(surroundings: Surroundings, keys: dict[Role, str]) -> None:
    app = create_app(surroundings, ApiOptions(log=surroundings.log, rate=Rate(per_second=0.01, burst=3)))
    clients = {role: TestClient(app, headers={"X-API-Key": keys[role]}) for role in (Role.ERP, Role.READER)}

    answers = [clients[Role.ERP].get("/v1/customers") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 1
    assert answers[-1].json()["type"] == "/problems/too-many-requests"
    assert clients[Role.READER].get("/v1/customers").status_code == 200, "each caller has a bucket of its own"


def test_a_bucket_fills_again() -> None:
    limiter = Limiter(Rate(per_second=2, burst=2))

    taken = [limiter.wait("a", now) for now in (0.0, 0.0, 0.0, 0.4, 0.5)]

    assert [wait > 0 for wait in taken] == [False, False, True, True, False]
