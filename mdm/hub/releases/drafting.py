"""From a draft to an approved release: write, change, approve by somebody else, reject, withdraw; all audited."""

from collections.abc import Collection, Mapping

import orjson

from mdm.core.releases import (
    check_approver,
    check_editor,
    check_simulation,
    check_step,
    check_verdicts,
    check_writer,
    contradicted_in,
)
from mdm.errors import ConfigurationInvalid, Conflict, Invalid, Stale
from mdm.hub.in_force import (
    Ruling,
    attachments_of,
    in_force,
    must_be_of,
    must_fit,
    must_still_fit,
    part,
    read,
    text_of,
    version_of,
)
from mdm.hub.reach import must_reach_all
from mdm.hub.releases.proving import check_proof, refuse_differing
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import Domain
from mdm.model.releases import Release, ReleaseStatus, RuleKind, Run, RunKind
from mdm.store import releases as store
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_LONGEST = 200_000


def draft(
    hub: Workplace,
    actor: Actor,
    kind: RuleKind,
    domain: Domain,
    title: str,
    document: str,
    attachments: dict[str, str | None] | None = None,
) -> Release:
    """Write a new release. A matching model keeps the weights in force unless others are given.

    Raises:
        Invalid: the document is wrong; the message names line and key. Or there is none of this kind for the domain.
        Conflict: it says what is in force already.
        Refused: the actor does not decide about rules.
    """
    _must_write(actor)
    _check_texts(title, document, "a title")
    must_be_of(kind, domain)
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        now = part(in_force(work.query, hub.rules), kind, domain)
        attached = attachments or attachments_of(now)
        meant = _read(hub, kind, domain, document, attached or {})
        if meant.fingerprint == now.fingerprint:
            raise Conflict("The document says what is in force already.", action="Change it first.")
        release_id = store.insert(
            work,
            {
                "kind": kind.value, "domain": domain.value, "title": title, "version": version_of(meant),
                "fingerprint": meant.fingerprint, "document": document,
                "attachments": None if attached is None else orjson.dumps(attached).decode(), "author": actor.name,
            },
        )  # fmt: skip
        _audit(work, actor, "release.draft", release_id, {"rules": meant.fingerprint, "title": title})
        return store.find(work.query, release_id)


def change(
    hub: Workplace,
    actor: Actor,
    release_id: int,
    title: str,
    document: str,
    expected: Collection[str] | None = None,
) -> Release:
    """Change a draft; it must be simulated again.

    Args:
        expected: tokens of the states that the author may have looked at; None for whatever it is by now.

    Raises:
        Refused: somebody else wrote it.
        Conflict: it is no draft any more, or says what is in force already.
        Invalid: the document is wrong.
        Stale: it is none of those that were expected.
    """
    _check_texts(title, document, "a title")
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_editor(release, actor.name)
        check_step(release, "edit")
        _check_expected(release, expected)
        _, attachments = store.texts(work.query, release_id)
        meant = _read(hub, release.kind, release.domain, document, attachments)
        if meant.fingerprint == part(in_force(work.query, hub.rules), release.kind, release.domain).fingerprint:
            raise Conflict("The document says what is in force already.", action="Change it first.")
        store.update(
            work, release_id, title=title, document=document, version=version_of(meant), fingerprint=meant.fingerprint,
            changed_at=work.now,
        )  # fmt: skip
        _audit(work, actor, "release.change", release_id, {"rules": meant.fingerprint})
        return store.find(work.query, release_id)


