"""`kill -9` in the middle of an activation and of a rollback: asking for the same again finishes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed, world_messages


def killed(fresh_database_url: str, fault: str, *arguments: object) -> int:
    """Run `mdm` as a process of its own that dies at a fault point; returns its exit code."""
    environment = {**os.environ, "MDM_DATABASE_URL": fresh_database_url, "MDM_FAULT": fault}
    command = [sys.executable, "-m", "mdm.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False).returncode


@pytest.mark.parametrize("fault", ["release.unit:1", "release.in_line:1"])
def test_a_release_survives_kill_9_on_its_way_into_force_and_back(
    mdm: Command, feed: Feed, fresh_database_url: str, tmp_path: Path, fault: str
) -> None:
    feed(world_messages()[:1500])
    before = printed(mdm("state", "digest", "--json"))["state"]
    changed = tmp_path / "customer.yaml"
    document = mdm("releases", "document", "survivorship", "customer").stdout
    changed.write_text(document.replace("rank: [{best_supported: name}", "rank: [longest, {best_supported: name}"))
    mdm("releases", "draft", "survivorship", "customer", changed, "--title", "Long names", "--actor", "anna")
    told = printed(mdm("releases", "simulate", 1, "--actor", "anna", "--json"))["report"]
    mdm("releases", "approve", 1, "--actor", "ben")

    assert killed(fresh_database_url, fault, "releases", "activate", 1, "--actor", "clara") == -9
    assert printed(mdm("releases", "show", 1, "--json"))["status"] == "activating"
    done = printed(mdm("releases", "activate", 1, "--actor", "clara", "--json"))
    assert done["release"]["status"] == "active"
    assert done["run"]["report"]["golden_changed"] == told["golden_changed"]
    assert mdm("verify").exit_code == 0

    back = ("releases", "roll-back", 1, "--reason", "no better", "--actor", "clara")
    assert killed(fresh_database_url, fault, *back) == -9
    assert printed(mdm(*back, "--json"))["same_state"] is True
    assert printed(mdm("state", "digest", "--json"))["state"] == before
