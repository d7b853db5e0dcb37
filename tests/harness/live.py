"""Driving a real broker from tests: topics, messages at a pace, offsets, and waiting for things to happen."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import MappingProxyType
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from mdm.model.events import Message
from mdm.streams.publisher import Record


def create_topics(bootstrap: str, topics: Iterable[str], partitions: int = 3) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics([NewTopic(name, partitions, 1) for name in sorted(set(topics))])


def recreate_topic(bootstrap: str, topic: str, partitions: int = 3) -> None:
    """Delete a topic with all that is in it, and make one of the same name."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_topics([topic])
        deadline = time.monotonic() + 20
        while topic in admin.list_topics() and time.monotonic() < deadline:
            time.sleep(0.1)
    create_topics(bootstrap, [topic], partitions)


def drop_records(bootstrap: str, before: Mapping[TopicPartition, int]) -> None:
    """Let the broker forget the messages before these offsets, as retention does."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_records(dict(before))


def produce(
    bootstrap: str, messages: Sequence[Message], seconds: float = 0.0, options: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Write messages to their partitions in their order, spread over `seconds`; returns when all are safe.

    What a failure may have lost is sent again, as a connector does, so the log may hold it twice.
    """
    left = list(messages)
    while left:
        left = _attempt(bootstrap, left, seconds * len(left) / len(messages), options)


def _attempt(bootstrap: str, messages: Sequence[Message], seconds: float, options: Mapping[str, Any]) -> list[Message]:
    settings: dict[str, Any] = {
        **options,
        "acks": "all",
        "linger_ms": 10,
        "metrics_enabled": False,
        "max_block_ms": 60_000,
    }
    try:
        producer = KafkaProducer(bootstrap_servers=bootstrap, reconnect_backoff_max_ms=500, **settings)
    except KafkaError:
        time.sleep(0.5)
        return list(messages)
    sent = []
    began = time.monotonic()
    try:
        for number, message in enumerate(messages):
            ahead = began + seconds * number / len(messages) - time.monotonic()
            if ahead > 0.01:
                time.sleep(ahead)
            sent.append((message, _send(producer, message)))
        producer.flush(timeout=60)
    except KafkaError:
        pass  # what has no answer is sent again
    failed = [message for message, future in sent if not _safe(future)]
    producer.close(timeout=5)
    return failed + list(messages[len(sent) :])


def _send(producer: KafkaProducer, message: Message) -> Any:
    topic, partition, _ = message.place
    return producer.send(
        topic,
        partition=partition,
        key=message.key,
        value=message.value,
        headers=list(message.headers),
        timestamp_ms=message.timestamp_ms,
    )


def _safe(future: Any) -> bool:
    with contextlib.suppress(KafkaError):
        future.get(timeout=0.1 if future.is_done else 5)
        return True
    return False


@contextmanager
def producing(bootstrap: str, messages: Sequence[Message], seconds: float) -> Iterator[threading.Thread]:
    """Write messages in the background; the block's end waits for the last one."""
    thread = threading.Thread(target=produce, args=(bootstrap, messages, seconds), daemon=True)
    thread.start()
    yield thread
    thread.join(300)
    assert not thread.is_alive(), "the producer did not finish"


def end_offsets(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """The next offset that the broker would give, per partition that has messages."""
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, metrics_enabled=False)) as consumer:
        logs = [
            TopicPartition(topic, number) for topic in topics for number in (consumer.partitions_for_topic(topic) or ())
        ]
        return {(log.topic, log.partition): end for log, end in consumer.end_offsets(logs).items() if end}


def read_topics(bootstrap: str, topics: Sequence[str]) -> list[Record]:
    """Everything in these topics, in order within a partition."""
    settings: dict[str, Any] = {"auto_offset_reset": "earliest", "metrics_enabled": False}
    ends = end_offsets(bootstrap, topics)
    records: list[Record] = []
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, **settings)) as consumer:
        consumer.assign([TopicPartition(*log) for log in ends])
        while any(consumer.position(TopicPartition(*log)) < end for log, end in ends.items()):
            for batch in consumer.poll(timeout_ms=500, max_records=5_000).values():
                records += [
                    Record(each.topic, each.key, each.value, tuple(each.headers), each.timestamp) for each in batch
                ]
    return records


def wait_until(
    true: Callable[[], bool], timeout_seconds: float, what: str, instead: Callable[[], object] = lambda: ""
) -> None:
    """Wait for something to be true; a failure while asking counts as not yet. `instead` tells what is the case."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        with contextlib.suppress(Exception):
            if true():
                return
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_seconds:.0f} s. {instead()}"
        time.sleep(0.2)
