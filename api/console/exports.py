"""A long export: how far its download has come. It can be left, come back to, and gone on with where it broke off."""

from collections.abc import Iterator

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.workbench import Workbench, WorkbenchDep
from api.routes.parameters import NumberPath
from mdm.store import export_jobs
from mdm.store.export_jobs import ExportJob, Piece
from mdm.store.scoped import unrestricted

router = APIRouter(prefix="/console/exports", include_in_schema=False, dependencies=[Depends(signed_in)])

#: What is exported: its list, and what it is called.
LISTS = {"audit": ("/console/audit", "Audit"), "reconciliation": ("/console/reconciliation", "Reconciliation")}


@router.get("/{job_id:int}")
def job_page(job_id: NumberPath, request: Request, session: SessionDep, bench: WorkbenchDep) -> Response:
    """How far an export of one's own is, and the file."""
    with unrestricted(bench.engine).connect() as connection:
        job = export_jobs.find(connection, job_id, bench.actor.name)
    address, title = LISTS[job.what]
    return page(
        "export_job.html", request, session=session, now=bench.now, job=job, address=address, title=title,
        alive=job.alive(bench.now), interrupted=job.interrupted(bench.now),
    )  # fmt: skip


def begun(bench: Workbench, what: str, query: str, total: int) -> Response:
    """To the page of a new export."""
    with unrestricted(bench.engine).begin() as connection:
        job_id = export_jobs.begin(connection, bench.actor.name, what, query, total, bench.now)
    return RedirectResponse(f"/console/exports/{job_id}", 303)


def own_export(bench: Workbench, what: str, job_id: int) -> ExportJob:
    """An export of `what` that the person began. Raises as `mdm.store.export_jobs.find`."""
    with unrestricted(bench.engine).connect() as connection:
        return export_jobs.find(connection, job_id, bench.actor.name, what)


def unfinished(bench: Workbench, what: str) -> list[ExportJob]:
    """What the person has begun to export and not downloaded to the end."""
    with unrestricted(bench.engine).connect() as connection:
        return export_jobs.unfinished(connection, bench.actor.name, what, bench.now)


def download(bench: Workbench, what: str, pieces: Iterator[Piece], job: ExportJob | None) -> Response:
    """The file, piece by piece; with an export whose page tells how far it is."""
    texts: Iterator[str] = (piece.text for piece in pieces)
    if job is not None:
        texts = export_jobs.followed(unrestricted(bench.engine), bench.hub.clock, job, pieces)
    name = {"Content-Disposition": f'attachment; filename="{what}.csv"'}
    return StreamingResponse(texts, 200, name, "text/csv; charset=utf-8")
