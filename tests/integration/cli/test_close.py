"""The close of a month by command: the same signatures as in the console and over HTTP."""

import pytest

from mdm.errors import Conflict, Invalid, Refused
from tests.integration.cli.conftest import Command, printed


def test_two_persons_sign_and_one_takes_it_back(mdm: Command) -> None:
    mdm("close", "prepare", "2025-01", "--comment", "nothing was sold", "--actor", "ada")
    with pytest.raises(Refused):
        mdm("close", "review", "2025-01", "--actor", "ada")
    mdm("close", "review", "2025-01", "--actor", "ben")
    closed = printed(mdm("close", "show", "2025-01", "--json"))
    mdm("close", "withdraw", "2025-01", "--comment", "a posting is missing", "--actor", "ada")
    opened = printed(mdm("close", "show", "2025-01", "--json"))

    assert (closed["standing"]["prepared_by"], closed["standing"]["reviewed_by"]) == ("ada", "ben")
    assert closed["changed"] == []
    assert opened["standing"] is None
    assert opened["before"][0]["reason"] == "a posting is missing"
    assert "Nobody has signed" in mdm("close", "show", "2025-01").stdout


def test_what_cannot_be_signed_is_said(mdm: Command) -> None:
    with pytest.raises(Conflict, match="not over"):
        mdm("close", "prepare", "2999-01", "--comment", "in advance")
    with pytest.raises(Invalid, match="no month"):
        mdm("close", "show", "2025-13")
    with pytest.raises(Conflict, match="Nothing was signed"):
        mdm("close", "withdraw", "2025-01", "--comment", "by mistake")
