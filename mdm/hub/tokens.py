"""Access tokens of an identity provider (OIDC): who is asking, proven by a signature that a published key verifies.

Only asymmetric algorithms of the allow-list are believed, only from the issuer and for the audience of this hub, only
in their time. Keys are fetched from the provider and kept; age and tokens of unknown keys make them be fetched again,
at most once in a while.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mdm.access import EVERYTHING, Caller, Role, Scope, read_scope
from mdm.errors import Invalid, TransientError

#: Neither `none` nor a shared secret: a hub that could verify those could also be made to believe them.
ALGORITHMS: tuple[str, ...] = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
#: The provider is asked no more often than this, whatever is presented.
_REFRESH_SECONDS = 30.0
#: After this keys are fetched anew even if they do: a key that the provider withdrew must not work for ever.
_KEPT_SECONDS = 600.0
#: For so long the keys fetched last are believed while the provider is away.
_STALE_SECONDS = 3600.0
_LONGEST = 8 * 1024
_LONGEST_NAME = 59

#: What reading a token raises beside its own errors, where a header is of another shape (`crit` that is no list).
BAD_SHAPE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)

#: Fetches the provider's JWKS document.
Fetch = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say to be believed.

    Attributes:
        roles: values of `roles_claim` (groups of the provider) to roles of the hub; a caller holds all that are named.
        name_claim: the claim that names a caller uniquely and for ever; a token without it is named by `sub`.
        scope_claim: the claim with the caller's scope, as `mdm.access.read_scope` reads it. A token without it reaches
            everything, unless it is required.
        skew: seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    roles: Mapping[str, Role]
    roles_claim: str = "groups"
    name_claim: str = "sub"
    scope_claim: str = "mdm_scope"
    scope_required: bool = False
    algorithms: tuple[str, ...] = ALGORITHMS
    skew: int = 60
    now: Callable[[], float] = field(default=time.time)


class TokenVerifier:
    """Verifies tokens of one provider. Safe for threads.

    While the provider is away, the keys that were fetched last go on being believed for `_STALE_SECONDS`, and nobody
    waits for it who brings a token of a known key. `ticks` gives seconds that never go back.
    """

    def __init__(self, rules: TokenRules, fetch: Fetch, ticks: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._fetch = fetch
        self._ticks = ticks
        self._fetching = Lock()
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._away: TransientError | None = None

    def caller(self, token: str) -> Caller | None:
        """Who the token speaks for; None when it is not to be believed, or gives no role.

        Raises:
            TransientError: the provider gives no keys now, and none that are known verify the token.
        """
        if len(token) > _LONGEST or token.count(".") != 2:
            return None
        for fresh in (False, True):
            keys = self._known(fresh)
            try:
                decoded = jwt.decode(token, keys, algorithms=list(self._rules.algorithms))
            except (JoseError, *BAD_SHAPE):
                continue  # perhaps the provider has new keys
            return self._believed(decoded.claims)
        return None

    def _known(self, fresh: bool) -> KeySet:
        """The provider's keys: those that are known, unless they are old or (`fresh`) did not do."""
        age = self._ticks() - self._fetched_at
        usable = self._keys if age < _STALE_SECONDS else None
        wanted = fresh or usable is None or age >= _KEPT_SECONDS
        # Whoever has keys to go on with does not wait for somebody else's fetch, nor begin one for each bad token.
        if wanted and self._fetching.acquire(blocking=usable is None):
            try:
                if self._ticks() - self._tried_at >= _REFRESH_SECONDS:
                    self._refresh()
            finally:
                self._fetching.release()
        if self._away is not None and (fresh or usable is None):
            raise self._away
        current = self._keys
        if current is None:
            raise TransientError("The identity provider has given no keys yet.")
        return current

    def _refresh(self) -> None:
        self._tried_at = self._ticks()
        try:
            self._keys = KeySet.import_key_set(self._fetch())  # type: ignore[arg-type]  # a JWKS document
        except TransientError as error:
            self._away = error
        except (JoseError, *BAD_SHAPE) as error:
            self._away = TransientError(f"The identity provider gives keys that cannot be read: {error}")
        else:
            self._fetched_at, self._away = self._tried_at, None

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
        scope = claimed_scope(claims.get(rules.scope_claim), rules.scope_required)
        if role is None or scope is None:
            return None
        name = claims.get(rules.name_claim)
        name = name if isinstance(name, str) and name else subject
        if not can_be_written(name):
            return None
        return Caller(identity_of(name), role, name, scope)

    def _role(self, claimed: Any) -> Role | None:
        named: Sequence[Any] = claimed if isinstance(claimed, list) else [claimed]
        found = [self._rules.roles[each] for each in named if isinstance(each, str) and each in self._rules.roles]
        return reduce(or_, found) if found else None


def identity_of(name: str) -> str:
    """As what the hub knows whom the provider calls by this name, with a token or in the console.

    The rule of two persons compares it, so two names are never one. A long one is told by its digest.
    """
    if len(name) <= _LONGEST_NAME:
        return f"oidc:{name}"
    return f"oidc:{name[: _LONGEST_NAME // 2]}#{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def can_be_written(name: str) -> bool:
    """Whether the database can hold who it was: a text of UTF-8 without a NUL character."""
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may write as an escape
        return False


def claimed_scope(claim: Any, required: bool = False) -> Scope | None:
    """The scope of a token's claim; None when it is not understood: such a token is not to be believed."""
    if claim is None:
        return None if required else EVERYTHING
    if not isinstance(claim, Mapping):
        return None
    try:
        return read_scope(claim)
    except Invalid:
        return None


def _within(expires: Any, begins: Any, now: float, skew: int) -> bool:
    """Whether now lies in a token's time; a token without a proper end has none."""
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not isinstance(begins, int | float):
        return False
    return begins - skew <= now <= expires + skew
