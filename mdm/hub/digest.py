"""The state digest: what the hub holds as one number, whatever ids it issued and in which order it learned."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Engine

from mdm.core.digest import golden_digest
from mdm.model.ids import RESOLUTION_ORDER, Domain
from mdm.store import whole
from mdm.store.reading import snapshot


@dataclass(frozen=True, slots=True)
class StateDigest:
    """SHA-256 over the sorted digests of all golden records of a domain, and of all domains together."""

    state: str
    domains: dict[Domain, str]
    entities: dict[Domain, int]


def state_digest(engine: Engine) -> StateDigest:
    """Digest golden values and memberships of the committed state."""
    domains: dict[Domain, str] = {}
    entities: dict[Domain, int] = {}
    with snapshot(engine) as work:
        for domain in RESOLUTION_ORDER:
            members = whole.memberships(work, domain)
            values = dict(whole.current_values(work, domain))
            parts = sorted(golden_digest(members.get(each, []), values.get(each, {})) for each in members | values)
            domains[domain] = hashlib.sha256(b"".join(parts)).hexdigest()
            entities[domain] = len(parts)
    joined = "".join(domains[domain] for domain in RESOLUTION_ORDER)
    return StateDigest(hashlib.sha256(joined.encode()).hexdigest(), domains, entities)
