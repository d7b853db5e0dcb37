"""Signing in through a company's identity provider: OpenID Connect, authorisation code with PKCE.

The provider says who somebody is; which of its groups may enter, and as what, is the hub's own setting.
"""

import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mdm.access import Caller, Permission, Role, read_role
from mdm.errors import ConfigurationInvalid, Invalid, Refused, TransientError
from mdm.hub.tokens import BAD_SHAPE, can_be_written, claimed_scope, identity_of
from mdm.settings import secret
from mdm.store.console_sessions import PendingSignIn

with warnings.catch_warnings():
    # About a successor of httpx: a word for whoever maintains the pins, not for everybody who types a command.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError

#: Signatures that are accepted; `none` and those with a shared secret are not among them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_LEEWAY, _TIMEOUT = 60, 10


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
    scope_claim: str = "mdm_scope"
    scope_required: bool = False
    title: str = "your company account"


def read_oidc(environment: Mapping[str, str]) -> OidcOptions | None:
    """The provider from `MDM_OIDC_ISSUER`, `_CLIENT_ID`, `_CLIENT_SECRET`, `_ROLES`, `_ROLES_CLAIM`, `_NAME_CLAIM`,
    `_SCOPE_CLAIM`, `_SCOPE_REQUIRED`.

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
        roles[group.strip()] = _role(role, part)
    return OidcOptions(
        issuer=issuer.rstrip("/"),
        client_id=client_id,
        client_secret=secret(environment, "MDM_OIDC_CLIENT_SECRET"),
        roles=roles,
        roles_claim=environment.get("MDM_OIDC_ROLES_CLAIM") or "roles",
        name_claim=environment.get("MDM_OIDC_NAME_CLAIM") or "sub",
        scope_claim=environment.get("MDM_OIDC_SCOPE_CLAIM") or "mdm_scope",
        scope_required=bool(environment.get("MDM_OIDC_SCOPE_REQUIRED")),
    )


def _role(name: str, part: str) -> Role:
    try:
        role = read_role(name)
    except Invalid as error:
        raise ConfigurationInvalid(f"MDM_OIDC_ROLES must read group=role,...; {part!r} does not: {error}") from error
    if not role.may(Permission.CONSOLE):
        raise ConfigurationInvalid(f"MDM_OIDC_ROLES: the role of {part!r} has no place in the console.")
    return role


@dataclass(slots=True)
class IdentityProvider:
    """One provider. What somebody must bring back from there is kept by the caller: another process may meet them."""

    options: OidcOptions
    _metadata: dict[str, Any] | None = None

    async def begin(self, redirect_uri: str, target: str) -> tuple[str, str, PendingSignIn]:
        """The provider's address to send somebody to, the state that must come back, and what to keep until then."""
        metadata = await self._discover()
        pending = PendingSignIn(secrets.token_urlsafe(48), secrets.token_urlsafe(24), target)
        async with self._client(redirect_uri) as client:
            address, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=pending.verifier, nonce=pending.nonce
            )
        return str(address), str(state), pending

    async def finish(self, redirect_uri: str, pending: PendingSignIn | None, code: str) -> tuple[Caller, str]:
        """Who came back, and where they wanted to go.

        Raises:
            Refused: the sign-in is unknown or too old, the provider's answer is not genuine, or no group of the person
                has a role here.
        """
        if pending is None:
            raise Refused("This sign-in was not begun here, or took too long.", action="Please begin again.")
        metadata = await self._discover()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=pending.verifier, timeout=_TIMEOUT
                )
                keys = (await client.request("GET", metadata["jwks_uri"], withhold_token=True)).json()
        except (OAuthError, httpx.HTTPStatusError, KeyError) as error:
            raise Refused("The identity provider refused the sign-in.", action="Please begin again.") from error
        except httpx.HTTPError as error:
            raise TransientError("The identity provider does not answer.") from error
        claims = self._claims(str(token.get("id_token", "")), keys, pending.nonce)
        return self._caller(claims), pending.target

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
        except (JoseError, *BAD_SHAPE) as error:
            raise Refused("The identity provider's answer is not genuine.", action="Please begin again.") from error
        return found.claims

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        held = claims.get(self.options.roles_claim) or []
        groups = held if isinstance(held, list) else [held]
        roles = [self.options.roles[each] for each in groups if isinstance(each, str) and each in self.options.roles]
        name = str(claims.get(self.options.name_claim) or "")
        if not roles or not name:
            raise Refused("None of your groups may use the console.", action="Ask an administrator for access.")
        shown = str(claims.get("name") or claims.get("email") or name)
        if not can_be_written(name) or not can_be_written(shown):
            raise Refused("Your name cannot be read.", action="Ask an administrator to correct it at the provider.")
        scope = claimed_scope(claims.get(self.options.scope_claim), self.options.scope_required)
        if scope is None:
            raise Refused("Your scope cannot be read.", action="Ask an administrator to correct it.")
        return Caller(identity_of(name), reduce(or_, roles), shown, scope)

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
