"""Decodes one broker message into a change event, into nothing, or into a dead letter. Never raises on bad input.

What PostgreSQL and MySQL connectors really send decides the rules here; the comments name the habit each one is for.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from mdm.intake.catalogue import Catalogue, Profile
from mdm.intake.envelope import (
    Envelope,
    Origin,
    Transaction,
    decode_envelope,
    decode_flat,
    header_text,
    json_of,
    position,
    unwrap,
)
from mdm.intake.refusal import ACTIONS, FALLBACK_OWNER, Deviation, Refused
from mdm.intake.rows import ReadRow
from mdm.model.events import ChangeEvent, DeadLetter, Drift, Ignored, Message, Operation
from mdm.model.ids import CrosswalkKey, primary_key_text

HEARTBEAT_PREFIX: Final = "__debezium-heartbeat"
#: Topic prefix of lines of a capture file that are no messages (see `mdm.streams.file`).
LINE_PREFIX: Final = "file:"
_NEW_KEY: Final = "__debezium.newkey"
_OLD_KEY: Final = "__debezium.oldkey"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OPERATIONS: Final = {operation.value: operation for operation in Operation}
#: An escaped NUL; after an even number of backslashes only, otherwise the escape is itself escaped.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
#: Longer keys do not fit into an index page of the store; no platform has such ids.
_LONGEST_KEY: Final = 1_000
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch of messages came to. Every message is in exactly one of the first three."""

    events: tuple[ChangeEvent, ...]
    ignored: tuple[Ignored, ...]
    dead_letters: tuple[DeadLetter, ...]
    #: At most one per table, column and code.
    drifts: tuple[Drift, ...]


#: Turns a message of a schema registry's binary format into plain JSON (see `mdm.intake.wire`); raises Refused.
Plain: TypeAlias = Callable[[Message], Message]


def as_it_is(message: Message) -> Message:
    """The `Plain` of feeds whose messages are JSON already."""
    return message


def translate(messages: Iterable[Message], catalogue: Catalogue, plain: Plain = as_it_is) -> Decoded:
    """Decode a batch, in order. Never raises on bad input."""
    events: list[ChangeEvent] = []
    ignored: list[Ignored] = []
    dead_letters: list[DeadLetter] = []
    drifts: dict[tuple[str, str, str, str], Drift] = {}
    for message in messages:
        decoded, deviations = _decode(message, catalogue, plain)
        for deviation in deviations:
            _note(drifts, message, deviation, catalogue)
        if isinstance(decoded, ChangeEvent):
            events.append(decoded)
        elif isinstance(decoded, Ignored):
            ignored.append(decoded)
        else:
            dead_letters.append(decoded)
    return Decoded(tuple(events), tuple(ignored), tuple(dead_letters), tuple(drifts.values()))


def decode(message: Message, catalogue: Catalogue) -> ChangeEvent | Ignored | DeadLetter:
    """Decode one message. Never raises on bad input."""
    return _decode(message, catalogue, as_it_is)[0]


def _decode(
    message: Message, catalogue: Catalogue, plain: Plain
) -> tuple[ChangeEvent | Ignored | DeadLetter, tuple[Deviation, ...]]:
    profile = catalogue.by_topic(message.place.topic)
    try:
        if profile is not None and not profile.readers:
            table = f"{profile.system}.{profile.table}"
            raise Refused("CONTRACT_NOT_ACTIVE", f"The contract of {table} is {profile.contract.status}.")
        readable = plain(message)
        if profile is None:
            return _decode_without_contract(readable, catalogue), ()
        return _decode_by_contract(readable, profile)
    except Refused as refusal:
        return refused(message, profile, refusal), (() if refusal.deviation is None else (refusal.deviation,))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        unread = Refused("ENVELOPE_MALFORMED", f"The message cannot be read: {fault}.")
        return refused(message, profile, unread), ()


def _decode_by_contract(message: Message, profile: Profile) -> tuple[ChangeEvent | Ignored, tuple[Deviation, ...]]:
    _refuse_nul(message)
    # A tombstone comes as a Kafka null, as the four characters `null`, or as a null payload beside its schema.
    if message.value is None or message.value == b"null":
        return Ignored(message.place, "tombstone"), ()
    if profile.contract.flat:
        return _flat_change(message, message.value, profile)
    envelope, schema = _envelope(message.value)
    if envelope is None:
        return Ignored(message.place, "tombstone"), ()
    if envelope.op == "m":
        return Ignored(message.place, "logical_message"), ()
    operation = _OPERATIONS.get(envelope.op or "")
    if operation is None or envelope.source is None:
        raise Refused("ENVELOPE_MALFORMED", "The value has no known op, or no source block.")
    if operation is Operation.TRUNCATE:
        return _truncate(message, profile, envelope), ()
    return _row_change(message, profile, envelope, operation, schema)


