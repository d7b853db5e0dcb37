"""librdkafka's mock cluster as a broker for protocol tests where no real one can be had. Never a product's broker.

It lives in the process that asks for it, keeps nothing on disk, has no admin interface and creates topics with four
partitions when they are first written to. kafka-python must be told its version.
"""

from typing import Any

#: What kafka-python needs to speak to it: the mock answers newer version requests malformed.
CLIENT_OPTIONS: dict[str, Any] = {"api_version": (2, 3)}


class MockBroker:
    """One broker; `bootstrap` is where it listens."""

    def __init__(self) -> None:
        from confluent_kafka import Producer  # only where it is wanted: it is not installed with the other tools

        self._cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
        (found,) = self._cluster.list_topics(timeout=10).brokers.values()
        self.bootstrap = f"{found.host}:{found.port}"
