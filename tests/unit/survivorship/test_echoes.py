"""What came from the hub and returns is no new evidence."""

from dataclasses import replace
from typing import Any

from survivorship.echoes import echoes_in, said_digest, still_echoes
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from tests.unit.survivorship.members import golden, member, trust

CRM = member("crm:1", at=1, name="Acme Anvils B.V.", industry="Anvils", emails=[{"value": "a@acme.nl"}])
ERP = member("erp:1", at=0, name="ACME", country="NL")


def published() -> tuple[dict[str, Any], dict[str, Any]]:
    """Golden values of CRM and ERP, and their lineage as it is stored."""
    found = golden(CRM, ERP)
    return dict(found.values), {name: each.as_json() for name, each in found.lineage.items()}


def test_a_golden_value_that_the_platform_had_not_stated_is_an_echo() -> None:
    values, lineage = published()
    says = {"emails": values["emails"], "industry": "anvils", "country": "NL", "status": "active"}

    assert echoes_in([ERP.key], says, values, lineage).keys() == {"emails", "industry"}


def test_what_the_platform_itself_made_golden_is_none() -> None:
    values, lineage = published()

    assert echoes_in([ERP.key], {"country": "NL"}, values, lineage) == {}
    assert echoes_in([CRM.key], dict(CRM.attributes), values, lineage) == {}


def test_a_mark_holds_as_long_as_the_record_goes_on_saying_so() -> None:
    marks = {"name": said_digest("Acme Anvils B.V.")}

    assert still_echoes({"name": "ACME ANVILS B.V."}, marks) == {"name"}
    assert still_echoes({"name": "Acme Holding"}, marks) == frozenset()
    assert still_echoes({}, marks) == frozenset()


def test_an_echo_neither_outvotes_nor_outlives_its_source() -> None:
    echo = replace(member("erp:1", at=5, industry="Anvils", country="NL"), echoes=frozenset({"industry"}))
    renamed = member("crm:1", at=6, industry="Hammers")

    found = golden(renamed, echo)

    assert found.values["industry"] == "Hammers", "ERP is trusted more, but only repeats what CRM used to say"
    assert [(each.record.system, each.lost_by) for each in found.lineage["industry"].runners_up] == [("erp", "echo")]
    assert found.values["country"] == "NL"


def test_an_echo_is_better_than_nothing() -> None:
    echo = replace(member("erp:1", industry="Anvils"), echoes=frozenset({"industry"}))

    assert golden(echo, member("crm:1")).values["industry"] == "Anvils"


def test_an_echoed_list_keeps_no_element_alive() -> None:
    old, new = {"value": "old@acme.nl"}, {"value": "new@acme.nl"}
    echo = replace(member("erp:1", emails=[old]), echoes=frozenset({"emails"}))

    found = consolidate(load_ruleset("customer"), [echo, member("crm:1", emails=[new])], trust)

    assert found.values["emails"] == [new]
