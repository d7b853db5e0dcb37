"""From an id in the address to the golden record it means, or to the problem that says what became of it."""

from datetime import datetime

from fastapi import Request
from sqlalchemy import Connection

from api.errors import ENTITY_ERASED, ENTITY_MERGED, ENTITY_RETIRED, NOT_FOUND, NOT_KNOWN_THEN, ProblemRaised, refuse
from mdm.model.ids import Domain
from mdm.store.read_models import EntityState, GoldenRow, current_golden, find_entity, golden_known_at


def find_golden(
    connection: Connection, request: Request, domain: Domain, entity_id: str, known_at: datetime | None = None
) -> GoldenRow:
    """The current golden record, or the one known at an instant.

    Raises:
        ProblemRaised: `entity-merged` (a redirect), `entity-retired`, `not-known-then` or `not-found`.
    """
    if known_at is None:
        found = current_golden(connection, domain, entity_id)
    else:
        found = golden_known_at(connection, domain, entity_id, known_at)
    if found is not None:
        return found
    state = find_state(connection, domain, entity_id)
    if known_at is not None and known_at < state.changed_at:
        raise refuse(NOT_KNOWN_THEN, f"At that time the hub held no version of {entity_id}.")
    raise _ended(request, state)


def find_state(connection: Connection, domain: Domain, entity_id: str) -> EntityState:
    """The state of an id of this domain.

    Raises:
        ProblemRaised: `not-found`.
    """
    state = find_entity(connection, entity_id)
    if state is None or state.domain is not domain:
        raise refuse(NOT_FOUND, f"No {domain.value} was ever issued this id.")
    return state


def _ended(request: Request, state: EntityState) -> ProblemRaised:
    if state.merged_into is not None:
        address = request.url.path.replace(state.entity_id, state.merged_into)
        if request.url.query:
            address += f"?{request.url.query}"
        return refuse(
            ENTITY_MERGED,
            f"{state.entity_id} was merged into {state.merged_into}.",
            headers={"Location": address},
            entity_id=state.entity_id,
            merged_into=state.merged_into,
            merged_at=state.changed_at,
        )
    if state.status == "erased":
        return refuse(
            ENTITY_ERASED,
            f"{state.entity_id} was erased.",
            entity_id=state.entity_id,
            erased_at=state.changed_at,
            retired_at=state.changed_at,
        )
    return refuse(
        ENTITY_RETIRED,
        f"The last source row of {state.entity_id} is gone.",
        entity_id=state.entity_id,
        retired_at=state.changed_at,
    )
