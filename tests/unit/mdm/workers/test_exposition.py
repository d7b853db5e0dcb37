"""What a worker shows over HTTP."""

import httpx

from mdm.observability.metrics import Metrics
from mdm.workers.exposition import Health, exposed


def test_metrics_and_health_are_served_while_the_block_runs() -> None:
    metrics, health = Metrics(), Health()
    metrics.count("mdm_outbox_published_total", 3, topic="mdm.customer.golden.v1")

    with exposed(metrics, health, "127.0.0.1", 0) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert 'mdm_outbox_published_total{topic="mdm.customer.golden.v1"} 3.0' in client.get("/metrics").text
        assert client.get("/readyz").status_code == 200

        health.waits("The database is away.")
        assert (client.get("/readyz").status_code, client.get("/readyz").text) == (503, "The database is away.\n")
        assert client.get("/livez").status_code == 200

        health.turn()
        assert client.get("/readyz").status_code == 200
        assert client.get("/elsewhere").status_code == 404


def test_without_a_port_nothing_is_served() -> None:
    with exposed(Metrics(), Health(), "127.0.0.1", None) as port:
        assert port is None
