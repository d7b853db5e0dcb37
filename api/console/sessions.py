"""Sessions of the console: opened with an API key, kept on the server, named by a signed random cookie.

They live in the process: a restart signs everybody out. The key itself is not kept, only whose it was.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from mdm.access import Caller
from mdm.clock import Clock

COOKIE = "mdm_session"
FORM_COOKIE = "mdm_form"
STATE_COOKIE = "mdm_state"
#: How ids of people begin; ids of API keys cannot.
PERSON = "user:"
LIFETIME = timedelta(hours=8)
_CAPACITY = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in. `csrf` must come back in every form."""

    session_id: str
    caller: Caller
    csrf: str
    expires_at: datetime

    @property
    def actor(self) -> str:
        """Under which name history keeps what this person does: stable, and never that of somebody else."""
        return self.caller.key_id


class Sessions:
    """The open sessions of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._open: OrderedDict[str, Session] = OrderedDict()

    def begin(self, caller: Caller) -> str:
        """Open a session and return its cookie. The oldest session ends when there are too many."""
        session_id = secrets.token_urlsafe(32)
        expires_at = self._clock() + LIFETIME
        self._open[session_id] = Session(session_id, caller, secrets.token_urlsafe(32), expires_at)
        while len(self._open) > _CAPACITY:
            self._open.popitem(last=False)
        return self.sign(session_id)

    def find(self, cookie: str) -> Session | None:
        """The session that a cookie names, unless it is forged, ended or expired."""
        session_id = self.verified(cookie)
        session = self._open.get(session_id) if session_id is not None else None
        if session is not None and session.expires_at <= self._clock():
            self.end(session)
            return None
        return session

    def end(self, session: Session) -> None:
        """End a session; harmless when it has ended."""
        self._open.pop(session.session_id, None)

    def sign(self, text: str) -> str:
        """The text with a signature that only this process can make."""
        return f"{text}.{hmac.new(self._secret, text.encode(), sha256).hexdigest()}"

    def verified(self, signed: str) -> str | None:
        """The text that was signed, or None when the signature is not ours."""
        text = signed.rpartition(".")[0]
        return text if hmac.compare_digest(self.sign(text).encode(), signed.encode()) else None
