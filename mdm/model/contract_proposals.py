"""Data contracts on their way to approval."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ProposalStatus(StrEnum):
    """Where a proposed contract stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ContractProposal:
    """A contract that somebody proposes. `base` is the version in force when they did, None for a new platform."""

    proposal_id: int
    system: str
    version: str
    base: str | None
    document: str
    fingerprint: str
    title: str
    report: Mapping[str, Any]
    status: ProposalStatus
    author: str
    proposed_at: datetime
    decider: str | None
    decided_at: datetime | None
    reason: str
