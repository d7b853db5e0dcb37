"""Documents that docs/platforms.md and docs/erp.md show are read as they say."""

from pathlib import Path

import yaml

from mdm.hub.gates import read_gates
from mdm.intake.catalogue import load_catalogue
from mdm.intake.contracts import read_contracts
from mdm.lifecycle.policy import extended_policy
from mdm.model.ids import Domain
from mdm.model.platforms import PlatformRole
from tests.pages import take

_PLATFORM, _RULES = take("platforms", "yaml")
(_GATES,) = take("erp", "yaml")


def test_a_contract_says_name_and_role_of_its_platform(tmp_path: Path) -> None:
    folder = load_catalogue(None).folder
    assert folder is not None
    document = yaml.safe_load((folder / "erp" / "contract.odcs.yaml").read_text("utf-8"))
    shown = yaml.safe_load(_PLATFORM)["customProperties"]
    names = {each["property"] for each in shown}
    document["customProperties"] = [
        *shown, *(each for each in document["customProperties"] if each["property"] not in names)
    ]  # fmt: skip
    (tmp_path / "contract.odcs.yaml").write_text(yaml.safe_dump(document), "utf-8")

    found = read_contracts(tmp_path / "contract.odcs.yaml")

    assert {(each.system, each.role) for each in found} == {("sap", PlatformRole.ERP)}


def test_rules_of_a_company_say_what_differs() -> None:
    policy = extended_policy(_RULES, "rules.yaml")

    assert policy.version == "acme-1"
    assert policy.roles["subscription"] == {"zuora.subscription"}
    assert policy.rules["posting_missing"].owner == "shared-service-centre"


def test_sensitive_attributes_are_said_by_domain_and_erp(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text(f'version: "mine"\n{_GATES}contracts: {{fits: true}}\n', "utf-8")

    gates = read_gates(tmp_path / "gates.yaml")

    assert "payment_terms" in gates.of[Domain.CUSTOMER].sensitive_for("sap")
    assert set(gates.of[Domain.PRODUCT].sensitive_for("sap")) == {"revenue_account"}
    assert not gates.of[Domain.PRODUCT].sensitive_for("odoo")
