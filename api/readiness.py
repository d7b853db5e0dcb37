"""`require=ready`: a customer that may not be created in ERP is not handed out."""

from fastapi import Request

from api.deps import get_rules, hub_of
from api.errors import DOES_NOT_FIT, NOT_READY, refuse
from api.present_verdict import verdict_object
from mdm.access import Eyes
from mdm.hub.onboarding import Aim, verdict_on_golden
from mdm.model.ids import Domain
from mdm.onboarding.verdict import Decision

_READY = frozenset({Decision.READY, Decision.READY_WITH_WARNINGS})


def refuse_unready(request: Request, domain: Domain, entity_id: str, eyes: Eyes, aim: Aim = Aim()) -> None:
    """End the request with 409 unless the customer may be created in the ERP of `aim` by the shipped rules.

    Raises:
        ProblemRaised: it may not (`not-ready`, with what is missing), or the domain has no readiness.
        NotFound: there is no such customer.
    """
    if domain is not Domain.CUSTOMER:
        errors = [{"parameter": "query.require", "detail": "only customers are judged"}]
        raise refuse(DOES_NOT_FIT, "Readiness is known of customers only.", errors=errors)
    hub = hub_of(request)
    verdict = verdict_on_golden(hub.engine, get_rules(request).platforms, entity_id, hub.clock(), aim)
    if verdict.decision not in _READY:
        told = verdict_object(verdict, eyes)
        failed = [each for each in told["findings"] if each["outcome"] in ("fail", "unverifiable")]
        raise refuse(
            NOT_READY,
            f"The verdict on this customer is `{verdict.decision.value}`.",
            decision=told["decision"],
            findings=failed,
        )
