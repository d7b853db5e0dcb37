"""Explanations say what holds now: of words that contradict, of keys that too many have, of rivals that became one."""

import pytest
from sqlalchemy import text

from mdm.access import FORMER_STEWARD, Scope
from mdm.errors import NotFound, RowDeleted
from mdm.hub.against import Differing, Rival
from mdm.hub.explain import explain_two
from mdm.hub.explain_entity import explain_entity
from mdm.hub.explain_record import explain_one
from mdm.hub.match import find_matches
from mdm.hub.process import Pipeline, process
from mdm.hub.steward import Actor
from mdm.model.ids import Domain
from mdm.model.stewardship import JudgePair, Verdict
from mdm.store.scoped import scoped
from tests.integration.hub.rows import billed, invoice_of, take_in
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.test_oversize import questions

ANNA = Actor("anna", FORMER_STEWARD)


def test_a_word_that_stands_beside_one_that_parts_names_the_other(pipeline: Pipeline) -> None:
    take_in(pipeline, [{"id": f"cus_o{number}", "name": name} for number, name in enumerate(("Asda", "Zenit", "Oryx"))])
    a, b, c = (billed(f"cus_o{number}") for number in range(3))
    decide(pipeline, ANNA, JudgePair(a, b, Verdict.SAME))
    decide(pipeline, ANNA, JudgePair(b, c, Verdict.SAME))
    chain = explain_two(pipeline.engine, pipeline.rules, a, c)
    assert (chain.together, chain.path) == (True, (a, b, c))
    assert chain.verdict == f"One entity through other records: {a} - {b} - {c}."

    decide(pipeline, ANNA, JudgePair(a, c, Verdict.NOT_SAME))

    found = explain_two(pipeline.engine, pipeline.rules, b, c)
    assert found.parting is not None
    assert (found.together, found.judgement, found.parting.author) == (False, "same", "anna")
    assert {found.parting.a, found.parting.b} == {a, c}
    assert found.a.entity_id != found.b.entity_id
    assert found.verdict == (
        "Not one entity: a steward judged them the same and that word stands, but another word parts their entities: "
        f"a steward judged {a} and {c} not the same (anna on {found.parting.at:%Y-%m-%d})."
    )


def test_pairs_whose_every_key_too_many_have_were_never_compared(pipeline: Pipeline) -> None:
    same = {"name": "Overflow Trading GmbH", "address_country": "DE", "address_line1": "Hauptstr. 5",
            "address_city": "Bonn", "address_postal_code": "53111", "email": "info@overflow-trading.de"}  # fmt: skip
    take_in(pipeline, [{"id": f"cus_o{number:03}", **same} for number in range(120)])

    found = explain_two(pipeline.engine, pipeline.rules, billed("cus_o001"), billed("cus_o002"))

    assert (found.together, found.compared, found.decision) == (False, False, "match")
    assert found.shared_keys
    assert {key.carriers for key in found.shared_keys} == {120}
    assert found.verdict.startswith("Not one entity: they were never compared")
    assert "with 120 records: no more than 50 are compared by it. They would match with" in found.verdict
    assert found.verdict.endswith("The exceptions BLOCK_OVERSIZED say what is too frequent.")
    assert questions(pipeline.engine)
    entity = explain_entity(pipeline.engine, pipeline.rules, found.a.entity_id)
    assert {key.carriers for key in entity.oversized} == {120}
    assert "email" in {key.rule for key in entity.oversized}
    assert explain_one(pipeline.engine, pipeline.rules, billed("cus_o001")).oversized == entity.oversized


