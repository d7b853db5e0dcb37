"""A feed from Kafka topics: one member of a consumer group that takes its positions from the hub, not from the broker.

Bytes are handed on as they are: an exception in a deserializer would make every later poll fail at the same message.
Whenever the group gives this member partitions, they are held back until the hub was asked where to continue. So are
those whose topic was made anew, or whose next messages the broker has dropped, while they were read.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata
from kafka import TopicPartition as BrokerPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError
from kafka.structs import MemberState

from mdm.errors import OperatorError, TransientError
from mdm.model.events import Message, Place, TopicPartition
from mdm.model.lives import Life, in_life, lived
from mdm.observability.logs import logger
from mdm.streams.handshake import refuse_wrong_terms
from mdm.streams.kafka_joins import keep_join
from mdm.streams.kafka_settings import KafkaSecurity
from mdm.streams.protocol import Lives, Positions

_log = logger(__name__)

#: New topics that match the pattern are found within this time.
_METADATA_MAX_AGE_MS = 10_000
#: A unit of work that retries through a database restart must not cost the membership.
_MAX_POLL_INTERVAL_MS = 600_000
#: What one fetch may bring: bounds the memory of a worker that is far behind.
_FETCH_MAX_BYTES = 16 * 1024 * 1024

#: After so many polls without any topic that matches, it is said once.
_POLLS_OF_NOTHING = 10
#: How long a unit of work that has messages waits for those of other partitions.
_GATHER_SECONDS = 0.005
#: What trickles in, fewer than so many at a time, is not waited for any longer than this in all.
_GATHER_AT_MOST = 0.02
_TRICKLE = 20


class PositionLost(OperatorError):
    """The broker no longer has (or never had) the next message the hub needs: messages are lost or a topic was re-made.

    Going on silently would leave the hub wrong without a trace, so somebody has to decide.
    """

    code = "POSITION_LOST"


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """What to read and as whom."""

    bootstrap: str
    #: Regular expression of topic names.
    topics: str
    group: str
    security: KafkaSecurity = field(default_factory=lambda: KafkaSecurity({}))
    #: End at the offsets that were the newest when the partitions were assigned.
    until_end: bool = False
    #: When the broker has dropped what the hub needs next: stop with `PositionLost`, or go on with what is there.
    on_lost_position: Literal["stop", "continue"] = "stop"
    session_timeout_ms: int = 10_000
    fetch_max_wait_ms: int = 100


class KafkaFeed:
    """A consumer group's member on topics that match a pattern."""

    def __init__(
        self, source: KafkaSource, stored: Callable[[], Positions] | None = None, lives: Lives | None = None
    ) -> None:
        """
        Args:
            stored: where the hub stands; asked at every assignment, because another member may have moved on.
            lives: which life of each topic the hub reads; without it, what this feed has met itself.
        """
        self._source = source
        self._lives = lives or _LivesMet()
        #: Of each topic that was placed here, its life, and of each partition the broker's offset that comes next.
        self._life: dict[str, Life] = {}
        self._next: dict[BrokerPartition, int] = {}
        self._sought: Positions = {}
        self._stored = stored or (lambda: self._sought)
        self._pattern = _checked(source.topics)
        self._consumer: KafkaConsumer | None = None
        self._listener = _Assignments()
        self._ends: dict[TopicPartition, int] = {}
        self._paused = False
        self._polls_of_nothing = 0

    @property
    def name(self) -> str:
        """`kafka:` and the group."""
        return f"kafka:{self._source.group}"

    def seek(self, positions: Positions) -> None:
        """Continue at these offsets when partitions are assigned (unless the hub itself is asked, see `stored`)."""
        self._sought = dict(positions)
        if self._consumer is not None:
            self._listener.fresh |= set(self._consumer.assignment())

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:
        """What is there, up to `max_messages`; waits only when there is nothing at all.

        Raises:
            TransientError: the broker cannot be reached.
            PositionLost: the broker no longer has what the hub needs next.
            OperatorError: the broker refuses who we are or what we want.
        """
        with _named_errors(self._source.bootstrap):
            consumer = self._opened()
            if self._listener.fresh:
                self._place(consumer)
            messages = self._take(consumer, max_messages, timeout_seconds)
        # A fetch brings one partition's messages; a unit of work is cheaper with those of all that are ready.
        began = time.monotonic()
        while messages and len(messages) < max_messages:
            try:
                more = self._take(consumer, max_messages - len(messages), _GATHER_SECONDS)
            except KafkaError:
                break  # comes again with the next poll; what was taken must not be lost with it
            if not more:
                break
            messages += more
            if len(more) < _TRICKLE and time.monotonic() - began > _GATHER_AT_MOST:
                break  # a steady feed always has one more
        self._tell_of_nothing()
        return messages

    def commit(self, positions: Positions) -> None:
        """Tell the broker, without waiting for its answer."""
        if self._consumer is None:
            return
        mine = self._consumer.assignment()
        offsets = {}
        for log, position in positions.items():
            number, offset = lived(position)
            if BrokerPartition(*log) in mine and self._number(log.topic) == number:
                offsets[BrokerPartition(*log)] = OffsetAndMetadata(offset, "", -1)
        if offsets:
            self._consumer.commit_async(offsets, callback=_note_failed_commit)

    def pause(self) -> None:
        """Deliver nothing, and stay in the group: heartbeats go on with every poll."""
        self._paused = True
        if self._consumer is not None:
            self._consumer.pause(*self._consumer.assignment())

    def resume(self) -> None:
        self._paused = False
        if self._consumer is not None:
            self._consumer.resume(*(self._consumer.assignment() - self._listener.fresh))

    def lag(self) -> Mapping[TopicPartition, int]:
        """Messages of each assigned partition up to the end that the last fetch reported."""
        if self._consumer is None:
            return {}
        behind = {}
        for log in self._consumer.assignment() - self._listener.fresh:
            # Until the first fetch of a partition, its end is known from when it was assigned.
            end = max(self._consumer.highwater(log) or 0, self._ends.get(TopicPartition(*log), 0))
            behind[TopicPartition(*log)] = max(end - self._consumer.position(log), 0)
        return behind

    def topics(self) -> frozenset[str]:
        """The topics that match, as far as the broker shows them: it hides those that this user may not describe."""
        return frozenset((self._consumer.subscription() if self._consumer else None) or ())

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that this member reads now."""
        return frozenset(TopicPartition(*log) for log in (self._consumer.assignment() if self._consumer else ()))

    def at_end(self) -> bool:
        """With `until_end`: whether all that was there at the assignment has been handed out."""
        if not self._source.until_end or self._consumer is None or self._listener.fresh:
            return False
        if self._consumer.group_metadata().state != MemberState.STABLE:
            return False
        mine = self._consumer.assignment()
        return all(
            self._consumer.position(BrokerPartition(*log)) >= end
            for log, end in self._ends.items()
            if BrokerPartition(*log) in mine
        )

    def progress(self) -> float:
        """With `until_end`: the share of what was there that has been handed out, from 0 to 1."""
        behind, whole = sum(self.lag().values()), sum(self._ends.values())
        return 1.0 - min(behind / whole, 1.0) if whole else 0.0

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            consumer.close(autocommit=False, timeout_ms=5_000)

    def _tell_of_nothing(self) -> None:
        self._polls_of_nothing = 0 if self.topics() else self._polls_of_nothing + 1
        if self._polls_of_nothing == _POLLS_OF_NOTHING:
            _log.warning("no_topic_matches", topics=self._source.topics, hint="also hidden: what may not be described")

    def _opened(self) -> KafkaConsumer:
        try:
            return self._open()
        except KafkaError:
            refuse_wrong_terms(self._source.bootstrap, self._source.security)
            raise

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            source = self._source
            consumer = KafkaConsumer(
                bootstrap_servers=source.bootstrap.split(","),
                group_id=source.group,
                client_id="mdm",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                partition_assignment_strategy=(CooperativeStickyAssignor(),),
                isolation_level="read_committed",
                metadata_max_age_ms=_METADATA_MAX_AGE_MS,
                max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
                session_timeout_ms=source.session_timeout_ms,
                heartbeat_interval_ms=source.session_timeout_ms // 5,
                fetch_max_bytes=_FETCH_MAX_BYTES,
                fetch_max_wait_ms=source.fetch_max_wait_ms,
                reconnect_backoff_max_ms=2_000,
                bootstrap_timeout_ms=10_000,
                metrics_enabled=False,
                **source.security.options,
            )
            self._listener = _Assignments(consumer)
            consumer.subscribe(pattern=self._pattern, listener=self._listener)
            self._consumer = consumer
        return self._consumer

    def _place(self, consumer: KafkaConsumer) -> None:
        """Put freshly assigned partitions where the hub stands, and let them go."""
        mine = consumer.assignment()
        fresh = [log for log in self._listener.fresh if log in mine]
        if fresh:
            stored = self._stored()
            self._name_lives(consumer, {log.topic for log in fresh}, {log.topic for log in stored})
            first, end = consumer.beginning_offsets(fresh), consumer.end_offsets(fresh)
            for log in fresh:
                self._next[log] = self._start(TopicPartition(*log), stored, first[log], end[log])
                consumer.seek(log, self._next[log])
                self._ends[TopicPartition(*log)] = end[log]
            if not self._paused:
                consumer.resume(*fresh)
        self._listener.fresh.difference_update(fresh)
        self._listener.fresh.intersection_update(mine)

    def _name_lives(self, consumer: KafkaConsumer, topics: Collection[str], read: Collection[str]) -> None:
        """Find out which life each topic is in, by the broker's id of it. `read`: topics of which the hub has read."""
        known = self._lives.known(topics)
        for topic in topics:
            topic_id, before = _topic_id(consumer, topic), known.get(topic)
            if before is None:
                self._begin(topic, Life(0, topic_id))
            elif not topic_id or topic_id == before.topic_id:
                self._life[topic] = before
            elif not before.topic_id:
                self._begin(topic, Life(before.number, topic_id))
            else:
                if topic in read:
                    self._lost(f"The topic {topic} was made anew: what it held and the hub had not read is gone.")
                self._begin(topic, Life(before.number + 1, topic_id))

    def _begin(self, topic: str, life: Life) -> None:
        self._life[topic] = life._replace(number=self._lives.begin(topic, life))

    def _number(self, topic: str) -> int:
        return self._life[topic].number if topic in self._life else 0

    def _start(self, log: TopicPartition, stored: Positions, first: int, end: int) -> int:
        number, wanted = lived(stored[log]) if log in stored else (-1, 0)
        if number != self._number(log.topic):
            return first  # nothing was read of this life yet
        if first <= wanted <= end:
            return wanted
        problem = f"The hub needs {log.topic}/{log.partition} from offset {wanted}, but the broker has {first} to {end}"
        if wanted < first:
            self._lost(f"{problem}: older messages were dropped.")
        else:
            # Its old offsets name other messages from now on.
            self._lost(f"{problem}: the topic was made anew.")
            self._begin(log.topic, self._life[log.topic]._replace(number=number + 1))
        return first

    def _lost(self, problem: str) -> None:
        if self._source.on_lost_position == "stop":
            raise PositionLost(
                problem,
                action="Let the connector send a snapshot of the table again, then start with MDM_KAFKA_LOST_POSITION="
                "continue to go on with what the broker has.",
            )
        _log.warning("position_lost", problem=problem)

    def _take(self, consumer: KafkaConsumer, max_messages: int, timeout_seconds: float) -> list[Message]:
        try:
            found = consumer.poll(timeout_ms=int(timeout_seconds * 1000), max_records=max_messages)
        finally:
            keep_join(consumer)
        messages: list[Message] = []
        strayed = {log for log in consumer.assignment() if self._made_anew(consumer, log.topic)}
        for log, records in found.items():
            if log in strayed or self._strayed(consumer, log, records[0].offset):
                strayed.add(log)
                continue
            number = self._number(log.topic)
            messages += [_message(record, number) for record in records]
            self._next[log] = records[-1].offset + 1
        if strayed - self._listener.fresh:
            consumer.pause(*strayed)
            self._listener.fresh |= strayed
        return messages

    def _made_anew(self, consumer: KafkaConsumer, topic: str) -> bool:
        """Whether the broker names a topic by another id than when it was placed."""
        before, now = self._life.get(topic), _topic_id(consumer, topic)
        return before is not None and bool(before.topic_id) and bool(now) and before.topic_id != now

    def _strayed(self, consumer: KafkaConsumer, log: BrokerPartition, offset: int) -> bool:
        """Whether the client went elsewhere by itself, as it does where the broker does not have what comes next.

        Markers of transactions leave holes too, but behind the beginning of the partition.
        """
        wanted = self._next.get(log, offset)
        try:
            return offset < wanted or (offset > wanted and consumer.beginning_offsets([log])[log] > wanted)
        except KafkaError:
            return True  # placed again, so nothing is lost with the failure


