"""Blocks that grow and shrink across the cap of their own rule, and caps that a release changes: whatever came before,
the hub is as if everything were matched anew."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.core.rules import Rules
from mdm.engines import open_engine
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import rebuild
from mdm.hub.release import load_rules
from mdm.hub.rematch import preview, rematch
from mdm.hub.stale_keys import stale_keys
from mdm.hub.verify import verify
from mdm.intake.catalogue import Catalogue
from mdm.model.blocks import HALVINGS
from mdm.model.events import Message
from mdm.model.ids import Domain
from tests.integration.hub.rows import message_of, take_in
from tests.integration.hub.test_oversize import overflow, questions, without_key

#: That of fine rules; of coarse ones it is 2.
_CAP = 8
_ROWS = 22
#: Mostly a name and nothing else, so that only coarse rules find who has the same; and a mailbox that many share.
_SAID = {
    "name": ("Nordlicht Optik", "Seebad Werke", "Vetokraft", "Asda Handel", "Zenit Bau", "Oryx Reisen", "Oryx Reise"),
    "email": ("info@nordlicht-optik.de", None),
    "address_city": ("Stuttgart", None, None, None),
}


def story(seed: int) -> list[Message]:
    """Many rows come, most of them change, most go, and some come back."""
    dice, told = random.Random(seed), list[Message]()
    live: dict[int, dict[str, str | None]] = {}

    def say(number: int, row: dict[str, str | None], *, gone: bool = False) -> None:
        told.append(message_of(len(told), row, gone=gone, partition=20 + number % 3))

    for share, gone in ((1.0, False), (0.5, False), (0.8, True), (0.6, False), (0.3, False), (0.4, True)):
        for number in dice.sample(range(_ROWS), int(share * _ROWS)):
            if gone:
                if number in live:
                    say(number, live.pop(number), gone=True)
                continue
            said = {name: dice.choice(values) for name, values in _SAID.items()}
            live[number] = {"id": f"cus_{number:02}", "address_country": "DE", **said}
            say(number, live[number])
    return told


def sizes(engine: Engine) -> Counter[int]:
    with engine.connect() as connection:
        rows = connection.execute(text("select block, count(*) from block_key group by block"))
        return Counter({row[0]: row[1] for row in rows})


def crossings(before: Counter[int], after: Counter[int]) -> set[tuple[str, str]]:
    """Which blocks came to be above their cap, and which to be no longer, told without what the hub does about it."""
    found = set()
    for block in before.keys() | after.keys():
        kind, most = ("coarse", 2) if block & HALVINGS else ("fine", _CAP)
        if (before[block] > most) != (after[block] > most):
            found.add((kind, "grew" if after[block] > most else "shrank"))
    return found


@pytest.mark.parametrize("seed", [1])
def test_whatever_crosses_its_cap_the_same_comes_of_it_in_any_order(
    new_engine: Callable[[], Engine], catalogue: Catalogue, seed: int
) -> None:
    rules = load_rules(catalogue)
    rules = replace(rules, models={name: replace(each, block_cap=_CAP) for name, each in rules.models.items()})
    seen: dict[str, list[object]] = defaultdict(list)
    crossed: set[tuple[str, str]] = set()
    for order in range(2):
        pipeline = Pipeline(new_engine(), system_clock, catalogue, rules)
        messages, dice = story(seed), random.Random(1000 * seed + order)
        if order:
            dice.shuffle(messages)
        before, steps = Counter[int](), 0
        while messages:
            size = dice.choice((1, 3, 9, 30) if order else (2, 5))
            process(pipeline, "test", messages[:size])
            del messages[:size]
            after = sizes(pipeline.engine)
            crossed |= crossings(before, after)
            before, steps = after, steps + 1
            if steps % 4 == 0 or not messages:
                assert verify(pipeline.engine, catalogue, rules).differences == ()
        asked = questions(pipeline.engine), without_key(pipeline.engine)
        assert preview(pipeline, open_engine("python", 1, "300MB"), lambda _: None).empty
        assert rematch(pipeline, open_engine("duckdb", 1, "300MB"), "test").empty
        assert (questions(pipeline.engine), without_key(pipeline.engine)) == asked
        seen["digest"].append(state_digest(pipeline.engine).state)
        seen["asked"].append(questions(pipeline.engine))
        seen["without"].append(without_key(pipeline.engine))
        seen["blocks"].append(before)

    assert crossed == {(kind, way) for kind in ("coarse", "fine") for way in ("grew", "shrank")}
    assert [values[0] for values in seen.values()] == [values[1] for values in seen.values()]


def capped(rules: Rules, cap: int, halvings: int) -> Rules:
    """The rules of a release with another cap for customers, halved so often for coarse rules."""
    model = rules.models[Domain.CUSTOMER]
    blocking = tuple(replace(rule, halvings=halvings if rule.halvings else 0) for rule in model.blocking)
    model = replace(model, block_cap=cap, blocking=blocking, fingerprint=f"{cap} halved {halvings}")
    return replace(rules, models={**rules.models, Domain.CUSTOMER: model})


@pytest.mark.parametrize(
    ("before", "after"), [((24, 2), (8, 2)), ((8, 2), (24, 2)), ((24, 0), (24, 2)), ((8, 2), (8, 0))]
)
@pytest.mark.parametrize("by", ["rematch", "rebuild"])
def test_a_hub_is_brought_in_line_with_caps_that_a_release_changed(
    pipeline: Pipeline, before: tuple[int, int], after: tuple[int, int], by: str
) -> None:
    """Twenty companies with a mailbox in common, and seven that say nothing but their name."""
    mail = [row | {"name": f"Nordlicht {number} Optik"} for number, row in enumerate(overflow(20))]
    bare = [{"id": f"cus_n{number}", "name": "Seebad Werke GmbH", "address_country": "DE"} for number in range(7)]
    old, new = (replace(pipeline, rules=capped(pipeline.rules, *caps)) for caps in (before, after))
    take_in(old, [*mail, *bare])
    assert verify(old.engine, old.catalogue, old.rules).differences == ()
    assert verify(new.engine, new.catalogue, new.rules).differences != ()
    renumbered = (Domain.CUSTOMER,) if before[1] != after[1] else ()
    assert stale_keys(old.engine, old.rules) == ()
    assert stale_keys(new.engine, new.rules) == renumbered, "a block's number says how its cap follows from the model's"
    asked = questions(old.engine), without_key(old.engine)

    told = preview(new, open_engine("duckdb"))
    if by == "rematch":
        assert rematch(new, open_engine("duckdb"), "test").as_json()["domains"] == told.as_json()["domains"]
    else:
        rebuild(new, "test", swap=True, settle=0.0)

    assert verify(new.engine, new.catalogue, new.rules).differences == ()
    assert stale_keys(new.engine, new.rules) == ()
    assert not told.empty
    assert (questions(new.engine), without_key(new.engine)) != asked
    assert preview(new, open_engine("duckdb")).empty


def test_keys_of_a_release_before_are_found_and_made_anew(pipeline: Pipeline) -> None:
    """Nothing else shows it: what is linked stays so, and what arrives finds nobody."""
    rows = [{"id": f"cus_n{number}", "name": "Seebad Werke GmbH", "address_country": "DE"} for number in range(2)]
    take_in(pipeline, rows)
    with pipeline.engine.begin() as connection:
        number = connection.scalar(text("select count(*) / 2 from block_key"))
        connection.execute(text("update block_key set block = block # 1"))
        connection.execute(text("insert into block_key select 5, min(rec_id) from block_key"))

    found = verify(pipeline.engine, pipeline.catalogue, pipeline.rules)

    assert [(each.kind, each.subject) for each in found.differences] == [
        ("keys", f"billing:customer:{row['id']}") for row in rows
    ]
    assert [each.detail for each in found.differences] == [
        f"lacks {number} of its {number} blocking keys, has {more} that it must not have"
        for more in (number + 1, number)
    ]
    assert "`mdm match run --apply` makes them anew" in (found.advice or "")
    rematch(pipeline, open_engine("duckdb"), "test")
    assert verify(pipeline.engine, pipeline.catalogue, pipeline.rules).differences == ()


def test_stale_keys_are_noticed_wherever_a_re_match_stopped(pipeline: Pipeline) -> None:
    """It renews the oldest first, and what has come since is under the keys of now."""
    take_in(pipeline, [{"id": f"cus_n{number:03}", "name": f"Seebad Werke {number} GmbH"} for number in range(90)])
    with pipeline.engine.connect() as connection:
        ids = list(connection.scalars(text("select rec_id from source_record order by rec_id")))
    for first in (0, 41, 88):
        with pipeline.engine.begin() as connection:
            connection.execute(text("delete from block_key where rec_id = any(:ids)"), {"ids": ids[first : first + 2]})
        assert stale_keys(pipeline.engine, pipeline.rules) == (Domain.CUSTOMER,)
        rematch(pipeline, open_engine("duckdb"), "test")
        assert stale_keys(pipeline.engine, pipeline.rules) == ()


def test_a_deleted_record_has_no_keys(pipeline: Pipeline) -> None:
    row = {"id": "cus_n1", "name": "Seebad Werke GmbH", "address_country": "DE"}
    take_in(pipeline, [row])
    take_in(pipeline, [row], first=1, gone=True)
    assert verify(pipeline.engine, pipeline.catalogue, pipeline.rules).differences == ()
    with pipeline.engine.begin() as connection:
        connection.execute(text("insert into block_key select 5, rec_id from source_record"))

    (found,) = verify(pipeline.engine, pipeline.catalogue, pipeline.rules).differences

    assert (found.subject, found.detail) == ("no blocking key of a deleted record", "billing:customer:cus_n1")
