"""Search before create answers what arrival would do: of golden records whose rows have little in common, too."""

from typing import Any

import pytest
from sqlalchemy import text

from mdm.access import FORMER_STEWARD
from mdm.hub.match import find_matches
from mdm.hub.match_report import Advice
from mdm.hub.process import Pipeline
from mdm.hub.steward import Actor
from mdm.model.ids import Domain
from mdm.model.stewardship import JudgePair, Verdict
from tests.integration.hub.rows import billed, take_in
from tests.integration.hub.steward.alone import decide

ANNA = Actor("anna", FORMER_STEWARD)
HAMBURG = {"address_line1": "Hafenstr. 9", "address_city": "Hamburg", "address_postal_code": "20457"}
MUNICH = {"address_line1": "Am Tucherpark 4", "address_city": "München", "address_postal_code": "80538"}
OLD = {"name": "Nordlicht Pumpen GmbH", "address_country": "DE", **HAMBURG}
NEW = {"name": "Hansen Fluidtechnik AG", "address_country": "DE", **MUNICH}


def open_questions(pipeline: Pipeline) -> set[tuple[str, str]]:
    with pipeline.engine.connect() as connection:
        rows = connection.execute(text("select kind, detail from steward_task where status = 'open'"))
        return {(row.kind, row.detail) for row in rows}


def asked(pipeline: Pipeline, row: dict[str, Any]) -> tuple[Advice, str | None]:
    place = {"street": row["address_line1"], "city": row["address_city"], "postal_code": row["address_postal_code"]}
    number = [{"type": "vat", "value": row["tax_id"]}] if "tax_id" in row else []
    values = {"name": row["name"], "country": row["address_country"], "address": place, "identifiers": number}
    report = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, values)
    return report.advice, report.candidates[0].refused


@pytest.mark.parametrize("row", [OLD, NEW], ids=["as it was", "as it is"])
def test_a_company_that_a_steward_joined_from_unlike_rows_is_found_by_either(
    pipeline: Pipeline, row: dict[str, Any]
) -> None:
    """It was renamed and moved: nothing but the steward's word holds its rows together."""
    take_in(pipeline, [{"id": "cus_m1", **OLD}, {"id": "cus_m2", **NEW}])
    decide(pipeline, ANNA, JudgePair(billed("cus_m1"), billed("cus_m2"), Verdict.SAME))

    assert asked(pipeline, row) == (Advice.USE, None)


def test_a_company_of_two_places_is_found_by_its_own_row(pipeline: Pipeline) -> None:
    number = {"tax_id_type": "eu_vat", "tax_id": "DE136695976"}
    places = (HAMBURG, MUNICH, HAMBURG, MUNICH)
    rows = [{"id": f"cus_p{at}", **OLD, **number, **place} for at, place in enumerate(places)]
    take_in(pipeline, rows)

    assert {asked(pipeline, row) for row in rows} == {(Advice.USE, None)}


def test_a_namesake_of_another_number_is_refused(pipeline: Pipeline) -> None:
    """Though the row that matches states none."""
    take_in(
        pipeline,
        [{"id": "cus_n1", **OLD, "tax_id_type": "eu_vat", "tax_id": "DE136695976"}, {"id": "cus_n2", **OLD}],
    )
    values = {"name": OLD["name"], "country": "DE", "identifiers": [{"type": "vat", "value": "DE129273398"}]}

    report = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, values)

    assert report.advice is Advice.ASK
    assert "identifiers differ" in {each.refused for each in report.candidates}


def test_a_telling_name_at_another_address_is_asked_about_though_it_weighs_little(pipeline: Pipeline) -> None:
    """A company that moved is not told to be new, and its row becomes a question when it arrives."""
    take_in(pipeline, [{"id": "cus_a1", **OLD}])
    there = {"street": "Am Tucherpark 4", "city": "München", "postal_code": "80538"}

    report = find_matches(
        pipeline.engine, pipeline.rules, Domain.CUSTOMER, {"name": OLD["name"], "country": "DE", "address": there}
    )
    take_in(pipeline, [{"id": "cus_a2", **OLD, **MUNICH}], first=1)

    assert report.advice is Advice.ASK
    (found,) = report.candidates
    assert found.score.weight < pipeline.rules.models[Domain.CUSTOMER].thresholds.possible
    assert found.score.veto == "name_agrees"
    assert open_questions(pipeline) == {("possible_match", "name_agrees")}


@pytest.mark.parametrize("limit", [1, 10])
def test_where_the_heaviest_is_refused_the_next_one_is_told(pipeline: Pipeline, limit: int) -> None:
    """On arrival it is joined to the second, for nothing speaks against that one."""
    numbered = {"tax_id_type": "eu_vat", "tax_id": "DE136695976"}
    both = {**OLD, "email": "info@nordlicht-pumpen.de"}
    there = {"name": OLD["name"], "email": "einkauf@nordlicht-pumpen.de"}
    take_in(pipeline, [{"id": "cus_h1", **both, **numbered}, {"id": "cus_h2", **both}, {"id": "cus_h3", **there}])
    decide(pipeline, ANNA, JudgePair(billed("cus_h2"), billed("cus_h3"), Verdict.NOT_SAME))
    here = homes(pipeline)
    assert here["cus_h1"] == here["cus_h2"] != here["cus_h3"]
    place = {"street": "Hafenstr. 9", "city": "Hamburg", "postal_code": "20457"}
    number = [{"type": "vat", "value": "DE129273398"}]
    values = {"name": OLD["name"], "country": "DE", "address": place, "identifiers": number}
    values["emails"] = [there["email"]]

    report = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, values, limit, floor=-50.0)
    take_in(pipeline, [{"id": "cus_h4", **there, **OLD, "tax_id_type": "eu_vat", "tax_id": "DE129273398"}], first=10)

    assert report.advice is Advice.USE
    told = [(each.home.entity_id, each.decision.value, each.refused) for each in report.candidates]
    assert (
        told
        == [
            (here["cus_h3"], "match", None),
            (here["cus_h1"], "possible", "identifiers differ"),
        ][:limit]
    )
    assert homes(pipeline)["cus_h4"] == here["cus_h3"]
    weights = [each.score.weight for each in report.candidates]
    assert weights == sorted(weights), "the refused one fits better by itself"


def test_a_least_weight_hides_no_answer(pipeline: Pipeline) -> None:
    """Who would be joined is told whatever it weighs; who is a question makes it one, though nobody is told."""
    take_in(pipeline, [{"id": "cus_w1", **OLD, "tax_id_type": "eu_vat", "tax_id": "DE136695976"}])
    named = {"name": OLD["name"], "country": "DE"}
    place = {"street": "Hafenstr. 9", "city": "Hamburg", "postal_code": "20457"}
    namesake = named | {"address": place, "identifiers": [{"type": "vat", "value": "DE129273398"}]}
    asked = [
        find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, values, floor=100.0)
        for values in (named, namesake)
    ]

    assert [(each.advice, len(each.candidates)) for each in asked] == [(Advice.USE, 1), (Advice.ASK, 0)]


def homes(pipeline: Pipeline) -> dict[str, str]:
    """The golden record of each billing customer, by its key."""
    with pipeline.engine.connect() as connection:
        return dict(
            connection.exec_driver_sql("select key, entity_id from source_record join crosswalk using (rec_id)").all()
        )