def test_many_of_one_common_name_are_told_apart_from_what_somebody_is_asked_about(pipeline: Pipeline) -> None:
    """Their names are under the lower cap of coarse rules, their towns differ: nobody need do anything about it."""
    same = {"name": "Schmidt Logistik GmbH", "address_country": "DE"}
    towns = ("Berlin", "Hamburg", "Bremen", "Kiel", "Ulm", "Bonn", "Trier",
             "Mainz", "Essen", "Gera", "Jena", "Halle", "Fulda", "Passau")  # fmt: skip
    rows = [{"id": f"cus_s{number:02}", **same, "address_city": town} for number, town in enumerate(towns)]
    take_in(pipeline, rows)
    a, b = (billed(row["id"]) for row in rows[:2])

    found = explain_two(pipeline.engine, pipeline.rules, a, b)

    assert questions(pipeline.engine) == set()
    assert (found.compared, found.decision) == (False, "none")
    assert {(key.carriers, key.most, key.asked) for key in found.shared_keys} == {(14, 12, None)}
    assert found.verdict == (
        "Not one entity: they were never compared, because too many records share each key that both have. Nearest "
        "comes edge+country, with 14 records: no more than 12 are compared by it. They would not match anyway, with "
        f"{found.score.weight:.1f} bits."
    )
    alone = explain_entity(pipeline.engine, pipeline.rules, found.a.entity_id)
    assert {(key.carriers, key.asked) for key in alone.oversized} == {(14, None)}
    assert {"handle", "two words", "word+country"} <= {key.rule for key in alone.oversized}
    assert "words" not in {key.rule for key in alone.oversized}, "words+city stands in for it"
    answer = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, {"name": "Schmidt Logistik GmbH"})
    assert (answer.advice, answer.compared) == ("ask_a_steward", 0)
    assert {"handle", "words"} <= {key.rule for key in answer.oversized}
    told = ("12 records or more have the same words in their names, and it was not compared with all of them: look "
            "among them for it by its name, or say more of it.")  # fmt: skip
    assert answer.remarks == (told,)
    asked = {"name": "Schmidt Logistik GmbH", "phones": ["+49 381 4711000"]}
    answer = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, asked)
    assert (answer.advice, answer.remarks) == ("create", (told,))
    asked = {"name": "Schmidt Logistik GmbH", "country": "DE", "address": {"city": "Ulm"}}
    answer = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, asked)
    assert (answer.advice, answer.remarks) == ("use_existing", ())

    take_in(pipeline, rows[12:], first=100, gone=True)

    found = explain_two(pipeline.engine, pipeline.rules, a, b)
    assert {(key.carriers, key.most) for key in found.shared_keys} == {(None, None)}
    assert "too little evidence" in found.verdict
    # Whoever asks would be the thirteenth.
    answer = find_matches(pipeline.engine, pipeline.rules, Domain.CUSTOMER, {"name": "Schmidt Logistik GmbH"})
    assert {"handle", "words"} <= {key.rule for key in answer.oversized}


def test_what_is_stated_of_too_many_is_no_reason_for_comparing(pipeline: Pipeline) -> None:
    """An invoice number that is stated of sixty customers pairs none of them."""
    rows = [{"id": f"cus_e{number:02}", "name": name} for number, name in enumerate(("Asda", "Zenit", *["Oryx"] * 58))]
    take_in(pipeline, rows)
    a, b = (billed(row["id"]) for row in rows[:2])
    invoices = [invoice_of(number, row["id"], "INV-2024-900001") for number, row in enumerate(rows)]
    process(pipeline, "test", invoices[:2])
    before = explain_two(pipeline.engine, pipeline.rules, a, b)
    assert [(key.rule, key.usable) for key in before.shared_keys] == [("stated about both", True)]

    process(pipeline, "test", invoices[2:])

    found = explain_two(pipeline.engine, pipeline.rules, a, b)
    assert [(key.rule, key.carriers, key.asked) for key in found.shared_keys] == [
        ("stated about both", 60, "EVIDENCE_OVERSIZED")
    ]
    assert not found.compared
    assert found.verdict.endswith("The exceptions EVIDENCE_OVERSIZED say what is too frequent.")
    alone = explain_entity(pipeline.engine, pipeline.rules, found.a.entity_id)
    assert [(key.rule, key.carriers) for key in alone.oversized] == [("evidence", 60)]


@pytest.fixture
def homonyms(pipeline: Pipeline) -> Pipeline:
    """Two companies of one name that state different tax numbers, and a third row that states none."""
    place = {"name": "Vetokraft Werke GmbH", "address_country": "DE", "address_line1": "Ring 5",
             "address_city": "Ulm", "address_postal_code": "89073"}  # fmt: skip
    taxes = ({"tax_id_type": "eu_vat", "tax_id": number} for number in ("DE136695976", "DE129273398"))
    take_in(pipeline, [{"id": f"cus_v{n}", **place, **tax} for n, tax in enumerate((*taxes, {}), start=1)])
    return pipeline


def test_the_reason_for_standing_apart_is_the_one_that_holds_now(homonyms: Pipeline) -> None:
    one, two, either = (billed(f"cus_v{number}") for number in (1, 2, 3))
    before = explain_one(homonyms.engine, homonyms.rules, either)
    assert {each.reason for each in before.rejected} == {"fits another entity as well"}
    assert {
        (each.record, each.refused.rival.key) for each in before.rejected if each.refused and each.refused.rival
    } == {
        (one, two),
        (two, one),
    }

    decide(homonyms, ANNA, JudgePair(one, two, Verdict.SAME))

    after = explain_one(homonyms.engine, homonyms.rules, either)
    (reason,) = {each.reason for each in after.rejected}
    assert "only a steward's word makes one" in reason


def test_a_refused_pair_names_the_entity_that_a_record_fits_as_well(homonyms: Pipeline) -> None:
    one, two, either = (billed(f"cus_v{number}") for number in (1, 2, 3))
    other = explain_one(homonyms.engine, homonyms.rules, two).record.entity_id

    found = explain_two(homonyms.engine, homonyms.rules, either, one)

    assert found.refused is not None
    assert found.refused.match == (either, one)
    assert found.refused.rival == Rival(two, other)
    assert found.verdict == (
        "Not one entity although the pair matches: joining their entities was refused: "
        f"fits another entity as well: {two} in {other}; see the open task."
    )