@dataclass(slots=True)
class _LivesMet:
    """Lives of the topics that one feed has met, for feeds of which no position is kept."""

    met: dict[str, Life] = field(default_factory=dict)

    def known(self, topics: Collection[str]) -> Mapping[str, Life]:
        return {topic: life for topic, life in self.met.items() if topic in topics}

    def begin(self, topic: str, life: Life) -> int:
        self.met[topic] = life
        return life.number


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes which partitions are new here. Called on the consumer's own thread, so it must not ask the database."""

    def __init__(self, consumer: KafkaConsumer | None = None) -> None:
        self._consumer = consumer
        self.fresh: set[BrokerPartition] = set()

    def on_partitions_assigned(self, assigned: Sequence[BrokerPartition]) -> None:
        if self._consumer is not None and assigned:
            # Held back: the broker's offset is not where the hub stands.
            self._consumer.pause(*assigned)
        self.fresh |= set(assigned)

    def on_partitions_revoked(self, revoked: Sequence[BrokerPartition]) -> None:
        """Nothing to hand over: what is being worked on is stored with its position or not at all."""
        self.fresh -= set(revoked)


def _topic_id(consumer: KafkaConsumer, topic: str) -> str:
    """The broker's id of a topic; empty where it gives none (before Kafka 2.8)."""
    topic_id = consumer._manager.cluster.topic_id(topic)
    return str(topic_id) if topic_id is not None and topic_id.int else ""


