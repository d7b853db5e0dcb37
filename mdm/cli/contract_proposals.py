"""Commands about contracts that somebody proposes: propose, look, decide, take over."""

from dataclasses import asdict
from pathlib import Path

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table, sources_folder
from mdm.cli.contracts import contracts
from mdm.cli.steward_bench import ACTOR, bench_of
from mdm.errors import OperatorError
from mdm.hub import contract_proposals as use
from mdm.model.contract_proposals import ContractProposal, ProposalStatus

__all__ = ["contracts"]

_PROPOSAL = typer.Argument(..., help="Number of the proposal.")
_WHY = typer.Option(..., "--reason", help="Why; kept with it, and in the audit.")


@contracts.command("propose")
def propose_command(
    document: Path = typer.Argument(..., help="The contract, as `mdm contracts lint` reads it."),
    title: str = typer.Option(..., "--title", help="What it changes, in a sentence."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Propose a contract of a platform; somebody else approves it. Vendors do the same over HTTP with a key."""
    try:
        text = document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise OperatorError(f"{document} cannot be read ({fault}).", action="Name an ODCS document.") from fault
    with bench_of(actor) as bench:
        made = use.propose(bench.pipeline, bench.actor, bench.pipeline.catalogue, title, text)
    _show(made, as_json)


@contracts.command("proposals")
def proposals_command(
    status: ProposalStatus | None = typer.Option(None, help="Only those in this state."),
    limit: int = typer.Option(20, min=1, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What was proposed, the newest first."""
    with bench_of("") as bench:
        found = use.proposals(bench.pipeline.engine, bench.actor, status, None, limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        [each.proposal_id, each.system, each.base or "", each.version, each.title, each.author, each.status,
         each.decider or ""]
        for each in found
    ]  # fmt: skip
    names = ("number", "platform", "in force", "proposed", "what", "by", "state", "decided by")
    print_table("Proposed contracts", names, rows, right=(0,))


@contracts.command("proposal")
def proposal_command(number: int = _PROPOSAL, as_json: bool = JSON_OPTION) -> None:
    """One of them: its document, and what changes against what was in force."""
    with bench_of("") as bench:
        found = use.proposal(bench.pipeline.engine, bench.actor, number)
    _show(found, as_json)
    if not as_json:
        rows = [
            [each[name] for name in ("step", "code", "table", "column", "detail")] for each in found.report["changes"]
        ]
        print_table("Changes", ("step", "code", "table", "column", "what"), rows)
        typer.echo(found.document)


@contracts.command("approve")
def approve_command(
    number: int = _PROPOSAL, reason: str = _WHY, actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Agree to a contract that somebody else proposed."""
    with bench_of(actor) as bench:
        _show(use.approve(bench.pipeline, bench.actor, number, reason), as_json)


@contracts.command("reject")
def reject_command(
    number: int = _PROPOSAL, reason: str = _WHY, actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Turn a contract down that somebody else proposed."""
    with bench_of(actor) as bench:
        _show(use.reject(bench.pipeline, bench.actor, number, reason), as_json)


@contracts.command("take-over")
def take_over_command(
    number: int = _PROPOSAL,
    sources: Path | None = typer.Option(None, "--sources", help="Folder of platforms; default: MDM_SOURCES."),
) -> None:
    """Write an approved contract into the folder of platforms. Processes read by it from their next start."""
    folder = sources_folder(sources)
    if folder is None:
        raise OperatorError("There is no folder of platforms.", action="Name one with --sources, or set MDM_SOURCES.")
    with bench_of("") as bench:
        found = use.proposal(bench.pipeline.engine, bench.actor, number)
    typer.echo(f"{use.take_over(found, folder)} is version {found.version} of {found.system}.")


def _show(found: ContractProposal, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    against = f"{found.base} to {found.version}" if found.base else f"{found.version}, a new platform"
    by = f" by {found.decider}: {found.reason}" if found.decider else ""
    typer.echo(
        f"Contract proposal {found.proposal_id}, {found.system} {against}: {found.status}{by}. Proposed by "
        f"{found.author}: {found.title}"
    )
