"""Data contracts are proposed and decided about in the hub: by the vendor of a platform as by a team of ours. What is
proposed is checked as `mdm contracts lint` and `diff` do; an approved document takes effect when operators put it into
the folder of platforms (`mdm contracts take-over`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from mdm.core.contract_proposals import check_decider, check_proposer, check_withdrawer, sees_all
from mdm.errors import Conflict, Invalid, OperatorError, Refused
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Workplace
from mdm.intake.catalogue import CONTRACT_FILE, Catalogue
from mdm.intake.contract_diff import diff_contracts
from mdm.intake.contract_lint import LintFinding, Severity, lint
from mdm.intake.contracts import Contract, read_contracts
from mdm.model.contract_proposals import ContractProposal, ProposalStatus
from mdm.store import contract_proposals as store
from mdm.store.ledger import write_audit
from mdm.store.releases import asking
from mdm.store.scoped import scope_of, unrestricted
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

_LONGEST, _LONGEST_WORDS = 200_000, 500


def propose(hub: Workplace, actor: Actor, catalogue: Catalogue, title: str, document: str) -> ContractProposal:
    """Propose a contract of one platform.

    Raises:
        Refused: the actor proposes no contracts, or none of this platform.
        Invalid: the document is wrong, or its version takes a smaller step than its changes need.
        Conflict: the same document waits already, or is in force.
    """
    check_proposer(actor.role)
    _check_words(title, "a title")
    if not 0 < len(document) <= _LONGEST:
        raise Invalid(f"A contract has 1 to {_LONGEST:,} characters.")
    contracts, warnings = _read(document)
    system = contracts[0].system
    sources = scope_of(hub.engine).sources
    if sources is not None and system not in sources:
        raise Refused(f"Contracts of {system} are none of your scope.", action="Propose those of your own platform.")
    report, base = _report(contracts, warnings, _in_force(catalogue, system))
    with unit_of_work(unrestricted(hub.engine), hub.clock, "contract") as work:
        proposal_id = store.insert(
            work,
            {
                "system": system, "version": contracts[0].version, "base": base, "document": document,
                "fingerprint": hashlib.sha256(document.encode()).hexdigest()[:16], "title": title, "author": actor.name,
            },
            report,
        )  # fmt: skip
        if not proposal_id:
            raise Conflict("The same document was proposed, and waits.", action="Wait for what is decided about it.")
        _audit(work, actor, "contract.propose", proposal_id, system, title)
        return store.find(work.query, proposal_id)


def approve(hub: Workplace, actor: Actor, proposal_id: int, reason: str) -> ContractProposal:
    """Agree to a contract that somebody else proposed. Raises as `check_decider`, NotFound, Invalid."""
    return _decide(hub, actor, proposal_id, ProposalStatus.APPROVED, reason)


def reject(hub: Workplace, actor: Actor, proposal_id: int, reason: str) -> ContractProposal:
    """Refuse a contract that somebody else proposed. Raises as `check_decider`, NotFound, Invalid."""
    return _decide(hub, actor, proposal_id, ProposalStatus.REJECTED, reason)


def withdraw(hub: Workplace, actor: Actor, proposal_id: int, reason: str) -> ContractProposal:
    """Take a proposal of one's own back. Raises as `check_withdrawer`, NotFound, Invalid."""
    return _decide(hub, actor, proposal_id, ProposalStatus.WITHDRAWN, reason)


def proposals(
    engine: Engine, actor: Actor, status: ProposalStatus | None, before: int | None, limit: int
) -> list[ContractProposal]:
    """What was proposed, the newest first; a vendor sees their own only."""
    with unrestricted(engine).connect() as connection:
        return store.page(asking(connection), status, _whose(actor), before, limit)


