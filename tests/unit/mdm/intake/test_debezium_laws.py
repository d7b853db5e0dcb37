"""Whatever a broker delivers, decoding answers with exactly one outcome and never raises."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.debezium import translate
from mdm.intake.mapping import standardise
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.intake.messages import TOPIC, catalogue, envelope, part

#: No deadline: word lists and numbering plans are loaded on first use.
QUICK = settings(deadline=None)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TOPICS = st.sampled_from(
    [TOPIC, "shop.public.other", "shop", "shop.transaction", "file:x.jsonl", "__debezium-heartbeat"]
)
COLUMNS = ("id", "name", "price", "made_on", "colour", "new")
SOURCE_FIELDS = ("ts_us", "ts_ms", "sequence", "lsn", "txId", "file", "pos")
HEADERS = st.lists(
    st.tuples(st.sampled_from(["__debezium.newkey", "__debezium.oldkey", "traceparent", "x"]), st.binary(max_size=30)),
    max_size=3,
).map(tuple)


@cache
def shop(decimals: str) -> Catalogue:
    with TemporaryDirectory() as folder:
        return catalogue(Path(folder), decimals=decimals)


@cache
def shipped() -> Catalogue:
    return load_catalogue()


def outcomes(message: Message, decimals: str = "string") -> int:
    decoded = translate([message], shop(decimals))
    return len(decoded.events) + len(decoded.ignored) + len(decoded.dead_letters)


@QUICK
@given(TOPICS, HEADERS, st.none() | st.binary(max_size=80), st.none() | st.binary(max_size=200))
def test_any_bytes_have_one_outcome(
    topic: str, headers: tuple[tuple[str, bytes], ...], key: bytes | None, value: bytes | None
) -> None:
    assert outcomes(Message(Place(topic, 0, 0), 0, headers, key, value)) == 1


@QUICK
@given(JSON, JSON)
def test_any_json_has_one_outcome(key: Any, value: Any) -> None:
    assert outcomes(Message(Place(TOPIC, 0, 0), 0, (), json.dumps(key).encode(), json.dumps(value).encode())) == 1


@QUICK
@given(
    st.sampled_from(["string", "precise", "double"]),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "name", "price", "made_on", "colour", "new"), JSON)),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("ts_us", "ts_ms", "sequence", "lsn", "txId", "file", "pos"), JSON)
    ),
    st.sampled_from("rcudtmx"),
)
def test_any_row_in_an_envelope_has_one_outcome(
    decimals: str, columns: dict[str, Any], source: dict[str, Any], op: str
) -> None:
    value = envelope(op, after=part(**columns), source=source)

    assert outcomes(Message(Place(TOPIC, 0, 0), 0, (), b'{"id":7}', json.dumps(value).encode()), decimals) == 1


@QUICK
@given(st.sampled_from(["1e999999999", "-1E+131073", "9" * 5000, "1e-999999"]), st.integers(-(10**9), 10**9))
def test_a_monstrous_number_costs_neither_memory_nor_the_batch(text: str, scale: int) -> None:
    as_text = envelope(after=part(price=text))
    scaled = envelope(after=part(price={"scale": scale, "value": "AQ=="}))

    for value in (as_text, scaled):
        for decimals in ("string", "precise"):
            assert outcomes(Message(Place(TOPIC, 0, 0), 0, (), b'{"id":7}', json.dumps(value).encode()), decimals) == 1


PROFILES = [profile for profile in load_catalogue().profiles if profile.mapping is not None]


@QUICK
@given(st.data())
def test_any_row_can_be_standardised_and_twice_the_same(data: st.DataObject) -> None:
    profile = data.draw(st.sampled_from(PROFILES))
    values = JSON | JSON.map(json.dumps) | st.text(max_size=60)
    row = {name: data.draw(values) for name in profile.contract.columns}

    key = CrosswalkKey(profile.system, profile.table, "k")
    record = standardise(shipped(), key, row)

    assert record == standardise(shipped(), key, row)
    assert json.loads(json.dumps(record.comparison)) == record.comparison
    json.dumps(record.attributes)
    everything = [record.attributes, record.comparison, record.references, record.aliases, record.evidence]
    assert not any("\0" in text for text in texts_in(everything)), "PostgreSQL stores no NUL"


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts_in([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
