"""The identity provider of the environment: whose access tokens `mdm serve` believes beside API keys."""

from collections.abc import Mapping
from typing import Any

import httpx

from mdm.access import Role, read_role
from mdm.errors import ConfigurationInvalid, Invalid, TransientError
from mdm.hub.tokens import TokenRules, TokenVerifier

_NEEDED = ("MDM_TOKEN_ISSUER", "MDM_TOKEN_AUDIENCE", "MDM_TOKEN_JWKS_URL", "MDM_TOKEN_ROLES")


def token_verifier(environment: Mapping[str, str]) -> TokenVerifier | None:
    """The verifier of `MDM_TOKEN_ISSUER`, `_AUDIENCE`, `_JWKS_URL` and `_ROLES` (`group=role,...`); None without them.

    `MDM_TOKEN_ROLES_CLAIM` names the claim that lists a caller's groups, `groups` if absent; `MDM_TOKEN_NAME_CLAIM`
    the one that names them, that of the sign-in to the console if absent; `MDM_TOKEN_SCOPE_CLAIM` the one with their
    scope, `mdm_scope` if absent. With `MDM_TOKEN_SCOPE_REQUIRED` a token without scope is refused.

    Raises:
        ConfigurationInvalid: some of them are missing, or a role does not exist.
    """
    given = {name: environment[name] for name in _NEEDED if environment.get(name)}
    if not given:
        return None
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise ConfigurationInvalid(f"{', '.join(missing)} must be set, too, for access tokens to be believed.")
    rules = TokenRules(
        issuer=given["MDM_TOKEN_ISSUER"],
        audience=given["MDM_TOKEN_AUDIENCE"],
        roles=_roles(given["MDM_TOKEN_ROLES"]),
        roles_claim=environment.get("MDM_TOKEN_ROLES_CLAIM") or "groups",
        # Somebody who signs in to the console and brings a token is one person, and not their own second one.
        name_claim=environment.get("MDM_TOKEN_NAME_CLAIM") or environment.get("MDM_OIDC_NAME_CLAIM") or "sub",
        scope_claim=environment.get("MDM_TOKEN_SCOPE_CLAIM") or "mdm_scope",
        scope_required=bool(environment.get("MDM_TOKEN_SCOPE_REQUIRED")),
    )
    return TokenVerifier(rules, lambda: _fetched(given["MDM_TOKEN_JWKS_URL"]))


def _roles(written: str) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for pair in written.split(","):
        group, _, role = pair.strip().rpartition("=")
        try:
            found = read_role(role) if group else None
        except Invalid:
            found = None
        if found is None:
            raise ConfigurationInvalid(f"MDM_TOKEN_ROLES: {pair!r} does not read group=role with a role of the hub.")
        roles[group] = found | roles.get(group, Role(0))
    return roles


def _fetched(address: str) -> Mapping[str, Any]:
    # No redirects: keys come from the address that an operator wrote, and from nowhere else.
    try:
        answer = httpx.get(address, timeout=5, follow_redirects=False)
        answer.raise_for_status()
        document: Mapping[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise TransientError(f"The identity provider gives no keys at {address}: {error}") from error
    return document
