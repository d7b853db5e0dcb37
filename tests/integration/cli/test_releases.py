"""A release from draft to rollback on the command line."""

from pathlib import Path

import pytest

from mdm.errors import Refused
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed, world_messages


def test_a_release_is_drafted_tried_approved_activated_and_taken_back(mdm: Command, feed: Feed, tmp_path: Path) -> None:
    feed(world_messages()[:1500])
    before = printed(mdm("state", "digest", "--json"))["state"]
    document = mdm("releases", "document", "survivorship", "customer").stdout
    changed = tmp_path / "customer.yaml"
    changed.write_text(document.replace("rank: [{best_supported: name}", "rank: [longest, {best_supported: name}"))

    made = printed(
        mdm("releases", "draft", "survivorship", "customer", changed, "--title", "Long names", "--actor", "anna",
            "--json")
    )  # fmt: skip
    number = made["release_id"]
    assert [line for line in made["differences"] if line.startswith("+")]
    assert mdm("releases", "test", number).exit_code == 1, "nobody has simulated it"
    run = printed(mdm("releases", "simulate", number, "--actor", "anna", "--json"))
    assert printed(mdm("releases", "test", number, "--json"))["passed"]
    assert run["report"]["entities"] > 0
    with pytest.raises(Refused):
        mdm("releases", "approve", number, "--actor", "anna")
    mdm("releases", "approve", number, "--actor", "ben", "--simulation", run["run_id"])
    done = printed(mdm("releases", "activate", number, "--actor", "clara", "--json"))
    assert done["release"]["status"] == "active"
    in_force = printed(mdm("releases", "in-force", "--json"))
    assert [each["release"] for each in in_force if each["release"]] == [number]
    assert mdm("verify").exit_code == 0

    back = printed(mdm("releases", "roll-back", number, "--reason", "no better", "--actor", "clara", "--json"))

    assert back["same_state"] is True
    assert printed(mdm("state", "digest", "--json"))["state"] == before
    assert "rolled back" in mdm("releases", "list").stdout
