"""A matching release is scored with Splink before anybody may approve it, and again where the proof is of another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from matching.batch import Candidates
from matching.documents import checksum_of, comparisons_fingerprint
from matching.model import MatchModel
from matching.proof import Proof, read_proof, scorer_now
from mdm.errors import ParityUnproven, Stale
from mdm.hub import releases
from mdm.hub.releases.proving import prove_release
from mdm.model.ids import Domain
from mdm.model.releases import RuleKind
from mdm.store.releases import asking, find, runs
from tests.integration.hub.releases.conftest import ANNA, BEN, CLARA, Office


def stricter(office: Office) -> int:
    """A draft that joins customers on more evidence only; returns its number."""
    threshold = office.world.pipeline.rules.models[Domain.CUSTOMER].thresholds.match
    return office.draft(f"match: {threshold:g}", f"match: {threshold + 3:g}", RuleKind.MATCHING).release_id


def wrong(model: MatchModel, own: Sequence[Mapping[str, Any]], candidates: Candidates | None) -> Proof:
    """Splink beside a scorer that gives the first level of names a bit more than its m and u say."""
    name, *others = model.comparisons
    first, *levels = name.levels
    heavier = replace(name, levels=(replace(first, weight=first.weight + 1e-6), *levels))
    return releases.splink(replace(model, comparisons=(heavier, *others)), own, candidates)


def never(model: MatchModel, own: Sequence[Mapping[str, Any]], candidates: Candidates | None) -> Proof:
    raise AssertionError("what was proven is not proven again")


def test_a_simulation_proves_parity_with_splink_and_everybody_sees_it(office: Office) -> None:
    pipeline, number = office.world.pipeline, stricter(office)

    told = releases.simulate(pipeline, ANNA, number)

    proof = read_proof(told.report["parity"])
    assert proof is not None
    assert proof.holds
    assert proof.about(told.fingerprint)
    assert proof.unreached == ()
    assert 0 < proof.own < proof.pairs
    assert min(proof.non_ascii, proof.unknown) > 0
    assert proof.versions["splink"]
    releases.approve(pipeline, BEN, number)
    releases.activate(pipeline, CLARA, number, prover=never)
    for action in ("release.simulate", "release.approve", "release.activate"):
        assert detail_of(office, action)["parity"] == told.report["parity"]
    with pipeline.engine.connect() as connection:
        ask = asking(connection)
        done = runs(ask, number)
        assert done[0].report["parity"] == told.report["parity"], "kept beside what the activation changed"
        assert done[0].report["split"] > 0
        assert releases.proof_of(find(ask, number), done) == proof


def test_a_release_that_differs_from_splink_is_refused_at_every_step(office: Office) -> None:
    pipeline, number = office.world.pipeline, stricter(office)

    with pytest.raises(ParityUnproven, match=r"differ by 1\.0e-06 bits") as refused:
        releases.simulate(pipeline, ANNA, number, prover=wrong)

    assert refused.value.code == "PARITY_UNPROVEN"
    assert "Keep the model in force" in refused.value.advice
    with pipeline.engine.connect() as connection:
        [failed] = runs(asking(connection), number)
    assert failed.status == "failed"
    assert "differ by 1.0e-06 bits" in failed.error
    assert failed.report["parity"]["weight"] == pytest.approx(1e-6, rel=1e-3)
    assert "golden_changed" not in failed.report, "nothing else was tried"
    assert not checked(office, number)["parity"]
    with pytest.raises(ParityUnproven, match=r"differ by 1\.0e-06 bits"):
        releases.approve(pipeline, BEN, number)

    releases.simulate(pipeline, ANNA, number)

    assert checked(office, number)["parity"]
    assert releases.approve(pipeline, BEN, number).status == "approved"


def test_weights_that_claim_a_proof_are_scored_all_the_same(office: Office) -> None:
    """Two comparisons that are one column to Splink: the report says 0 bits, which nobody ever measured."""
    pipeline = office.world.pipeline
    profile, weights, _ = pipeline.rules.models[Domain.PRODUCT].texts
    names = {"name: code\n": "name: a b\n", "name: gtin\n": "name: a_b\n"}
    for old, new in names.items():
        assert profile.count(f"- {old}") == 1
        profile = profile.replace(f"- {old}", f"- {new}")
    document = json.loads(weights)
    for old, new in (("code", "a b"), ("gtin", "a_b")):
        document["comparisons"][new] = document["comparisons"].pop(old)
    document["comparisons_fingerprint"] = comparisons_fingerprint(yaml.safe_load(profile))
    document["checksum"] = checksum_of(document)
    attached = {"weights": json.dumps(document), "frequencies": None}
    made = releases.draft(pipeline, ANNA, RuleKind.MATCHING, Domain.PRODUCT, "Try it", profile, attached)

    with pytest.raises(ParityUnproven, match="not scored as Splink scores it"):
        releases.simulate(pipeline, ANNA, made.release_id)


def test_a_proof_by_another_scorer_counts_for_nothing_and_is_made_again(office: Office) -> None:
    """The hub was upgraded between the approval and the activation."""
    pipeline, number = office.world.pipeline, stricter(office)
    releases.simulate(pipeline, ANNA, number)
    change_proof(office, number, '{"scorer": "of last year"}')
    with pytest.raises(ParityUnproven, match="this version of the scorer"):
        releases.approve(pipeline, BEN, number)
    change_proof(office, number, json.dumps({"scorer": scorer_now()}))
    releases.approve(pipeline, BEN, number)
    change_proof(office, number, '{"scorer": "of last year"}')

    with pytest.raises(ParityUnproven, match=r"differ by 1\.0e-06 bits"):
        releases.activate(pipeline, CLARA, number, prover=wrong)
    assert office.world.one("select count(*) from rules_in_force") == 0
    done = releases.activate(pipeline, CLARA, number)

    assert done.release.status == "active"
    assert done.run.report["parity"]["scorer"] == scorer_now()
    assert detail_of(office, "release.activate")["parity"]["scorer"] == scorer_now()


def test_documents_that_were_exchanged_after_the_proof_do_not_come_into_force(office: Office) -> None:
    pipeline, number = office.world.pipeline, stricter(office)
    releases.simulate(pipeline, ANNA, number)
    other = "replace(document, 'possible: 0.0', 'possible: 0.5')"

    with pipeline.engine.begin() as connection:
        connection.execute(text(f"update rule_release set document = {other} where release_id = :n"), {"n": number})

    assert not checked(office, number)["parity"]
    with pytest.raises(Stale, match="not those that were drafted"):
        releases.approve(pipeline, BEN, number)


def test_a_changed_draft_has_no_proof_until_it_is_simulated_again(office: Office) -> None:
    pipeline, number = office.world.pipeline, stricter(office)
    releases.simulate(pipeline, ANNA, number)
    with pipeline.engine.connect() as connection:
        before = find(asking(connection), number)
    changed = before.document.replace("possible: 0.0", "possible: 0.5")
    assert changed != before.document

    releases.change(pipeline, ANNA, number, "Another", changed)

    with pipeline.engine.connect() as connection:
        ask = asking(connection)
        assert releases.proof_of(find(ask, number), runs(ask, number)) is None
    assert not checked(office, number)["parity"]


def test_a_release_of_survivorship_needs_no_proof(office: Office) -> None:
    made = office.approved("employees: {rank: [most_recent, trust]}", "employees: {rank: [maximum, trust]}")

    assert set(checked(office, made.release_id)) == {"fits", "simulated", "verdicts"}


def test_of_a_large_hub_a_sample_is_scored_with_the_pairs_that_the_hub_compares(office: Office) -> None:
    pipeline = office.world.pipeline
    model = pipeline.rules.models[Domain.CUSTOMER]
    asked: list[tuple[int, Candidates | None]] = []

    def listening(model: MatchModel, own: Sequence[Mapping[str, Any]], candidates: Candidates | None) -> Proof:
        asked.append((len(own), candidates))
        return releases.splink(model, own, candidates)

    few = prove_release(pipeline.engine, model, model, listening, most=100)
    whole = prove_release(pipeline.engine, model, model, listening)

    (drawn, pairs), (everybody, none) = asked
    assert none is None, "those that share a key by the model"
    assert pairs is not None
    assert 100 <= drawn < everybody
    assert pairs.shape[1] == few.own > 0
    assert (pairs[0] < pairs[1]).all()
    assert pairs.max() < drawn
    assert few.own < whole.own
    assert few.holds
    assert whole.holds


def test_where_splink_is_missing_the_error_says_what_to_install() -> None:
    releases.need_prover()

    with pytest.raises(ParityUnproven, match="splink_of_nobody cannot be found") as refused:
        releases.need_prover(("splink_of_nobody",))

    assert "pip install 'mdm-hub[train]'" in refused.value.advice


def checked(office: Office, number: int) -> dict[str, bool]:
    with office.world.pipeline.engine.connect() as connection:
        ask = asking(connection)
        found = releases.checks(ask, office.world.pipeline, find(ask, number))
    return {each.name: each.passed for each in found}


def detail_of(office: Office, action: str) -> Any:
    """What the newest audit entry of an action says."""
    return office.world.one("select detail from audit where action = :action order by seq desc limit 1", action=action)


def change_proof(office: Office, number: int, part: str) -> None:
    """As if the proof of the simulation said something else."""
    with office.world.pipeline.engine.begin() as connection:
        connection.execute(
            text("""update release_run
                    set report = jsonb_set(report, '{parity}', report->'parity' || cast(:part as jsonb))
                    where release_id = :number and what = 'simulation'"""),
            {"part": part, "number": number},
        )
