"""Schema registries: Confluent's REST interface (also Apicurio's and Karapace's), or a folder of schema files."""

from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec

from mdm.errors import ConfigurationInvalid, OperatorError, TransientError
from mdm.intake.wire import RegisteredSchema, Schemas

_TIMEOUT_SECONDS = 10.0
_KINDS = {".avsc": "AVRO", ".json": "JSON"}


class _Reference(msgspec.Struct):
    subject: str
    version: int


class _Answer(msgspec.Struct):
    schema: str
    kind: str | None = msgspec.field(default=None, name="schemaType")
    references: tuple[_Reference, ...] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class FileRegistry:
    """Schemas from files named by their number: `7.avsc` is Avro, `8.json` is JSON Schema."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigurationInvalid(f"MDM_SCHEMA_REGISTRY names the folder {folder}, which does not exist.")
        self._folder = folder

    def schema(self, number: int) -> RegisteredSchema | None:
        for suffix, kind in _KINDS.items():
            file = self._folder / f"{number}{suffix}"
            if file.exists():
                return RegisteredSchema(kind, file.read_text("utf-8"))
        return None


class HttpRegistry:
    """A registry's REST interface. User and password go into the address: `https://user:password@host`."""

    def __init__(self, address: str, client: httpx.Client | None = None) -> None:
        try:
            self._client = client or httpx.Client(base_url=address.rstrip("/"), timeout=_TIMEOUT_SECONDS)
        except httpx.InvalidURL as fault:  # its text has a piece of the address, and so of the password
            raise ConfigurationInvalid(
                "MDM_SCHEMA_REGISTRY is no address.",
                action="Write it as https://user:password@host:port, with /, #, ? and @ of user and password "
                "percent-encoded.",
            ) from fault

    def schema(self, number: int) -> RegisteredSchema | None:
        found = self._get(f"/schemas/ids/{number}")
        return None if found is None else self._registered(found)

    def _registered(self, found: _Answer) -> RegisteredSchema:
        references: list[str] = []
        for each in found.references or ():
            answer = self._get(f"/subjects/{quote(each.subject, safe='')}/versions/{each.version}")
            if answer is not None:
                inner = self._registered(answer)
                references += [*inner.references, inner.text]
        return RegisteredSchema(found.kind or "AVRO", found.schema, tuple(references))

    def _get(self, path: str) -> _Answer | None:
        try:
            answer = self._client.get(path)
        except httpx.HTTPError as fault:
            raise TransientError(f"The schema registry cannot be asked: {fault}") from fault
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise OperatorError(
                f"The schema registry refuses with {answer.status_code}.",
                action="Put user and password into MDM_SCHEMA_REGISTRY: https://user:password@host.",
            )
        if not answer.is_success:
            raise TransientError(f"The schema registry answered {answer.status_code}.")
        try:
            return _ANSWER.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            # A proxy's page, say. No message is to blame for it, so none becomes a dead letter.
            raise TransientError(f"What answers as the schema registry is none: {fault}") from fault


class NoRegistry:
    """No registry is set up: a message that needs one says so."""

    def schema(self, number: int) -> RegisteredSchema | None:  # noqa: ARG002 - the port's signature
        return None


def open_registry(setting: str | None) -> Schemas:
    """The registry of `MDM_SCHEMA_REGISTRY`: an http(s) address, `file:FOLDER`, or nothing.

    Raises:
        ConfigurationInvalid: it is none of these.
    """
    if not setting:
        return NoRegistry()
    if setting.startswith(("http://", "https://")):
        return HttpRegistry(setting)
    if setting.startswith("file:"):
        return FileRegistry(Path(setting.removeprefix("file:")))
    raise ConfigurationInvalid(
        "MDM_SCHEMA_REGISTRY must be an http(s) address or file:FOLDER.",
        action="For example MDM_SCHEMA_REGISTRY=http://registry:8081.",
    )