def _checked(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as fault:
        raise OperatorError(
            f"--topics is not a regular expression: {fault}.", action="For example --topics '^crm[.]public[.]'."
        ) from fault
    return pattern


def _message(record: ConsumerRecord, life: int) -> Message:
    headers = tuple((name, value if value is not None else b"") for name, value in record.headers)
    place = Place(record.topic, record.partition, in_life(life, record.offset))
    return Message(place, max(record.timestamp, 0), headers, record.key, record.value)


def _note_failed_commit(offsets: Mapping[Any, Any], answer: Any) -> None:  # Any: kafka-python has no types
    if isinstance(answer, Exception):
        # The hub's own position is the truth; the broker's only feeds lag monitors.
        _log.info("broker_commit_failed", partitions=len(offsets), error=type(answer).__name__)


@contextmanager
def _named_errors(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, AuthorizationError) as fault:
        raise OperatorError(
            f"The broker {bootstrap} refuses: {fault}.",
            action="Check MDM_KAFKA_SECURITY_PROTOCOL, MDM_KAFKA_SASL_* and the user's rights on topics and group.",
        ) from fault
    except KafkaError as fault:
        raise TransientError(f"The broker {bootstrap} cannot be used now: {type(fault).__name__} {fault}") from fault


def wait_for_assignment(feed: KafkaFeed, timeout_seconds: float) -> frozenset[TopicPartition]:
    """Poll nothing but the group until partitions are assigned; for tools and tests that must know them first."""
    deadline = time.monotonic() + timeout_seconds
    feed.pause()
    while not feed.assignment() and time.monotonic() < deadline:
        feed.poll(1, 0.2)
    feed.resume()
    return feed.assignment()
