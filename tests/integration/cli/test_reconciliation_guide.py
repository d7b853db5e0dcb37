"""Every command that docs/reconciliation.md shows is one that works."""

import shlex
from datetime import UTC, datetime

from sqlalchemy import Engine

from mdm.store.finding_history import Run, write_run
from tests.integration.cli.conftest import Command
from tests.pages import take

_COMMANDS = take("reconciliation", "mdm")


def test_what_the_guide_shows_works(mdm: Command, engine: Engine) -> None:
    assert len(_COMMANDS) == 2
    noon = datetime(2026, 10, 31, 12, tzinfo=UTC)
    write_run(engine, Run(noon, noon), ())

    for command in _COMMANDS:
        result = mdm(*shlex.split(command)[1:])
        assert result.exit_code == 0, (command, result.output, result.exception)
