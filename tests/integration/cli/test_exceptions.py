"""From a refused message to a mended one, as an operator types it."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from mdm.errors import NotFound
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.test_exceptions import accounts, changed, the_letter


def test_a_group_is_listed_shown_tried_mended_and_gone(engine: Engine, feed: Feed, mdm: Command) -> None:
    feed([changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(3))])
    feed([replace(accounts(4)[3], value=b"nonsense")])

    listed = mdm("exceptions", "list").stdout
    assert "VALUE_TYPE" in listed
    assert "sales-operations" in listed
    groups = printed(mdm("exceptions", "list", "--code", "VALUE_TYPE", "--json"))["groups"]
    assert [group["letters"] for group in groups] == [3]
    letter = groups[0]["newest_id"]
    shown = mdm("exceptions", "show", letter).stdout
    assert '"number_of_employees": "many"' in shown
    assert "3 open of its kind" in shown

    edit = ("--set", "after.number_of_employees=12", "--reason", "a typing error")
    tried = printed(mdm("exceptions", "fix", letter, *edit, "--dry-run", "--json"))
    assert (tried["dry_run"], [effect["what"] for effect in tried["effects"]]) == (True, ["created"])
    mended = printed(mdm("exceptions", "fix", letter, *edit, "--json"))
    assert mended["outcomes"] == {"crm": {"applied": 1}}

    assert "2 discarded" in mdm("exceptions", "discard", "--code", "VALUE_TYPE", "--reason", "test rows").stdout
    assert printed(mdm("exceptions", "show", the_letter(engine), "--json"))["value"] == "nonsense"


def test_an_unknown_letter_is_told_as_such(mdm: Command) -> None:
    with pytest.raises(NotFound, match="no dead letter 7"):
        mdm("exceptions", "show", 7)


def test_drift_is_listed_and_resolved(feed: Feed, mdm: Command) -> None:
    feed([changed(accounts(1)[0], 1, twitter__c="@acme")])

    (found,) = printed(mdm("exceptions", "list", "--json"))["exceptions"]
    assert "twitter__c" in found["detail"]
    assert "1 resolved" in mdm("exceptions", "resolve", found["id"], "--reason", "taken out again").stdout
    assert printed(mdm("exceptions", "list", "--json"))["exceptions"] == []
