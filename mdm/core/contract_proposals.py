"""Who may do what with a proposed data contract. Pure. The same for the vendor of a platform and for teams of ours:
whoever may propose proposes, and somebody else, who answers for the data, decides.
"""

from mdm.access import MEANINGS, Permission, Role, either, roles_that
from mdm.errors import Conflict, Refused
from mdm.model.contract_proposals import ContractProposal, ProposalStatus


def check_proposer(role: Role) -> None:
    """Raises Refused for those who propose no contracts."""
    _must(role, Permission.PROPOSE_CONTRACTS)


def check_decider(proposal: ContractProposal, actor: str, role: Role) -> None:
    """Who approves or rejects it.

    Raises:
        Refused: they proposed it themselves, or do not decide about contracts.
        Conflict: it was decided about.
    """
    _must(role, Permission.APPROVE_RULES)
    if (against := against_deciding(proposal, actor)) is not None:
        raise against
    _must_wait(proposal)


def against_deciding(proposal: ContractProposal, actor: str) -> Refused | None:
    """What keeps somebody who decides about contracts from deciding about this one; None where nothing does."""
    if actor != proposal.author:
        return None
    return Refused("Nobody decides about a contract that they proposed.", action="Ask somebody else to look.")


def check_withdrawer(proposal: ContractProposal, actor: str) -> None:
    """Who takes it back.

    Raises:
        Refused: somebody else proposed it.
        Conflict: it was decided about.
    """
    if actor != proposal.author:
        raise Refused("Only who proposed a contract withdraws it.", action="Reject it, if it shall not be.")
    _must_wait(proposal)


def sees_all(role: Role) -> bool:
    """Whether a role sees what others proposed; the others see their own only."""
    return role.may(Permission.INSPECT) or role.may(Permission.APPROVE_RULES)


def _must(role: Role, permission: Permission) -> None:
    if not role.may(permission):
        raise Refused(
            f"The role {str(role)!r} does not include: {MEANINGS[permission]}.",
            action=f"It takes {either(sorted(map(str, roles_that(permission))))}.",
        )


def _must_wait(proposal: ContractProposal) -> None:
    if proposal.status is not ProposalStatus.PROPOSED:
        raise Conflict(
            f"Contract proposal {proposal.proposal_id} is {proposal.status.value}.", action="Look at it again."
        )