def test_a_record_out_of_reach_is_neither_named_as_a_rival_nor_told_to_have_ended(pipeline: Pipeline) -> None:
    place = {"name": "Vetokraft Werke GmbH", "address_line1": "Ring 5", "address_city": "Ulm"}
    taxes = ({"tax_id_type": "eu_vat", "tax_id": number} for number in ("DE136695976", "DE129273398"))
    rows = [{"id": f"cus_v{n}", **place, "address_country": "DE", **tax} for n, tax in enumerate((*taxes, {}), start=1)]
    ended = {"id": "cus_e", "name": "Asda", "address_country": "DE"}
    take_in(pipeline, [*rows, ended])
    one, two, either, gone = (billed(row["id"]) for row in (*rows, ended))
    hidden = {explain_one(pipeline.engine, pipeline.rules, key).record.entity_id for key in (two, gone)}
    take_in(pipeline, [ended], first=4, gone=True)
    with pipeline.engine.begin() as connection:
        connection.execute(
            text("update placement set regions = '{AMER}' where entity_id = any(:hidden)"), {"hidden": list(hidden)}
        )
    limited = scoped(pipeline.engine, Scope(regions=frozenset({"EMEA"})))

    found = explain_two(limited, pipeline.rules, either, one)

    assert found.refused is not None
    assert (found.refused.reason, found.refused.rival) == ("fits another entity as well", None)
    assert not any(entity in found.verdict for entity in hidden)
    assert {each.record for each in explain_one(limited, pipeline.rules, either).rejected} == {one}
    with pytest.raises(NotFound) as unknown:
        explain_two(limited, pipeline.rules, gone, one)
    assert not isinstance(unknown.value, RowDeleted)


def test_a_refused_pair_names_the_identifiers_of_their_entities_that_differ(pipeline: Pipeline) -> None:
    """The third row states no number: what differs is between the other two, which were joined or not before it."""
    place = {"name": "Vetokraft Werke GmbH", "address_country": "DE", "address_line1": "Ring 5",
             "address_city": "Ulm", "address_postal_code": "89073"}  # fmt: skip
    mail = {"email": "info@vetokraft.de", "phone": "+49 731 4711000"}
    rows = [
        {"id": "cus_v1", **place, "tax_id_type": "eu_vat", "tax_id": "DE136695976"},
        {"id": "cus_v2", **place, **mail},
        {"id": "cus_v3", **place, **mail, "tax_id_type": "eu_vat", "tax_id": "DE129273398"},
    ]
    take_in(pipeline, rows)
    a, b, c = (billed(row["id"]) for row in rows)
    assert explain_two(pipeline.engine, pipeline.rules, b, c).together

    found = explain_two(pipeline.engine, pipeline.rules, a, b)
    told = explain_entity(pipeline.engine, pipeline.rules, found.a.entity_id)

    assert found.refused is not None
    assert found.refused.match == (a, b)
    (differing,) = found.refused.identifiers
    assert (differing.a, differing.b) == (("de136695976",), ("de129273398",))
    assert found.verdict == (
        "Not one entity although the pair matches: joining their entities was refused: "
        f"identifiers differ ({differing.kind}); see the open task."
    )
    assert [each.refused and each.refused.identifiers for each in told.rejected] == [(differing,)]
    turned = explain_two(pipeline.engine, pipeline.rules, b, a)
    assert turned.refused is not None
    assert turned.refused.match == (b, a)
    assert turned.refused.identifiers == (Differing(differing.kind, differing.b, differing.a),)


def test_a_row_that_has_ended_is_told_from_one_that_never_was(pipeline: Pipeline) -> None:
    rows = [{"id": f"cus_o{number}", "name": name} for number, name in enumerate(("Asda", "Zenit"))]
    take_in(pipeline, rows)
    ended, live = (billed(row["id"]) for row in rows)
    home = explain_one(pipeline.engine, pipeline.rules, ended).record.entity_id
    take_in(pipeline, rows[:1], first=2, gone=True)

    with pytest.raises(RowDeleted) as deleted:
        explain_two(pipeline.engine, pipeline.rules, ended, live)
    assert deleted.value.last_entity == home
    assert f"{ended} was deleted in its platform, as message 2 of billing.public.customer" in deleted.value.message
    assert f"It last belonged to {home}." in deleted.value.message
    with pytest.raises(RowDeleted):
        explain_one(pipeline.engine, pipeline.rules, ended)
    with pytest.raises(NotFound) as unknown:
        explain_two(pipeline.engine, pipeline.rules, billed("cus_never"), live)
    assert not isinstance(unknown.value, RowDeleted)
