"""A look at pairs that nothing compares: what it finds becomes one question, and stays one until it is so no longer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, Row, text
from stdnum.iso7064 import mod_11_10

from mdm.access import Role
from mdm.core.uncompared import Sampled
from mdm.engines import open_engine
from mdm.hub.digest import state_digest
from mdm.hub.exceptions import accept_exception
from mdm.hub.process import Pipeline
from mdm.hub.rebuild import rebuild
from mdm.hub.rematch import rematch
from mdm.hub.steward import Actor
from mdm.hub.uncompared import Looked, look, questions_of_rules
from mdm.hub.verify import verify
from mdm.model.ids import Domain
from mdm.model.stewardship import JudgePair, Verdict
from mdm.store.unit_of_work import UnitOfWork
from mdm.workers.patience import Stopped
from tests.integration.hub.rows import billed, take_in
from tests.integration.hub.steward.alone import decide

ANNA = Actor("anna", Role.STEWARD)
_FIRST = ("Alpen", "Birken", "Cedern", "Donau", "Elbe", "Fichten", "Ginster")
_LAST = ("bau", "druck", "glas", "holz", "kohle", "mode", "reisen")
QUESTION = "oversize:customer:pairs:handle"


def company(number: int, **more: str) -> dict[str, str]:
    """One of many companies of one name, told from the others by its tax number."""
    digits = f"{91_234_567 + 4_321_987 * number:08}"[:8]
    tax = f"DE{digits}{mod_11_10.calc_check_digit(digits)}"
    return {"id": f"cus_n{number:02}", "name": "Seebad Werke GmbH", "address_country": "DE",
            "tax_id_type": "eu_vat", "tax_id": tax, **more}  # fmt: skip


def mistyped(tax: str) -> str:
    """The same number with another last digit, which its check digit does not fit."""
    return tax[:-1] + str((int(tax[-1]) + 1) % 10)


TWIN = company(3) | {"id": "cus_twin", "tax_id": mistyped(company(3)["tax_id"])}


@pytest.fixture
def crowded(pipeline: Pipeline) -> Pipeline:
    """Thirteen companies of one name, one of which is there once more, with a mistyped number."""
    take_in(pipeline, [*map(company, range(13)), TWIN])
    return pipeline


def exceptions(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(
            connection.execute(
                text(
                    "select exception_id, question, detail, owner, seen, status from exception "
                    "where code = 'PAIRS_UNCOMPARED' order by exception_id"
                )
            )
        )


def everything_else(engine: Engine) -> list[tuple[Any, ...]]:
    """What a look must leave alone: links, entities, golden records, tasks, announcements, and all other exceptions."""
    with engine.connect() as connection:
        return [
            tuple(connection.execute(text(f"select md5(string_agg(t::text, '' order by t::text)) {of}")).one())
            for of in (
                "from link t", "from crosswalk t", "from golden t", "from steward_task t", "from outbox t",
                "from audit t", "from block_key t", "from exception t where code <> 'PAIRS_UNCOMPARED'",
            )
        ]  # fmt: skip


def sampled(found: Sequence[Looked], rule: str) -> Sampled:
    return next(each.sampled for each in found if each.above.rule == rule and each.sampled is not None)


def test_pairs_that_the_model_would_join_are_one_question_that_names_the_strongest(crowded: Pipeline) -> None:
    found = look(crowded)

    told = sampled(found, "handle")
    assert (told.pairs, told.drawn, told.alone) == (91, 91, 91)
    assert {told.strongest[0].a, told.strongest[0].b} == {billed("cus_n03"), billed("cus_twin")}
    assert told.strongest[0].weight > told.strongest[1].weight + 3
    assert told.expected == (told.found,) * 3
    (asked,) = exceptions(crowded.engine)
    assert asked[1] == QUESTION
    assert asked[3:] == ("customer stewards", told.found, "open")
    assert asked.detail.startswith("14 customers share 1 key of 'handle' with too many others")
    assert "The strongest: billing/customer/cus_n03 and billing/customer/cus_twin (match" in asked.detail
    assert asked.detail.count("billing/customer/") == 2 * 5
    assert questions_of_rules(crowded) == {(Domain.CUSTOMER, "handle"): (asked.exception_id, "open")}


def test_a_pair_is_counted_under_the_first_rule_only(crowded: Pipeline) -> None:
    found = look(crowded)

    others = [each.sampled for each in found if each.above.rule != "handle"]
    assert [each.alone for each in others if each is not None] == [0] * len(others)
    assert len(others) == 4


def test_a_look_moves_nothing_that_the_hub_holds(crowded: Pipeline) -> None:
    before = everything_else(crowded.engine), state_digest(crowded.engine)

    look(crowded)

    assert exceptions(crowded.engine)
    assert (everything_else(crowded.engine), state_digest(crowded.engine)) == before
    assert verify(crowded.engine, crowded.catalogue, crowded.rules).differences == ()


def test_a_rebuild_and_a_re_match_leave_the_question_to_the_next_look(crowded: Pipeline) -> None:
    look(crowded)
    before = exceptions(crowded.engine)

    rebuild(crowded, "operator", swap=True, settle=0.0)
    rematch(crowded, open_engine("duckdb"), "operator")

    assert exceptions(crowded.engine) == before
    assert verify(crowded.engine, crowded.catalogue, crowded.rules).differences == ()


def test_a_second_look_at_the_same_hub_says_the_same(crowded: Pipeline) -> None:
    first, asked = look(crowded, most=30), exceptions(crowded.engine)

    assert look(crowded, most=30) == first
    assert exceptions(crowded.engine) == asked
    drawn = {each.above.rule: each.sampled.drawn for each in first if each.sampled is not None}
    assert all(5 < number < 45 for number in drawn.values()), "about 23 of 91 or 182"


def test_it_closes_once_a_steward_has_joined_them(crowded: Pipeline) -> None:
    """Joined with the company of that number, the other rows of the name are of others: they state other numbers."""
    look(crowded)

    decide(crowded, ANNA, JudgePair(billed("cus_n03"), billed("cus_twin"), Verdict.SAME, "a slip"))
    look(crowded)

    (asked,) = exceptions(crowded.engine)
    assert asked.status == "resolved"
    assert questions_of_rules(crowded) == {}
    assert verify(crowded.engine, crowded.catalogue, crowded.rules).differences == ()


def test_what_a_steward_judged_otherwise_is_not_named_again(crowded: Pipeline) -> None:
    before = sampled(look(crowded), "handle").found
    (first,) = exceptions(crowded.engine)

    decide(crowded, ANNA, JudgePair(billed("cus_n03"), billed("cus_twin"), Verdict.NOT_SAME, "two shops"))
    found = look(crowded)

    (asked,) = exceptions(crowded.engine)
    assert asked.exception_id == first.exception_id
    assert (asked.seen, asked.status) == (before - 1, "open")
    assert sampled(found, "handle").found == before - 1
    assert "cus_n03" not in asked.detail


@pytest.mark.parametrize("linked", [True, False])
def test_what_connects_other_records_of_two_entities_speaks_for_these_too(crowded: Pipeline, linked: bool) -> None:
    """A steward is asked whether the twin is the company already, or has said that it is not: by its other row."""
    other = company(3) | {"id": "cus_other", "name": "Seebad Werke Vertrieb GmbH"}
    take_in(crowded, [other], first=100)
    before = sampled(look(crowded), "handle")
    assert {billed("cus_n03"), billed("cus_twin")} in [{each.a, each.b} for each in before.strongest]

    if linked:
        with crowded.engine.begin() as connection:
            connection.execute(
                text(
                    """insert into link (domain, a, b, decision, weight, fingerprint, batch_id, created_at)
                       select 'customer', least(a.rec_id, b.rec_id), greatest(a.rec_id, b.rec_id), 'possible', 0, '', 0,
                           now()
                       from source_record a, source_record b where a.key = 'cus_other' and b.key = 'cus_twin'"""
                )
            )
    else:
        decide(crowded, ANNA, JudgePair(billed("cus_other"), billed("cus_twin"), Verdict.NOT_SAME, "two shops"))

    after = sampled(look(crowded), "handle")
    assert {billed("cus_n03"), billed("cus_twin")} not in [{each.a, each.b} for each in after.strongest]
    assert after.found == before.found - 1
    assert after.alone == before.alone


def test_it_closes_when_the_block_is_small_enough_to_pair_its_records(crowded: Pipeline) -> None:
    look(crowded)

    take_in(crowded, [company(number) for number in (0, 1)], first=100, gone=True)
    assert look(crowded) == []

    assert [each.status for each in exceptions(crowded.engine)] == ["resolved"]
    with crowded.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from link where superseded_at is null")) > 0


def test_what_a_person_accepted_stays_so_and_counts_on(crowded: Pipeline) -> None:
    look(crowded)
    (asked,) = exceptions(crowded.engine)
    accept_exception(crowded.engine, crowded.clock, asked.exception_id, "namesakes", "ada")
    take_in(crowded, [{"id": "cus_bare", "name": "Seebad Werke GmbH", "address_country": "DE"}], first=100)

    look(crowded)

    (again,) = exceptions(crowded.engine)
    assert again.status == "accepted"
    assert again.seen > asked.seen
    assert questions_of_rules(crowded) == {(Domain.CUSTOMER, "handle"): (asked.exception_id, "accepted")}


def test_pairs_that_another_key_compares_are_not_among_them(pipeline: Pipeline) -> None:
    town = {"address_city": "Stuttgart"}
    take_in(pipeline, [*(company(number) | (town if number == 3 else {}) for number in range(13)), TWIN | town])

    told = sampled(look(pipeline), "handle")

    assert (told.drawn, told.alone) == (91, 90)
    assert all({each.a, each.b} != {billed("cus_n03"), billed("cus_twin")} for each in told.strongest)


def at_one_phone(names: Sequence[str], **more: str) -> list[dict[str, str]]:
    return [{"id": f"cus_p{number:02}", "name": each, "phone": "+49 711 2345670", **more}
            for number, each in enumerate(names)]  # fmt: skip


def test_a_rule_that_another_refines_is_looked_at_too(pipeline: Pipeline) -> None:
    """Two spellings of a name have the beginning of no word in common: the rule with a word passes them over."""
    names = [f"{first}{last}" for first in _FIRST for last in _LAST]
    take_in(pipeline, at_one_phone(["Nordlichtwerk", "Mordlichtwerk", *names]))

    found = look(pipeline)

    told = sampled(found, "phone")
    assert [(each.above.rule, each.above.asked) for each in found] == [("phone", False)]
    assert told.alone < told.drawn == told.pairs == 51 * 50 / 2, "names that begin alike are compared"
    assert {billed("cus_p00"), billed("cus_p01")} in [{each.a, each.b} for each in told.strongest]
    assert {each.question for each in exceptions(pipeline.engine)} == {"oversize:customer:pairs:phone"}


def test_what_is_asked_about_a_key_by_itself_is_not_asked_again(pipeline: Pipeline) -> None:
    """All match by the mailbox that they have in common, and about that a steward is asked already."""
    names = [f"{first}{last}" for first in _FIRST for last in _LAST]
    rows = at_one_phone(["Nordlichtwerk", "Mordlichtwerk", *names], email="info@overflow-trading.de")
    take_in(pipeline, rows)

    found = look(pipeline)

    assert [(each.above.rule, each.sampled is None) for each in found if each.above.asked] == [("email", True)]
    assert sampled(found, "phone").alone == 0
    assert exceptions(pipeline.engine) == []


def test_a_question_about_a_rule_that_the_model_no_longer_has_is_closed(crowded: Pipeline) -> None:
    look(crowded)
    model = crowded.rules.models[Domain.CUSTOMER]
    without = replace(model, blocking=tuple(rule for rule in model.blocking if rule.name != "handle"))
    rules = replace(crowded.rules, models={**crowded.rules.models, Domain.CUSTOMER: without})

    found = look(replace(crowded, rules=rules))

    assert [(each.above.rule, each.sampled) for each in found if each.above.rule == ""] == [("", None)]
    assert {each.question: each.status for each in exceptions(crowded.engine)} == {
        QUESTION: "resolved", "oversize:customer:pairs:words": "open",
    }  # fmt: skip


def test_more_pairs_take_no_more_statements(crowded: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    query = UnitOfWork.query

    def note(work: UnitOfWork, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        asked.append(statement)
        return query(work, statement, *parameters)

    monkeypatch.setattr(UnitOfWork, "query", note)
    look(crowded)
    few = len(asked)
    take_in(crowded, [{"id": f"cus_bare{number:02}", "name": "Seebad Werke GmbH"} for number in range(30)], first=100)
    asked.clear()

    told = sampled(look(crowded), "handle")

    assert (told.drawn, told.found > 300) == (44 * 43 / 2, True)
    assert len(asked) == few


def test_a_look_that_is_stopped_writes_nothing(crowded: Pipeline) -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        look(crowded, stop)

    assert exceptions(crowded.engine) == []


def test_nothing_is_written_where_nothing_is_asked(pipeline: Pipeline) -> None:
    take_in(pipeline, list(map(company, range(13))))
    with pipeline.engine.connect() as connection:
        before = connection.scalar(text("select count(*) from batch"))

    told = sampled(look(pipeline), "handle")

    assert (told.alone, told.found) == (78, 0), "each states a number of its own"
    with pipeline.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from batch")) == before