def approve(
    hub: Workplace,
    actor: Actor,
    release_id: int,
    seen: int | None = None,
    comment: str = "",
    expected: Collection[str] | None = None,
    despite: str = "",
) -> Release:
    """Agree to a release as its last simulation showed it. Whoever wrote it cannot.

    Args:
        seen: the simulation that the approver looked at; another one since is refused.
        expected: tokens of the states that the approver may have looked at; None for whatever it is by now.
        despite: why it may come into force although verdicts of stewards speak against it.

    Raises:
        Refused: the actor wrote it, or does not decide about rules.
        Conflict: it was not simulated, is no draft, or contradicts verdicts and nobody says why it may.
        Invalid: it goes against the mappings of now.
        Stale: the document, the rules in force or the simulation are others by now.
        ParityUnproven: nothing proves that its matching model is scored as Splink scores it.
    """
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_approver(release, actor.name, actor.role)
        check_step(release, "approve")
        _check_expected(release, expected)
        must_still_fit(work.query, hub.rules, release)
        last = last_simulation(work.query, release_id)
        refuse_differing(release, last)
        simulation = check_simulation(release, last, _against(work, hub, release))
        if seen is not None and seen != simulation.run_id:
            raise Stale("It was simulated again since you looked at it.", action="Look at the new simulation.")
        proof = check_proof(work.query, release, simulation)
        check_verdicts(simulation, despite)
        wrong = len(contradicted_in(simulation))
        store.update(
            work, release_id, status=ReleaseStatus.APPROVED.value, approver=actor.name, approved_at=work.now,
            comment=comment, simulation_id=simulation.run_id, despite=despite.strip() if wrong else "",
        )  # fmt: skip
        detail: dict[str, object] = {
            "rules": release.fingerprint, "simulation": simulation.run_id, "comment": comment,
        }  # fmt: skip
        if proof is not None:
            detail["parity"] = proof.document()
        if wrong:
            detail |= {"despite_verdicts": wrong, "reason": despite.strip()}
        _audit(work, actor, "release.approve", release_id, detail)
        return store.find(work.query, release_id)


def reject(
    hub: Workplace, actor: Actor, release_id: int, comment: str, expected: Collection[str] | None = None
) -> Release:
    """Turn a draft down, with a sentence why. Whoever wrote it withdraws it instead.

    Raises:
        Refused, Conflict, Stale: as `approve`.
        Invalid: there is no comment.
    """
    if not comment.strip():
        raise Invalid("A rejection needs a comment.", action="Say in a sentence what speaks against it.")
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_approver(release, actor.name, actor.role)
        check_step(release, "reject")
        _check_expected(release, expected)
        store.update(
            work, release_id, status=ReleaseStatus.REJECTED.value, ended_by=actor.name, ended_at=work.now,
            comment=comment,
        )  # fmt: skip
        _audit(work, actor, "release.reject", release_id, {"comment": comment})
        return store.find(work.query, release_id)


def withdraw(hub: Workplace, actor: Actor, release_id: int) -> Release:
    """Take back one's own release before it comes into force.

    Raises:
        Refused: somebody else wrote it.
        Conflict: it is in force, or has ended.
    """
    must_reach_all(hub.engine, "Rules")
    with unit_of_work(hub.engine, hub.clock, "release") as work:
        release = store.find(work.query, release_id, lock=True)
        check_editor(release, actor.name)
        check_step(release, "withdraw")
        status = ReleaseStatus.WITHDRAWN.value
        store.update(work, release_id, status=status, ended_by=actor.name, ended_at=work.now)
        _audit(work, actor, "release.withdraw", release_id, {})
        return store.find(work.query, release_id)


def document_in_force(query: store.Query, hub: Workplace, kind: RuleKind, domain: Domain) -> str:
    """The text of the rules that decide now: where a new draft starts."""
    return text_of(part(in_force(query, hub.rules), kind, domain))


def last_simulation(query: store.Query, release_id: int) -> Run | None:
    """The newest simulation of a release."""
    return next(iter(store.runs(query, release_id, RunKind.SIMULATION, 1)), None)


def _against(work: UnitOfWork, hub: Workplace, release: Release) -> str:
    return part(in_force(work.query, hub.rules), release.kind, release.domain).fingerprint


def _read(
    hub: Workplace, kind: RuleKind, domain: Domain, document: str, attachments: Mapping[str, str | None]
) -> Ruling:
    try:
        meant = read(kind, domain, document, attachments)
    except ConfigurationInvalid as error:
        raise Invalid(error.message, action=error.advice) from error
    must_fit(hub.rules, meant)
    return meant


def _check_expected(release: Release, expected: Collection[str] | None) -> None:
    if expected is not None and release.token not in expected:
        raise Stale("The release has changed since you looked at it.", action="Read it again and decide anew.")


def _must_write(actor: Actor) -> None:
    check_writer(actor.role, "write")


def _check_texts(title: str, document: str, what: str) -> None:
    if not title.strip() or len(title) > 200 or "\0" in title:
        raise Invalid(f"A release needs {what} of at most 200 characters.", action="Say in a few words what changes.")
    if len(document) > _LONGEST or "\0" in document:
        raise Invalid(f"A document has at most {_LONGEST:,} characters.")


def _audit(work: UnitOfWork, actor: Actor, action: str, release_id: int, detail: dict[str, object]) -> None:
    write_audit(work, actor.name, action, f"release {release_id}", detail)
