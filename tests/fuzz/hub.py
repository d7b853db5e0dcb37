"""Whole hubs fed with damaged feeds: `python -m tests.fuzz.hub SECONDS [FIRST_SEED]`. Stops at the first failure.

One hub is fed what was meant. The other gets the same in units of work of any size, some of it damaged, repeated and
interleaved in another way, with noise between it that no table sent; then what was refused is mended and replayed, and
the noise discarded. Both must hold the same, and each of them what its own history says.
"""

import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.errors import NotFound
from mdm.hub.digest import state_digest
from mdm.hub.exceptions import Mended, fix_dead_letter, replay_dead_letters, to_discard
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import NO_POLICY, Actor, decide
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.debezium import decode
from mdm.model.events import ChangeEvent, DeadLetter, Message, Place
from mdm.store import migrate
from mdm.store.embedded import EmbeddedServer
from mdm.store.read_exceptions import Selection
from mdm.store.read_status import status_summary
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import drain
from tests.conftest import copied
from tests.integration.hub.conftest import world_messages

#: Messages of one feed; some more are made of them.
_MESSAGES = 220
_TEMPLATE = "fuzz_template"
_TOPICS = tuple(
    f"{topic}.public.{table}"
    for topic, tables in {
        "crm": ("account", "contact", "contract", "product2"),
        "billing": ("customer", "subscription", "product", "price"),
        "product": ("tenant", "feature", "entitlement"),
        "erp": ("business_partner", "item", "sales_contract"),
    }.items()
    for table in tables
)
_NEW_OFFSET = 1_000_000

