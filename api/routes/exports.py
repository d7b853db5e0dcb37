"""Bulk export: all golden records of a domain as of one instant, resumable at any record, in parts if wanted."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from api.access_log import exported
from api.auth import CallerDep
from api.deps import HubDep, Reads, ReadsDep
from api.exporting import MEDIA_TYPES, ndjson_of_texts, sees_all, written
from api.routes.of_domain import router_of
from api.routes.parameters import Parameters
from api.schemas.given import Moment, Storable
from mdm.access import Eyes
from mdm.model.ids import Domain
from mdm.store.read_bulk import count_golden_at, golden_at, golden_text_at, last_of_part


class ExportParameters(Parameters):
    """What to export, and from where to go on."""

    format: Literal["ndjson", "csv", "parquet"] = Field("ndjson", description="CSV and Parquet: nested values as JSON.")
    as_of: Moment | None = Field(None, description="The instant of `X-Export-As-Of`, to go on with the same.")
    after: Storable = Field("", max_length=64, description="The last id that arrived; go on behind it.")
    limit: int | None = Field(None, ge=1, le=1_000_000, description="Records of this part; all when absent.")


def export_router(domain: Domain) -> APIRouter:
    """The export of a domain."""
    router = router_of(domain)

    @router.get(
        "/export",
        name=f"export_{domain.plural}",
        summary=f"All {domain.plural}",
        response_class=Response,
        responses={200: {"content": {media.partition(";")[0]: {} for media in MEDIA_TYPES.values()}}},
    )
    def export(
        page: Annotated[ExportParameters, Query()], request: Request, caller: CallerDep, hub: HubDep, reads: ReadsDep
    ) -> Response:
        """Records in the order of their ids, all as they were known at one instant.

        `X-Export-As-Of` names that instant and `X-Export-Total` says how many records there are, for a progress bar. If
        the connection breaks, ask again with `as_of` and with the last id that arrived as `after`. With `limit`,
        `X-Export-Next-After` is the `after` of the next part; it is absent on the last one.
        """
        # What the hub will know some day it cannot export: a part that is asked for later would hold other records.
        now = hub.clock()
        at = min(page.as_of or now, now)
        with reads.snapshot() as connection:
            total = count_golden_at(connection, domain, at, page.after)
            end = last_of_part(connection, domain, at, page.after, page.limit) if page.limit else None
        exported(request.scope, domain, at, page.after, end, min(total, page.limit or total))
        headers = {
            "X-Export-As-Of": at.isoformat().replace("+00:00", "Z"),
            "X-Export-Total": str(total),
            "Content-Disposition": f'attachment; filename="{domain.plural}.{page.format}"',
            **({"X-Export-Next-After": end} if end is not None else {}),
        }
        return StreamingResponse(_stream(reads, domain, page, at, caller.eyes), 200, headers, MEDIA_TYPES[page.format])

    return router


def _stream(reads: Reads, domain: Domain, page: ExportParameters, at: datetime, eyes: Eyes) -> Iterator[bytes]:
    with reads.snapshot() as connection:
        if page.format == "ndjson" and sees_all(domain, eyes):
            yield from ndjson_of_texts(domain, golden_text_at(connection, domain, at, page.after, page.limit))
        else:
            yield from written(page.format, domain, golden_at(connection, domain, at, page.after, page.limit), eyes)
