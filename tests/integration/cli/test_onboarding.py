"""The last verdicts as an operator lists them, before and after they are drawn."""

import pytest

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.test_exceptions import accounts


def test_verdicts_are_listed_once_they_are_drawn(feed: Feed, mdm: Command) -> None:
    feed(accounts(4))
    before = mdm("onboarding", "list").stdout
    mdm("onboarding", "recheck")

    found = printed(mdm("onboarding", "list", "--json"))
    some = printed(mdm("onboarding", "list", "--decision", found[0]["decision"], "--limit", "1", "--json"))
    told = mdm("onboarding", "list", "--not-in-erp").stdout

    assert "4 not judged yet (mdm onboarding recheck)" in before
    assert (len(found), len(some)) == (4, 1)
    assert {each["in_erp"] for each in found} == {False}
    assert all(each["stands"] for each in found)
    assert "0 not judged yet." in told
    assert printed(mdm("onboarding", "list", "--in-erp", "--json")) == []
    assert printed(mdm("onboarding", "list", "--erp", "odoo", "--json")) == []
    code = found[0]["codes"][0]
    assert {each["entity_id"] for each in printed(mdm("onboarding", "list", "--code", code, "--json"))} == {
        each["entity_id"] for each in found if code in each["codes"]
    }


def test_an_erp_that_nobody_knows_is_named_with_those_that_there_are(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="no rules for 'navision'"):
        mdm("onboarding", "list", "--erp", "navision")
