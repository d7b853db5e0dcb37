"""From what the command line says to a feed: `file:PATH` or `kafka://host:port`."""

import os
import re
from functools import partial
from pathlib import Path

from mdm.bootstrap import Hub
from mdm.errors import OperatorError
from mdm.intake.catalogue import Catalogue
from mdm.store.lives import StoredLives
from mdm.store.positions import stored_positions
from mdm.streams.file import FileFeed
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.streams.kafka_settings import read_stream_settings

#: The consumer group when none is named.
GROUP = "mdm"
#: HOST:PORT; the host of an IPv6 address in brackets. The client answers any other port with a failure of its own.
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/?#@\[\]]+):(?P<port>[0-9]{1,5})")


def open_file(text: str) -> FileFeed:
    """The feed that `file:PATH` names.

    Raises:
        OperatorError: it names nothing that can be read.
    """
    scheme, _, rest = text.partition(":")
    if scheme != "file" or not rest:
        raise OperatorError(
            f"Unknown feed {text!r}.",
            action="Use file:PATH with a .jsonl(.gz) file or folder, or kafka://HOST:PORT with --topics and --group.",
        )
    path = Path(rest)
    if not path.exists():
        raise OperatorError(f"There is nothing at {rest}.", action="Give the path of a capture file or folder.")
    return FileFeed(path)


def open_to_look(text: str, topics: str | None, catalogue: Catalogue) -> FileFeed | KafkaFeed:
    """The feed that `file:PATH` or `kafka://HOST:PORT` names, from its beginning to its end; no position is kept.

    Raises:
        OperatorError: it names nothing that can be read.
    """
    if not text.startswith("kafka:"):
        return open_file(text)
    settings = read_stream_settings(os.environ)
    source = KafkaSource(
        bootstrap=brokers_of(text),
        topics=topics or topics_of(catalogue),
        group=f"{GROUP}-look-{os.getpid()}",
        security=settings.security,
        until_end=True,
    )
    return KafkaFeed(source)


def open_kafka(
    hub: Hub,
    text: str,
    topics: str | None,
    group: str,
    catalogue: Catalogue,
    until_end: bool,
    session_seconds: float = 10.0,
) -> KafkaFeed:
    """The feed that `kafka://HOST:PORT[,HOST:PORT...]` names, which continues where the hub stands.

    Raises:
        OperatorError: the address is incomplete, the group has no name, or a setting of the environment is wrong.
    """
    if not group.strip():
        raise OperatorError("A consumer group needs a name.", action="Leave --group out, or give the group's name.")
    settings = read_stream_settings(os.environ)
    source = KafkaSource(
        bootstrap=brokers_of(text),
        topics=topics or topics_of(catalogue),
        group=group,
        security=settings.security,
        until_end=until_end,
        on_lost_position=settings.on_lost_position,
        session_timeout_ms=int(session_seconds * 1000),
    )
    return KafkaFeed(source, partial(stored_positions, hub.engine, f"kafka:{group}"), StoredLives(hub.engine))


def brokers_of(text: str) -> str:
    """The brokers of `kafka://HOST:PORT[,HOST:PORT...]`, as the client wants them.

    Raises:
        OperatorError: it names none.
    """
    brokers = text.removeprefix("kafka://").strip("/")
    named = [_BROKER.fullmatch(each) for each in brokers.split(",")]
    if not text.startswith("kafka://") or not all(each and 0 < int(each["port"]) < 1 << 16 for each in named):
        raise OperatorError(f"{text!r} names no broker.", action="Use kafka://HOST:PORT[,HOST:PORT...].")
    return brokers


def topics_of(catalogue: Catalogue) -> str:
    """The pattern of all topics of the catalogue's platforms: tables, heartbeats, transactions and schema changes."""
    prefixes = "|".join(prefix.replace(".", "[.]") for prefix in sorted(catalogue.topic_prefixes))
    return f"^(__debezium-heartbeat[.])?({prefixes})([.].*)?$"
