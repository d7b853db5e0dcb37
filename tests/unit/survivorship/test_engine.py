"""What survives by the shipped rule sets, and what its lineage says."""

from typing import Any

import pytest

from mdm.model.ids import CrosswalkKey
from mdm.model.records import StoredRecord
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from tests.unit.survivorship.members import contract, golden, member, product, trust, vat

HALL = {"street": "Hallstr.", "house_number": "4", "postal_code": "80331", "city": "München", "country": "DE"}


def test_the_more_trusted_source_wins_though_it_is_older() -> None:
    result = golden(member("billing:1", at=5, industry="Retail"), member("erp:1", industry="Wholesale"))

    assert result.values["industry"] == "Wholesale"
    assert result.lineage["industry"].rule == "trust"


def test_of_two_equally_trusted_records_the_younger_wins() -> None:
    result = golden(member("crm:1", industry="Retail"), member("crm:2", at=1, industry="Wholesale"))

    assert result.values["industry"] == "Wholesale"
    assert result.lineage["industry"].rule == "most_recent"


def test_attributes_that_nobody_states_are_left_out() -> None:
    result = golden(member("crm:1", name="Acme Ltd", industry="", alternate_names=[], status=None))

    assert result.values == {"name": "Acme Ltd"}
    assert result.lineage.keys() == {"name"}


def test_zero_and_false_are_values() -> None:
    result = golden(member("crm:1", employees=0, blocked=False))

    assert result.values == {"employees": 0, "blocked": False}


def test_an_entity_without_members_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one member"):
        consolidate(load_ruleset("customer"), [], trust)


@pytest.mark.parametrize(
    "damaged",
    [
        "MÜLLER MASCHINENBAU GMBH",
        "müller maschinenbau gmbh",
        "M&uuml;ller Maschinenbau GmbH",
        "MÃ¼ller Maschinenbau GmbH",
        "*** Müller Maschinenbau GmbH ***",
        "Müller  Maschinenbau GmbH",
    ],
)
def test_of_one_name_the_well_written_spelling_survives(damaged: str) -> None:
    core = {"name": "muller maschinenbau"}
    result = golden(
        member("crm:1", name=damaged, comparison=core),
        member("crm:2", name="Müller Maschinenbau GmbH", comparison=core),
    )

    assert result.values["name"] == "Müller Maschinenbau GmbH"


def test_shouting_loses_to_a_well_written_name_of_a_less_trusted_source() -> None:
    result = golden(member("erp:1", name="MÜLLER MASCHINENBAU GMBH"), member("crm:1", name="Müller Maschinenbau GmbH"))

    assert result.values["name"] == "Müller Maschinenbau GmbH"
    assert result.lineage["name"].rule == "best_written"


def test_two_platforms_that_agree_outweigh_a_more_trusted_one_that_stands_alone() -> None:
    result = golden(
        member("erp:1", name="McCarhty Logistics Ltd"),
        member("crm:1", name="McCarthy Logistics Ltd"),
        member("billing:1", name="McCarthy Logistics Ltd."),
    )

    assert result.values["name"] == "McCarthy Logistics Ltd"
    lost_by = {runner_up.record.system: runner_up.lost_by for runner_up in result.lineage["name"].runners_up}
    assert lost_by == {"erp": "best_supported", "billing": "trust"}


def test_many_records_of_one_platform_are_one_voice() -> None:
    result = golden(
        member("erp:1", name="McCarthy Logistics Ltd"),
        *(member(f"product:{key}", name="Macarthy Logistics Ltd") for key in range(5)),
    )

    assert result.values["name"] == "McCarthy Logistics Ltd"


def test_of_one_name_the_record_that_knows_the_legal_form_spells_it() -> None:
    core = {"name": "acme tools"}
    result = golden(
        member("erp:1", name="Acme Tools", comparison=core),
        member("billing:1", name="Acme Tools Ltd", legal_form="Ltd", comparison=core),
    )

    assert result.values["name"] == "Acme Tools Ltd"
    assert result.lineage["name"].rule == "states"


