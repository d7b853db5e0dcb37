"""A survivorship release on the sample world: tried, approved, put into force, killed in the middle, taken back."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mdm.access import Role
from mdm.errors import Conflict, Refused, Stale
from mdm.hub import releases
from mdm.hub.replay import replay
from mdm.hub.steward import Actor
from mdm.hub.verify import verify
from mdm.model.releases import ReleaseStatus
from mdm.store.refold import EventRange
from tests.integration.hub.releases.conftest import ANNA, BEN, CLARA, Office

#: The newest name, whoever states it: changes many golden names of the sample world.
OLD = "rank: [{best_supported: name}, {states: legal_form}, best_supported, best_written, trust, most_recent]"
NEW = "rank: [most_recent, trust]"


def in_force(office: Office) -> list[tuple[str, str]]:
    return [tuple(row) for row in office.world.rows("select kind, domain from rules_in_force")]


def verified(office: Office) -> bool:
    pipeline = office.world.pipeline
    rules = releases.in_force_now(pipeline.engine, pipeline.rules)
    return verify(pipeline.engine, pipeline.catalogue, rules).agrees


def test_a_simulation_tells_what_the_activation_does_and_writes_nothing(office: Office) -> None:
    before = office.world.digest()
    made = office.draft(OLD, NEW)

    told = releases.simulate(office.world.pipeline, ANNA, made.release_id)

    assert office.world.digest() == before
    assert told.report["attributes"]["name"] > 10
    assert told.report["entities"] == office.world.one(
        "select count(*) from entity where domain = 'customer' and status = 'active'"
    )
    assert told.report["merged"] == told.report["split"] == 0
    releases.approve(office.world.pipeline, BEN, made.release_id, told.run_id)
    done = releases.activate(office.world.pipeline, CLARA, made.release_id)
    assert done.run.report == told.report
    assert office.world.digest() != before
    assert done.run.digest_after == office.world.digest()


def test_a_rollback_returns_the_state_digest(office: Office) -> None:
    before = office.world.digest()
    made = office.approved(OLD, NEW)
    releases.activate(office.world.pipeline, CLARA, made.release_id)
    assert verified(office), "the hub is what the new rules say"

    back = releases.roll_back(office.world.pipeline, CLARA, made.release_id, "names became worse")

    assert office.world.digest() == before
    assert back.same_state is True
    assert back.release.status is ReleaseStatus.ROLLED_BACK
    assert in_force(office) == []
    assert verified(office)
    steps = ("draft", "simulate", "approve", "activate", "active", "roll_back", "rolled_back")
    assert all(office.audited(f"release.{step}") == 1 for step in steps)
    announced = office.world.one("select count(*) from outbox where payload->>'cause' = 'release'")
    assert announced >= 20, "whoever reads the feed hears of every golden value that moved"


def test_an_activation_that_was_killed_is_finished_by_asking_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mdm.hub.releases.carrying.UNIT", 40)
    whole = office.approved(OLD, NEW)
    expected = whole.simulation_id

    def killed(_step: str, share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        releases.activate(office.world.pipeline, CLARA, whole.release_id, killed)
    assert office.world.rows("select status from rule_release") == [("activating",)]
    assert in_force(office) == [("survivorship", "customer")], "new decisions follow the new rules already"

    done = releases.activate(office.world.pipeline, CLARA, whole.release_id)

    assert done.release.status is ReleaseStatus.ACTIVE
    told = office.world.one("select report from release_run where run_id = :id", id=expected)
    counted = [{**report, "samples": None} for report in (done.run.report, told)]
    assert counted[0] == counted[1], "nothing was counted twice and nothing left out"
    assert verified(office)


@pytest.mark.parametrize("fault", ["release.unit:2", "release.in_line:1"])
def test_an_activation_that_died_of_a_power_cut_is_finished_by_asking_again(office: Office, fault: str) -> None:
    made = office.approved(OLD, NEW)
    command = [sys.executable, "-m", "tests.harness.release_activation", str(made.release_id)]
    place = {
        **os.environ,
        "MDM_DATABASE_URL": office.world.pipeline.engine.url.render_as_string(hide_password=False),
        "MDM_FAULT": fault,
    }
    died = subprocess.run(command, env=place, capture_output=True, text=True, check=False, timeout=120)
    assert died.returncode == -9, died.stderr

    done = releases.activate(office.world.pipeline, CLARA, made.release_id)

    assert done.release.status is ReleaseStatus.ACTIVE
    assert verified(office)
    assert releases.roll_back(office.world.pipeline, CLARA, made.release_id, "names became worse").same_state


def test_an_activation_that_was_killed_can_be_taken_back_instead(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mdm.hub.releases.carrying.UNIT", 40)
    before = office.world.digest()
    made = office.approved(OLD, NEW)

    def killed(_step: str, share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        releases.activate(office.world.pipeline, CLARA, made.release_id, killed)

    back = releases.roll_back(office.world.pipeline, CLARA, made.release_id, "the process died")

    assert back.same_state is True
    assert office.world.digest() == before


def test_what_arrives_later_is_decided_by_the_release_also_in_a_pipeline_that_was_there_before(
    office: Office,
) -> None:
    """Long-running workers keep their pipeline; the next unit of work follows the rules in force all the same."""
    running = office.world.pipeline
    made = office.approved(OLD, NEW)
    releases.activate(office.world.pipeline, CLARA, made.release_id)
    key = office.world.rows(
        """select r.system, r.type, r.key, x.entity_id from source_record r join crosswalk x using (rec_id)
           where domain = 'customer' order by r.rec_id limit 1"""
    )[0]
    replay(running, EventRange(system=key[0], type=key[1], key=key[2]), "test")

    assert verified(office)


def test_a_second_release_supersedes_the_first_and_its_rollback_brings_the_first_back(office: Office) -> None:
    first = office.approved(OLD, NEW)
    releases.activate(office.world.pipeline, CLARA, first.release_id)
    between = office.world.digest()
    second = office.approved("employees: {rank: [most_recent, trust]}", "employees: {rank: [maximum, trust]}")
    releases.activate(office.world.pipeline, CLARA, second.release_id)
    states = "select status from rule_release order by release_id"
    assert office.world.rows(states) == [("superseded",), ("active",)]

    back = releases.roll_back(office.world.pipeline, CLARA, second.release_id, "not needed")

    assert back.same_state is True
    assert office.world.digest() == between
    assert office.world.rows(states) == [("active",), ("rolled_back",)]
    with pytest.raises(Conflict):
        releases.roll_back(office.world.pipeline, CLARA, second.release_id, "again")


class TestThreePersons:
    """Nobody carries a release alone, whatever they try."""

    def test_nobody_approves_what_they_wrote(self, office: Office) -> None:
        made = office.draft(OLD, NEW)
        releases.simulate(office.world.pipeline, ANNA, made.release_id)
        for step in (releases.approve, lambda *given: releases.reject(*given, "no")):
            with pytest.raises(Refused):
                step(office.world.pipeline, ANNA, made.release_id)

    def test_nobody_puts_into_force_what_they_wrote_or_approved(self, office: Office) -> None:
        made = office.approved(OLD, NEW)
        for name in ("user:anna", "user:ben"):
            with pytest.raises(Refused, match="Nobody puts into force"):
                releases.activate(office.world.pipeline, Actor(name, Role.ADMIN), made.release_id)
        with pytest.raises(Refused, match="does not activate"):
            releases.activate(office.world.pipeline, Actor("user:dora", Role.STEWARD), made.release_id)
        assert in_force(office) == []

    @pytest.mark.parametrize(
        "attempt",
        [
            "update rule_release set approver = author",
            "update rule_release set releaser = approver",
            "update rule_release set releaser = author",
            "update rule_release set status = 'active'",
            "update rule_release set approver = null",
        ],
    )
    def test_the_database_refuses_too(self, office: Office, attempt: str) -> None:
        office.approved(OLD, NEW)
        with pytest.raises(IntegrityError), office.world.pipeline.engine.begin() as connection:
            connection.execute(text(attempt))

    def test_only_the_author_changes_a_draft(self, office: Office) -> None:
        made = office.draft(OLD, NEW)
        with pytest.raises(Refused):
            releases.change(office.world.pipeline, BEN, made.release_id, "Mine now", made.document + "\n# more\n")


class TestWhatIsApproved:
    """Is what was simulated: this document, against the rules in force."""

    def test_nothing_is_approved_that_was_not_simulated(self, office: Office) -> None:
        made = office.draft(OLD, NEW)
        with pytest.raises(Conflict, match="has not been simulated"):
            releases.approve(office.world.pipeline, BEN, made.release_id)

    def test_a_changed_draft_is_simulated_again(self, office: Office) -> None:
        made = office.draft(OLD, NEW)
        releases.simulate(office.world.pipeline, ANNA, made.release_id)
        changed = made.document.replace(NEW, "rank: [trust, most_recent]")
        releases.change(office.world.pipeline, ANNA, made.release_id, made.title, changed)
        with pytest.raises(Stale, match="document was changed"):
            releases.approve(office.world.pipeline, BEN, made.release_id)

    def test_another_release_in_between_makes_it_stale(self, office: Office) -> None:
        late = office.approved("employees: {rank: [most_recent, trust]}", "employees: {rank: [maximum, trust]}")
        first = office.approved(OLD, NEW)
        releases.activate(office.world.pipeline, CLARA, first.release_id)
        with pytest.raises(Stale, match="Other rules have come into force"):
            releases.activate(office.world.pipeline, CLARA, late.release_id)

    def test_an_approver_who_saw_an_older_simulation_looks_again(self, office: Office) -> None:
        made = office.draft(OLD, NEW)
        seen = releases.simulate(office.world.pipeline, ANNA, made.release_id)
        releases.simulate(office.world.pipeline, ANNA, made.release_id)
        with pytest.raises(Stale, match="simulated again"):
            releases.approve(office.world.pipeline, BEN, made.release_id, seen.run_id)
