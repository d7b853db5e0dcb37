"""Serve the API and the console over HTTP."""

import socket

import uvicorn

from api.app import ApiOptions, create_app
from api.deps import ReadHub
from api.last_run import last_run
from mdm.errors import OperatorError
from mdm.hub.reconciliation_rules import load_reconciliation
from mdm.intake.catalogue import load_catalogue
from mdm.workers.reconciling import Beside


def check_address(host: str, port: int) -> None:
    """See that nobody else listens there, before anybody is told to look there.

    Raises:
        OperatorError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as fault:
        raise OperatorError(
            f"{host}:{port} cannot be listened on: {fault.strerror or fault}.",
            action="Another hub may be running there. Choose another port with --port.",
        ) from fault


def serve(hub: ReadHub, host: str, port: int, options: ApiOptions | None = None) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); requests under way are finished first.

    Raises:
        OperatorError: the address is taken or not ours.
    """
    check_address(host, port)
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
    # Pages are as quick while findings are looked for.
    reconciling = load_reconciliation(load_catalogue(chosen.sources), chosen.reconciliation)
    last_run.by(Beside(chosen.sources, chosen.reconciliation), chosen.policy, reconciling)
    last_run.prepare(hub.engine, hub.clock())  # so that nobody waits for the first findings
    uvicorn.Server(config).run()
