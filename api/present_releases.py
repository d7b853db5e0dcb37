"""Releases of rules as the API tells them."""

from dataclasses import asdict
from typing import Any

from mdm.core.releases import contradicted_in, differences
from mdm.hub import releases
from mdm.hub.steward.workplace import Workplace
from mdm.model.releases import Release, ReleaseStatus, Run, RunKind
from mdm.store import releases as store

_ENTRY = (
    "release_id", "kind", "domain", "title", "version", "fingerprint", "status", "author", "approver", "releaser",
    "drafted_at", "approved_at", "released_at", "ended_at",
)  # fmt: skip


def entry_object(release: Release) -> dict[str, Any]:
    """A release without its document."""
    return {name: getattr(release, name) for name in _ENTRY}


def release_object(query: store.Query, hub: Workplace, release: Release) -> dict[str, Any]:
    """A release with everything that was done with it."""
    done = store.runs(query, release.release_id)
    now = releases.document_in_force(query, hub, release.kind, release.domain)
    back = next((each for each in done if each.what is RunKind.ROLLBACK), None)
    held = releases.checks(query, hub, release)
    simulation = next((each for each in done if each.what is RunKind.SIMULATION), None)
    proof = releases.proof_of(release, done)
    rolled_back = release.status is ReleaseStatus.ROLLED_BACK and back is not None
    return {
        **entry_object(release),
        "document": release.document,
        "comment": release.comment,
        "despite": release.despite,
        "contradicted": len(contradicted_in(simulation)),
        "passed": all(each.passed for each in held),
        "checks": [each._asdict() for each in held],
        "parity": None if proof is None else proof.document(),
        "reason": release.reason,
        "replaced": release.replaced,
        "differences": [f"{line.sign}{line.text}" for line in differences(now, release.document)],
        "same_state": releases.same_state(query, back) if rolled_back and back is not None else None,
        "runs": [run_object(each) for each in done],
    }


def run_object(run: Run) -> dict[str, Any]:
    """Work on a release."""
    told = asdict(run)
    del told["position"], told["batch_id"], told["release_id"]
    return told
