"""Blocks that cross small caps again and again: piece by piece, in any order, a hub holds what all at once gives.

Rows of all four platforms, created, changed, deleted and renamed, of which many say the same names, numbers, mailboxes
and phones. The oracles are `mdm verify`, which recomputes everything, and a re-match of the whole hub.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.engines import open_engine
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.rematch import rematch
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.events import Message
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import drain
from tests.fuzz.hub import case_of
from tests.integration.hub.test_oversize import questions, without_key

_NAMES = ("Nordlicht Optik", "Nordlicht Optik GmbH", "Seebad Werke", "Oryx Reisen", "Vetokraft AG")
#: What columns say instead, by a part of their name, and how often.
_SAID: Sequence[tuple[tuple[str, ...], float, Sequence[str]]] = (
    (("name", "organization"), 0.8, _NAMES),
    (("mail",), 0.8, ("info@nordlicht.de", "a@oryx.com")),
    (("tax", "vat"), 0.7, ("DE136695976", "DE811569869", "DE129274202")),
    (("phone",), 0.6, ("+49 711 1234567",)),
    (("city",), 0.6, ("Stuttgart",)),
    (("country",), 0.6, ("DE",)),
    (("number", "sku", "code"), 0.3, ("CT-2024-000123", "CT-2024-000124")),
)  # fmt: skip


def alike(message: Message) -> Message:
    """The message, its row made to say what many say; a row that is told twice says the same twice."""
    try:
        told = json.loads(message.value or b"null")
    except ValueError:
        return message
    if not isinstance(told, dict) or not isinstance(told.get("after"), dict):
        return message
    dice, row = random.Random(json.dumps(told["after"], sort_keys=True)), dict(told["after"])
    for column, value in row.items():
        key = column.lower()
        if isinstance(value, str) and key != "id" and not (key.endswith("_id") and "tax" not in key):
            row[column] = next(
                (
                    dice.choice(said)
                    for parts, share, said in _SAID
                    if any(part in key for part in parts) and dice.random() < share
                ),
                value,
            )
    return replace(message, value=json.dumps({**told, "after": row}).encode())


def narrow(engine: Engine, catalogue: Catalogue, cap: int) -> Pipeline:
    rules = load_rules(catalogue)
    models = {domain: replace(model, block_cap=cap) for domain, model in rules.models.items()}
    return Pipeline(engine, system_clock, catalogue, replace(rules, models=models))


@pytest.mark.parametrize(("seed", "cap"), [(4, 3), (5, 4), (8, 2), (11, 8)])
def test_whatever_crosses_its_cap_in_any_order_the_hub_is_what_all_at_once_gives(
    new_engine: Callable[[], Engine], catalogue: Catalogue, seed: int, cap: int
) -> None:
    messages, dice = [alike(each) for each in case_of(seed).meant], random.Random(seed)
    found = []
    for coming in (messages, dice.sample(messages, len(messages))):
        hub, left, number = narrow(new_engine(), catalogue, cap), list(coming), 0
        while left:
            size = dice.choice((1, 5, 20, 60))
            part, left, number = left[:size], left[size:], number + 1
            drain(hub, MemoryFeed(f"memory:{number}", part), batch_size=1000, dead_letter_limit=10**9)
        asked = questions(hub.engine), without_key(hub.engine)

        assert verify(hub.engine, catalogue, hub.rules).differences == ()
        assert rematch(hub, open_engine("duckdb"), "test").empty
        assert (questions(hub.engine), without_key(hub.engine)) == asked
        found.append((state_digest(hub.engine).state, asked))

    assert found[0] == found[1]
    assert found[0][1][0], "some block is above its cap"
