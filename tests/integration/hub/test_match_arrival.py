"""Search before create answers what happens: rows of the sample world are asked about, and then they arrive."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from mdm.access import FORMER_STEWARD
from mdm.errors import Conflict, NotFound
from mdm.hub.match import find_matches
from mdm.hub.match_report import Advice, MatchReport
from mdm.hub.process import Pipeline, process
from mdm.hub.steward import Actor
from mdm.intake.candidate import candidate_record
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import translate
from mdm.intake.mapping import standardise
from mdm.model.events import Message
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.records import SourceRecord
from mdm.model.stewardship import JudgeTask, Verdict
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.steward.alone import decide

ANNA = Actor("anna", FORMER_STEWARD)

#: Tables that are there, and those whose rows come one by one afterwards.
THERE = ("crm.public.account", "crm.public.product2", "erp.public.business_partner", "erp.public.item")
COMING = ("billing.public.customer", "product.public.tenant", "billing.public.product")
#: What contracts refer to, and two platforms' contracts; those of the CRM come one by one.
AGREED = (*THERE, *COMING, "billing.public.price", "billing.public.subscription", "erp.public.sales_contract")
#: Where two products fit exactly as well, what nothing is known of but a number, and what names a product that the hub
#: does not have: a person is asked all the same.
CAREFUL = "more careful than arrival"


def asked_of(record: SourceRecord) -> dict[str, Any]:
    """A row's attributes as somebody would type them."""
    given = dict(record.attributes)
    for name in ("phones", "emails"):
        if name in given:
            given[name] = [each["value"] for each in given[name]]
    if "identifiers" in given and record.domain is Domain.CUSTOMER:
        given["identifiers"] = [
            {part: each[part] for part in ("type", "country", "value") if each.get(part)}
            for each in given["identifiers"]
        ]
    return given


def says_the_same(asked: Mapping[str, Any], record: SourceRecord) -> bool:
    """Whether a candidate can say all that the row says: rows of platforms also refer to others."""
    said = dict(candidate_record(record.domain, asked).comparison)
    apart = dict.fromkeys(("self", "source_type"))
    return {**said, **apart} == {**record.comparison, **apart}


def arrivals(catalogue: Catalogue, topics: Collection[str] = COMING) -> Iterator[tuple[Message, SourceRecord]]:
    """The first version of every row to come."""
    seen = set()
    for message in world_messages():
        if message.place.topic in topics:
            for event in translate([message], catalogue).events:
                if event.key is not None and event.row is not None and event.key not in seen:
                    seen.add(event.key)
                    yield message, standardise(catalogue, event.key, event.row)


def known_elsewhere(engine: Engine, key: CrosswalkKey) -> bool:
    """Whether other rows speak of this one already: nobody who asks can know that it is meant."""
    with engine.connect() as connection:
        name = orjson.dumps([":".join(key)]).decode()
        found = connection.exec_driver_sql(
            """select exists (select from record_evidence where system = %s and type = %s and key = %s)
                   or exists (select from source_record where comparison::jsonb->'names_references' @> %s::jsonb)""",
            (*key, name),
        ).scalar()
        return bool(found)


def outcome(engine: Engine, key: CrosswalkKey) -> tuple[str, bool, int]:
    """The entity of a row, whether the row founded it, and the open questions about it."""
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            """select e.entity_id, e.founder = r.rec_id,
                      (select count(*) from steward_task t where t.status = 'open' and r.rec_id in (t.a, t.b))
               from source_record r join crosswalk c using (rec_id) join entity e using (entity_id)
               where (r.system, r.type, r.key) = (%s, %s, %s)""",
            key,
        ).one()
        return row[0], row[1], row[2]


def survivor(engine: Engine, entity_id: str) -> str:
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "select coalesce(merged_into, entity_id) from entity where entity_id = %s", (entity_id,)
        ).scalar_one()
        return str(found)


def golden_ids(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.exec_driver_sql("select entity_id from entity where status = 'active'").scalars())


