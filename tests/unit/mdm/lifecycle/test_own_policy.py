"""What a company says else than the shipped rules of reconciliation, and what is refused of it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.lifecycle.policy import extended_policy, shipped_policy

OWN = """\
version: "2026-11"
roles: {agreement: [crm.contract, crm2.contract]}
words: {contract_active: [active, live]}
receivable_accounts: ["1200", "1210"]
periods_per_year: {semiannual: 2}
grace: {posting: 5}
progress: {ordered: {days: 30}}
close: {business_day: 3}
rules:
  posting_missing: {owner: shared-service-centre}
"""


def test_a_document_says_only_what_differs() -> None:
    own, shipped = extended_policy(OWN, "own.yaml"), shipped_policy()

    assert own.version == "2026-11"
    assert own.roles == {**shipped.roles, "agreement": {"crm.contract", "crm2.contract"}}
    assert own.words == {**shipped.words, "contract_active": {"active", "live"}}
    assert own.receivable_accounts == {"1200", "1210"}
    assert own.periods_per_year == {**shipped.periods_per_year, "semiannual": 2}
    assert own.grace == {**shipped.grace, "posting": timedelta(days=5)}
    assert own.close_on == 3
    assert (own.progress["ordered"].days, own.progress["ordered"].owner) == (30, shipped.progress["ordered"].owner)
    changed, before = own.rules["posting_missing"], shipped.rules["posting_missing"]
    assert (changed.owner, changed.code, changed.action) == ("shared-service-centre", before.code, before.action)
    assert {name: rule for name, rule in own.rules.items() if name != "posting_missing"} == {
        name: rule for name, rule in shipped.rules.items() if name != "posting_missing"
    }


def test_a_version_alone_says_what_ships() -> None:
    own, shipped = extended_policy('version: "mine"\n', "own.yaml"), shipped_policy()

    assert (own.rules, own.roles, own.words, own.progress) == (
        shipped.rules, shipped.roles, shipped.words, shipped.progress,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("rolls: {}", r"rolls \(known: version, roles"),
        ("roles: {order: [crm.opportunity]}", r"roles\.order \(known: subscription, agreement\)"),
        ("rules: {posting_misses: {owner: x}}", r"rules\.posting_misses \(known: invoice_erp_amount_mismatch"),
        ("rules: {posting_missing: {color: red}}", r"rules\.posting_missing\.color \(known: code, severity"),
        ("rules: {posting_missing: {code: GONE}}", r"posting_missing\.code GONE \(it stays POSTING_MISSING"),
        ("words: {contract_live: [live]}", r"words\.contract_live \(known: entry_posted"),
        ("progress: {delivered: {days: 3}}", r"progress\.delivered \(known: ordered"),
        ("progress: {ordered: 3}", r"progress\.ordered as int"),
        ("grace: {postings: 2}", r"grace\.postings \(known: posting"),
        ("roles: [crm.contract]", r"roles as list \(it is a mapping\)"),
        ("rules: {posting_missing: {severity: fatal}}", r"'fatal' is not a valid Severity"),
        ("words: {contract_active: live}", r"contract_active must be a list"),
        ("grace: {posting: soon}", r"could not convert string to float"),
        ("rules: [", r"cannot be read"),
    ],
)
def test_what_is_unknown_is_named_with_what_is_known(said: str, told: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=told) as refused:
        extended_policy(f'version: "1"\n{said}\n', "own.yaml")
    assert "own.yaml" in refused.value.message


def test_the_document_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[4] / "docs" / "platforms.md").read_text("utf-8")
    (written,) = [each for each in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "agreement" in each]

    own = extended_policy(written, "own.yaml")

    assert own.roles["agreement"] == {"crm.contract", "crm2.contract"}
    assert (own.progress["ordered"].days, own.progress["ordered"].owner) == (30, "order-desk")


def test_everything_that_is_unknown_is_named_at_once() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        extended_policy('version: "1"\nrolls: {}\ngrace: {postings: 2}\n', "own.yaml")
    assert "rolls" in refused.value.message
    assert "grace.postings" in refused.value.message


@pytest.mark.parametrize("text", ["", "roles: {}\n", "just a text", "- version\n"])
def test_a_document_without_a_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="must be a mapping with a version"):
        extended_policy(text, "own.yaml")
