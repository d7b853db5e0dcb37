"""Reconciliation in a process of its own finds what it finds here, and ends with whoever asked."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.hub.reconcile import reconcile
from mdm.workers import reconciling
from mdm.workers.reconciling import Beside, ReconciliationFailed


@pytest.mark.sample_world
def test_a_process_of_its_own_finds_the_same_and_what_is_quick_is_done_here(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = reconcile(engine)
    assert here.findings
    beside = Beside()

    assert beside(engine) == here
    monkeypatch.setattr(reconciling, "_QUICK", 0.0)
    assert beside(engine) == here, "in a process again"
    monkeypatch.setattr(reconciling, "_QUICK", 1000.0)
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert beside(engine) == here, "where no process can be started"


@pytest.mark.sample_world
def test_a_process_of_its_own_goes_by_the_rules_of_the_company(engine: Engine, tmp_path: Path) -> None:
    own = tmp_path / "reconciliation.yaml"
    own.write_text('version: "ours"\nrules: {posting_missing: {owner: shared-service-centre}}\n', "utf-8")

    found = Beside(None, own)(engine)

    assert found.policy_version == "ours"
    assert {each.owner for each in found.findings if each.rule == "posting_missing"} == {"shared-service-centre"}


def test_a_process_that_cannot_look_says_why(engine: Engine) -> None:
    nowhere = engine.execution_options()
    nowhere.url = engine.url.set(database="no_such_hub")  # type: ignore[misc]  # as if it were another hub

    with pytest.raises(ReconciliationFailed, match="no_such_hub"):
        Beside()(nowhere)


def test_it_ends_when_whoever_asked_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-m", "mdm.workers.reconciling"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(60) != 0
