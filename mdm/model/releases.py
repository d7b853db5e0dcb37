"""Releases of rules: documents that are drafted, tried on live data, approved, put into force and taken back."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mdm.model.ids import Domain


class RuleKind(StrEnum):
    """What a released document decides."""

    SURVIVORSHIP = "survivorship"
    MATCHING = "matching"
    USAGE_REVENUE = "usage-revenue"

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domains that it has a document for: use and revenue are mapped for products only."""
        return (Domain.PRODUCT,) if self is RuleKind.USAGE_REVENUE else tuple(Domain)


class ReleaseStatus(StrEnum):
    """Where a release stands. `mdm.core.releases` says how it gets from one to the next."""

    DRAFT = "draft"
    APPROVED = "approved"
    ACTIVATING = "activating"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class RunKind(StrEnum):
    """Long work on a release."""

    SIMULATION = "simulation"
    ACTIVATION = "activation"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `replaced` is what was in force before it, None for the rules that ship."""

    release_id: int
    kind: RuleKind
    domain: Domain
    title: str
    version: str
    fingerprint: str
    document: str
    status: ReleaseStatus
    author: str
    drafted_at: datetime
    changed_at: datetime
    approver: str | None
    approved_at: datetime | None
    comment: str
    #: Why it was approved although verdicts of stewards speak against it.
    despite: str
    simulation_id: int | None
    releaser: str | None
    released_at: datetime | None
    replaced: int | None
    ended_by: str | None
    reason: str
    ended_at: datetime | None

    @property
    def token(self) -> str:
        """Names this state of the release: another one once anything is decided about it or it says something else."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Run:
    """A simulation, an activation or a rollback. `alive` says whether a process is at work on it now.

    `against` is the fingerprint of the rules that were in force when it began; `batch_id` the newest unit of work then.
    """

    run_id: int
    release_id: int
    what: RunKind
    fingerprint: str
    against: str
    actor: str
    status: str
    step: str
    done: int
    total: int
    position: str
    report: dict[str, Any]
    digest_before: str | None
    digest_after: str | None
    batch_id: int
    error: str
    started_at: datetime
    finished_at: datetime | None
    alive: bool = False

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1."""
        return 1.0 if self.status == "done" else min(self.done / self.total, 1.0) if self.total else 0.0
