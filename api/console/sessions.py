"""Sessions of the console: named by a random cookie, kept in the database by its digest.

Any server process knows them and no restart ends them. Neither the cookie nor the key or password is kept, only whose
it was.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256

from sqlalchemy import Connection, Engine

from mdm.access import Caller
from mdm.clock import Clock
from mdm.errors import TransientError
from mdm.store import console_sessions
from mdm.store.console_sessions import OpenSession, PendingSignIn

COOKIE = "mdm_session"
FORM_COOKIE = "mdm_form"
STATE_COOKIE = "mdm_state"
#: How ids of people begin; ids of API keys cannot.
PERSON = "user:"
LIFETIME = timedelta(hours=8)
#: How long somebody may take at the identity provider.
_AWAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in. `csrf` must come back in every form."""

    digest: bytes
    caller: Caller
    csrf: str
    expires_at: datetime

    @property
    def actor(self) -> str:
        """Under which name history keeps what this person does: stable, and never that of somebody else."""
        return self.caller.key_id


class Sessions:
    """The open sessions of the hub, as one server process sees them. All of it waits for the database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, caller: Caller, agent: str = "") -> str:
        """Open a session and return its cookie."""
        cookie = secrets.token_urlsafe(32)
        now = self._clock()
        with self._engine.begin() as connection:
            console_sessions.begin(
                connection, OpenSession(console_sessions.digest(cookie), caller, agent, now, now + LIFETIME)
            )
        return cookie

    def find(self, connection: Connection, cookie: str) -> Session | None:
        """The session that a cookie names, unless it is made up, ended or expired."""
        found = console_sessions.find(connection, cookie, self._clock()) if cookie else None
        if found is None:
            return None
        return Session(found.digest, found.caller, _csrf(cookie), found.expires_at)

    def end(self, session: Session) -> None:
        """End a session; harmless when it has ended."""
        with self._engine.begin() as connection:
            console_sessions.end(connection, session.digest)

    def end_everywhere(self, session: Session) -> int:
        """End every session of this person, this one included; says how many."""
        with self._engine.begin() as connection:
            return console_sessions.end_everywhere(connection, session.caller.key_id)

    def remember_sign_in(self, state: str, pending: PendingSignIn) -> None:
        """Keep what somebody must bring back from the identity provider.

        Raises:
            TransientError: very many are on their way there.
        """
        now = self._clock()
        with self._engine.begin() as connection:
            kept = console_sessions.remember_sign_in(connection, state, pending, now, now + _AWAY)
        if not kept:
            raise TransientError("Too many people are signing in at this moment.")

    def take_sign_in(self, state: str) -> PendingSignIn | None:
        """What somebody left with this state; once, and not after ten minutes."""
        with self._engine.begin() as connection:
            return console_sessions.take_sign_in(connection, state, self._clock())

    def sign(self, text: str) -> str:
        """The text with a signature that only this hub can make."""
        return f"{text}.{hmac.new(self._secret, text.encode(), sha256).hexdigest()}"

    def verified(self, signed: str) -> str | None:
        """The text that was signed, or None when the signature is not ours."""
        text = signed.rpartition(".")[0]
        return text if hmac.compare_digest(self.sign(text).encode(), signed.encode()) else None

    @cached_property
    def _secret(self) -> bytes:
        with self._engine.begin() as connection:
            return console_sessions.shared_secret(connection, "forms")


def _csrf(cookie: str) -> str:
    """The token of a session's forms: follows from the cookie, which no other site and no script can read."""
    return hmac.new(cookie.encode(), b"form", sha256).hexdigest()
