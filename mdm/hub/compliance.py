"""How this hub is governed, and the evidence that it is so: gates, policies in force, objectives, what was done.

Everything is read from what decides in the hub or was kept by it; nothing is typed for the report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from mdm.core.four_eyes import Policy
from mdm.core.scorecard import Scorecard
from mdm.hub.in_force import in_force_now, part, version_of
from mdm.hub.process import Pipeline
from mdm.hub.tiers import Standing, standings
from mdm.intake.ownership import Ownership
from mdm.model.releases import RuleKind
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.privacy.policy import shipped_policy as privacy_policy

_LATELY = timedelta(days=90)
#: What is counted of the last ninety days: a sentence, and the query with `:since`.
_EVIDENCE: Mapping[str, str] = {
    "Decisions of stewards": "select count(*) from decision where at >= :since",
    "of these, agreed to by a second person": """
        select count(*) from decision where at >= :since and approved_by is not null""",
    "of these, taken back": "select count(*) from decision where at >= :since and undone_by is not null",
    "Proposals that were rejected": """
        select count(*) from proposal where status = 'rejected' and decided_at >= :since""",
    "Releases of rules put into force": "select count(*) from rule_release where released_at >= :since",
    "Releases approved against verdicts of stewards": """
        select count(*) from rule_release where approved_at >= :since and despite <> ''""",
    "Refused messages mended or replayed": """
        select count(*) from dead_letter where status = 'replayed' and closed_at >= :since""",
    "Refused messages discarded by people": """
        select count(*) from dead_letter where status = 'discarded' and closed_at >= :since and closed_by <> 'hub'""",
    "Refused messages left out by the hub (tier 3)": """
        select count(*) from dead_letter where status = 'discarded' and closed_at >= :since and closed_by = 'hub'""",
    "Months closed with two signatures": """
        select count(*) from close_sign_off where reviewed_at >= :since and withdrawn_at is null""",
    "Sources retired": "select count(*) from source_retirement where retired_at >= :since",
    "Rows of the audit": "select count(*) from audit where at >= :since",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """Where something is held until a condition is met, and what holds it."""

    name: str
    holds: str
    until: str


#: Gates that are built in; rules of the second person come from the policy.
_BUILT_IN: Sequence[Gate] = (
    Gate("data contract", "a message that does not fit its contract", "somebody mends, replays or discards it"),
    Gate("order in tier 1", "later messages of the row of a refused one", "that one is dealt with"),
    Gate("release of rules", "a document that would decide otherwise",
         "it was simulated, no verdict speaks against it, and three persons carried it"),
    Gate("ERP onboarding", "a legal entity that is to be created in ERP", "its checks pass, or somebody excuses them"),
    Gate("ERP view", "a version that changes payment, tax or identity data against what an ERP is served",
         "somebody agrees to the change, or the source takes it back"),
    Gate("close of a month", "the signature under a month", "its checklist is done, and a second person signs"),
    Gate("erasure", "a request to forget a person", "a second person approves it"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A document that decides, by name and version."""

    name: str
    version: str
    says: str


@dataclass(frozen=True, slots=True)
class Compliance:
    """The whole report."""

    at: datetime
    gates: Sequence[Gate]
    policies: Sequence[PolicyInForce]
    objectives: Sequence[Standing]
    scorecard: Scorecard
    evidence: Mapping[str, int]
    since: datetime

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "at": self.at, "gates": [asdict(each) for each in self.gates],
            "policies": [asdict(each) for each in self.policies],
            "objectives": [each.as_json() for each in self.objectives],
            "scorecard": scorecard_json(self.scorecard),
            "evidence": {"since": self.since, "counts": dict(self.evidence)},
        }  # fmt: skip


def scorecard_json(card: Scorecard) -> dict[str, Any]:
    """A scorecard for programs."""
    scores = [asdict(each) | {"passed": each.passed} for each in card.scores]
    return {"version": card.version, "mean": card.mean, "passed": card.passed, "measures": scores}


def report(hub: Pipeline, policy: Policy, ownership: Ownership, card: Scorecard) -> Compliance:
    """Put the report together; `card` was measured just now."""
    now = hub.clock()
    since = now - _LATELY
    second = [
        Gate(each.name, "a decision of one person", f"somebody else agrees: {each.because}") for each in policy.demands
    ]
    with hub.engine.connect() as connection:
        return Compliance(
            at=now,
            gates=(*_BUILT_IN, *second),
            policies=tuple(_policies(hub, policy, ownership)),
            objectives=standings(connection, hub.catalogue, policy, now),
            scorecard=card,
            evidence=_evidence(connection, since),
            since=since,
        )


def _policies(hub: Pipeline, policy: Policy, ownership: Ownership) -> list[PolicyInForce]:
    rules = in_force_now(hub.engine, hub.rules)
    found = [
        PolicyInForce("second person", policy.version, f"{len(policy.demands)} rules say who must agree to what"),
        PolicyInForce("tiers of workflows", hub.catalogue.tiers.version, "how fresh, how soon mended, what waits"),
        PolicyInForce("ownership matrix", ownership.version, "who answers for every attribute and fact"),
        PolicyInForce("reconciliation", rules.reconciliation.version, "what must agree from contract to posting"),
        PolicyInForce("ERP onboarding", shipped_ruleset().version, "checks before a legal entity is created in ERP"),
        PolicyInForce("privacy", privacy_policy().version, "what identifies a person, and what the law keeps"),
    ]
    for kind in RuleKind:
        for domain in kind.domains:
            decides = part(rules, kind, domain)
            name, says = f"{kind.value} of {domain.plural}", f"fingerprint {decides.fingerprint}"
            found.append(PolicyInForce(name, version_of(decides), says))
    contracts = {(each.system, each.contract.version, each.contract.status) for each in hub.catalogue.profiles}
    found += [PolicyInForce(f"data contract of {each[0]}", each[1], each[2]) for each in sorted(contracts)]
    return found


def _evidence(connection: Connection, since: datetime) -> dict[str, int]:
    return {name: int(connection.scalar(text(query), {"since": since}) or 0) for name, query in _EVIDENCE.items()}
