"""Real messages, damaged: what a broker, a converter, a proxy or a person could make of the captures' bytes."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from mdm.hub.conformance.journal import Journal
from mdm.hub.conformance.run import SETTINGS, capture, contracts_of
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import Plain, as_it_is, translate
from mdm.intake.wire import WireFormat
from mdm.model.events import Message, Place
from tests.harness.registered import WritingRegistry

#: Bytes that mean something somewhere in an envelope.
_TOKENS = (
    b"null", b"true", b"{}", b"[]", b'""', b"-0", b"1e400", b"99999999999999999999", b"NaN", b"\\u0000", b"\x00",
    b"\xff\xfe", b'"__debezium_unavailable_value"', b'"payload"', b'"schema"', b'"op":"t"', b'"op":"m"', b"{{", b"]]",
    b'{"scale":2,"value":"AA=="}', b'"\\ud800"', b"[" * 400, b'"sequence":"[\\"1\\",\\"2\\"]"', b"infinity",
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


#: Captures as they ship, and one of them as it comes by a schema registry.
_REGISTERED = "schemas_string_connect"
_CORPORA = (*sorted(SETTINGS), "AVRO", "JSON")


@cache
def corpus(name: str) -> tuple[Sequence[Message], Catalogue, Plain]:
    """A capture's messages, the contracts they are read by, and what makes them plain JSON."""
    if name in SETTINGS:
        return capture(name), contracts_of(SETTINGS[name]), as_it_is
    registry = WritingRegistry(name)
    written = [registry.write(message) for message in capture(_REGISTERED)]
    return written, contracts_of(SETTINGS[_REGISTERED]), WireFormat(registry).plain


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Message]:
    """The name of a capture, and one of its messages with something done to it."""
    name = draw(st.sampled_from(_CORPORA))
    messages, _, _ = corpus(name)
    message = draw(st.sampled_from(messages))
    parts = [message.key, message.value, *(content for _, content in message.headers)]
    position = draw(st.integers(0, len(parts) - 1))
    parts[position] = draw(_damage(parts[position]))
    headers = tuple((header, part or b"") for (header, _), part in zip(message.headers, parts[2:], strict=True))
    return name, Message(Place(*message.place), message.timestamp_ms, headers, parts[0], parts[1])


def _damage(part: bytes | None) -> st.SearchStrategy[bytes | None]:
    if not part:
        return st.none() | st.binary(max_size=60) | st.sampled_from(_TOKENS)
    return _bytes_changed(part) | _value_changed(part) | st.none()


@st.composite
def _bytes_changed(draw: st.DrawFn, part: bytes) -> bytes:
    start = draw(st.integers(0, len(part)))
    length = draw(st.integers(0, 12))
    inserted = draw(st.sampled_from(_TOKENS) | st.binary(max_size=4))
    return part[:start] + inserted + part[start + length :]


@st.composite
def _value_changed(draw: st.DrawFn, part: bytes) -> bytes:
    """The JSON with one value, somewhere inside, replaced, taken out or added."""
    try:
        document = json.loads(part)
    except ValueError:
        return part + b"}"
    place: Any = document
    while isinstance(place, dict) and place:
        name = draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or draw(st.booleans()):
            action = draw(st.sampled_from(["replace", "remove", "add"]))
            if action == "remove":
                del place[name]
            else:
                place[name if action == "replace" else draw(st.text(max_size=8))] = draw(_JSON)
            break
        place = place[name]
    return json.dumps(document).encode("utf-8", "surrogatepass")


def check(name: str, message: Message) -> None:
    """One outcome for the message, whatever was done to it; an event that comes of it can be folded and stored."""
    _, catalogue, plain = corpus(name)
    decoded = translate([message], catalogue, plain)
    assert len(decoded.events) + len(decoded.ignored) + len(decoded.dead_letters) == 1
    for letter in decoded.dead_letters:
        assert letter.code
        assert letter.reason
        assert letter.action
        assert "\0" not in (letter.row_key or "")
    for event in decoded.events:
        text = json.dumps(event.row)
        assert "\\u0000" not in text.replace("\\\\", "")
        assert all(-(2**63) <= number < 2**63 for number in event.position)
        journal = Journal().take([*decoded.events])
        assert set(journal.outcomes) == {event.place}
