"""Rows that change, go, come back and change their keys, around the caps of blocks and of linked sets, with verdicts in
between: in whatever order it arrives, the same state."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.engines import open_engine
from mdm.errors import NotFound
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.rematch import preview
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.events import Message, Place
from mdm.model.ids import CrosswalkKey
from mdm.model.stewardship import JudgePair, Verdict
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA

#: What rows say: little enough of it that blocks of a few records are the rule, and several contradictions.
_SAID: Mapping[str, Sequence[str | None]] = {
    "name": (
        "Nordlicht Optik GmbH", "Nordlicht Optik AG", "Nordlicht Optik Handels GmbH", "Nordlicht Fonds II GmbH",
        "Nordlicht Fonds III GmbH", "NLO GmbH", "Nordlicht", "Optik Nordlicht", "山田製作所株式会社",
    ),
    "vat_number__c": ("DE136695976", "DE811569869", "DE129273398", None, None, None, None),
    "phone": ("+49 711 7856321", "+49 711 7856322", None),
    "website": ("nordlicht-optik.de", "suedwind.de", None, None),
    "billing_city": ("Stuttgart", "Hamburg", None),
    "billing_street": ("Hauptstr. 1", "Hafenweg 7"),
    "parent_id": ("0019000000000000001", None, None, None, None),
}  # fmt: skip
#: Rows with a lower number are never deleted, so that verdicts about them can be given in any order.
_STAY, _ROWS, _CHANGES = 6, 26, 60
_VERDICTS = ((0, 1, Verdict.SAME), (2, 3, Verdict.NOT_SAME), (4, 5, Verdict.SAME), (1, 4, Verdict.NOT_SAME))


def key(number: int) -> str:
    return f"0019{number:015d}"


def account(number: int) -> CrosswalkKey:
    return CrosswalkKey("crm", "account", key(number))


class Story:
    """The messages about some accounts, in the order in which it happened."""

    def __init__(self, seed: int) -> None:
        self.messages: list[Message] = []
        self._dice = random.Random(seed)
        self._like = next(each for each in world_messages() if each.place.topic == "crm.public.account")
        self._rows = {number: self._row(number) for number in range(_ROWS)}
        #: Keys that no row has any more; another row may be given one of them.
        self._free: list[int] = []
        for number, row in self._rows.items():
            self._say(number, "c", None, row)
        for fresh in range(_ROWS, _ROWS + _CHANGES):
            self._happen(fresh)

    def _happen(self, fresh: int) -> None:
        if self._free and self._dice.random() < 0.2:
            again = self._free.pop(self._dice.randrange(len(self._free)))
            self._rows[again] = self._row(again)
            self._say(again, "c", None, self._rows[again])
        number, dice = self._dice.choice(list(self._rows)), self._dice.random()
        before = self._rows[number]
        if number < _STAY or dice < 0.55:
            self._rows[number] = self._row(number)
            self._say(number, "u", before, self._rows[number])
            return
        del self._rows[number]
        if dice >= 0.63:
            self._free.append(number)
        if dice < 0.75:
            self._say(number, "d", before, None)
            fresh = number if dice < 0.63 else -1  # it comes back, or does not
            headers: tuple[str, ...] = ()
        else:
            self._say(number, "d", before, None, "__debezium.newkey", key(fresh))
            headers = ("__debezium.oldkey", key(number))
        if fresh >= 0:
            self._rows[fresh] = self._row(fresh) if self._dice.random() < 0.5 else {**before, "id": key(fresh)}
            self._say(fresh, "c", None, self._rows[fresh], *headers)

    def _row(self, number: int) -> dict[str, Any]:
        row = dict(orjson.loads(self._like.value or b"{}")["after"])
        said = {name: self._dice.choice(values) for name, values in _SAID.items()}
        return row | said | {"id": key(number), "billing_country": "Germany"}

    def _say(self, number: int, op: str, before: Any, after: Any, *headers: str) -> None:
        at = len(self.messages) + 1
        lsn, value = 10**9 + 10 * at, orjson.loads(self._like.value or b"{}")
        value.update(op=op, before=before, after=after)
        value["source"] |= {"lsn": lsn, "sequence": f'["{lsn - 5}","{lsn}"]', "snapshot": "false"}
        named = orjson.loads(self._like.key or b"{}")
        (named.get("payload") or named)["id"] = key(number)
        place = Place(self._like.place.topic, 20 + number % 3, at)
        also = ((headers[0], orjson.dumps({"id": headers[1]})),) if headers else ()
        self.messages.append(
            replace(
                self._like,
                place=place,
                key=orjson.dumps(named),
                value=orjson.dumps(value),
                headers=(*self._like.headers, *also),
            )
        )


def give(pipeline: Pipeline, verdicts: list[JudgePair]) -> None:
    """Give those that can be given by now, and take them off the list."""
    for verdict in tuple(verdicts):
        try:
            decide(pipeline, ANNA, verdict)
        except NotFound:
            continue  # one of the rows has not come yet
        verdicts.remove(verdict)


@pytest.mark.parametrize(("seed", "block_cap", "reach_cap"), [(4, 3, 10)])
def test_in_any_order_the_same_comes_of_it(
    new_engine: Callable[[], Engine], catalogue: Catalogue, seed: int, block_cap: int, reach_cap: int
) -> None:
    rules = load_rules(catalogue)
    models = {name: replace(each, block_cap=block_cap, reach_cap=reach_cap) for name, each in rules.models.items()}
    digests = []
    for order in range(2):
        pipeline = Pipeline(new_engine(), system_clock, catalogue, replace(rules, models=models))
        messages, dice = list(Story(seed).messages), random.Random(order)
        if order:
            dice.shuffle(messages)
        verdicts = [JudgePair(account(a), account(b), verdict) for a, b, verdict in _VERDICTS]
        while messages:
            size = dice.choice((3, 9, 30))
            process(pipeline, "test", messages[:size])
            del messages[:size]
            if dice.random() < 0.5:
                give(pipeline, verdicts)
        give(pipeline, verdicts)

        assert verdicts == []
        assert verify(pipeline.engine, catalogue, pipeline.rules).differences == ()
        assert preview(pipeline, open_engine("python", 1, "300MB"), lambda _: None).empty
        digests.append(state_digest(pipeline.engine).state)

    assert digests[0] == digests[1]