def _row_change(
    message: Message, profile: Profile, envelope: Envelope, operation: Operation, schema: bytes | None
) -> tuple[ChangeEvent, tuple[Deviation, ...]]:
    key = _key(message.key, profile)
    if operation is Operation.DELETE:
        # With the default replica identity `before` holds the key and invented values: only the key is believed.
        return _event(message, profile, envelope, operation, key, next_key=_header_key(message, _NEW_KEY, profile)), ()
    after = json_of(envelope.after)
    if after is None:
        raise Refused("ENVELOPE_MALFORMED", f"An event with op {operation.value} has no row in `after`.")
    row = profile.read_row(after, schema)
    _refuse_another_row(key, row, profile)
    previous_key = _header_key(message, _OLD_KEY, profile) if operation is Operation.CREATE else None
    return _event(message, profile, envelope, operation, key, row, previous_key=previous_key), row.deviations


def _flat_change(
    message: Message, value: bytes, profile: Profile
) -> tuple[ChangeEvent | Ignored, tuple[Deviation, ...]]:
    """A row without envelope (ExtractNewRecordState). Truncates never come in this form: the transform drops them."""
    payload, schema = unwrap(value)
    if payload == b"null":
        return Ignored(message.place, "tombstone"), ()
    envelope = decode_flat(payload).envelope()
    operation = _OPERATIONS.get(envelope.op or "")
    if operation is None:
        raise Refused("ENVELOPE_MALFORMED", "The value has no known __op.")
    key = _key(message.key, profile)
    if operation is Operation.DELETE:
        return _event(message, profile, envelope, operation, key, next_key=_header_key(message, _NEW_KEY, profile)), ()
    row = profile.read_flat_row(payload, schema)
    _refuse_another_row(key, row, profile)
    previous_key = _header_key(message, _OLD_KEY, profile)
    return _event(message, profile, envelope, operation, key, row, previous_key=previous_key), row.deviations


def _truncate(message: Message, profile: Profile, envelope: Envelope) -> ChangeEvent:
    if not profile.contract.truncate_applies:
        raise Refused(
            "TRUNCATE_HELD",
            f"The source emptied the table {profile.system}.{profile.table}; its contract holds such an event.",
        )
    return _event(message, profile, envelope, Operation.TRUNCATE, None)


def _event(
    message: Message,
    profile: Profile,
    envelope: Envelope,
    operation: Operation,
    key: CrosswalkKey | None,
    row: ReadRow | None = None,
    *,
    previous_key: CrosswalkKey | None = None,
    next_key: CrosswalkKey | None = None,
) -> ChangeEvent:
    origin = envelope.source
    assert origin is not None
    return ChangeEvent(
        place=message.place,
        system=profile.system,
        type=profile.table,
        operation=operation,
        key=key,
        row=None if row is None else row.values,
        unavailable=_NOTHING if row is None else row.unavailable,
        position=position(origin, envelope.transaction, operation),
        event_time=_event_time(origin),
        snapshot=origin.snapshot not in (None, False, "false"),
        transaction=_transaction(origin, envelope.transaction),
        lsn=origin.lsn,
        previous_key=previous_key,
        next_key=next_key,
        traceparent=traceparent(message),
    )


def _event_time(origin: Origin) -> datetime:
    """When the source committed the change; the envelope's own times are when the connector saw it."""
    microseconds = origin.ts_us if origin.ts_us is not None else (origin.ts_ms or 0) * 1_000
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as fault:
        raise Refused("ENVELOPE_MALFORMED", "The time in the source block is out of range.") from fault


def _transaction(origin: Origin, transaction: Transaction | None) -> str | None:
    if origin.tx_id is not None:
        return str(origin.tx_id)
    if transaction is None or transaction.id is None:
        return None
    # PostgreSQL's id is `txId:lsn` with another LSN for every event of one transaction.
    return transaction.id.partition(":")[0]


def _refuse_nul(message: Message) -> None:
    for text in (message.key, message.value):
        if text is not None and b"\\u0000" in text and _NUL.search(text):
            raise Refused("CHARACTER_FORBIDDEN", "A text of the message holds the character NUL.")


def _envelope(value: bytes) -> tuple[Envelope | None, bytes | None]:
    """The envelope and the schema beside it; (None, None) for a null payload."""
    if value.startswith(b"\x00"):
        raise Refused("SCHEMA_UNKNOWN", "The value is in a schema registry's binary format, and no registry is set up.")
    envelope = decode_envelope(value)
    if not envelope.payload:
        return envelope, None
    payload = json_of(envelope.payload)
    return (None, None) if payload is None else (decode_envelope(payload), json_of(envelope.schema))


