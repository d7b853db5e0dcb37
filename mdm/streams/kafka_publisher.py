"""Writes records to Kafka: every replica has them before they count as safe, and one key keeps its order."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
)

from mdm.errors import OperatorError, TransientError
from mdm.observability.logs import logger
from mdm.streams.handshake import refuse_wrong_terms
from mdm.streams.kafka_settings import KafkaSecurity
from mdm.streams.publisher import Record

_log = logger(__name__)

_DAY_MS = 24 * 3600 * 1000
#: How a topic of golden records is kept. What was published cannot be edited, and a subject may ask to be erased: the
#: newest event of an entity, or a tombstone, lets compaction drop those before it, and what compaction cannot reach (a
#: quiet topic's newest segment) ends after four weeks. A consumer that is away for less than a week misses nothing.
GOLDEN_TOPIC: Mapping[str, str] = {
    "cleanup.policy": "compact,delete",
    "min.compaction.lag.ms": str(7 * _DAY_MS),
    "max.compaction.lag.ms": str(8 * _DAY_MS),
    "delete.retention.ms": str(7 * _DAY_MS),
    "retention.ms": str(28 * _DAY_MS),
    "segment.ms": str(_DAY_MS),
}

#: A record that is not safe by then counts as failed, and the relay starts over.
_DELIVERY_SECONDS = 30
#: Larger than any golden record should be; the topic's own limit may be lower.
_MAX_REQUEST_BYTES = 8 * 1024 * 1024


_SET = "Set cleanup.policy=compact,delete and retention.ms on them, or let the relay read them: see docs/streams.md."


def _keeping(admin: Any, names: Sequence[str]) -> list[str]:  # kafka-python has no types
    """Topics whose settings let no old event go: neither compaction nor an end."""
    if not names:
        return []
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, ["cleanup.policy", "retention.ms"]) for name in names]
    told = admin.describe_configs(asked, config_filter="all")
    return [name for name in names if _keeps(told.get("topic", {}).get(name, {}))]


def _keeps(settings: Mapping[str, Any]) -> bool:
    policy = str(_value(settings, "cleanup.policy")).split(",")
    return "compact" not in policy and not ("delete" in policy and int(_value(settings, "retention.ms") or -1) > 0)


def _value(settings: Mapping[str, Any], name: str) -> Any:
    found = settings.get(name)
    return found.get("value") if isinstance(found, Mapping) else found


class KafkaPublisher:
    """An idempotent producer. After a failure it is made anew, so that nothing old is sent behind its back."""

    def __init__(self, bootstrap: str, security: KafkaSecurity | None = None) -> None:
        self._bootstrap = bootstrap
        self._security = security or KafkaSecurity({})
        self._options = dict(self._security.options)
        self._producer: KafkaProducer | None = None
        self._futures: list[Any] = []  # kafka-python has no types

    def ensure_topics(
        self, names: Sequence[str], partitions: int, settings: Mapping[str, str] = GOLDEN_TOPIC
    ) -> Sequence[str]:
        """Create topics that are missing, where we may; where we may not, whoever runs the broker has to.

        Topics that are there stay as they are. Returns those that keep what was published for ever, or that do not say:
        an erased subject's events would stay in them.
        """
        with self._named_errors():
            admin = KafkaAdminClient(bootstrap_servers=self._bootstrap.split(","), **self._options)
            try:
                known = set(admin.list_topics())
                for name in (name for name in names if name not in known):
                    with contextlib.suppress(TopicAlreadyExistsError):
                        admin.create_topics([NewTopic(name, partitions, -1, topic_configs=dict(settings))])
                keeping = _keeping(admin, [name for name in names if name in known])
            except AuthorizationError:
                _log.info("topics_not_created", reason="not allowed")
                keeping = list(names)
            finally:
                admin.close()
        if keeping:
            _log.warning("topics_keep_what_was_erased", topics=keeping, what_to_do=_SET)
        return keeping

    def send(self, records: Sequence[Record]) -> None:
        with self._named_errors():
            producer = self._open()
            for record in records:
                self._futures.append(
                    producer.send(
                        record.topic,
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                        timestamp_ms=record.timestamp_ms,
                    )
                )

    def flush(self) -> None:
        futures, self._futures = self._futures, []
        with self._named_errors():
            if self._producer is not None:
                self._producer.flush(timeout=_DELIVERY_SECONDS + 5)
            for future in futures:
                future.get(timeout=_DELIVERY_SECONDS)

    def close(self) -> None:
        self._drop()

    def _open(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self._bootstrap.split(","),
                client_id="mdm-relay",
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=128 * 1024,
                max_request_size=_MAX_REQUEST_BYTES,
                delivery_timeout_ms=_DELIVERY_SECONDS * 1000,
                request_timeout_ms=_DELIVERY_SECONDS * 1000 - 1000,
                max_block_ms=_DELIVERY_SECONDS * 1000,
                reconnect_backoff_max_ms=2_000,
                bootstrap_timeout_ms=10_000,
                metrics_enabled=False,
                **self._options,
            )
        return self._producer

    def _drop(self) -> None:
        self._futures = []
        if self._producer is not None:
            producer, self._producer = self._producer, None
            with contextlib.suppress(KafkaError):
                producer.close(timeout=1)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (SaslAuthenticationFailedError, AuthorizationError) as fault:
            self._drop()
            raise OperatorError(
                f"The broker {self._bootstrap} refuses: {fault}.",
                action="Check MDM_KAFKA_SECURITY_PROTOCOL, MDM_KAFKA_SASL_* and the user's rights on the topics.",
            ) from fault
        except MessageSizeTooLargeError as fault:
            self._drop()
            raise OperatorError(
                f"The broker {self._bootstrap} refuses an announcement as too large.",
                action="Raise max.message.bytes of the topics mdm.*.golden.v1.",
            ) from fault
        except KafkaError as fault:
            self._drop()
            refuse_wrong_terms(self._bootstrap, self._security)
            raise TransientError(
                f"The broker {self._bootstrap} cannot be used now: {type(fault).__name__} {fault}"
            ) from fault
