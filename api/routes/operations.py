"""For operators: status, liveness, readiness, metrics."""

from fastapi import APIRouter, Depends, Request, Response

from api.auth import allows
from api.deps import HubDep, ReadsDep, RulesDep
from api.errors import UNAVAILABLE, refuse
from api.last_run import last_run
from api.metrics import Metrics, closing_soon, reconciled
from api.routes.responses import COMMON, GUARDED
from api.schemas.common import Live, Ready
from api.schemas.status import Status
from api.wire import answer
from mdm.access import Permission
from mdm.hub.closing import readiness
from mdm.store import migrate
from mdm.store.read_metrics import hub_state
from mdm.store.read_models import status_summary, vitals
from mdm.store.scoped import scope_of

router = APIRouter(tags=["operations"])


@router.get(
    "/v1/status",
    name="get_status",
    summary="How the hub is doing",
    response_model=Status,
    dependencies=[Depends(allows(Permission.READ))],
    responses=GUARDED,
)
def get_status(reads: ReadsDep) -> Response:
    """What came in, what became of it (`add_up`: every message has one outcome), and what waits for somebody."""
    with reads.snapshot() as connection:
        return answer(status_summary(connection))


@router.get("/livez", name="livez", summary="The process is alive", response_model=Live)
async def livez() -> Response:
    """Asks nothing else: a restart does not mend a database."""
    return answer({"status": "alive"})


@router.get(
    "/readyz", name="readyz", summary="The process can serve", response_model=Ready, responses={503: COMMON[503]}
)
def readyz(reads: ReadsDep) -> Response:
    """The database answers and has the schema of this release."""
    with reads.snapshot() as connection:
        revision = migrate.current_of(connection)
    needed = migrate.head()
    if revision != needed:
        raise refuse(
            UNAVAILABLE,
            f"The database schema is at {revision or 'nothing'}, this release needs {needed}: run `mdm db upgrade`.",
            headers={"Retry-After": "30"},
        )
    return answer({"status": "ready", "schema_revision": revision})


@router.get(
    "/metrics",
    name="metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    dependencies=[Depends(allows(Permission.READ))],
    responses={**GUARDED, 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request, hub: HubDep, reads: ReadsDep, rules: RulesDep) -> Response:
    """OpenMetrics when the scraper accepts it, Prometheus text otherwise."""
    metrics: Metrics = request.app.state.metrics
    with reads.snapshot() as connection:
        metrics.show(vitals(connection))
        state = hub_state(connection)
    looked = last_run.freshened(hub.engine, hub.clock())
    if looked is not None:
        state |= reconciled(looked.overview, rules.reconciliation, looked.found.stuck)
        if not scope_of(hub.engine).limits_rows:  # the checklist is about the whole hub
            state |= closing_soon(readiness(hub, looked.found, rules.reconciliation))
    metrics.show_state(state)
    content, media_type = metrics.exposition(request.headers.get("accept", ""))
    return Response(content, media_type=media_type)
