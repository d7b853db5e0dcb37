"""Contracts and mappings are checked when they are loaded, and a fault is named with file, line and key."""

from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import load_catalogue
from mdm.intake.contracts import Mode
from mdm.intake.mapping import standardise
from mdm.model.ids import CrosswalkKey
from mdm.model.platforms import PlatformRole, Platforms
from tests.unit.mdm.intake.messages import CONTRACT, catalogue

MAPPING = """\
table: part
kind: product
trust: {default: 0.4, code: 0.9}
attributes:
  name: {as: product_name, from: name}
  code: {as: product_code, from: id}
"""


def written(folder: Path, mapping: str) -> Path:
    (folder / "shop").mkdir(parents=True, exist_ok=True)
    (folder / "shop" / "part.yaml").write_text(mapping, "utf-8")
    return folder


def test_a_contract_says_what_events_leave_out(tmp_path: Path) -> None:
    contract = catalogue(tmp_path, mode="freeze", truncate="apply").profiles[0].contract

    assert (contract.system, contract.table, contract.topic) == ("shop", "part", "shop.public.part")
    assert contract.primary_key == ("id",)
    assert contract.owner == "parts-desk"
    assert contract.mode is Mode.FREEZE
    assert contract.truncate_applies
    assert not contract.replica_identity_full
    assert contract.columns["id"].required
    assert contract.columns["colour"].may_be_absent


def test_trust_is_asked_by_platform_table_and_attribute(tmp_path: Path) -> None:
    found = catalogue(written(tmp_path, MAPPING))

    assert found.trust("shop", "part", "code") == 0.9
    assert found.trust("shop", "part", "name") == 0.4
    assert found.trust("nobody", "knows", "name") == 0.5


@pytest.mark.parametrize(("stated", "wanted"), [("", None), ("distinct: true\n", "shop:part")])
def test_rows_say_so_where_their_table_is_trusted_to_hold_no_duplicates(
    tmp_path: Path, stated: str, wanted: str | None
) -> None:
    found = catalogue(written(tmp_path, MAPPING + stated))

    record = standardise(found, CrosswalkKey("shop", "part", "7"), {"id": "7", "name": "Bolt"})

    assert record.comparison.get("distinct_in") == wanted


def test_a_table_without_a_mapping_is_mirrored_only(tmp_path: Path) -> None:
    assert catalogue(tmp_path).profiles[0].mapping is None


def test_an_empty_folder_holds_no_platform(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="holds no platform"):
        load_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("apiVersion: v3.0.2", "apiVersion: v2.2.2", r"contract\.odcs\.yaml:1: apiVersion must be a version 3"),
        ("kind: DataContract", "kind: Poem", r":2: kind must be one of DataContract"),
        (
            "value: {decimals}",
            "value: loud",
            r":11: customProperties\[2\]\.value must be one of precise, ",
        ),
        ("value: shop", "worth: shop", r"customProperties\[1\]\.value is missing"),
        (
            "physicalType: bigint",
            "physicalType: enormous",
            r"properties\[0\]\.physicalType 'enormous' is not",
        ),
        ("physicalType: bigint", "logicalType: integer", r"schema\[0\]\.properties\[0\]\.physicalType is missing"),
        ("name: price", "name: name", r"schema\[0\]\.properties names a column twice"),
        ("required: true, primaryKey", "required: maybe, primaryKey", r"required must be true or false"),
        ("id: shop-events", "id: shop-events\nid: twice", r":4: id the key stands here twice"),
        ("schema:", "schema: [", r"contract\.odcs\.yaml:\d+: is not YAML"),
    ],
)
def test_a_wrong_contract_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in CONTRACT

    with pytest.raises(ConfigurationInvalid, match=told):
        catalogue(tmp_path, contract=CONTRACT.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("table: part", "table: parts", r"part\.yaml:1: table must be part"),
        ("kind: product", "kind: gadget", r":2: kind must be one of product, customer, contract"),
        ("code: 0.9", "code: 9", r":3: trust\.code must lie between 0 and 1"),
        ("code: 0.9", "colour: 0.9", r"trust\.colour is not a canonical attribute"),
        ("  name: {", "  title: {", r":5: attributes\.title is not an attribute of product"),
        ("as: product_name", "as: magic", r"attributes\.name\.as must be one of .*, not 'magic'"),
        ("from: name", "from: nome", r"attributes\.name\.from 'nome' is not a column of shop\.part"),
        ("from: name", "form: name", r"attributes\.name\.form is not a known key here"),
        ("attributes:", "atributes:", r"atributes is not a known key here"),
        ("from: id}", "from: id}\nreferences: [{role: x, from: id}]", r"references\[0\]\.to is missing"),
        ("from: id}", "from: id}\nreferences: [{role: x, from: id, to: bolt}]", r"points at shop\.bolt"),
        ("from: id}", "from: id}\nreferences: [{role: x, from: id, to: part#code}]", r"points at shop\.part#code"),
    ],
)
def test_a_wrong_mapping_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in MAPPING

    with pytest.raises(ConfigurationInvalid, match=told):
        catalogue(written(tmp_path, MAPPING.replace(old, new)))


def test_a_platform_that_is_not_there_yet_may_be_pointed_at(tmp_path: Path) -> None:
    mapping = MAPPING + "claims: [{from: id, to: warehouse.part}]\n"

    assert catalogue(written(tmp_path, mapping)).profiles[0].mapping is not None


def test_a_mapping_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "bolt.yaml").write_text("table: bolt\n", "utf-8")

    with pytest.raises(ConfigurationInvalid, match=r"bolt\.yaml"):
        catalogue(tmp_path)


def test_platforms_are_asked_for_by_what_they_are(tmp_path: Path) -> None:
    found = catalogue(tmp_path)

    assert found.platforms_of(PlatformRole.ERP) == ("shop",)
    assert found.platforms_of(PlatformRole.CRM) == ()
    assert found.without_role == ()


def test_a_contract_without_a_role_is_accepted_and_its_platform_is_none_of_the_four(tmp_path: Path) -> None:
    found = catalogue(tmp_path, contract=CONTRACT.replace("  - {{property: role, value: erp}}\n", ""))

    assert found.without_role == ("shop",)
    assert found.platforms == Platforms()


def test_a_platform_has_one_role(tmp_path: Path) -> None:
    catalogue(tmp_path)
    shop = tmp_path / "shop"
    other = (shop / "contract.odcs.yaml").read_text("utf-8").replace("role, value: erp", "role, value: crm")
    (shop / "contract.v2.odcs.yaml").write_text(other.replace("version: 1.0.0", "version: 2.0.0"), "utf-8")

    with pytest.raises(ConfigurationInvalid, match="Contracts of shop call it crm and erp"):
        load_catalogue(tmp_path)


def test_two_contracts_of_one_table_are_refused(tmp_path: Path) -> None:
    catalogue(tmp_path)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "contract.odcs.yaml").write_text((tmp_path / "shop" / "contract.odcs.yaml").read_text())

    with pytest.raises(ConfigurationInvalid, match="same topic"):
        load_catalogue(tmp_path)
