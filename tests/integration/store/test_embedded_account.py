"""Root's server runs under another account; what that account cannot reach is brought to it, and nothing is opened."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mdm.store.embedded import _installed_binaries
from mdm.store.embedded_account import can_reach, directory_argument, reachable_binaries, server_account

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A directory that only root may pass, like /root."""
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    return directory


def test_binaries_out_of_reach_are_copied_once_with_their_libraries(closed: Path) -> None:
    installed = _installed_binaries(closed / "none")
    package = installed.parent.parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, closed / folder.name, symlinks=True)
    account = server_account(closed / "none")
    assert account is not None
    # Below the system's directory for temporary files, because the account cannot reach a test's own directory either.
    copies = Path("/tmp") / f"mdm-copies-{os.getpid()}"
    copies.mkdir()
    try:
        binaries = reachable_binaries(closed / package.name / installed.parent.name / "bin", account, copies)
        again = reachable_binaries(closed / package.name / installed.parent.name / "bin", account, copies)

        assert binaries == again
        assert binaries.is_relative_to(copies)
        assert closed.stat().st_mode & 0o777 == 0o700
        said = subprocess.run([binaries / "postgres", "--version"], user=account.uid, capture_output=True, check=True)
        assert b"PostgreSQL" in said.stdout
    finally:
        shutil.rmtree(copies)


def test_binaries_within_reach_stay_where_they_are(tmp_path: Path) -> None:
    assert reachable_binaries(tmp_path / "bin", None, tmp_path / "copies") == tmp_path / "bin"


def test_a_closed_directory_is_out_of_reach(closed: Path) -> None:
    assert not can_reach(closed / "binaries", server_account(closed / "none"))
    assert can_reach(closed / "binaries", None)


def test_the_server_finds_its_data_without_passing_the_directories_above(closed: Path) -> None:
    account = server_account(closed / "none")

    assert directory_argument(closed, None) == str(closed)
    assert directory_argument(closed, account) in ("/proc/self/cwd", str(closed))


def test_a_data_directory_keeps_its_owner(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    account = server_account(tmp_path / "none")
    assert account is not None
    os.chown(cluster, account.uid, account.gid)

    assert server_account(cluster) == account
