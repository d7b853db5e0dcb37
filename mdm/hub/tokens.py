"""Access tokens of an identity provider (OIDC): who is asking, proven by a signature that a published key verifies.

Only asymmetric algorithms of the allow-list are believed, only from the issuer and for the audience of this hub, only
in their time. Keys are fetched from the provider and kept; a token with an unknown key id makes them be fetched again,
at most once in a while.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mdm.access import Caller, Role

#: Neither `none` nor a shared secret: a hub that could verify those could also be made to believe them.
ALGORITHMS: tuple[str, ...] = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
_REFRESH_SECONDS = 30.0
_LONGEST = 8 * 1024

#: Fetches the provider's JWKS document.
Fetch = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say to be believed.

    Attributes:
        roles: values of `roles_claim` (groups of the provider) to roles of the hub; the most powerful one counts.
        skew: seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    roles: Mapping[str, Role]
    roles_claim: str = "groups"
    algorithms: tuple[str, ...] = ALGORITHMS
    skew: int = 60
    now: Callable[[], float] = field(default=time.time)


class TokenVerifier:
    """Verifies tokens of one provider. Safe for threads."""

    def __init__(self, rules: TokenRules, fetch: Fetch) -> None:
        self._rules = rules
        self._fetch = fetch
        self._lock = Lock()
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")

    def caller(self, token: str) -> Caller | None:
        """Who the token speaks for; None when it is not to be believed, or gives no role."""
        if len(token) > _LONGEST or token.count(".") != 2:
            return None
        for fresh in (False, True):
            keys = self._known(fresh)
            if keys is None:
                return None
            try:
                decoded = jwt.decode(token, keys, algorithms=list(self._rules.algorithms))
            except (JoseError, ValueError):
                continue  # perhaps the provider has new keys
            return self._believed(decoded.claims)
        return None

    def _known(self, fresh: bool) -> KeySet | None:
        with self._lock:
            now = time.monotonic()
            if self._keys is None or (fresh and now - self._fetched_at >= _REFRESH_SECONDS):
                self._keys = KeySet.import_key_set(self._fetch())  # type: ignore[arg-type]  # a JWKS document
                self._fetched_at = now
            return self._keys

    def _believed(self, claims: Mapping[str, Any]) -> Caller | None:
        rules, now = self._rules, self._rules.now()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, begins, subject = claims.get("exp"), claims.get("nbf", 0), claims.get("sub")
        if claims.get("iss") != rules.issuer or rules.audience not in audiences or not isinstance(subject, str):
            return None
        if not _within(expires, begins, now, rules.skew):
            return None
        role = self._role(claims.get(rules.roles_claim))
        return Caller(f"oidc:{subject}"[:64], role, subject) if role is not None else None

    def _role(self, claimed: Any) -> Role | None:
        named: Sequence[Any] = claimed if isinstance(claimed, list) else [claimed]
        found = {self._rules.roles[each] for each in named if isinstance(each, str) and each in self._rules.roles}
        return max(found, key=list(Role).index) if found else None


def _within(expires: Any, begins: Any, now: float, skew: int) -> bool:
    """Whether now lies in a token's time; a token without a proper end has none."""
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not isinstance(begins, int | float):
        return False
    return begins - skew <= now <= expires + skew