def test_a_name_of_a_far_more_trusted_source_stays_when_nobody_agrees() -> None:
    result = golden(member("erp:1", name="MÜLLER MASCHINENBAU GMBH"), member("product:1", name="Müller Machinenbau"))

    assert result.values["name"] == "MÜLLER MASCHINENBAU GMBH"


def test_acronyms_are_well_written_in_capitals() -> None:
    result = golden(member("erp:1", name="SAP SE"), member("crm:1", name="Sap Se"))

    assert result.values["name"] == "SAP SE"


def test_the_name_of_a_merged_record_ranks_last_whoever_states_it() -> None:
    result = golden(
        member("crm:1", at=9, name="Old Name Ltd", status="merged"), member("product:1", name="New Name Ltd")
    )

    assert result.values["name"] == "New Name Ltd"
    assert result.lineage["name"].rule == "prefer"


def test_the_name_of_a_merged_record_is_better_than_none() -> None:
    assert golden(member("crm:1", name="Old Name Ltd", status="merged")).values["name"] == "Old Name Ltd"


def test_without_a_name_the_first_alternate_name_serves() -> None:
    result = golden(member("crm:1", alternate_names=["Acme", "Acme Tools"]))

    assert result.values["name"] == "Acme"
    assert result.values["alternate_names"] == ["Acme Tools"]


def test_former_and_trading_names_are_kept_and_misspellings_are_not() -> None:
    def named(key: str, name: str, core: str, **more: Any) -> StoredRecord:
        return member(key, name=name, comparison={"name": core}, **more)

    result = golden(
        named("erp:1", "Salum Trasporti S.r.l.", "salum transport", legal_form="S.r.l."),
        named("crm:1", "Ditta Salum Trasporti Società a responsabilità limitata", "salum transport"),
        named("crm:2", "Slum Trasporti", "slum transport"),
        named("billing:1", "Brimar", "brimar", alternate_names=["Salum Trasporti Milano"]),
        named("product:1", "BRIMAR S.r.l.", "brimar"),
    )

    assert result.values["name"] == "Salum Trasporti S.r.l."
    assert result.values["alternate_names"] == ["Brimar", "Salum Trasporti Milano", "BRIMAR S.r.l."]


def test_an_address_survives_as_one_value() -> None:
    crm = {"street": "Ringstr.", "city": "München"}
    result = golden(member("crm:1", address=crm, at=5), member("erp:1", address=HALL))

    assert result.values["address"] == HALL


def test_of_one_address_the_fuller_form_survives() -> None:
    place = {"street": "hallstr", "city": "munchen"}
    bare = {"street": "Hallstr.", "city": "München"}
    result = golden(
        member("erp:1", address=bare, at=5, comparison=place), member("crm:1", address=HALL, comparison=place)
    )

    assert result.values["address"] == HALL
    assert result.lineage["address"].rule == "most_complete"


@pytest.mark.parametrize("street", ["PO Box 9420", "Postfach 12 34", "Apartado 5", "BP 12", None])
def test_a_postal_box_is_not_a_seat(street: str | None) -> None:
    box = {"street": street, "city": "München", "postal_code": "80331", "country": "DE"}
    result = golden(
        member("erp:1", address=box), member("product:1", address={"street": "Hallstr.", "city": "München"})
    )

    assert result.values["address"]["street"] == "Hallstr."
    assert result.lineage["address"].rule == "street_address"


def test_identifiers_are_united_by_type_country_and_normal_form_with_valid_ones_first() -> None:
    result = golden(
        member("erp:1", identifiers=[vat("DE111", "invalid"), vat("DE 136695976")]),
        member("crm:1", identifiers=[vat("DE136695976"), vat("136695976", country="AT", state="unverifiable")]),
    )

    states = [(each["value"], each["state"]) for each in result.values["identifiers"]]
    assert states == [("DE 136695976", "valid"), ("136695976", "unverifiable"), ("DE111", "invalid")]


def test_an_element_that_is_valid_somewhere_is_taken_from_there() -> None:
    result = golden(
        member("erp:1", identifiers=[vat("DE136695976", "unverifiable")]),
        member("billing:1", identifiers=[vat("DE 136695976", "valid")]),
    )

    lineage = result.lineage["identifiers"].elements[0]
    assert result.values["identifiers"][0]["state"] == "valid"
    assert lineage.origin.record == CrosswalkKey("billing", "table", "1")
    assert [runner_up.record.system for runner_up in lineage.runners_up] == ["erp"]


