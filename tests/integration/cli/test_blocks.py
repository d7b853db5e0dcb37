"""The command that counts keys which too many records share."""

import json

from mdm.hub.process import Pipeline
from tests.integration.cli.conftest import Command
from tests.integration.hub.rows import take_in


def test_the_command_tells_by_rule_what_nobody_is_asked_about(pipeline: Pipeline, mdm: Command) -> None:
    take_in(pipeline, [{"id": f"cus_n{number:02}", "name": "Seebad Werke GmbH"} for number in range(13)])

    told = json.loads(mdm("match", "blocks", "--json").stdout)
    printed = mdm("match", "blocks").stdout

    counted = {
        "domain": "customer",
        "rule": "words",
        "cap": 12,
        "asked": False,
        "blocks": 1,
        "records": 13,
        "pairs": 78,
    }
    assert counted in told
    assert "words" in printed
    assert "78" in printed
