"""Signing in through a company's identity provider: OpenID Connect, authorisation code with PKCE.

The provider says who somebody is; which of its groups may enter, and as what, is the hub's own setting.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mdm.access import Caller, Role
from mdm.errors import ConfigurationInvalid, Refused, TransientError

#: Signatures that are accepted; `none` and those with a shared secret are not among them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_LEEWAY, _TIMEOUT = 60, 10
#: Sign-ins begun and not finished; the oldest is forgotten.
_PENDING = 1000
_PENDING_SECONDS = 600


@dataclass(frozen=True, slots=True)
class OidcOptions:
    """How the identity provider is reached, and what its groups mean here.

    `roles` maps a value of the claim `roles_claim` to a role of the console. `name_claim` must name people uniquely and
    for ever, for history and the rule of two persons compare it.
    """

    issuer: str
    client_id: str
    client_secret: str | None
    roles: Mapping[str, Role]
    roles_claim: str = "roles"
    name_claim: str = "sub"
    title: str = "your company account"


def read_oidc(environment: Mapping[str, str]) -> OidcOptions | None:
    """The provider from `MDM_OIDC_ISSUER`, `_CLIENT_ID`, `_CLIENT_SECRET`, `_ROLES`, `_ROLES_CLAIM`, `_NAME_CLAIM`.

    Raises:
        ConfigurationInvalid: an issuer is given without a client, or a role is not known.
    """
    issuer = environment.get("MDM_OIDC_ISSUER")
    if not issuer:
        return None
    client_id = environment.get("MDM_OIDC_CLIENT_ID")
    if not client_id:
        raise ConfigurationInvalid("MDM_OIDC_ISSUER needs MDM_OIDC_CLIENT_ID: as what the hub is known there.")
    roles = {}
    for part in filter(None, (environment.get("MDM_OIDC_ROLES") or "").split(",")):
        group, _, role = part.partition("=")
        if role.strip() not in (Role.STEWARD.value, Role.ADMIN.value):
            raise ConfigurationInvalid(f"MDM_OIDC_ROLES must read group=steward,group=admin; {part!r} does not.")
        roles[group.strip()] = Role(role.strip())
    return OidcOptions(
        issuer=issuer.rstrip("/"),
        client_id=client_id,
        client_secret=environment.get("MDM_OIDC_CLIENT_SECRET") or None,
        roles=roles,
        roles_claim=environment.get("MDM_OIDC_ROLES_CLAIM") or "roles",
        name_claim=environment.get("MDM_OIDC_NAME_CLAIM") or "sub",
    )


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way."""

    verifier: str
    nonce: str
    target: str
    begun_at: float


@dataclass(slots=True)
class IdentityProvider:
    """One provider, as the process knows it."""

    options: OidcOptions
    _begun: OrderedDict[str, Begun] = field(default_factory=OrderedDict)
    _metadata: dict[str, Any] | None = None

    async def begin(self, redirect_uri: str, target: str) -> tuple[str, str]:
        """The provider's address to send somebody to, and the state that must come back."""
        metadata = await self._discover()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        async with self._client(redirect_uri) as client:
            address, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        self._begun[state] = Begun(verifier, nonce, target, time.monotonic())
        while len(self._begun) > _PENDING:
            self._begun.popitem(last=False)
        return str(address), str(state)

    async def finish(self, redirect_uri: str, state: str, code: str) -> tuple[Caller, str]:
        """Who came back, and where they wanted to go.

        Raises:
            Refused: the sign-in is unknown or too old, the provider's answer is not genuine, or no group of the person
                has a role here.
        """
        begun = self._begun.pop(state, None)
        if begun is None or time.monotonic() - begun.begun_at > _PENDING_SECONDS:
            raise Refused("This sign-in was not begun here, or took too long.", action="Please begin again.")
        metadata = await self._discover()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=begun.verifier, timeout=_TIMEOUT
                )
                keys = (await client.request("GET", metadata["jwks_uri"], withhold_token=True)).json()
        except (OAuthError, httpx.HTTPStatusError, KeyError) as error:
            raise Refused("The identity provider refused the sign-in.", action="Please begin again.") from error
        except httpx.HTTPError as error:
            raise TransientError("The identity provider does not answer.") from error
        claims = self._claims(str(token.get("id_token", "")), keys, begun.nonce)
        return self._caller(claims), begun.target

    def _claims(self, id_token: str, keys: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        try:
            found = jwt.decode(id_token, KeySet.import_key_set(dict(keys)), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
            registry = jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self.options.issuer},
                aud={"essential": True, "value": self.options.client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(found.claims)
        except (JoseError, ValueError) as error:
            raise Refused("The identity provider's answer is not genuine.", action="Please begin again.") from error
        return found.claims

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        held = claims.get(self.options.roles_claim) or []
        groups = [held] if isinstance(held, str) else list(held)
        roles = {self.options.roles[group] for group in groups if group in self.options.roles}
        name = str(claims.get(self.options.name_claim) or "")
        if not roles or not name:
            raise Refused("None of your groups may use the console.", action="Ask an administrator for access.")
        shown = str(claims.get("name") or claims.get("email") or name)
        return Caller(f"oidc:{name}", Role.ADMIN if Role.ADMIN in roles else Role.STEWARD, shown)

    async def _discover(self) -> dict[str, Any]:
        if self._metadata is None:
            try:
                async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
                    answer = await client.get(f"{self.options.issuer}/.well-known/openid-configuration")
                    answer.raise_for_status()
                    found: dict[str, Any] = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise TransientError("The identity provider does not answer.") from error
            if str(found.get("issuer", "")).rstrip("/") != self.options.issuer:
                raise Refused("The identity provider says that it is another one.")
            self._metadata = found
        return self._metadata

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self.options.client_id,
            client_secret=self.options.client_secret,
            scope="openid profile email",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.options.client_secret else "none",
        )
