"""The composition of the service: middleware, error answers, routers, and a check that no route is open by accident."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from psycopg.errors import InsufficientPrivilege, QueryCanceled
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError, TimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute

from api.access_log import AccessLog
from api.auth import KeyRing
from api.console import sign_in
from api.console.forms import FormOutlived
from api.console.guard import SignInNeeded
from api.console.oidc import IdentityProvider, OidcOptions
from api.console.once import SentBefore
from api.console.outlived import send_again_page, sent_before_page, signed_out_page
from api.console.pages import page
from api.console.screens import ROUTERS
from api.console.sessions import Sessions
from api.cross_origin import cors
from api.deps import LONGEST_STATEMENT, ReadHub, Released
from api.edge import Edge, Limits, RequestLog
from api.errors import (
    FORBIDDEN,
    INVALID_REQUEST,
    NOT_FOUND,
    TOO_SLOW,
    UNAVAILABLE,
    Problem,
    ProblemRaised,
    fault,
    problem_of,
    problem_of_status,
    problem_response,
)
from api.feed import Watcher
from api.freshness import Freshness
from api.heads import Heads
from api.matrix import permissions_by_route
from api.metrics import Metrics
from api.quick_lane import QuickLane
from api.rate import Limiter, Rate
from api.read_after import NotYet
from api.request_log import write_line
from api.routes import (
    approvals,
    blind,
    changes,
    closes,
    contract_proposals,
    contracts,
    customers,
    documentation,
    erp,
    exception_records,
    exceptions,
    findings,
    governance,
    identifiers,
    identity,
    kpis,
    odata,
    onboarding,
    operations,
    postings,
    privacy,
    process,
    products,
    raw,
    reconcile,
    relations,
    releases,
    rules,
    search,
    sources,
    stewardship,
    tasks,
    tiers,
    timeline,
    traces,
    transactions,
    verdicts,
    versions,
    workbench,
)
from api.routes.exports import export_router
from api.routes.facts import facts_router
from api.routes.history import history_router
from api.routes.matching import matching_router, pair_router
from api.routes.records import record_router
from api.routes.responses import COMMON
from api.versions import VERSION, VersionLog
from api.wire import encode
from mdm.access import Permission
from mdm.core.four_eyes import Policy
from mdm.errors import MdmError
from mdm.hub.prepost import load_documents
from mdm.hub.tokens import TokenVerifier
from mdm.model.ids import Domain
from mdm.store.failures import PASSING
from mdm.store.lifeline import Lifeline
from mdm.store.process_numbers import process_numbers
from mdm.store.quick import AwaitedReads, QuickReads

#: Routes that answer without an API key, and why that is right. Everything else states its permission.
PUBLIC_ROUTES: dict[str, str] = {
    "/": "leads to the documentation",
    "/livez": "probed by the platform that runs the process; tells nothing",
    "/readyz": "probed by load balancers; tells the schema revision only",
    "/openapi.json": "describes the API; holds no data",
    "/docs": "describes the API; holds no data",
    "/problems": "describes the API; holds no data",
    "/problems/{code}": "describes the API; holds no data",
    "/console": "leads to the console, which asks for a session",
    "/console/sign-in": "where a session begins",
    "/console/sign-in/company": "leads to the identity provider; holds no data",
    "/console/sign-in/company/back": "where somebody comes back from the identity provider",
    "/console/static/{name}": "style sheet and script; holds no data",
}

#: Whoever waits for a place looks again after an hour at the latest, however far off the estimate says that it is.
_LATEST_RETRY = 3600
_DESCRIPTION = """Golden records of customers, contracts and products, where each value comes from, and what changed.

