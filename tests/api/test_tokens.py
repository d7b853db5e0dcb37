"""Access tokens of an identity provider, and rate limits."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from api.app import ApiOptions, create_app
from api.console.oidc import IdentityProvider, OidcOptions
from api.rate import Limiter, Rate
from mdm.access import Role
from mdm.errors import TransientError
from mdm.hub.tokens import TokenRules, TokenVerifier
from tests.api.conftest import Surroundings

_ISSUER, _AUDIENCE = "https://idp.example", "mdm"


class Provider:
    """A small identity provider: it signs, publishes its keys, and can change them."""

    def __init__(self) -> None:
        self.fetched = 0
        self.away = False
        self.rotate()

    def rotate(self) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)

    def jwks(self) -> dict[str, Any]:
        self.fetched += 1
        if self.away:
            raise TransientError("The identity provider does not answer.")
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


@pytest.mark.parametrize("claim", ["sub", "employee"])
def test_one_name_is_one_person_in_tokens_and_in_the_console(provider: Provider, claim: str) -> None:
    alike = "https://id.example/people/of/the/company/in/the/north/number/"
    rules = TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}, name_claim=claim)
    tokens = TokenVerifier(rules, provider.jwks)
    sign_in = IdentityProvider(OidcOptions(_ISSUER, "hub", None, {"mdm-erp": Role.STEWARD}, name_claim=claim))

    names = {}
    for name in ("anna", f"{alike}1", f"{alike}2"):
        caller = tokens.caller(provider.token(**{claim: name}))
        assert caller is not None
        assert caller.key_id == sign_in._caller({claim: name, "roles": ["mdm-erp"]}).key_id
        names[caller.key_id] = name
    assert len(names) == 3
    assert max(map(len, names)) <= 64
    assert "oidc:anna" in names


def test_a_token_without_the_claim_of_names_is_named_by_its_subject(provider: Provider) -> None:
    rules = TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}, name_claim="employee")

    caller = TokenVerifier(rules, provider.jwks).caller(provider.token(sub="erp-sync"))

    assert caller is not None
    assert caller.key_id == "oidc:erp-sync"


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


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def verifier(provider: Provider, ticks: Ticks) -> TokenVerifier:
    return TokenVerifier(TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}), provider.jwks, ticks)


def test_a_new_key_of_the_provider_is_believed_and_a_withdrawn_one_is_not_for_long(
    provider: Provider, verifier: TokenVerifier, ticks: Ticks
) -> None:
    before = provider.token()
    assert verifier.caller(before) is not None
    provider.rotate()
    ticks.now += 31
    assert verifier.caller(provider.token()) is not None
    assert verifier.caller(before) is None, "the provider publishes another key now"

    provider.rotate()  # and nobody presents a token of the new one
    withdrawn = jwt.encode({"alg": "ES256"}, {}, provider.key, algorithms=["ES256"])
    assert verifier.caller(withdrawn) is None
    last = provider.token()
    ticks.now += 31
    assert verifier.caller(last) is not None
    provider.rotate()
    ticks.now += 601
    assert verifier.caller(last) is None, "keys are fetched anew after ten minutes even if they do"


def test_while_the_provider_is_away_known_keys_do_for_an_hour_and_nobody_waits(
    provider: Provider, verifier: TokenVerifier, ticks: Ticks
) -> None:
    assert verifier.caller(provider.token()) is not None
    provider.away = True
    ticks.now += 601
    asked = provider.fetched
    for _ in range(20):
        assert verifier.caller(provider.token()) is not None
        with pytest.raises(TransientError):
            verifier.caller(provider.token(key=ECKey.generate_key("P-256")))
    assert provider.fetched == asked + 1, "one try in a while, however many tokens come"

    ticks.now += 3000
    with pytest.raises(TransientError):
        verifier.caller(provider.token())
    provider.away = False
    ticks.now += 31
    assert verifier.caller(provider.token()) is not None


def test_a_provider_that_was_never_there_is_an_outage_and_no_refusal(
    surroundings: Surroundings, provider: Provider, verifier: TokenVerifier
) -> None:
    provider.away = True
    client = TestClient(create_app(surroundings, ApiOptions(log=surroundings.log, tokens=verifier)))

    answer = client.get("/v1/customers", headers={"Authorization": f"Bearer {provider.token()}"})

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("document", [{}, {"keys": "none"}, {"keys": [{"kty": "EC"}]}, {"keys": [{"kty": "what"}]}])
def test_keys_that_cannot_be_read_are_an_outage(provider: Provider, document: dict[str, Any], ticks: Ticks) -> None:
    verifier = TokenVerifier(TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}), lambda: document, ticks)

    with pytest.raises(TransientError):
        verifier.caller(provider.token())


def test_a_token_brings_neither_its_own_key_nor_extensions(ask: Callable[..., int], provider: Provider) -> None:
    stranger = ECKey.generate_key("P-256", auto_kid=True)
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "x", "exp": int(time.time()) + 300, "groups": ["mdm-erp"]}
    own_key = {"alg": "ES256", "kid": provider.key.kid, "jwk": stranger.as_dict(private=False)}

    assert ask(jwt.encode(own_key, claims, stranger, algorithms=["ES256"])) == 401
    assert ask(jwt.encode({"alg": "ES256", "kid": stranger.kid, "jku": "https://evil.example/keys"}, claims, stranger,
                          algorithms=["ES256"])) == 401  # fmt: skip


@pytest.mark.parametrize(
    ("offset", "believed"),
    [({"exp": -59}, True), ({"exp": -61}, False), ({"nbf": 59, "exp": 600}, True), ({"nbf": 61, "exp": 600}, False)],
)
def test_clocks_differ_by_a_minute_at_most(
    provider: Provider, ticks: Ticks, offset: dict[str, int], believed: bool
) -> None:
    noon = 1_800_000_000
    rules = TokenRules(_ISSUER, _AUDIENCE, {"mdm-erp": Role.ERP}, now=lambda: float(noon))
    token = provider.token(**{name: noon + seconds for name, seconds in offset.items()})

    assert (TokenVerifier(rules, provider.jwks, ticks).caller(token) is not None) is believed


def test_all_groups_of_a_token_count(provider: Provider, ticks: Ticks) -> None:
    roles = {"mdm-erp": Role.ERP, "mdm-leads": Role.SENIOR_STEWARD | Role.DATA_OWNER}
    verifier = TokenVerifier(TokenRules(_ISSUER, _AUDIENCE, roles), provider.jwks, ticks)

    caller = verifier.caller(provider.token(groups=["mdm-erp", "mdm-leads", "staff"]))

    assert caller is not None
    assert caller.role == Role.ERP | Role.SENIOR_STEWARD | Role.DATA_OWNER


def test_whoever_asks_too_often_waits(surroundings: Surroundings, keys: dict[Role, str]) -> None:
    app = create_app(surroundings, ApiOptions(log=surroundings.log, rate=Rate(per_second=0.01, burst=3)))
    clients = {role: TestClient(app, headers={"X-API-Key": keys[role]}) for role in (Role.ERP, Role.READER)}

    answers = [clients[Role.ERP].get("/v1/customers") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 1
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=3;w=300'}
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        f'"default";r={remaining}' for remaining in (2, 1, 0, 0)
    ]
    assert 290 < int(answers[-1].headers["ratelimit"].partition(";t=")[2]) <= 300
    assert answers[-1].json()["type"] == "/problems/too-many-requests"
    assert clients[Role.READER].get("/v1/customers").status_code == 200, "each caller has a bucket of its own"


def test_a_bucket_fills_again() -> None:
    limiter = Limiter(Rate(per_second=2, burst=2))

    taken = [limiter.take("a", now).wait for now in (0.0, 0.0, 0.0, 0.4, 0.5)]

    assert [wait > 0 for wait in taken] == [False, False, True, True, False]
