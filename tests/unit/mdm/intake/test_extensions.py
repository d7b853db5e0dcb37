"""Mappings declare extension attributes: named apart from the canonical ones, in the namespace of their platform."""

import shutil
from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import SHIPPED_SOURCES, Catalogue, load_catalogue
from mdm.intake.mapping import TOO_LONG, standardise
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import CrosswalkKey, Domain

ACCOUNT = CrosswalkKey("crm", "account", "A1")


def with_extensions(folder: Path, text: str, table: str = "account") -> Catalogue:
    shutil.copytree(SHIPPED_SOURCES, folder, dirs_exist_ok=True)
    file = folder / "crm" / f"{table}.yaml"
    file.write_text(file.read_text("utf-8") + f"\nextensions:\n{text}", "utf-8")
    return load_catalogue(folder)


def test_what_a_platform_says_beyond_the_model_stands_in_its_namespace(tmp_path: Path) -> None:
    catalogue = with_extensions(
        tmp_path,
        "  lead_source: account_source\n  topics: {as: texts, from: tags}\n",
    )
    row = {"id": "A1", "name": "Acme GmbH", "account_source": "Web", "tags": ["north", "fair"]}
    plain = standardise(load_catalogue(), ACCOUNT, row)

    record = standardise(catalogue, ACCOUNT, row)

    assert record.attributes == {
        **plain.attributes,
        "ext": {"crm": {"lead_source": "Web", "topics": ["north", "fair"]}},
    }
    assert record.comparison == plain.comparison, "matching sees none of it"
    silent = standardise(catalogue, ACCOUNT, {"id": "A1", "name": "Acme GmbH", "account_source": None})
    assert "ext" not in silent.attributes
    file = standardise(catalogue, ACCOUNT, {"id": "A1", "name": "Acme GmbH", "account_source": "x" * 10_001})
    assert (file.rejected["ext.lead_source"], "ext" in file.attributes) == (TOO_LONG, False)


def test_the_core_model_knows_none_of_them() -> None:
    assert "ext" not in {attribute.name for domain in Domain for attribute in ATTRIBUTES[domain]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("  industry: account_source\n", "is an attribute of customer: map it under attributes"),
        ("  ext: account_source\n", "is an attribute of customer"),
        ("  lead_source: shoe_size\n", "'shoe_size' is not a column of crm.account"),
        ("  Lead: account_source\n", "must be lower-case letters"),
        ("  seat: {as: address, from: account_source}\n", "is read as address"),
        ("  seat: {as: poem, from: account_source}\n", "must be one of"),
    ],
)  # fmt: skip
def test_a_declaration_that_would_touch_the_model_is_refused_when_it_is_read(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=fault) as refused:
        with_extensions(tmp_path, text)
    assert "account.yaml" in refused.value.message


def test_linked_facts_have_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="belong to tables of customers, contracts or products"):
        with_extensions(tmp_path, "  mood: title\n", "contact")
