"""What is said of a role holds for every platform that has it, and for nobody else."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.access.scope import Placement
from mdm.core.placing import place_customer, shipped_plan
from mdm.model.ids import Domain
from mdm.model.platforms import PlatformRole, Platforms
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from tests.unit.survivorship.members import contract

COMPANY = Platforms({"sap": PlatformRole.ERP, "netsuite": PlatformRole.ERP, "sales": PlatformRole.CRM})
_names = st.sampled_from(["erp", "crm", "billing", "sap", "sales", "sap.posting", "erp.posting"])
#: None that is called like the role of another.
_platforms = st.dictionaries(st.sampled_from(["sap", "sales", "store"]), st.sampled_from(PlatformRole)).map(Platforms)


def test_several_platforms_may_have_one_role_and_a_role_may_have_none() -> None:
    assert COMPANY.erps == ("netsuite", "sap")
    assert COMPANY.of(PlatformRole.CRM) == ("sales",)
    assert COMPANY.of(PlatformRole.BILLING) == ()


def test_a_role_among_names_means_its_platforms() -> None:
    assert COMPANY.meant_by({"erp"}) == {"erp", "sap", "netsuite"}
    assert COMPANY.meant_by({"sap"}) == {"sap"}


def test_a_platform_that_is_named_keeps_what_is_said_of_it() -> None:
    said = COMPANY.spread({"erp": 0.4, "netsuite": 0.1, "crm.contract": 0.9})

    assert {name: said.get(name) for name in ("sap", "netsuite", "sales", "sales.contract")} == {
        "sap": 0.4,
        "netsuite": 0.1,
        "sales": None,
        "sales.contract": 0.9,
    }


@given(_platforms, st.dictionaries(_names, st.integers()))
def test_spreading_twice_is_spreading_once(platforms: Platforms, said: dict[str, int]) -> None:
    once = platforms.spread(said)

    assert platforms.spread(once) == once
    assert said.items() <= once.items()


@given(st.dictionaries(_names, st.integers()))
def test_where_platforms_are_called_like_their_roles_nothing_changes(said: dict[str, int]) -> None:
    assert Platforms({role.value: role for role in PlatformRole}).spread(said) == said


def test_rule_sets_trust_and_mark_the_platforms_of_a_role() -> None:
    shipped = load_ruleset("contract")
    ours = shipped.among(COMPANY)
    members = [contract("sap:1", at=2, number="E-1"), contract("sales:2", at=1, number="C-2")]
    alike = lambda _system, _type, _attribute: 0.5  # noqa: E731

    assert consolidate(ours, members, alike).values["number"] == "C-2", "of CRM, whatever it is called"
    assert consolidate(shipped, members, alike).values["number"] == "E-1", "without roles the newer one"
    assert ours.echoes == {"erp", "sap", "netsuite"}
    assert (ours.fingerprint, ours.document) == (shipped.fingerprint, shipped.document)


def test_the_platforms_of_a_role_give_its_business_unit() -> None:
    def units(*systems: str) -> frozenset[str]:
        placed: Placement = place_customer(shipped_plan().among(COMPANY), {}, systems)
        assert placed.domain is Domain.CUSTOMER
        return placed.business_units

    assert units("sap", "sales") == {"finance", "sales"}
    assert units("elsewhere") == place_customer(shipped_plan(), {}, ["elsewhere"]).business_units
