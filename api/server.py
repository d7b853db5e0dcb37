"""Serve the API and the console over HTTP."""

import uvicorn

from api.app import ApiOptions, create_app
from api.deps import ReadHub


def serve(hub: ReadHub, host: str, port: int, options: ApiOptions | None = None) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); requests under way are finished first."""
    chosen = options or ApiOptions()
    config = uvicorn.Config(
        create_app(hub, chosen),
        host=host,
        port=port,
        access_log=False,  # addresses hold names and keys; see api.edge for what is logged
        server_header=False,
        log_level="warning",
        # What arrives before the edge can count it: request line, headers.
        h11_max_incomplete_event_size=chosen.limits.headers + chosen.limits.path + chosen.limits.query + 4096,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run()