def test_phones_are_united_by_their_international_form() -> None:
    result = golden(
        member("crm:1", phones=[{"value": "089 / 1234", "e164": "+49891234", "valid": True}]),
        member("billing:1", phones=[{"value": "+49 89 1234", "e164": "+49891234", "valid": True}]),
    )

    assert [phone["value"] for phone in result.values["phones"]] == ["089 / 1234"]


@pytest.mark.parametrize(
    ("read", "unread", "shown"),
    [
        (["+13035118528"], "(303) 511-8528", ["+13035118528"]),
        (["+33310622878"], "0310622878", ["+33310622878"]),
        (["+390111394278"], "(011) 139-4278", ["+390111394278"]),
        (["+4989123456"], "089 123457", ["+4989123456", "089 123457"]),
        (["+49303511852", "+43303511852"], "030 3511852", ["+49303511852", "+43303511852", "030 3511852"]),
        (["+4930351185"], "351185", ["+4930351185", "351185"]),
    ],
    ids=["as another row wrote it", "trunk zero", "zero within", "another number", "of two countries", "too short"],
)
def test_a_number_without_its_country_is_the_one_that_another_row_says_whole(
    read: list[str], unread: str, shown: list[str]
) -> None:
    whole = [{"value": each, "e164": each, "valid": True} for each in read]
    members = [
        member("billing:1", phones=whole),
        member("crm:1", at=9, phones=[{"value": unread, "e164": None, "valid": False}]),
    ]

    for each in (members, members[::-1]):
        assert [phone["value"] for phone in golden(*each).values["phones"]] == shown


def test_emails_are_united_without_regard_to_case_and_own_ones_come_first() -> None:
    result = golden(
        member("crm:1", emails=[{"value": "Info@acme.com", "domain": "acme.com", "shared": True}]),
        member("billing:1", emails=[{"value": "ann@acme.com", "domain": "acme.com", "shared": False}]),
        member("product:1", emails=[{"value": "info@ACME.com", "domain": "acme.com", "shared": True}]),
    )

    assert [email["value"] for email in result.values["emails"]] == ["ann@acme.com", "Info@acme.com"]
    assert [element.origin.record.system for element in result.lineage["emails"].elements] == ["billing", "crm"]


def test_alternate_names_do_not_repeat_the_name() -> None:
    result = golden(member("crm:1", name="Acme Tools Ltd", alternate_names=["ACME TOOLS LTD.", "Acme"]))

    assert result.values["alternate_names"] == ["Acme"]


def test_who_is_late_anywhere_is_late() -> None:
    result = golden(member("billing:1", delinquent=True), member("erp:1", at=1, delinquent=False))

    assert result.values["delinquent"] is True


def test_the_number_of_a_contract_comes_from_crm_and_the_others_are_kept() -> None:
    result = golden(
        contract("billing:1", number="SUB-1", at=9),
        contract("erp:1", number="4500", other_numbers=["CT-7"]),
        contract("crm:1", number="CT-7"),
    )

    assert result.values["number"] == "CT-7"
    assert result.values["other_numbers"] == ["4500", "SUB-1"]


def test_a_number_stated_about_a_contract_says_more_than_the_own_number_of_billing() -> None:
    result = golden(contract("billing:1", number="sub_1", other_numbers=["CT-7"]))

    assert result.values["number"] == "CT-7"
    assert result.values["other_numbers"] == ["sub_1"]


def test_without_any_other_the_own_number_of_billing_serves() -> None:
    assert golden(contract("billing:1", number="sub_1")).values["number"] == "sub_1"


def test_a_contract_without_own_number_takes_one_that_is_stated_about_it() -> None:
    result = golden(contract("billing:1", other_numbers=["CT-7"]))

    assert result.values["number"] == "CT-7"
    assert "other_numbers" not in result.values


