"""Real captures, written again in a schema registry's formats, decode to the very same change events."""

import pytest

from mdm.hub.conformance.run import SETTINGS, capture, contracts_of
from mdm.intake.debezium import translate
from mdm.intake.wire import WireFormat
from mdm.streams.registry import open_registry
from tests.harness.registered import WritingRegistry, serving


@pytest.mark.parametrize("name", ["schemas_precise_adaptive", "schemas_string_connect"])
@pytest.mark.parametrize("kind", ["AVRO", "JSON"])
def test_a_registered_capture_says_what_the_embedded_one_says(name: str, kind: str) -> None:
    catalogue = contracts_of(SETTINGS[name])
    messages, registry = capture(name), WritingRegistry(kind)
    written = [registry.write(message) for message in messages]
    assert any(message.value and message.value.startswith(b"\0") for message in written)

    plain = translate(messages, catalogue)
    with serving(registry) as address:
        decoded = translate(written, catalogue, WireFormat(open_registry(address)).plain)

    assert decoded.events == plain.events
    assert decoded.ignored == plain.ignored
    assert [letter.code for letter in decoded.dead_letters] == [letter.code for letter in plain.dead_letters]


def test_json_without_its_schema_is_refused_by_name() -> None:
    registry = WritingRegistry("JSON")
    written = [registry.write(message) for message in capture("schemas_string_connect")]
    (forgotten, *_) = registry.schemas

    with serving(registry) as address:
        registry.schemas.pop(forgotten)
        decoded = translate(
            written, contracts_of(SETTINGS["schemas_string_connect"]), WireFormat(open_registry(address)).plain
        )

    assert decoded.events
    assert {letter.code for letter in decoded.dead_letters} == {"SCHEMA_UNKNOWN"}
    assert all(f"schema {forgotten}" in letter.reason for letter in decoded.dead_letters)


def test_a_dead_letter_keeps_the_bytes_that_came() -> None:
    catalogue = contracts_of(SETTINGS["schemas_string_connect"])
    registry = WritingRegistry("AVRO")
    written = [registry.write(message) for message in capture("schemas_string_connect")]
    forgetful = WireFormat(WritingRegistry("AVRO"))

    refused = translate(written, catalogue, forgetful.plain).dead_letters

    assert {letter.code for letter in refused} == {"SCHEMA_UNKNOWN"}
    assert {letter.message for letter in refused} <= set(written)
