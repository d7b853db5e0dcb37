"""Files have habits of their own: compression, folders, broken lines, two ways to quote a value."""

import gzip
from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.model.events import Message, TopicPartition
from mdm.streams.file import FileFeed

LINE = '{"topic":"t","partition":0,"offset":%d,"timestamp":1,"headers":[],"key":{"id":1},"value":{"op":"c"}}\n'


def capture(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(lines).encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    return file


def read(path: Path) -> list[Message]:
    return list(FileFeed(path).poll(100_000, 0.0))


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    plain = capture(tmp_path / "plain.jsonl", LINE % 0, LINE % 1)
    compressed = capture(tmp_path / "packed.jsonl.gz", LINE % 0, LINE % 1)

    assert read(plain) == read(compressed)


def test_compression_is_seen_in_the_content_not_in_the_name(tmp_path: Path) -> None:
    file = capture(tmp_path / "a.jsonl.gz", LINE % 0)

    assert len(read(file.rename(tmp_path / "renamed.jsonl"))) == 1


def test_a_folder_is_read_file_by_file_in_order_of_names(tmp_path: Path) -> None:
    capture(tmp_path / "b.jsonl", LINE % 2)
    capture(tmp_path / "a" / "deep.jsonl.gz", LINE % 1)
    capture(tmp_path / "notes.txt", "not a capture")

    assert [message.place.offset for message in read(tmp_path)] == [1, 2]


def test_the_bytes_of_key_and_value_are_not_touched(tmp_path: Path) -> None:
    spaced = '{"topic":"t","partition":0,"offset":0,"timestamp":1,"headers":[],"key":{"id": 1},"value":{ "é" :1.10}}\n'

    message = read(capture(tmp_path / "a.jsonl", spaced))[0]

    assert (message.key, message.value) == (b'{"id": 1}', '{ "é" :1.10}'.encode())


def test_a_value_may_also_be_quoted_as_text(tmp_path: Path) -> None:
    quoted = '{"topic":"t","partition":0,"offset":0,"key":"{\\"id\\":1}","value":"null"}\n'

    message = read(capture(tmp_path / "a.jsonl", quoted))[0]

    assert message.key == b'{"id":1}'
    assert message.value == b"null", "four characters, which is not a Kafka null"


def test_a_json_null_is_a_kafka_null(tmp_path: Path) -> None:
    tombstone = '{"topic":"t","partition":0,"offset":0,"key":{"id":1},"value":null}\n'

    assert read(capture(tmp_path / "a.jsonl", tombstone))[0].value is None


def test_header_values_are_kept_as_bytes(tmp_path: Path) -> None:
    line = '{"topic":"t","partition":0,"offset":0,"headers":[["a","\\"x\\""],["b",null]],"key":null,"value":null}\n'

    assert read(capture(tmp_path / "a.jsonl", line))[0].headers == (("a", b'"x"'), ("b", b""))


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        '{"topic":"t"}',
        '{"topic":"t","partition":-1,"offset":0,"key":null,"value":null}',
        '{"topic":"no topic","partition":0,"offset":0,"key":null,"value":null}',
        '{"topic":"t","partition":0,"offset":99999999999999999999,"key":null,"value":null}',
        '{"topic":"t","partition":0,"offset":0,"key":"\\ud800","value":null}',
    ],
)
def test_a_broken_line_is_passed_on_whole_and_holds_nothing_up(tmp_path: Path, broken: str) -> None:
    capture(tmp_path / "folder" / "a.jsonl", LINE % 0, f"{broken}\n", "\n", LINE % 1)

    messages = read(tmp_path / "folder")

    places = [(message.place.topic, message.place.offset) for message in messages]
    assert places == [("t", 0), ("file:a.jsonl", 2), ("t", 1)]
    assert messages[1].value == broken.encode()


def test_bytes_that_are_no_utf8_are_a_broken_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"topic":"\xff"}\n')

    assert read(file)[0].place.topic == "file:a.jsonl"


def test_a_cut_file_stops_the_command_with_advice(tmp_path: Path) -> None:
    whole = gzip.compress((LINE % 0).encode() * 5000)
    file = tmp_path / "cut.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(OperatorError, match=r"cut\.jsonl\.gz is damaged") as refused:
        read(file)
    assert "Copy the file again" in refused.value.advice


def test_a_missing_path_is_refused_when_the_feed_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="neither a capture file nor a folder"):
        FileFeed(tmp_path / "nothing")


def test_seeking_does_not_skip_because_files_are_always_read_whole(tmp_path: Path) -> None:
    feed = FileFeed(capture(tmp_path / "a.jsonl", LINE % 0, LINE % 1))
    feed.seek({TopicPartition("t", 0): 2})

    assert len(feed.poll(10, 0.0)) == 2


def test_progress_runs_from_zero_to_one_over_all_files(tmp_path: Path) -> None:
    capture(tmp_path / "a.jsonl", *(LINE % number for number in range(2000)))
    capture(tmp_path / "b.jsonl.gz", *(LINE % number for number in range(2000)))
    feed = FileFeed(tmp_path)
    seen = [feed.progress()]

    while not feed.at_end():
        feed.poll(500, 0.0)
        seen.append(feed.progress())

    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    assert any(0.0 < progress < 1.0 for progress in seen)


def test_a_line_nested_too_deep_to_read_does_not_stop_the_others(tmp_path: Path) -> None:
    deep = '{"a":' * 100_000 + "\n"

    messages = read(capture(tmp_path / "a.jsonl", LINE % 0, deep, LINE % 1))

    assert [message.place.offset for message in messages] == [0, 2, 1]
    assert messages[1].value == deep.strip().encode()


def test_another_bad_line_in_a_file_of_the_same_name_is_another_message(tmp_path: Path) -> None:
    first = read(capture(tmp_path / "a.jsonl", "broken\n"))
    again = read(capture(tmp_path / "a.jsonl", "broken\n"))
    other = read(capture(tmp_path / "a.jsonl", "broken otherwise\n"))

    assert first == again
    assert first[0].place != other[0].place