def test_the_term_of_a_contract_comes_from_one_record() -> None:
    result = golden(
        contract("crm:1", start_date="2025-01-01", end_date="2025-12-31"),
        contract("erp:1", start_date="2025-02-01", term_months=24, at=3),
        contract("billing:1", start_date="2025-03-01", end_date="2026-02-28", term_months=12),
    )

    term = {name: result.values.get(name) for name in ("start_date", "end_date", "term_months")}
    assert term == {"start_date": "2025-02-01", "end_date": None, "term_months": 24}
    assert {result.lineage[name].origin.record.system for name in ("start_date", "term_months")} == {"erp"}


def test_value_and_currency_stay_together() -> None:
    result = golden(contract("erp:1", value="1200.00"), contract("crm:1", value="1100.00", currency="EUR"))

    assert (result.values["value"], result.values["currency"]) == ("1100.00", "EUR")


def test_the_lines_of_a_contract_survive_whole() -> None:
    def line(key: str, quantity: str) -> dict[str, Any]:
        return {"product": {"system": "erp", "type": "item", "key": key}, "quantity": quantity, "unit_price": "10.00"}

    result = golden(
        contract("billing:1", lines=[line("a", "5"), line("b", "5")], at=2), contract("erp:1", lines=[line("a", "9")])
    )

    assert result.values["lines"] == [line("a", "9")]


def test_what_is_still_sold_describes_a_product_better_than_what_was_withdrawn() -> None:
    result = golden(
        product("erp:1", name="Analytics Classic", status="inactive"),
        product("billing:1", name="Analytics", status="active"),
    )

    assert result.values["name"] == "Analytics"


def test_lineage_names_the_change_event_the_rule_and_who_lost() -> None:
    result = golden(member("crm:1", at=2, industry="Retail"), member("erp:7", industry="Wholesale"))

    assert result.lineage["industry"].as_json() == {
        "record": {"system": "erp", "type": "table", "key": "7"},
        "topic": "erp.public.table",
        "partition": 1,
        "offset": 40,
        "lsn": 100,
        "transaction": "567",
        "event_time": "2025-06-01T12:00:00+00:00",
        "rule": "trust",
        "ruleset": load_ruleset("customer").fingerprint,
        "runners_up": [
            {
                "record": {"system": "crm", "type": "table", "key": "1"},
                "rule": "trust",
                "reason": "comes from a less trusted source",
                "value": "Retail",
            }
        ],
    }


def test_lineage_of_a_value_that_all_agree_on_says_so() -> None:
    result = golden(member("crm:1", country="DE"), member("erp:1", country="DE"), member("product:1", country="DE"))

    lineage = result.lineage["country"]
    assert lineage.rule == "same_value"
    assert lineage.origin.record.system == "erp"
    assert [runner_up.reason for runner_up in lineage.runners_up] == ["states the same value"] * 2


def test_runners_up_are_listed_from_the_closest_and_never_more_than_ten() -> None:
    result = golden(*(member(f"crm:{key}", at=key, industry=f"Line {key}") for key in range(15)))

    runners_up = result.lineage["industry"].runners_up
    assert [runner_up.value for runner_up in runners_up] == [f"Line {key}" for key in range(13, 3, -1)]


def test_an_entity_is_called_by_its_name_else_by_what_everybody_may_read() -> None:
    assert golden(member("crm:1", name="Acme Ltd")).name == "Acme Ltd"
    assert golden(member("crm:1", alternate_names=["Acme"], web_domain="acme.com")).name == "Acme"
    assert golden(member("crm:1", web_domain="acme.com")).name == "acme.com"
    assert golden(member("crm:1", identifiers=[vat("DE136695976")])).name == "1", "not everybody may read numbers"
    assert golden(member("crm:2", industry="Retail", at=1), member("crm:1", industry="Retail")).name == "1"


def test_an_entity_is_found_by_all_spellings_and_by_its_identifiers() -> None:
    result = golden(
        member("crm:1", name="Müller Maschinenbau GmbH", identifiers=[vat("DE 136.695.976")]),
        member("erp:1", name="Mueller Masch.bau"),
    )

    assert {"muller", "mueller", "maschinenbau", "masch", "de136695976"} <= set(result.search_terms)
    assert list(result.search_terms) == sorted(set(result.search_terms))
