"""Training on a hub that is too large to train on: a part of it that says the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from matching.training.stores import Store, common_tokens
from matching.training.train import Options
from mdm.cli.app import app
from mdm.errors import OperatorError, TrainingDisagrees
from mdm.hub.process import Pipeline
from mdm.hub.training import from_hub, train_model
from mdm.model.ids import Domain
from mdm.store.evidence import evidence_pairs
from mdm.store.pairs import blocked_pairs
from mdm.store.reading import snapshot
from mdm.store.sampling import sample_with_candidates
from mdm.store.whole import live_records

pytestmark = pytest.mark.sample_world
CAP = 100


def test_a_sample_holds_everybody_whom_its_seeds_are_compared_with(engine: Engine) -> None:
    with snapshot(engine) as work:
        sample = sample_with_candidates(work, Domain.CUSTOMER, CAP, 300)
        again = sample_with_candidates(work, Domain.CUSTOMER, CAP, 300)
        live = live_records(work, Domain.CUSTOMER)
        assert sample is not None
        pairs = blocked_pairs(work, sample.seeds, CAP) | evidence_pairs(work, Domain.CUSTOMER, sample.seeds, CAP)
    mates = {rec for pair in pairs for rec in pair}

    assert again is not None
    assert (sample.records, sample.seeds, sample.plain) == (again.records, again.seeds, again.plain)
    assert np.array_equal(sample.pairs, again.pairs)
    named = {(sample.records[a], sample.records[b]) for a, b in sample.pairs.T.tolist()}
    assert {pair for pair in named if sample.seeds & {*pair}} == pairs, "exactly those that the hub compares"
    assert len(named) > len(pairs), "and those of mates with one another"
    assert set(sample.records) == mates | sample.seeds
    assert 300 <= len(sample.records) < len(live) == sample.of
    assert 20 < len(sample.seeds) < 300
    assert len(sample.plain) == 300


def test_a_hub_that_is_not_large_is_taken_whole(engine: Engine, pipeline: Pipeline) -> None:
    with snapshot(engine) as work:
        assert sample_with_candidates(work, Domain.CUSTOMER, CAP, 1_000_000) is None
        live = live_records(work, Domain.CUSTOMER)

    material = from_hub("customer", engine, pipeline.rules)

    assert (len(material.stores[0].comparisons), material.stores[0].seeds, material.remarks) == (len(live), None, ())


def test_a_block_that_is_too_large_in_the_hub_pairs_nobody_in_the_sample(engine: Engine) -> None:
    with snapshot(engine) as work:
        sample = sample_with_candidates(work, Domain.CUSTOMER, 4, 300)
        assert sample is not None
        allowed = blocked_pairs(work, sample.records, 4) | evidence_pairs(work, Domain.CUSTOMER, sample.records, 4)

    named = {(sample.records[a], sample.records[b]) for a, b in sample.pairs.T.tolist()}
    assert named
    assert named <= allowed


def test_a_model_of_a_sample_learns_from_pairs_with_a_seed_and_counts_in_what_was_drawn_alone(
    engine: Engine, pipeline: Pipeline
) -> None:
    material = from_hub("customer", engine, pipeline.rules, most=500)
    (store,), (said,) = material.stores, material.remarks
    assert store.seeds is not None
    assert store.pairs is not None
    assert store.counted is not None
    with_seed = sum(1 for pair in store.pairs.T.tolist() if store.seeds & {*pair})

    for released in (train_model(material), train_model(material, afresh=True)):
        provenance = released.model().provenance
        assert (provenance["sampled_of"], provenance["seeds"]) == (store.of, len(store.seeds))
        assert provenance["records"] == len(store.comparisons) < store.of
        assert provenance["candidate_pairs"] == with_seed < store.pairs.shape[1]
    assert f"{len(store.seeds):,} that were drawn" in said
    assert released.model().common_tokens == {*common_tokens([Store(store.counted)], Options().common_share)}
    assert released.model().common_tokens != {*common_tokens([Store(store.comparisons)], Options().common_share)}


def test_what_no_pair_met_is_weighed_by_what_stands_beside_it(engine: Engine, pipeline: Pipeline) -> None:
    said: list[str] = []

    released = train_model(from_hub("product", engine, pipeline.rules), said.append, afresh=True)

    model = released.model()
    missing = model.provenance["unmet"]
    assert any(each.startswith("met by no pair") and missing[0] in each for each in said)
    for comparison in model.comparisons:
        # m and u are written with some digits, and the weight is worked out anew.
        bits = [round(level.weight, 9) for level in comparison.levels]
        assert bits == sorted(bits, reverse=True), comparison.name


def test_the_profile_in_force_is_trained_for(engine: Engine, pipeline: Pipeline) -> None:
    shipped = pipeline.rules.models[Domain.CUSTOMER]
    own = shipped.texts[0].replace("domain: customer", "domain: customer  # of our own", 1)
    model = replace(shipped, texts=(own, *shipped.texts[1:]))
    rules = replace(pipeline.rules, models={**pipeline.rules.models, Domain.CUSTOMER: model})

    assert from_hub("customer", engine, rules).profile == own != shipped.texts[0]


def test_too_few_records_are_refused(engine: Engine, pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError, match="too few"):
        from_hub("customer", engine, pipeline.rules, most=10)


def trained(engine: Engine, domain: str, out: Path, *options: str) -> Result:
    words = ["match", "train", "--domain", domain, "--hub", "--out", str(out), "--json", *options]
    return CliRunner().invoke(app, words, env={"MDM_DATABASE_URL": engine.url.render_as_string(hide_password=False)})


def test_a_model_of_something_else_than_identity_is_written_only_when_that_is_accepted(
    engine: Engine, tmp_path: Path
) -> None:
    """Learned afresh, so few products are told apart by family before all else: names that agree say nothing of it."""
    folder = tmp_path / "models"

    refused = trained(engine, "product", folder, "--afresh")

    assert isinstance(refused.exception, TrainingDisagrees)
    assert "name: same words" in refused.exception.message
    assert not folder.exists()
    told = json.loads(refused.stdout)
    assert told["files"] == []

    accepted = trained(engine, "product", folder, "--afresh", "--accept-disagreement")

    assert accepted.exit_code == 0, accepted.output
    written = json.loads((folder / "product.weights.json").read_text("utf-8"))
    assert written["provenance"]["compared_with"] == told["provenance"]["compared_with"]
    assert written["provenance"]["compared_with"]["large"] is True


@pytest.mark.parametrize("domain", ["contract", "product"])
def test_a_model_that_starts_from_the_weights_in_force_matches_what_they_do(
    engine: Engine, pipeline: Pipeline, tmp_path: Path, domain: str
) -> None:
    found = trained(engine, domain, tmp_path)

    assert found.exit_code == 0, found.output
    provenance = json.loads(found.stdout)["provenance"]
    compared = provenance["compared_with"]
    before = pipeline.rules.models[Domain(domain)].fingerprint
    assert compared["model"] == provenance["started_from"] == before
    assert compared["large"] is False
    assert compared["held_before"] - compared["no_longer"] + compared["newly"] == compared["held_now"] > 0
    assert (tmp_path / f"{domain}.weights.json").is_file()
