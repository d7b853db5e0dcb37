"""Replaying as an operator types it."""

import pytest

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.test_exceptions import accounts, changed


def test_a_replay_is_rehearsed_first(feed: Feed, mdm: Command) -> None:
    feed(accounts(5))

    tried = printed(mdm("replay", "--topic", "crm.public.account", "--dry-run", "--json"))

    assert (tried["dry_run"], tried["rows"], tried["effects"]) == (True, 5, [])
    assert "5 rows folded anew" in mdm("replay", "--system", "crm", "--from", "2000-01-01").stdout


def test_everything_at_once_is_refused(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="rebuild"):
        mdm("replay")


@pytest.mark.parametrize(
    ("option", "number"), [("--partition", 2**31), ("--from-offset", 2**63), ("--to-offset", 2**63)]
)
def test_a_number_that_no_broker_has_is_refused(mdm: Command, option: str, number: int) -> None:
    assert mdm("replay", option, str(number)).exit_code == 2


def test_a_dead_letter_is_replayed_by_its_id(feed: Feed, mdm: Command) -> None:
    feed([changed(accounts(1)[0], 1, number_of_employees="many")])
    letter = printed(mdm("exceptions", "list", "--json"))["dead_letters"][0]["id"]

    again = printed(mdm("replay", "--exception", letter, "--json"))

    assert again["dead_letters"]["outcomes"] == {"crm": {"quarantined": 1}}