def _key(key: bytes | None, profile: Profile) -> CrosswalkKey:
    if key is None or key == b"null":
        raise Refused("KEY_NULL", f"A row of {profile.system}.{profile.table} came without a message key.")
    if not profile.contract.primary_key:
        raise Refused("KEY_NULL", f"The contract of {profile.system}.{profile.table} names no primary key.")
    try:
        payload, schema = unwrap(key)
        values = profile.read_key(payload, schema)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused("KEY_MALFORMED", f"The message key cannot be read: {fault}.") from fault
    text = primary_key_text(values, profile.contract.primary_key)
    if len(text) > _LONGEST_KEY:
        raise Refused("KEY_MALFORMED", f"The key has {len(text)} characters; more than {_LONGEST_KEY} cannot be kept.")
    if "\0" in text:
        # Also where the rest of the message is not looked at: a refused message tells its row by this text.
        raise Refused("CHARACTER_FORBIDDEN", "The key holds the character NUL.")
    return CrosswalkKey(profile.system, profile.table, text)


def _refuse_another_row(key: CrosswalkKey, row: ReadRow, profile: Profile) -> None:
    """A row that says of itself that it is another one than the message's key names: nobody knows whose values it has.

    Columns of the key that the event does not mention say nothing.
    """
    columns = profile.contract.primary_key
    if all(row.values.get(name) is not None for name in columns) and primary_key_text(row.values, columns) != key.key:
        named = ", ".join(columns)
        raise Refused("KEY_DIFFERS", f"The message key and the row's own {named} name two different rows.")


def _header_key(message: Message, header: str, profile: Profile) -> CrosswalkKey | None:
    """The other key of a primary-key change, which comes as a delete and a create that name each other."""
    for name, content in message.headers:
        if name == header:
            try:
                return _key(content, profile)
            except Refused as refusal:
                raise Refused("HEADER_MALFORMED", f"Header {header}: {refusal.reason}") from refusal
    return None


def traceparent(message: Message) -> str | None:
    """The W3C trace context. Tracing is a courtesy: an unreadable header costs the trace, not the event."""
    for name, content in message.headers:
        if name == "traceparent":
            try:
                text = header_text(content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
            return text if _TRACEPARENT.fullmatch(text) else None
    return None


def _decode_without_contract(message: Message, catalogue: Catalogue) -> Ignored:
    topic = message.place.topic
    if topic.startswith(LINE_PREFIX):
        raise Refused("FEED_LINE_MALFORMED", f"Line {message.place.offset} of {topic} is not a message.")
    if topic.startswith(HEARTBEAT_PREFIX):
        return Ignored(message.place, "heartbeat")
    if message.value is None or message.value == b"null":
        return Ignored(message.place, "tombstone")
    if catalogue.ignores(topic):
        return Ignored(message.place, "topic_ignored")
    prefix, _, rest = topic.rpartition(".")
    if rest == "transaction" and "." not in prefix:
        return Ignored(message.place, "transaction_marker")
    if topic in catalogue.topic_prefixes:
        return Ignored(message.place, "schema_change")
    if rest == "message" and prefix in catalogue.topic_prefixes:
        return Ignored(message.place, "logical_message")
    raise Refused("TOPIC_UNKNOWN", f"No contract describes the topic {topic}.")


def refused(message: Message, profile: Profile | None, refusal: Refused) -> DeadLetter:
    """The dead letter of a message that was refused; `profile` is that of its table, where one is known."""
    letter = DeadLetter(
        message=message,
        code=refusal.code,
        reason=refusal.reason,
        action=ACTIONS[refusal.code],
        owner=FALLBACK_OWNER if profile is None else profile.owner,
        system=None if profile is None else profile.system,
        type=None if profile is None else profile.table,
        row_key=None if profile is None else _readable_key(message, profile),
    )
    if profile is None:
        return letter
    return replace(letter, tier=profile.tier.number, mend_within=profile.tier.mend_within)


def _readable_key(message: Message, profile: Profile) -> str | None:
    """The row that a refused message is about, as far as its key can be read."""
    try:
        return _key(message.key, profile).key
    except (Refused, RecursionError):
        return None


def _note(
    drifts: dict[tuple[str, str, str, str], Drift], message: Message, deviation: Deviation, catalogue: Catalogue
) -> None:
    profile = catalogue.by_topic(message.place.topic)
    assert profile is not None
    question = (profile.system, profile.table, deviation.column, deviation.code)
    if question not in drifts:
        drifts[question] = Drift(
            message.place, profile.system, profile.table, deviation.code, deviation.column, deviation.detail,
            profile.owner,
        )  # fmt: skip
