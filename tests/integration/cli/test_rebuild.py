"""Rebuilding as an operator types it."""

from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.test_exceptions import accounts


def test_looking_first_and_taking_it_into_use(feed: Feed, mdm: Command) -> None:
    feed(accounts(5))

    looked = printed(mdm("rebuild", "--json"))
    assert (looked["rows"], looked["differences"], looked["swapped"]) == (5, [], False)
    assert "It is in use now." in mdm("rebuild", "--swap").stdout
    assert mdm("verify").exit_code == 0
