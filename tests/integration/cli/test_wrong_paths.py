"""A path or an argument that cannot be right is told in two lines, by its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent


def mdm(url: str, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "MDM_DATABASE_URL": url}
    command = [sys.executable, "-m", "mdm.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("output", ["missing/golden.csv", "."])
def test_a_file_that_cannot_be_written_is_named(fresh_database_url: str, tmp_path: Path, output: str) -> None:
    done = mdm(fresh_database_url, "export", "golden", "--domain", "customer", "-o", str(tmp_path / output))

    assert done.returncode == 2
    assert str(tmp_path).encode() in done.stderr
    assert b"what to do" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_pipe_is_written_to_and_stays_a_pipe(fresh_database_url: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        done = mdm(fresh_database_url, "export", "crosswalk", "--domain", "customer", "-o", str(pipe))
        assert reader.stdout is not None
        assert reader.stdout.read() == b"system,type,key,entity_id\n"

    assert done.returncode == 0
    assert pipe.is_fifo()


def test_an_argument_that_is_no_text_is_named(fresh_database_url: str) -> None:
    done = mdm(fresh_database_url, "explain", "crm", "account", b"x\xff")

    assert done.returncode == 2
    assert b"Argument 4 is no text in UTF-8" in done.stderr
