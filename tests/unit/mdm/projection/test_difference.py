"""Two targets are compared field by field."""

from importlib.resources import files

import pytest

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.hub.projection_trial import open_targets
from mdm.hub.projections import lengths_of, shipped_targets
from mdm.model.ids import Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.projection.difference import Difference, differences
from mdm.projection.document import read_target
from mdm.projection.form import Target

_SAP = (files("mdm.projection") / "targets" / "sap.yaml").read_text("utf-8")


def _changed(*changes: tuple[str, str]) -> Target:
    content = _SAP
    for before, after in changes:
        assert before in content, before
        content = content.replace(before, after)
    return read_target("sap", content, lengths_of(shipped_ruleset().targets["sap"]))


def _found(*changes: tuple[str, str]) -> list[Difference]:
    return list(differences(shipped_targets()["sap"], _changed(*changes)))


def test_a_target_does_not_differ_from_itself() -> None:
    for target in shipped_targets().values():
        assert list(differences(target, target)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("SearchTerm1: {from: web_domain, length: 20", "SearchTerm1: {from: web_domain, length: 12",
         [("SearchTerm1", "length", "20", "12")]),
        ("Industry: {from: industry, length: 10}", "Sector: {from: industry, length: 10}",
         [("Industry", "removed", "industry", None), ("Sector", "added", None, "industry")]),
        ('domestic: "1", eu_reverse_charge: "0", export: "0"', 'domestic: "1", eu_reverse_charge: "2"',
         [("CustomerTaxClassification", "code of eu_reverse_charge", "0", "2"),
          ("CustomerTaxClassification", "code of export", "0", None)]),
        ("BusinessPartnerIsBlocked: {from: blocked}", "BusinessPartnerIsBlocked: {from: blocked, required: true}",
         [("BusinessPartnerIsBlocked", "required", "false", "true")]),
        ("StreetName: {from: street}", "StreetName: {from: [street, house_number]}",
         [("to_BusinessPartnerAddress[address]/StreetName", "from", "address.street", None)]),
        ("object: A_BusinessPartner", "object: A_Partner", [("", "object", "A_BusinessPartner", "A_Partner")]),
        ("customers: business_partner", "customers: partner", [("", "table", "business_partner", "partner")]),
        ("Language: {from: language, letters: upper}", "Language: {from: language}",
         [("Language", "letters", "upper", None)]),
    ],
)  # fmt: skip
def test_what_differs_is_told_by_field(
    before: str, after: str, expected: list[tuple[str, str, str | None, str | None]]
) -> None:
    found = [(each.field, each.what, each.before, each.after) for each in _found((before, after))]
    if expected[0][1] == "from":  # how several parts are told is looked at below
        assert [each[:2] for each in found] == [each[:2] for each in expected]
        assert found[0][2] != found[0][3]
    else:
        assert found == expected


def test_targets_of_different_systems_differ_in_every_object() -> None:
    found = list(differences(shipped_targets()["sap"], shipped_targets()["odoo"]))
    assert {each.domain for each in found if each.what == "object"} == set(Domain)


def test_a_document_is_compared_with_a_shipped_target(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("targets") / "sap-next.yaml"
    stated = _SAP.replace("PaymentTerms: {from: payment_terms,", "PaymentTerms: {from: payment_terms, length: 3,")
    assert stated != _SAP
    path.write_text(stated, encoding="utf-8")
    found = list(differences(*open_targets("sap", str(path))))
    assert [(each.field, each.what, each.after) for each in found] == [("PaymentTerms", "length", "3")]
    back = list(differences(*open_targets(str(path), "sap")))
    assert [(each.field, each.what, each.before) for each in back] == [("PaymentTerms", "length", "3")]


@pytest.mark.parametrize("content", ["objects: [", "objects: 3", "[]", "objects: {customers: {fields: 1}}", ""])
def test_what_is_no_document_is_named(content: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("targets") / "wrong.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match=r"wrong\.yaml"):
        open_targets("sap", str(path))


def test_one_of_the_two_is_a_shipped_target(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(OperatorError, match="target that ships"):
        open_targets("one.yaml", "other.yaml")
    with pytest.raises(OperatorError, match="cannot be read"):
        open_targets("sap", str(tmp_path_factory.mktemp("targets") / "nothing.yaml"))