#: What stands in place of a value, an operation, a block.
_ODD: tuple[Any, ...] = (
    None, True, -1, 10**30, 1e300, "", "x" * 70_000, "\ud800", "\0", "__debezium_unavailable_value", [], {}, [[1]],
    {"a": None}, "2024-13-45T99:99:99Z", {"scale": 2, "value": "AA=="}, "NaN", -(2**63), 2**63,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A feed as it was meant, as it comes, and what stands at the places of messages that come damaged."""

    meant: tuple[Message, ...]
    comes: tuple[Message, ...]
    mended: dict[Place, Message]


@cache
def _by_topic() -> dict[str, tuple[Message, ...]]:
    found: dict[str, list[Message]] = {topic: [] for topic in _TOPICS}
    for message in world_messages():
        if message.place.topic in found:
            found[message.place.topic].append(message)
    return {topic: tuple(messages) for topic, messages in found.items()}


def case_of(seed: int) -> Case:
    """The feed of a seed."""
    dice, catalogue = random.Random(seed), load_catalogue(None)
    topics = dice.sample(_TOPICS, dice.randint(2, 6))
    share = _MESSAGES // len(topics)
    chosen: list[Message] = []
    for topic in topics:
        there = _by_topic()[topic]
        start = dice.randrange(max(len(there) - share, 0) + 1)
        chosen += there[start : start + share]
    made = list(_made(chosen, dice))
    meant = [*chosen, *made]
    # A change that comes twice comes as it was: who says something else the second time is not listened to.
    twice = {_change(message, catalogue) for message in made}
    damaged: dict[Place, Message] = {}
    settled: list[Message] = []
    for message in meant:
        changed = _damaged(message, dice) if dice.random() < 0.15 else message
        if changed is message:
            settled.append(message)
        elif _refused(changed, catalogue) and not _refused(message, catalogue):
            damaged[message.place] = changed
            settled.append(message)
        elif (change := _change(message, catalogue)) not in twice and _change(changed, catalogue) == change:
            settled.append(changed)  # it says something else, and says it well
        else:
            # One change of one source has one position there; whoever moves it makes a history that none can have.
            settled.append(message)
    comes = [damaged.get(message.place, message) for message in settled]
    comes = _interleaved(comes, dice) if dice.random() < 0.7 else dice.sample(comes, len(comes))
    for message in dice.sample(comes, len(comes) // 10):
        comes.insert(dice.randrange(len(comes) + 1), message)
    for noise in _noise(chosen, dice):
        comes.insert(dice.randrange(len(comes) + 1), noise)
    return Case(tuple(settled), tuple(comes), {m.place: m for m in settled if m.place in damaged})


def _refused(message: Message, catalogue: Catalogue) -> bool:
    return isinstance(decode(message, catalogue), DeadLetter)


def _change(message: Message, catalogue: Catalogue) -> object:
    """Which change of which row a message tells of."""
    decoded = decode(message, catalogue)
    return (decoded.key, decoded.position[:3]) if isinstance(decoded, ChangeEvent) else message.place


def _interleaved(messages: Sequence[Message], dice: random.Random) -> list[Message]:
    """Every partition in its order, the partitions in any."""
    logs: dict[tuple[str, int], list[Message]] = {}
    for message in messages:
        logs.setdefault((message.place.topic, message.place.partition), []).append(message)
    waiting = [sorted(log, key=lambda each: each.place, reverse=True) for log in logs.values()]
    found = []
    while waiting:
        log = dice.choice(waiting)
        found.append(log.pop())
        if not log:
            waiting.remove(log)
    return found


def _made(chosen: Sequence[Message], dice: random.Random) -> Iterator[Message]:
    """Truncates, snapshots after streaming, primary keys that change, old changes sent anew."""
    offset = _NEW_OFFSET
    for message in dice.sample(chosen, min(24, len(chosen))):
        if message.value is None or message.key is None:
            continue
        offset += dice.randint(1, 3)
        value = json.loads(message.value)
        if value is None or value.get("after") is None:
            continue
        place = Place(message.place.topic, dice.randrange(3), offset)
        kind = dice.choice(["truncate", "snapshot", "rekey", "late", "again", "toast"])
        later = 2_000_000_000 + dice.randrange(10_000)
        if kind == "truncate":
            if dice.random() < 0.3:
                at = dice.choice([_lsn(value), later])
                yield _message(place, message, None, {**_moved(value, at), "op": "t", "after": None})
        elif kind == "snapshot":
            # Taken after streaming, or read again where it stood.
            moved = _moved(value, later) if dice.random() < 0.5 else value
            yield _message(place, message, message.key, {**moved, "op": "r"})
        elif kind == "late":
            yield _message(place, message, message.key, {**_moved(value, dice.randrange(1, later)), "op": "u"})
        elif kind == "again":
            yield replace(message, place=place)
        elif kind == "toast":
            column = dice.choice(sorted(value["after"]))
            after = {**value["after"], column: "__debezium_unavailable_value"}
            yield _message(place, message, message.key, {**_moved(value, later), "op": "u", "after": after})
        else:
            key = json.loads(message.key)
            name = next(iter(key))
            if not isinstance(key[name], str):
                continue
            new = {**key, name: f"{key[name]}-{dice.randrange(3)}"}
            after = {**value["after"], **new}
            moved = _moved(value, later)
            gone = _message(place, message, message.key, {**moved, "op": "d", "before": value["after"], "after": None})
            yield replace(gone, headers=(("__debezium.newkey", json.dumps(new).encode()),))
            offset += 1
            born = _message(
                Place(place.topic, dice.randrange(3), offset), message, json.dumps(new).encode(),
                {**_moved(value, later, 2), "op": "c", "after": after},
            )  # fmt: skip
            yield replace(born, headers=(("__debezium.oldkey", message.key),))


def _lsn(value: dict[str, Any]) -> int:
    return int(value["source"]["lsn"])


def _moved(value: dict[str, Any], lsn: int, order: int = 1) -> dict[str, Any]:
    source = {**value["source"], "lsn": lsn, "sequence": json.dumps([str(lsn), str(lsn)])}
    return {**value, "source": source, "transaction": {"id": f"1:{lsn}", "total_order": order}}


def _message(place: Place, like: Message, key: bytes | None, value: object) -> Message:
    return Message(place, like.timestamp_ms, like.headers, key, json.dumps(value).encode())


def _damaged(message: Message, dice: random.Random) -> Message:
    part = dice.choice(["value", "value", "value", "key", "headers"])
    if part == "headers":
        name = dice.choice(["__debezium.oldkey", "__debezium.newkey", "traceparent", "\u00e9"])
        return replace(message, headers=(*message.headers, (name, dice.choice([b"", b"{", b"\xff", b'{"id": 7}']))))
    content = message.key if part == "key" else message.value
    if content is None:
        return message
    return replace(message, **{part: _changed(content, dice)})


def _changed(content: bytes, dice: random.Random) -> bytes | None:
    way = dice.randrange(9)
    at = dice.randrange(len(content))
    if way == 0:
        return content[:at]
    if way == 1:
        return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]
    if way == 2:
        return (
            content[:at]
            + dice.choice([b"\0", b"\\u0000", b"\\ud800", b"\xff\xfe", b"[" * 600, b"9" * 400])
            + content[at:]
        )
    if way == 3:
        return content.decode().encode(dice.choice(["utf-16", "utf-32", "cp037"]), "replace")
    if way == 4:
        return dice.choice([None, b"", b"null", b"[]", b"{}", b"\0\0\0\0\1abc", b'""', b"7"])
    if way == 5:
        return b'{"a":' * 5_000 + content + b"}" * 5_000
    document = json.loads(content)
    if not isinstance(document, dict):
        return content
    holder = document
    while True:
        name = dice.choice(sorted(holder))
        if isinstance(holder[name], dict) and holder[name] and dice.random() < 0.8:
            holder = holder[name]
            continue
        break
    if way == 6:
        del holder[name]
    elif way == 7:
        holder[name] = dice.choice(_ODD)
    else:
        holder[dice.choice(["new_column", "op", "after", "__op", "\u00fc"])] = dice.choice(_ODD)
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _noise(chosen: Sequence[Message], dice: random.Random) -> Iterator[Message]:
    """Messages that are refused and say nothing: they are discarded in the end."""
    for number in range(dice.randint(0, 12)):
        like = dice.choice(chosen)
        topic = dice.choice([like.place.topic, "crm.public.unheard_of", "x", "crm.", "\u00e4"])
        place = Place(topic, dice.choice([0, 1, 2, 2**31 - 1]), 5_000_000 + number)
        value = dice.choice(
            [b"{", b"\xff", b"[]", b"9" * 5_000, b'{"op":"u"}', b"x" * 5_000_000, b'{"op":"z","source":{}}']
        )
        yield Message(place, dice.choice([0, 2**63 - 1]), (("a", b"\xff"),), like.key, value)


def _hub(engine: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


def _mend(pipeline: Pipeline, case: Case, dice: random.Random) -> None:
    with pipeline.engine.connect() as connection:
        letters = connection.execute(
            text("""select dead_letter_id, topic, partition, "offset", code, reason, action, owner
                    from dead_letter where status = 'open'""")
        ).all()
    unmendable = []
    for letter in dice.sample(letters, len(letters)):
        assert all(letter[4:]), letter
        assert letter.code != "UNFORESEEN_FAILURE", letter
        right = case.mended.get(Place(letter.topic, letter.partition, letter.offset))
        if right is None:
            unmendable.append(letter.dead_letter_id)
            continue
        mended = Mended(right.value, right.key, right.headers)
        at_once = dice.random() < 0.5
        fix_dead_letter(pipeline, letter.dead_letter_id, mended, "as it was", "fuzz", replay=at_once)
    if letters:
        with suppress(NotFound):  # all were mended at once
            replay_dead_letters(pipeline, Selection(), "fuzz")
    still = _open(pipeline.engine)
    places = {Place(*each[1:]) for each in still}
    assert not places & case.mended.keys(), places & case.mended.keys()
    if still:
        command = to_discard(pipeline.engine, Selection(ids=tuple(each[0] for each in still)), "noise")
        decide(pipeline, Actor("fuzz", Role.ADMIN), command, policy=NO_POLICY)
    assert not _open(pipeline.engine)


def _open(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(
            connection.execute(
                text("""select dead_letter_id, topic, partition, "offset" from dead_letter where status = 'open'""")
            )
        )


def _holds(pipeline: Pipeline) -> str:
    """The state of a hub that is in order."""
    found = verify(pipeline.engine, pipeline.catalogue, pipeline.rules)
    assert found.agrees, found.differences[:5]
    with pipeline.engine.connect() as connection:
        assert status_summary(connection)["messages"]["add_up"]
    return state_digest(pipeline.engine).state


def check(case: Case, first: Engine, second: Engine, dice: random.Random) -> dict[str, int]:
    """Both hubs in order, and equal."""
    right, damaged = _hub(first), _hub(second)
    drain(right, MemoryFeed("memory:right", case.meant), batch_size=1_000, dead_letter_limit=10**9)
    whole = list(case.comes)
    part = 0
    while whole:
        size = dice.randint(1, len(whole))
        now, whole = whole[:size], whole[size:]
        part += 1
        feed = MemoryFeed(f"memory:part {part}", now)
        drain(damaged, feed, batch_size=dice.choice([1, 7, 50, 1_000]), dead_letter_limit=10**9)
        if dice.random() < 0.3:
            _mend_some(damaged, case, dice)
    _mend(damaged, case, dice)
    one, other = _holds(right), _holds(damaged)
    assert one == other, "the two hubs differ"
    return {"messages": len(case.comes), "mended": len(case.mended)}


def _mend_some(pipeline: Pipeline, case: Case, dice: random.Random) -> None:
    """Mend some of what is open before the rest has come."""
    for letter_id, *place in _open(pipeline.engine):
        right = case.mended.get(Place(*place))
        if right is not None and dice.random() < 0.5:
            fix_dead_letter(pipeline, letter_id, Mended(right.value, right.key, right.headers), "at once", "fuzz")


def main(seconds: float, first_seed: int) -> None:
    """One seed after the other until the time is over."""
    end, seed = time.monotonic() + seconds, first_seed
    options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with TemporaryDirectory() as folder, EmbeddedServer(Path(folder) / "pg", options=options) as server:
        server.create_database(_TEMPLATE)
        engine = make_engine(server.url(_TEMPLATE))
        migrate.upgrade(engine)
        engine.dispose()
        while time.monotonic() < end:
            print(f"seed {seed}, {max(end - time.monotonic(), 0):.0f} s left", flush=True)
            one, other = copied(server, _TEMPLATE), copied(server, _TEMPLATE)
            first, second = make_engine(next(one)), make_engine(next(other))
            print("  ", check(case_of(seed), first, second, random.Random(seed)), flush=True)
            for each, database in ((first, one), (second, other)):
                each.dispose()
                next(database, None)
            seed += 1
    print(f"{seed - first_seed} feeds, each with the state of what was meant.")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
