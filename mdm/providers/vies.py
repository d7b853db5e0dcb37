"""The European Commission's VIES service by its REST interface: is this VAT number registered, and to whom?

An outage is an answer of its own kind (unavailable), never a no. The caller decides when to ask again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from mdm.onboarding.attestation import Answer, Attestation, Provider

#: Faults by which a member state says that it cannot be asked at present.
_TEMPORARY = frozenset(
    {
        "MS_UNAVAILABLE",
        "MS_MAX_CONCURRENT_REQ",
        "GLOBAL_MAX_CONCURRENT_REQ",
        "SERVICE_UNAVAILABLE",
        "TIMEOUT",
        "SERVER_BUSY",
    }
)
_NOT_DISCLOSED = "---"


@dataclass(frozen=True, slots=True)
class Vies:
    """A connection to VIES. `requester` is our own VAT number; with it the answer carries a consultation number."""

    client: httpx.Client
    url: str
    requester: str | None = None

    def ask(self, numbers: Sequence[str], now: datetime) -> list[Attestation]:
        """What the member states say about these numbers (with country prefix, EL for Greece), in their order."""
        return [self._ask(number, now) for number in numbers]

    def _ask(self, number: str, now: datetime) -> Attestation:
        asked = {"countryCode": number[:2], "vatNumber": number[2:]}
        if self.requester:
            asked |= {"requesterMemberStateCode": self.requester[:2], "requesterNumber": self.requester[2:]}
        try:
            answer = self.client.post(self.url, json=asked, follow_redirects=False)
            answer.raise_for_status()
            said = answer.json()
            if not isinstance(said, dict):
                raise ValueError("no JSON object")
        except (httpx.HTTPError, ValueError) as fault:
            return _unavailable(number, now, type(fault).__name__)
        errors = [str(each.get("error")) for each in said.get("errorWrappers") or ()]
        if errors or said.get("userError") in _TEMPORARY:
            return _unavailable(number, now, (errors or [str(said.get("userError"))])[0])
        valid = bool(said.get("valid"))
        facts = {
            name: str(said[name]).strip()
            for name in ("name", "address")
            if valid and said.get(name) and str(said[name]).strip() != _NOT_DISCLOSED
        }
        reference = str(said.get("requestIdentifier") or "") or None
        return Attestation(
            Provider.VIES, number, Answer.CONFIRMED if valid else Answer.REFUTED, now, reference, None, facts
        )


def _unavailable(number: str, now: datetime, reason: str) -> Attestation:
    return Attestation(Provider.VIES, number, Answer.UNAVAILABLE, now, None, reason)
