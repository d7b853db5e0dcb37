"""Signing in and out of the console, and the files its pages load."""

import secrets
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.auth import KeyRing
from api.console.guard import SessionDep, safe_target
from api.console.pages import STATIC, page
from api.console.sessions import COOKIE, FORM_COOKIE, LIFETIME, Sessions
from api.deps import ReadsDep
from api.errors import FORBIDDEN, NOT_FOUND, refuse
from mdm.access import STEWARDS

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
    return _form(request, next)


@router.post("/sign-in")
async def sign_in(request: Request, reads: ReadsDep) -> Response:
    """Open a session for the holder of a steward's or administrator's key."""
    form = await _read_form(request)
    sessions: Sessions = request.app.state.sessions
    ring: KeyRing = request.app.state.key_ring
    target = form.get("next", "")
    token = sessions.verified(form.get("csrf", ""))
    if token is None or not secrets.compare_digest(token, request.cookies.get(FORM_COOKIE, "")):
        return _form(request, target, "The form had expired. Please try again.", 403)
    caller = await ring.caller(form.get("key", "").strip(), reads)
    if caller is None:
        return _form(request, target, "This API key is unknown or was revoked.", 401)
    if caller.role not in STEWARDS:
        return _form(request, target, "This API key belongs to a system. The console needs a steward's key.", 403)
    request.scope["mdm.key_id"] = caller.key_id
    answer = RedirectResponse(safe_target(target), 303)
    _set_cookie(request, answer, COOKIE, sessions.begin(caller), int(LIFETIME.total_seconds()), "lax")
    answer.delete_cookie(FORM_COOKIE, path="/console/sign-in")
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, session: SessionDep) -> Response:
    """End the session that sends its own form token."""
    form = await _read_form(request)
    if not secrets.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
        raise refuse(FORBIDDEN, "The form does not belong to this session.")
    sessions: Sessions = request.app.state.sessions
    sessions.end(session)
    answer = RedirectResponse("/console/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/console")
    return answer


def _form(request: Request, target: str, message: str | None = None, status: int = 200) -> Response:
    """The sign-in form. Its token is tied to this browser by a cookie that other sites cannot send."""
    token = secrets.token_urlsafe(24)
    sessions: Sessions = request.app.state.sessions
    answer = page(
        "sign_in.html",
        request,
        status=status,
        csrf=sessions.sign(token),
        target=safe_target(target),
        message=message,
    )
    _set_cookie(request, answer, FORM_COOKIE, token, _FORM_SECONDS, "strict", path="/console/sign-in")
    return answer


def _set_cookie(
    request: Request, answer: Response, name: str, value: str, seconds: int, same_site: str, path: str = "/console"
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="strict" if same_site == "strict" else "lax",
        secure=request.url.scheme == "https",
    )


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name. The body's size is limited by the application."""
    text = (await request.body()).decode("utf-8", "replace")
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}
