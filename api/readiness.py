"""`require=ready`: a customer that may not be created in ERP is not handed out."""

from fastapi import Request

from api.deps import ReadHub
from api.errors import INVALID_REQUEST, NOT_READY, refuse
from mdm.hub.onboarding import verdict_on_golden
from mdm.model.ids import Domain
from mdm.onboarding.verdict import Decision, document

_READY = frozenset({Decision.READY, Decision.READY_WITH_WARNINGS})


def refuse_unready(request: Request, domain: Domain, entity_id: str) -> None:
    """End the request with 409 unless the customer may be created in ERP by the shipped rules.

    Raises:
        ProblemRaised: it may not (`not-ready`, with what is missing), or the domain has no readiness.
        NotFound: there is no such customer.
    """
    if domain is not Domain.CUSTOMER:
        errors = [{"parameter": "query.require", "detail": "only customers are judged"}]
        raise refuse(INVALID_REQUEST, "Readiness is known of customers only.", errors=errors)
    hub: ReadHub = request.app.state.hub
    verdict = verdict_on_golden(hub.engine, entity_id, hub.clock())
    if verdict.decision not in _READY:
        told = document(verdict)
        failed = [each for each in told["findings"] if each["outcome"] in ("fail", "unverifiable")]
        raise refuse(
            NOT_READY,
            f"The customer is {verdict.decision.value.replace('_', ' ')}.",
            decision=told["decision"],
            findings=failed,
        )