Every request carries an API key (`Authorization: Bearer mdm_...` or `X-API-Key: mdm_...`). Lists are read page by page
with opaque cursors. Who may call an operation is said with it (`x-roles`). Errors are problem details (RFC 9457).
Times are RFC 3339 in UTC, money is decimal text."""


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """How this service is set up."""

    limits: Limits = field(default_factory=Limits)
    log: RequestLog = write_line
    #: How long an answer about a key may be remembered, and so how long a revoked key may still work.
    remember_keys_seconds: float = 5.0
    #: How many requests one caller may send to one process.
    rate: Rate = field(default_factory=lambda: Rate(per_second=2_000.0, burst=4_000))
    #: Verifies access tokens of an identity provider; None when only API keys are accepted.
    tokens: TokenVerifier | None = None
    #: The identity provider by which people sign in to the console, if there is one.
    oidc: OidcOptions | None = None
    #: Nobody waits longer than this for something to happen, whatever was asked for. Seconds.
    longest_wait: float = 30.0
    #: No statement of a read may take longer. Seconds.
    longest_statement: float = LONGEST_STATEMENT
    #: Where released match models are, beside those that ship.
    models_dir: Path | None = None
    #: The platforms' contracts and mappings; None for the shipped ones.
    sources: Path | None = None
    #: Web origins whose pages may call the API from a browser (`https://refine.example`); none by default.
    cors_origins: tuple[str, ...] = ()
    #: Says where golden records belong; None for the shipped plan.
    placement: Path | None = None
    #: What this company says else than the shipped rules of reconciliation; None for the shipped ones as they are.
    reconciliation: Path | None = None
    #: When a steward's command needs a second person; None for the shipped policy.
    policy: Policy | None = None
    #: Who answers for what; None for the shipped matrix.
    ownership: Path | None = None
    #: The chart of accounts and the tax codes that postings are held against; None for the shipped ones.
    accounts: Path | None = None
    tax_codes: Path | None = None


def create_app(hub: ReadHub, options: ApiOptions | None = None) -> FastAPI:
    """The service on a hub. The hub is opened and closed by the caller."""
    options = options or ApiOptions()
    app = assemble(options)
    attach(app, hub, options)
    return app


def attach(app: FastAPI, hub: ReadHub, options: ApiOptions) -> None:
    """Serve a hub, with nothing remembered of any other that the service was on before.

    Args:
        options: how the service was assembled; what its layers were made with (log, limits, origins) stays as it is.
    """
    state = app.state
    state.hub = hub
    state.metrics = Metrics(process_numbers(hub.engine))
    state.identity_provider = IdentityProvider(options.oidc) if options.oidc is not None else None
    state.released = Released(options.models_dir, options.placement, options.sources, options.reconciliation)
    state.released.of(hub.engine)
    state.tokens = options.tokens
    state.limiter = Limiter(options.rate)
    state.freshness = Freshness()
    state.watcher = Watcher()
    state.longest_wait = options.longest_wait
    state.longest_statement = options.longest_statement
    state.policy = options.policy
    state.cors_origins = options.cors_origins
    state.ownership = options.ownership
    state.posting_documents = load_documents(options.accounts, options.tax_codes)
    state.key_ring = KeyRing(options.remember_keys_seconds)
    state.quick = QuickReads(hub.engine)
    state.awaited = AwaitedReads(hub.engine)
    state.sessions = Sessions(hub.engine, hub.clock)
    state.access_log = AccessLog(hub.engine, hub.clock)
    state.version_log = VersionLog(hub.engine, hub.clock)
    state.lifeline = Lifeline(hub.engine)


@asynccontextmanager
async def _ending(app: FastAPI) -> AsyncIterator[None]:
    """What the application opened itself is closed with it."""
    yield
    app.state.quick.close()
    await app.state.awaited.close()
    await run_in_threadpool(app.state.lifeline.close)
    await run_in_threadpool(app.state.access_log.write)
    await run_in_threadpool(app.state.version_log.write)


def assemble(options: ApiOptions) -> FastAPI:
    """The service without a hub: enough to describe it, and to check its routes."""
    app = FastAPI(
        title="Master data hub",
        version=VERSION,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=COMMON,
        redirect_slashes=False,
        max_body_size=options.limits.body,
        generate_unique_id_function=lambda route: route.name,
        lifespan=_ending,
    )
    # The routes have inherited the limit. The application's own would stand outside the edge, which then could neither
    # tell of a long body as a problem nor log it.
    app.max_body_size = None
    open_to: dict[Domain, tuple[BaseRoute, frozenset[Permission]]] = {}
    app.add_middleware(QuickLane, open_to=open_to)
    app.add_middleware(Heads)
    if options.cors_origins:
        app.add_middleware(CORSMiddleware, **cors(options.cors_origins))
    app.add_middleware(Edge, log=options.log, limits=options.limits, reply=_reply)
    for router in (customers.router, relations.router, timeline.router, contracts.router, products.router):
        app.include_router(router)
    for domain in (Domain.CUSTOMER, Domain.CONTRACT, Domain.PRODUCT):
        app.include_router(export_router(domain))  # before the records, whose ids would swallow /export
        app.include_router(record_router(domain))
        app.include_router(history_router(domain))
        app.include_router(matching_router(domain))
    for domain in (Domain.CUSTOMER, Domain.CONTRACT):
        app.include_router(facts_router(domain))
    app.include_router(releases.router)  # before the rules, whose fingerprints would swallow /in-force
    for router in (
        pair_router,
        identity.router,
        traces.router,
        raw.router,
        changes.router,
        rules.router,
        operations.router,
        documentation.router,
    ):
        app.include_router(router)
    app.include_router(odata.router)  # before the projections, whose domains would swallow /odata
    app.include_router(erp.router)
    app.include_router(reconcile.router)
    for router in (
        search.router,
        onboarding.router,
        verdicts.router,
        versions.router,
        contract_proposals.router,
        onboarding.customer_router,
        stewardship.router,
        tasks.router,
        approvals.router,
        exceptions.letters_router,
        exceptions.exceptions_router,
        exception_records.router,
        identifiers.router,
        blind.router,
        workbench.router,
        closes.router,
        postings.router,
        governance.router,
        kpis.router,
        sources.router,
        tiers.router,
        findings.router,
        transactions.router,
        process.router,
        privacy.router,
    ):
        app.include_router(router)
    app.include_router(sign_in.router)  # before the console, whose records would swallow /static
    for router in ROUTERS:
        app.include_router(router)
    _answer_errors(app)
    open_routes = unguarded_routes(app.routes)
    if open_routes:
        raise RuntimeError(f"These routes neither state a permission nor are listed as public: {open_routes}")
    open_to.update(_record_routes(app.routes))
    return app


def _record_routes(routes: Sequence[BaseRoute]) -> dict[Domain, tuple[BaseRoute, frozenset[Permission]]]:
    """The routes of golden records by their ids, and what they ask of callers."""
    by_path = {getattr(each.original_route, "path", ""): each.original_route for each in iter_route_contexts(routes)}
    asked = permissions_by_route(routes)
    return {
        domain: (by_path[path], asked[f"GET {path}"])
        for domain, path in ((each, f"/v1/{each.plural}/{{id}}") for each in Domain)
    }


def unguarded_routes(routes: Sequence[BaseRoute]) -> list[str]:
    """Routes that anybody could call although nobody said so."""
    return [
        name
        for name, asked in permissions_by_route(routes).items()
        if not asked and name.partition(" ")[2] not in PUBLIC_ROUTES
    ]


def _reply(request: Request, problem: Problem) -> Response:
    """Tell of a problem: as a page in the console, as problem details everywhere else."""
    trace_id = request.scope.get("mdm.trace_id", "")
    if request.url.path.startswith("/console/"):
        return page(
            "problem.html",
            request,
            status=problem.type.status,
            headers=problem.headers,
            problem=problem,
            trace_id=trace_id,
            # Who is signed in keeps the menu and the keys; nobody else has a session by then.
            session=getattr(request.state, "session", None),
        )
    return problem_response(problem, trace_id)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeeded)
    async def unknown_visitor(request: Request, needed: SignInNeeded) -> Response:
        if needed.sent is not None:
            return signed_out_page(request, needed)
        return RedirectResponse(needed.address, 303)

    @app.exception_handler(FormOutlived)
    async def outlived(request: Request, form: FormOutlived) -> Response:
        return send_again_page(request, form)

    @app.exception_handler(SentBefore)
    async def sent_before(request: Request, form: SentBefore) -> Response:
        return RedirectResponse(form.location, 303) if form.location is not None else sent_before_page(request, form)

    @app.exception_handler(ProblemRaised)
    async def raised(request: Request, error: ProblemRaised) -> Response:
        return _reply(request, error.problem)

    @app.exception_handler(NotYet)
    async def not_yet(request: Request, error: NotYet) -> Response:
        body = {
            "status": "pending",
            "after": request.query_params["after"],
            "reached": error.reached,
            "estimate_seconds": error.seconds,
        }
        later = min(max(1, round(error.seconds or 30)), _LATEST_RETRY)
        return Response(encode(body), 202, {"Retry-After": str(later)}, "application/json")

    @app.exception_handler(MdmError)
    async def hub_error(request: Request, error: MdmError) -> Response:
        return _reply(request, problem_of(error))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return _reply(request, problem_of_status(error.status_code, str(error.detail), error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # The value itself is not repeated: it may be personal, and the caller knows it.
        errors = [
            {"parameter": ".".join(str(part) for part in each["loc"]), "detail": fault(each["type"], each["msg"])}
            for each in error.errors()
        ]
        # People who mistype an address of the console look for a page; they know no parameters.
        if request.url.path.startswith("/console/") and any(each["loc"][0] == "path" for each in error.errors()):
            return _reply(request, Problem(NOT_FOUND, "The console has no such page."))
        return _reply(request, Problem(INVALID_REQUEST, "Some parameters are not understood.", {"errors": errors}))

    @app.exception_handler(InsufficientPrivilege)
    @app.exception_handler(ProgrammingError)
    async def out_of_reach(request: Request, error: InsufficientPrivilege | ProgrammingError) -> Response:
        # The second line of access control has spoken. Whatever the statement was, its answer is no.
        if isinstance(error, ProgrammingError) and not isinstance(error.orig, InsufficientPrivilege):
            raise error
        return _reply(request, Problem(FORBIDDEN, "This concerns records of all scopes, and yours is limited."))

    @app.exception_handler(OperationalError)
    @app.exception_handler(InternalError)
    @app.exception_handler(TimeoutError)
    async def database_error(request: Request, error: DBAPIError) -> Response:
        if isinstance(error, InternalError) and not isinstance(error.orig, PASSING):
            raise error
        if isinstance(error.orig, QueryCanceled):
            seconds = request.app.state.longest_statement
            return _reply(request, Problem(TOO_SLOW, f"It took longer than {seconds:g} seconds and was given up."))
        return _reply(request, Problem(UNAVAILABLE, "The database does not answer.", headers={"Retry-After": "5"}))
