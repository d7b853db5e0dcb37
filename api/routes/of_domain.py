"""The routes of golden records, which each domain has under its own name."""

from fastapi import APIRouter, Depends

from api.auth import allows
from api.routes.responses import CHECKED, GUARDED
from mdm.access import Permission
from mdm.model.ids import Domain


def router_of(domain: Domain) -> APIRouter:
    """A router for what may be read of the golden records of a domain."""
    return APIRouter(
        prefix=f"/v1/{domain.plural}",
        tags=[domain.plural],
        dependencies=[Depends(allows(Permission.READ))],
        responses={**GUARDED, **CHECKED},
    )
