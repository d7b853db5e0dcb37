"""Schema registries, and messages that name a schema nobody has."""

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from mdm.errors import ConfigurationInvalid, OperatorError, TransientError
from mdm.intake.catalogue import load_catalogue
from mdm.intake.debezium import translate
from mdm.intake.refusal import Refused
from mdm.intake.wire import RegisteredSchema, WireFormat
from mdm.model.events import Message, Place
from mdm.streams.registry import FileRegistry, HttpRegistry, open_registry

ACCOUNT = {
    "type": "record", "name": "Value", "namespace": "crm.account",
    "fields": [{"name": "id", "type": "string"}, {"name": "seen", "type": ["null", "crm.Seen"]}],
}  # fmt: skip
SEEN = {"type": "record", "name": "Seen", "namespace": "crm", "fields": [{"name": "times", "type": "int"}]}


def answering(routes: dict[str, object]) -> HttpRegistry:
    def answer(request: httpx.Request) -> httpx.Response:
        found = routes.get(request.url.path)
        if isinstance(found, int):
            return httpx.Response(found)
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://registry")
    return HttpRegistry("http://registry", client)


def in_wire_format(number: int, content: bytes) -> Message:
    return Message(Place("crm.public.account", 0, 0), 0, (), None, b"\0" + number.to_bytes(4, "big") + content)


def test_a_registry_gives_a_schema_with_what_it_refers_to() -> None:
    registry = answering(
        {
            "/schemas/ids/7": {
                "schema": json.dumps(ACCOUNT),
                "references": [{"name": "crm.Seen", "subject": "crm.Seen", "version": 2}],
            },
            "/subjects/crm.Seen/versions/2": {"schema": json.dumps(SEEN)},
        }
    )

    assert registry.schema(7) == RegisteredSchema("AVRO", json.dumps(ACCOUNT), (json.dumps(SEEN),))
    # "a1" and the branch "not null" with 3 times
    plain = WireFormat(registry).plain(in_wire_format(7, b"\x04a1\x02\x06"))
    assert json.loads(plain.value or b"")["payload"] == {"id": "a1", "seen": {"times": 3}}


def test_a_schema_that_the_registry_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="does not know schema 9") as refused:
        WireFormat(answering({})).plain(in_wire_format(9, b""))

    assert refused.value.code == "SCHEMA_UNKNOWN"


def test_content_that_does_not_fit_its_schema_is_refused() -> None:
    registry = answering({"/schemas/ids/1": {"schema": json.dumps(SEEN)}})

    with pytest.raises(Refused, match="does not fit"):
        WireFormat(registry).plain(in_wire_format(1, b""))


def test_a_registry_that_is_down_is_asked_again_later() -> None:
    with pytest.raises(TransientError):
        answering({"/schemas/ids/1": 503}).schema(1)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "https://login"}),
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, json={"schema": 7}),
        httpx.Response(200, json=["schema"]),
    ],
)
def test_what_is_no_answer_of_a_registry_makes_no_dead_letter(answer: httpx.Response) -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda _: answer), base_url="http://registry")
    wire = WireFormat(HttpRegistry("http://registry", client))

    with pytest.raises(TransientError):
        translate([in_wire_format(7, b"")], load_catalogue(None), wire.plain)


def test_a_registry_that_refuses_us_is_the_operators_matter() -> None:
    with pytest.raises(OperatorError, match="401"):
        answering({"/schemas/ids/1": 401}).schema(1)


def test_a_folder_of_schema_files_is_a_registry(tmp_path: Path) -> None:
    (tmp_path / "3.avsc").write_text(json.dumps(SEEN))
    (tmp_path / "4.json").write_text('{"type": "object"}')
    registry = open_registry(f"file:{tmp_path}")

    assert isinstance(registry, FileRegistry)
    assert [each.kind for number in (3, 4) if (each := registry.schema(number))] == ["AVRO", "JSON"]
    assert registry.schema(5) is None


@pytest.mark.parametrize(
    "setting", ["ftp://registry", "file:/nowhere/at/all", "http://registry:port", "http://me:secret#1@registry:8081"]
)
def test_a_wrong_setting_is_named_and_its_password_is_not(setting: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="MDM_SCHEMA_REGISTRY") as refused:
        open_registry(setting)

    assert "secret" not in f"{refused.value} {refused.value.advice}"


def test_user_and_password_of_the_address_are_shown_to_the_registry() -> None:
    asked: list[tuple[str, str | None]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            references = [{"subject": "crm/Seen?", "version": 1}] if "/ids/" in self.path else []
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"schema": "{}", "references": references}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        open_registry(f"http://me:p%40ss@127.0.0.1:{server.server_port}/ccompat/v7/").schema(7)
        server.shutdown()

    basic = "Basic " + b64encode(b"me:p@ss").decode()
    assert asked == [("/ccompat/v7/schemas/ids/7", basic), ("/ccompat/v7/subjects/crm%2FSeen%3F/versions/1", basic)]


def test_without_a_registry_the_message_says_so() -> None:
    with pytest.raises(Refused) as refused:
        WireFormat(open_registry(None)).plain(in_wire_format(1, b""))

    assert refused.value.code == "SCHEMA_UNKNOWN"


def test_messages_in_plain_json_pass_untouched() -> None:
    message = Message(Place("crm.public.account", 0, 0), 0, (), b'{"id":1}', None)

    assert WireFormat(open_registry(None)).plain(message) is message
