"""The overview of commands names what is there, and reads none of it."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mdm.cli.app import COMMANDS, app


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_overview_is_there(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: mdm {name} ") or f"Usage: root {name}" in shown.output


def test_a_misspelt_command_is_guessed() -> None:
    shown = CliRunner().invoke(app, ["statsu"])
    assert shown.exit_code == 2
    assert "Did you mean 'status'" in shown.output


def test_the_overview_reads_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from mdm.cli.app import app\n"
        "assert 'Commands:' in CliRunner().invoke(app, ['--help']).output\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('sqlalchemy', 'fastapi', 'matching', 'api')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
