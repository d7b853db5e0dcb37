"""Four eyes for what platforms change: each change of sensitive attributes that the gates hold back from an ERP is one
proposal of the hub, and one that somebody turned down is one exception for the owner of the source.

Harmless when repeated. Judging has written down what is to be asked (`mdm.store.erp_questions`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine

from mdm.access import Role
from mdm.clock import Clock
from mdm.core.four_eyes import Policy, demands_of_feed
from mdm.core.gates import NOT_AGREED
from mdm.core.sensitive import Origin, origins
from mdm.hub.steward.actor import HUB, Actor
from mdm.hub.steward.approvals import close_proposal, find_proposal, write_proposal
from mdm.hub.steward.desk import digest_of
from mdm.hub.steward.letting_through import picture, plan_let_through
from mdm.hub.steward.policy import load_policy
from mdm.intake.ownership import Ownership, load_ownership
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from mdm.model.stewardship import LetThrough
from mdm.store import erp_questions as store
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Whose tables are named by platform and table.
OwnerOf = Callable[[str, str], str]

#: The kind of the exceptions about changes that were turned down.
KIND = "erp_change"
#: Proposals of one unit of work.
_AT_ONCE = 200
#: The hub proposes with the rights of a steward.
_PROPOSER = Actor(HUB, Role.STEWARD)


def ask_about_changes(
    engine: Engine, clock: Clock, owner_of: OwnerOf, policy: Policy | None = None, ownership: Ownership | None = None
) -> int:
    """Ask about what was not asked, withdraw what nobody needs to answer any more, tell owners what was turned down.

    Args:
        owner_of: the owner of a source table, by its contract; of a table that none names, whoever answers for it.
        policy: whose agreement is needed; the shipped policy if not given.
        ownership: who is accountable for an attribute; the shipped matrix if not given.

    Returns:
        How many proposals were made.
    """
    ruling, matrix = policy or load_policy(), ownership or load_ownership()
    asked = 0
    while True:
        with unit_of_work(unrestricted(engine), clock, "erp questions") as work:
            _withdraw_moot(work)
            waiting = store.unasked(work, _AT_ONCE)
            for each in waiting:
                asked += _ask(work, each, ruling, matrix)
            if len(waiting) < _AT_ONCE:
                _tell_owners(work, owner_of)
                return asked


def _withdraw_moot(work: UnitOfWork) -> None:
    for number in store.moot_proposals(work):
        proposal = find_proposal(work, number, lock=True)
        if proposal.status == "open":
            close_proposal(work, proposal, "withdrawn", HUB, "No ERP waits for this change any more.")


def _ask(work: UnitOfWork, asked: store.Unasked, policy: Policy, ownership: Ownership) -> int:
    number, made = asked.proposal_id, 0
    if number is None:
        command = LetThrough(asked.entity_id, asked.change, asked.attributes, asked.served, asked.version)
        shown = picture(work, command)
        command = LetThrough(
            asked.entity_id, asked.change, asked.attributes, asked.served, asked.version,
            _reason(asked.domain, asked.attributes, shown.entities[0].lineage, ownership),
        )  # fmt: skip
        plan = plan_let_through(work, _PROPOSER, command)
        demands = demands_of_feed(policy, asked.attributes)
        number, made = write_proposal(work, _PROPOSER, command, plan, shown, digest_of(shown), demands, policy), 1
    store.note_asked(work, asked.entity_id, asked.change, number)
    return made


def _reason(domain: Domain, attributes: tuple[str, ...], lineage: Mapping[str, Any], ownership: Ownership) -> str:
    """Where each new value comes from, by which rule, and who is accountable for the attribute. No values."""
    told = []
    for name in attributes:
        came = origins(lineage.get(name))
        source = " and ".join(str(each) for each in came) or "no source states it any more"
        told.append(f"{name}: {source}; accountable: {_accountable(domain, name, ownership)}")
    return ". ".join(told)[:4000]


def _accountable(domain: Domain, name: str, ownership: Ownership) -> str:
    said = {**ownership.claims.get(domain.value, {}), **ownership.claims.get(f"{domain.value}.{name}", {})}
    return said.get("business", next(each.owner for each in ATTRIBUTES[domain] if each.name == name))


def _tell_owners(work: UnitOfWork, owner_of: OwnerOf) -> None:
    told = []
    for each in store.rejected(work):
        came = [origin for name in each.attributes for origin in origins(each.lineage.get(name))]
        first = came[0] if came else Origin("", "", "", "", "")
        names = ", ".join(each.attributes)
        told.append(
            (
                f"{KIND}:{each.entity_id}:{each.change}", NOT_AGREED, first.system, first.type,
                f"A change of {names} of {each.entity_id} was not agreed to, and ERP goes on with the value before. "
                f"It comes from {first.row or 'no source any more'}.",
                owner_of(first.system, first.type), first.place,
            )
        )  # fmt: skip
    store.tell_owners(work, KIND, told)