def proposal(engine: Engine, actor: Actor, proposal_id: int) -> ContractProposal:
    """One of them.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    with unrestricted(engine).connect() as connection:
        return store.find(asking(connection), proposal_id, _whose(actor))


def waiting(engine: Engine, actor: Actor) -> int:
    """How many wait for an answer, of those that the actor sees."""
    with unrestricted(engine).connect() as connection:
        return store.waiting(asking(connection), _whose(actor))


def take_over(found: ContractProposal, folder: Path) -> Path:
    """Write an approved contract into the folder of platforms; the next start reads by it. Returns the file.

    Raises:
        Conflict: it is not approved.
        OperatorError: the file cannot be written.
    """
    if found.status is not ProposalStatus.APPROVED:
        raise Conflict(
            f"Contract proposal {found.proposal_id} is {found.status.value}.", action="Have it approved first."
        )
    file = folder / found.system / CONTRACT_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found.document, encoding="utf-8")
    except OSError as fault:
        raise OperatorError(f"{file} cannot be written ({fault}).", action="Name a folder of yours.") from fault
    return file


def _decide(
    hub: Workplace, actor: Actor, proposal_id: int, status: ProposalStatus, reason: str
) -> ContractProposal:  # fmt: skip
    _check_words(reason, "a reason")
    with unit_of_work(unrestricted(hub.engine), hub.clock, "contract") as work:
        found = store.find(work.query, proposal_id, _whose(actor), lock=True)
        if status is ProposalStatus.WITHDRAWN:
            check_withdrawer(found, actor.name)
        else:
            check_decider(found, actor.name, actor.role)
        store.decide(work, proposal_id, status, actor.name, reason)
        _audit(work, actor, f"contract.{status.value}", proposal_id, found.system, reason)
        return store.find(work.query, proposal_id)


def _whose(actor: Actor) -> str | None:
    return None if sees_all(actor.role) else actor.name


def _read(document: str) -> tuple[tuple[Contract, ...], list[LintFinding]]:
    """The contracts of a document and what is only worth knowing about it.

    Raises:
        Invalid: everything that must be mended.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / CONTRACT_FILE
        file.write_text(document, encoding="utf-8")
        found = lint(file)
        wrong = [each for each in found if each.severity is Severity.ERROR]
        if wrong:
            told = "; ".join(
                f"{each.code} {each.where}: {each.detail}".replace(str(file), CONTRACT_FILE) for each in wrong[:20]
            )
            raise Invalid(f"The contract is wrong. {told}", action="`mdm contracts lint` shows the same.")
        return read_contracts(file), [each for each in found if each.severity is not Severity.ERROR]


def _in_force(catalogue: Catalogue, system: str) -> list[Contract]:
    return [each.contract for each in catalogue.profiles if each.system == system]


def _report(
    contracts: Sequence[Contract], warnings: Sequence[LintFinding], before: Sequence[Contract]
) -> tuple[dict[str, Any], str | None]:
    told = [{"code": each.code, "where": each.where, "detail": each.detail} for each in warnings]
    if not before:
        return {"warnings": told, "changes": [], "needed": "none", "taken": "none"}, None
    found = diff_contracts(before, contracts)
    if not found.changes and found.before == found.after:
        raise Conflict("The document says what is in force already.", action="Change it first.")
    if not found.honest:
        raise Invalid(
            f"From {found.before} to {found.after} is {_step(found.taken.name)}, and the changes need "
            f"{_step(found.needed.name)}.",
            action="Give it the version that its changes need; `mdm contracts diff` lists them.",
        )
    changes = [asdict(each) | {"step": each.step.name.lower()} for each in found.changes]
    steps = {"needed": found.needed.name.lower(), "taken": found.taken.name.lower()}
    return {"warnings": told, "changes": changes, **steps}, found.before


def _step(name: str) -> str:
    return "no step" if name == "NONE" else f"a {name.lower()} step"


def _check_words(text: str, what: str) -> None:
    if not text.strip() or len(text) > _LONGEST_WORDS:
        raise Invalid(f"Give {what} of 1 to {_LONGEST_WORDS} characters.")


def _audit(work: UnitOfWork, actor: Actor, action: str, proposal_id: int, system: str, words: str) -> None:
    write_audit(work, actor.name, action, f"contract proposal {proposal_id}", {"system": system, "words": words})
