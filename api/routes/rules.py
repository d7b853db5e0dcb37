"""The rule sets that decided in this hub: which golden value came about under which."""

from fastapi import APIRouter, Depends, Path, Response

from api.auth import allows
from api.deps import ReadsDep, RulesDep
from api.errors import NOT_FOUND, refuse
from api.routes.responses import CHECKED, GUARDED, UNKNOWN
from api.schemas.rules import RuleDocument, RuleSets
from api.wire import answer
from mdm.access import Permission
from mdm.model.ids import Domain
from mdm.store import released

router = APIRouter(
    prefix="/v1/rules",
    tags=["rules"],
    dependencies=[Depends(allows(Permission.READ))],
    responses=GUARDED,
)


@router.get("", name="list_rules", summary="Released rule sets", response_model=RuleSets)
def list_rules(reads: ReadsDep, rules: RulesDep) -> Response:
    """Every survivorship rule set that ever decided here, newest first; `current` marks those that decide now."""
    with reads.snapshot() as connection:
        found = released.all_released(connection)
    current = {(domain, ruleset.fingerprint) for domain, ruleset in rules.rulesets.items()}
    return answer(
        {
            "items": [
                {
                    "fingerprint": each.fingerprint,
                    "kind": each.kind,
                    "domain": each.domain.value,
                    "version": each.version,
                    "first_used_at": each.first_used_at,
                    "current": (each.domain, each.fingerprint) in current,
                }
                for each in found
            ]
        }
    )


@router.get(
    "/{domain}/{fingerprint}",
    name="get_rules",
    summary="One released rule set",
    response_model=RuleDocument,
    responses={**CHECKED, **UNKNOWN},
)
def get_rules(
    domain: Domain, reads: ReadsDep, fingerprint: str = Path(pattern="^[0-9a-f]{16}$", description="Of the rule set.")
) -> Response:
    """The document as it was released, in YAML."""
    with reads.snapshot() as connection:
        document = released.document(connection, domain, fingerprint)
    if document is None:
        raise refuse(NOT_FOUND, f"No rule set {fingerprint} of {domain.plural} ever decided here.")
    return answer({"fingerprint": fingerprint, "domain": domain.value, "document": document})
