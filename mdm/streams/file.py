"""A feed from captured files: JSON lines, plain or gzip, one file or a folder of them.

One line is one message: `topic`, `partition`, `offset`, `timestamp`, `headers` as `[[name, text], ...]`, `key` and
`value`. Key and value are the converter's JSON, either spliced in as it is (the bytes are sliced out, never encoded
again) or as a JSON string that holds it; `null` is a Kafka null. Lines are read one by one, so a capture of any size
fits in memory.
"""

import gzip
import zlib
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.model.events import Message, Place
from mdm.streams.protocol import Positions

#: A line that is no message gets a place under this prefix, so that it can be named, kept and refused; the offset is
#: the number of the line.
LINE_TOPIC_PREFIX: Final = "file:"


_Topic = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
_Int32 = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
#: The next offset must fit into 64 bits too.
_Int64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 2)]


class _Line(msgspec.Struct):
    topic: _Topic
    partition: _Int32
    offset: _Int64
    key: msgspec.Raw
    value: msgspec.Raw
    timestamp: _Int64 = 0
    headers: tuple[tuple[str, str | None], ...] = ()


_LINE = msgspec.json.Decoder(_Line)
_TEXT = msgspec.json.Decoder(str)


class FileFeed:
    """The messages of a file, or of every `*.jsonl*` file below a folder in order of their names.

    Raises:
        ConfigurationInvalid: there is no such file, or the folder holds no capture.
    """

    def __init__(self, path: Path) -> None:
        self._files = _captures(path)
        self._root = path if path.is_dir() else path.parent
        self._name = f"{LINE_TOPIC_PREFIX}{path.name}"
        self._bytes_total = sum(file.stat().st_size for file in self._files)
        self._bytes_finished = 0
        self._open_file: IO[bytes] | None = None
        self._messages = self._read()
        self._ended = False
        self._paused = False

    @property
    def name(self) -> str:
        """`file:` and the last part of the path."""
        return self._name

    @property
    def bytes_total(self) -> int:
        """Bytes of the files, compressed ones as they lie on disk."""
        return self._bytes_total

    def seek(self, positions: Positions) -> None:
        """Nothing: a file is always read from its start.

        A capture can be cut, joined or shuffled between two runs, so an offset says nothing about a place in it. The
        hub's ledger recognises what it has seen and counts it as a duplicate.
        """

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:  # noqa: ARG002 - never waits
        """The next messages; fewer than `max_messages` only at the end. Never waits.

        Raises:
            OperatorError: a compressed file is cut short or damaged.
        """
        messages: list[Message] = []
        if self._paused:
            return messages
        for message in self._messages:
            messages.append(message)
            if len(messages) >= max_messages:
                return messages
        self._ended = True
        return messages

    def commit(self, positions: Positions) -> None:
        """Nothing: a file keeps no positions."""

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def lag(self) -> Positions:
        """Nothing: how many lines a file has is not known before it was read."""
        return {}

    def at_end(self) -> bool:
        return self._ended

    def close(self) -> None:
        self._messages.close()
        self._ended = True

    def progress(self) -> float:
        """The share of the files' bytes (compressed ones as they lie on disk) that has been read, from 0 to 1."""
        if self._ended or not self._bytes_total:
            return 1.0
        read = self._bytes_finished + (self._open_file.tell() if self._open_file else 0)
        return min(read / self._bytes_total, 1.0)

    def _read(self) -> Generator[Message, None, None]:
        for file in self._files:
            label = f"{LINE_TOPIC_PREFIX}{file.relative_to(self._root).as_posix()}"
            with file.open("rb") as raw:
                self._open_file = raw
                try:
                    yield from _messages(_lines_of(raw), label)
                except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
                    raise OperatorError(
                        f"{file} is damaged or cut short: {fault}.",
                        action="Copy the file again and repeat the ingest: what was read counts as duplicates.",
                    ) from fault
                finally:
                    self._open_file = None
            self._bytes_finished += file.stat().st_size


def _captures(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    files = tuple(sorted(file for file in path.glob("**/*.jsonl*") if file.is_file())) if path.is_dir() else ()
    if not files:
        raise ConfigurationInvalid(
            f"{path} is neither a capture file nor a folder with *.jsonl or *.jsonl.gz files.",
            action="Name the file or folder after `file:`.",
        )
    return files


def _lines_of(raw: IO[bytes]) -> Iterable[bytes]:
    # The first bytes decide, not the name: captures get renamed.
    compressed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if compressed else raw


def _messages(lines: Iterable[bytes], label: str) -> Generator[Message, None, None]:
    for number, text in enumerate(lines, start=1):
        line = text.strip()
        if not line:
            continue
        try:
            yield _message(_LINE.decode(line))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            # One bad line must not hold up the rest: it goes on whole, is refused by name and can be looked at.
            yield Message(_place_of_line(label, number, line), 0, (), None, line)


def _place_of_line(label: str, number: int, line: bytes) -> Place:
    # The partition is a checksum of the line: another file of this name with another bad line 5 is another message,
    # not a duplicate that would be lost.
    return Place(label, zlib.crc32(line) & 0x7FFFFFFF, number)


def _message(line: _Line) -> Message:
    headers = tuple((name, b"" if text is None else text.encode()) for name, text in line.headers)
    place = Place(line.topic, line.partition, line.offset)
    return Message(place, line.timestamp, headers, _bytes(line.key), _bytes(line.value))


def _bytes(raw: msgspec.Raw) -> bytes | None:
    spliced = bytes(raw)
    if spliced == b"null":
        return None
    # A converter's JSON is an object; a string can only be the other form, where it is quoted as text.
    return _TEXT.decode(spliced).encode() if spliced.startswith(b'"') else spliced
