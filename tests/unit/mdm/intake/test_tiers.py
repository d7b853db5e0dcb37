"""What each tier asks for, and documents that contradict themselves."""

from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import load_catalogue
from mdm.intake.tiers import FRESH_WITHIN, tiers_of
from mdm.observability.catalogue import METRICS
from tests.unit.mdm.intake.messages import CONTRACT, catalogue

SHIPPED = Path(__file__).parents[4] / "mdm" / "intake" / "sources" / "tiers.yaml"


@pytest.mark.parametrize(
    ("system", "table", "workflow", "tier"),
    [
        ("erp", "posting", "posting", 1),
        ("erp", "sales_order", "posting", 1),
        ("billing", "invoice", "revenue", 1),
        ("billing", "subscription", "revenue", 1),
        ("billing", "payment", "payment", 1),
        ("crm", "account", "master", 2),
        ("product", "feature", "reference", 3),
    ],
)
def test_tables_serve_workflows_and_workflows_have_tiers(system: str, table: str, workflow: str, tier: int) -> None:
    profile = load_catalogue().profile(system, table)

    assert profile is not None
    assert (profile.workflow.name, profile.tier.number) == (workflow, tier)


def test_the_first_tier_is_the_strictest_in_everything() -> None:
    first, second, third = tiers_of(None).tiers.values()

    assert first.fresh_within < second.fresh_within < third.fresh_within
    assert first.mend_within < second.mend_within < third.mend_within
    assert (first.order_held, second.order_held, third.order_held) == (True, False, False)
    assert (first.skipped_after, second.skipped_after, third.skipped_after) == (None, None, 14)


def test_what_a_tier_may_ask_for_can_be_measured() -> None:
    assert set(FRESH_WITHIN) <= set(METRICS["mdm_freshness_seconds"].buckets)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("fresh_within_seconds: 3600", "fresh_within_seconds: 60", "stricter than that of tier 2"),
        ("mend_within_hours: 336", "mend_within_hours: 71", "stricter than that of tier 2"),
        ("fresh_within_seconds: 60\n", "fresh_within_seconds: 61\n", "must be one of"),
        ("order: held\n", "order: held\n    skipped_after_days: 900\n", "no message of tier 1 is left out"),
        ("posting: {tier: 1", "posting: {tier: 4", "must be one of 1, 2, 3"),
        ("otherwise: master", "otherwise: mastr", "none of the workflows"),
        ("order: goes_on\n    skipped", "order: held\n    skipped", "held, which it is not in tier 2"),
        ("skipped_after_days", "skiped_after_days", "not a known key"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    text = SHIPPED.read_text("utf-8")
    assert before in text
    (tmp_path / "tiers.yaml").write_text(text.replace(before, after), "utf-8")

    with pytest.raises(ConfigurationInvalid, match=told) as refused:
        tiers_of(tmp_path)
    assert "tiers.yaml:" in refused.value.message


def test_own_sources_bring_their_own_workflows_or_use_the_shipped_ones(tmp_path: Path) -> None:
    contract = CONTRACT.replace(
        "customProperties:\n      - ", "customProperties:\n      - {{property: workflow, value: dispatch}}\n      - "
    )
    with pytest.raises(ConfigurationInvalid, match="names the workflow dispatch"):
        catalogue(tmp_path, contract=contract)

    own = SHIPPED.read_text("utf-8").replace("workflows:\n", 'workflows:\n  dispatch: {tier: 1, means: "Parcels"}\n')
    (tmp_path / "tiers.yaml").write_text(own, "utf-8")

    assert catalogue(tmp_path, contract=contract).profiles[0].tier.number == 1
