"""Signing in and out of the console, and the files its pages load."""

import secrets
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.auth import KeyRing
from api.console.cookies import drop_cookie, read_cookie, set_cookie
from api.console.guard import SessionDep, safe_target
from api.console.oidc import IdentityProvider
from api.console.once import of_session
from api.console.pages import STATIC, page
from api.console.sessions import COOKIE, FORM_COOKIE, LIFETIME, PERSON, STATE_COOKIE, Sessions
from api.deps import HubDep, ReadHub, ReadsDep
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from mdm.access import Caller, Permission
from mdm.errors import Refused
from mdm.store import accounts

router = APIRouter(prefix="/console", include_in_schema=False)

_FORM_SECONDS = 3600


@router.get("")
async def bare_address() -> Response:
    return RedirectResponse("/console/", 308)


@router.get("/static/{name}")
async def static_file(name: str) -> Response:
    """A style sheet, script or icon. Its address changes with its content."""
    if name not in STATIC:
        raise refuse(NOT_FOUND, "There is no such file.")
    content, media_type = STATIC[name]
    return Response(content, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, media_type)


@router.get("/sign-in")
async def show_form(request: Request, next: str = "/console/") -> Response:
    return await _form(request, next)


@router.post("/sign-in")
async def sign_in(request: Request, reads: ReadsDep, hub: HubDep) -> Response:
    """Open a session: with a password, or with an API key whose role includes the console."""
    form = await _read_form(request)
    sessions: Sessions = request.app.state.sessions
    target = form.get("next", "")
    token = await run_in_threadpool(sessions.verified, form.get("csrf", ""))
    if token is None or not secrets.compare_digest(token, read_cookie(request, FORM_COOKIE)):
        return await _form(request, target, "The form had expired. Please try again.", 403)
    if form.get("username"):
        account = await run_in_threadpool(_check, hub, form["username"], form.get("password", ""))
        if account is None:
            return await _form(request, target, "User name or password is wrong, or there were too many tries.", 401)
        person = Caller(f"{PERSON}{account.username}", account.role, account.name, account.scope)
        return await _begin(request, person, target)
    ring: KeyRing = request.app.state.key_ring
    caller = await ring.caller(form.get("key", "").strip(), reads)
    if caller is None:
        return await _form(request, target, "This API key is unknown or was revoked.", 401)
    if not caller.may(Permission.CONSOLE):
        return await _form(request, target, "This API key belongs to a system. The console needs a person's key.", 403)
    return await _begin(request, caller, target)


@router.get("/sign-in/company")
async def to_provider(request: Request, next: str = "/console/") -> Response:
    """Send somebody to the identity provider."""
    provider = _provider(request)
    address, state, pending = await provider.begin(_callback(request), safe_target(next))
    sessions: Sessions = request.app.state.sessions
    await run_in_threadpool(sessions.remember_sign_in, state, pending)
    answer = RedirectResponse(address, 303)
    # Lax, because the provider's redirect must bring it back; it is worthless without the state in the address.
    set_cookie(request, answer, STATE_COOKIE, state, _FORM_SECONDS, "lax", path="/console/sign-in")
    return answer


@router.get("/sign-in/company/back")
async def from_provider(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Somebody comes back from the identity provider."""
    provider = _provider(request)
    begun_here = read_cookie(request, STATE_COOKIE)
    if error or not code or not secrets.compare_digest(state.encode(), begun_here.encode()):
        return await _form(request, "/console/", "The sign-in was not finished. Please try again.", 403)
    try:
        sessions: Sessions = request.app.state.sessions
        pending = await run_in_threadpool(sessions.take_sign_in, state)
        caller, target = await provider.finish(_callback(request), pending, code)
    except Refused as refusal:
        return await _form(request, "/console/", f"{refusal.message} {refusal.advice}", 403)
    answer = await _begin(request, caller, target)
    drop_cookie(request, answer, STATE_COOKIE, "/console/sign-in")
    return answer


async def _begin(request: Request, caller: Caller, target: str) -> Response:
    sessions: Sessions = request.app.state.sessions
    request.scope["mdm.key_id"] = caller.key_id
    answer = RedirectResponse(safe_target(target), 303)
    cookie = await run_in_threadpool(sessions.begin, caller, request.headers.get("user-agent", ""))
    set_cookie(request, answer, COOKIE, cookie, int(LIFETIME.total_seconds()), "lax")
    drop_cookie(request, answer, FORM_COOKIE, "/console/sign-in")
    return answer


def _check(hub: ReadHub, username: str, password: str) -> accounts.Account | None:
    with hub.engine.begin() as connection:
        return accounts.check_password(connection, username, password, hub.clock())


def _provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise refuse(NOT_FOUND, "No identity provider is set up.")
    return provider


def _callback(request: Request) -> str:
    return str(request.url.replace(path="/console/sign-in/company/back", query=""))


@router.post("/sign-out")
async def sign_out(request: Request, session: SessionDep) -> Response:
    """End the session that sends its own form token; with `everywhere`, all sessions of this person."""
    form = await _read_form(request)
    if not secrets.compare_digest(of_session(form.get("csrf", "")).encode(), session.csrf.encode()):
        raise refuse(FORBIDDEN, "The form does not belong to this session.")
    sessions: Sessions = request.app.state.sessions
    await run_in_threadpool(sessions.end_everywhere if form.get("everywhere") else sessions.end, session)
    answer = RedirectResponse("/console/sign-in", 303)
    drop_cookie(request, answer, COOKIE)
    return answer


async def _form(request: Request, target: str, message: str | None = None, status: int = 200) -> Response:
    """The sign-in form. Its token is tied to this browser by a cookie that other sites cannot send."""
    token = secrets.token_urlsafe(24)
    sessions: Sessions = request.app.state.sessions
    answer = page(
        "sign_in.html",
        request,
        status=status,
        csrf=await run_in_threadpool(sessions.sign, token),
        target=safe_target(target),
        message=message,
        company=_company(request),
    )
    set_cookie(request, answer, FORM_COOKIE, token, _FORM_SECONDS, "strict", path="/console/sign-in")
    return answer


def _company(request: Request) -> str | None:
    """What the identity provider is called, when there is one."""
    provider: IdentityProvider | None = request.app.state.identity_provider
    return None if provider is None else provider.options.title


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name. The body's size is limited by the application."""
    text = (await request.body()).decode("utf-8", "replace")
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}
