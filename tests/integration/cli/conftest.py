"""The command line on a fresh database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mdm.cli.app import app
from tests.integration.hub.conftest import catalogue, feed, pipeline

__all__ = ["catalogue", "feed", "pipeline"]

Command = Callable[..., Result]


@pytest.fixture
def mdm(fresh_database_url: str) -> Command:
    """Runs `mdm` with arguments on the test's database; errors of ours come out as exceptions."""

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(
            app, [str(argument) for argument in arguments], env={"MDM_DATABASE_URL": fresh_database_url}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def printed(result: Result) -> Any:
    """What a command printed as JSON."""
    return json.loads(result.stdout)