def happened(report: MatchReport, engine: Engine, key: CrosswalkKey, before: Collection[str]) -> str:
    """What happened to the row, which is what the answer said."""
    entity_id, founded, questions = outcome(engine, key)
    first = report.candidates[0] if report.candidates else None
    if not founded and entity_id not in before:
        assert report.advice is Advice.ASK, (key, report)
        return "parted"  # it took records away from a golden record
    if not founded:
        if report.advice is Advice.ASK and (report.rivalled or report.dangling):
            return CAREFUL
        assert report.advice is Advice.USE, (key, report)
        assert first is not None
        assert survivor(engine, first.home.entity_id) == entity_id, (key, report)
        return "joined"
    assert report.advice is not Advice.USE, (key, report)
    if questions:
        assert report.advice is Advice.ASK, (key, report)
        return "question"
    if report.advice is Advice.ASK:
        assert report.nameless or any(each.same_number for each in report.candidates), (key, report)
        return CAREFUL
    return "new"


def answer_questions(pipeline: Pipeline) -> None:
    """A steward answers what is open, one question yes and one no: entities that verdicts hold together, or part."""
    with pipeline.engine.connect() as connection:
        tasks = connection.exec_driver_sql(
            "select task_id from steward_task where status = 'open' order by 1"
        ).scalars()
        open_tasks = list(tasks)
    assert len(open_tasks) > 10
    for number, task_id in enumerate(open_tasks):
        verdict = (Verdict.SAME, Verdict.NOT_SAME)[number % 2]
        with suppress(Conflict, NotFound):  # an answer before may have answered it, or stand against it
            decide(pipeline, ANNA, JudgeTask(task_id, verdict))


@pytest.mark.parametrize("judged", [False, True], ids=["nobody has judged", "a steward has judged"])
def test_what_is_answered_is_what_happens(pipeline: Pipeline, feed: Feed, catalogue: Catalogue, judged: bool) -> None:
    feed([message for message in world_messages() if message.place.topic in THERE])
    if judged:
        answer_questions(pipeline)
    told: Counter[tuple[Domain, str]] = Counter()
    for message, record in list(arrivals(catalogue))[::2]:
        asked = asked_of(record)
        if says_the_same(asked, record) and not known_elsewhere(pipeline.engine, record.key):
            report = find_matches(pipeline.engine, pipeline.rules, record.domain, asked)
            before = golden_ids(pipeline.engine)
            process(pipeline, "test", [message])
            told[record.domain, happened(report, pipeline.engine, record.key, before)] += 1
        else:
            process(pipeline, "test", [message])

    assert told[Domain.CUSTOMER, "joined"] > 50, told
    assert told[Domain.CUSTOMER, "question"] > 5, told
    assert told[Domain.CUSTOMER, "new"] > 2, told
    assert told[Domain.PRODUCT, "joined"] > 5, told


def customers_became_one(report: MatchReport, engine: Engine, asked: Mapping[str, Any]) -> bool:
    """Whether two platforms' contracts of one number were of two customers, and said that these are one."""
    if not report.candidates or report.candidates[0].score.veto != "customer_differs":
        return False
    other = report.candidates[0].home.values["customer"]
    one, two = (CrosswalkKey(each["system"], each["type"], each["key"]) for each in (asked["customer"], other))
    return outcome(engine, one)[0] == outcome(engine, two)[0]


def test_what_is_answered_about_a_contract_happens(pipeline: Pipeline, feed: Feed, catalogue: Catalogue) -> None:
    """Its customer and products are said by the rows that name them, as the CRM does."""
    feed([message for message in world_messages() if message.place.topic in AGREED])
    told: Counter[str] = Counter()
    for message, record in arrivals(catalogue, ["crm.public.contract"]):
        asked = asked_of(record)
        if not says_the_same(asked, record):  # nobody who asks can say which contract it renews
            process(pipeline, "test", [message])
            continue
        report = find_matches(pipeline.engine, pipeline.rules, record.domain, asked)
        before = golden_ids(pipeline.engine)
        process(pipeline, "test", [message])
        if customers_became_one(report, pipeline.engine, asked):
            assert report.advice is Advice.ASK
            told["customers became one"] += 1
        else:
            told[happened(report, pipeline.engine, record.key, before)] += 1

    assert told["joined"] > 100, told
    assert told["customers became one"] > 3, told
    assert told[CAREFUL] < 40, told
    assert told["new"] > 1, told
