"""From a refused message to a mended one, as an operator types it."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from mdm.errors import NotFound, OperatorError, Refused
from mdm.hub.process import Pipeline
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.rows import take_in
from tests.integration.hub.test_exceptions import accounts, changed, the_letter
from tests.integration.hub.test_oversize import overflow


def test_a_group_is_listed_shown_tried_mended_and_gone(engine: Engine, feed: Feed, mdm: Command) -> None:
    feed([changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(3))])
    headers = (("traceparent", b"00-ab"), ("x", b"one"), ("x", b"\xff"))
    feed([replace(accounts(4)[3], value=b"nonsense", headers=headers)])

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

    several = ("exceptions", "discard", "--code", "VALUE_TYPE", "--reason", "test rows")
    assert "2 refused messages: discarded" in mdm(*several, "--preview").stdout
    assert "waits for another person (discard-of-many)" in mdm(*several, "--actor", "anna").stdout
    with pytest.raises(Refused, match="themselves"):
        mdm("steward", "approve", 1, "--actor", "anna")
    assert "2 refused messages: discarded" in mdm("steward", "approve", 1, "--actor", "ben").stdout
    assert printed(mdm("exceptions", "list", "--code", "VALUE_TYPE", "--json"))["groups"] == []
    assert printed(mdm("exceptions", "show", the_letter(engine), "--json"))["value"] == "nonsense"
    whole = mdm("exceptions", "show", the_letter(engine)).stdout
    assert [line.strip() for line in whole.splitlines() if line.startswith("  header")] == [
        "header traceparent: 00-ab", "header x: one", "header x: /w== (base64)",
    ]  # fmt: skip


def test_a_priority_is_explained_with_the_close_and_the_customers_behind_it(feed: Feed, mdm: Command) -> None:
    feed([changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(3))])
    letter = printed(mdm("exceptions", "list", "--json"))["groups"][0]["newest_id"]

    told = printed(mdm("exceptions", "explain-priority", f"D{letter}", "--json"))

    assert told["close_impact"].keys() == {"month", "due", "days_left", "documents", "points"}
    assert told["customer_exposure"].keys() == {"customers", "tiers", "users", "points"}
    assert sum(each["points"] for each in told["because"]) == pytest.approx(told["priority"], abs=0.2)
    words = mdm("exceptions", "explain-priority", letter).stdout
    assert f"close of {told['close_impact']['month']}" in words
    assert "users who may be affected" in words
    with pytest.raises(NotFound, match="no open dead letter 999"):
        mdm("exceptions", "explain-priority", "D999")
    with pytest.raises(OperatorError, match="no priority"):
        mdm("exceptions", "explain-priority", "E1")


def test_an_unknown_letter_is_told_as_such(mdm: Command) -> None:
    with pytest.raises(NotFound, match="no dead letter or exception 7"):
        mdm("exceptions", "show", 7)


def test_drift_is_listed_and_resolved(feed: Feed, mdm: Command) -> None:
    feed([changed(accounts(1)[0], 1, twitter__c="@acme")])

    (found,) = printed(mdm("exceptions", "list", "--json"))["exceptions"]
    assert "twitter__c" in found["detail"]
    assert "1 resolved" in mdm("exceptions", "resolve", found["id"], "--reason", "taken out again").stdout
    assert printed(mdm("exceptions", "list", "--json"))["exceptions"] == []


def test_a_number_that_a_letter_and_an_exception_share_is_asked_back_about(feed: Feed, mdm: Command) -> None:
    """Both are numbered from 1."""
    feed([changed(accounts(1)[0], 1, twitter__c="@acme")])
    feed([changed(accounts(2)[1], 2, number_of_employees="many")])
    listed = printed(mdm("exceptions", "list", "--json"))
    (letter,) = listed["dead_letters"]
    number = letter["id"]
    drift = next(each for each in listed["exceptions"] if each["id"] == number)
    assert (drift["name"], letter["name"]) == (f"E{number}", f"D{number}")
    table = mdm("exceptions", "list").stdout
    assert {f"D{number}", f"E{number}"} <= set(table.split())

    with pytest.raises(OperatorError, match="a dead letter and an exception") as asked:
        mdm("exceptions", "show", number)
    assert {f"D{number}", f"E{number}"} <= set(asked.value.advice.replace(",", " ").split())
    assert '"number_of_employees": "many"' in mdm("exceptions", "show", f"D{number}").stdout
    assert drift["detail"] in mdm("exceptions", "show", f"e{number}").stdout
    assert printed(mdm("exceptions", "show", f"E{number}", "--json"))["code"] == drift["code"]


def test_commands_about_one_kind_take_its_names_and_refuse_the_other(feed: Feed, mdm: Command) -> None:
    feed([changed(accounts(1)[0], 1, twitter__c="@acme")])
    feed([changed(accounts(2)[1], 2, number_of_employees="many")])
    why = ("--reason", "test rows")

    for wrong in (
        ("fix", "E1", "--set", "after.number_of_employees=12", *why),
        ("discard", "E1", *why),
        ("resolve", "D1", *why),
        ("show", "X1"),
    ):
        with pytest.raises(OperatorError):
            mdm("exceptions", *wrong)
    assert "1 refused message: discarded" in mdm("exceptions", "discard", "D1", *why).stdout
    assert "1 reopened" in mdm("exceptions", "reopen", "1", *why).stdout
    assert "1 refused message: discarded" in mdm("exceptions", "discard", "--like", "d1", *why).stdout
    assert "1 resolved" in mdm("exceptions", "resolve", "E1", *why).stdout
    assert "resolved" in mdm("exceptions", "show", "E1").stdout


def test_a_table_in_a_pipe_keeps_its_rows_on_one_line_each(feed: Feed, mdm: Command) -> None:
    feed([changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(3))])
    letters = printed(mdm("exceptions", "list", "--json"))["dead_letters"]

    lines = mdm("exceptions", "list", "--each").stdout.splitlines()

    for letter in letters:
        row = next(line for line in lines if line.startswith(letter["name"]))
        assert all(str(letter[part]) in row for part in ("place", "row_key", "code", "reason"))
    assert not any(line.endswith(" ") for line in lines)


def test_a_kind_is_taken_handed_over_and_put_down(feed: Feed, mdm: Command) -> None:
    feed([changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(2))])
    letter = f"D{printed(mdm('exceptions', 'list', '--json'))['groups'][0]['newest_id']}"

    with pytest.raises(OperatorError, match="may be a dead letter or an exception"):
        mdm("exceptions", "take", letter[1:])
    assert "2 taken" in mdm("exceptions", "take", letter, "--alike").stdout
    assert printed(mdm("exceptions", "hand-over", letter, "--to", "user:ada", "--json")) == {"handed_over": 1}
    assert "looked after by user:ada" in mdm("exceptions", "show", letter).stdout
    hers = printed(mdm("exceptions", "list", "--assignee", "user:ada", "--json"))["groups"]
    assert [(each["letters"], each["assignees"]) for each in hers] == [(1, ["user:ada"])]
    assert "2 put_down" in mdm("exceptions", "put-down", letter, "--alike").stdout
    assert printed(mdm("exceptions", "list", "--taken", "--json"))["groups"] == []


def test_all_rows_without_a_usable_key_are_listed(engine: Engine, pipeline: Pipeline, mdm: Command) -> None:
    take_in(pipeline, overflow())

    (found,) = [
        each
        for each in printed(mdm("exceptions", "list", "--json"))["exceptions"]
        if each["code"] == "RECORD_WITHOUT_USABLE_KEY"
    ]
    first = mdm("exceptions", "records", found["name"], "--limit", 40).stdout.split()
    rest = printed(mdm("exceptions", "records", found["name"], "--after", "cus_o039", "--json"))

    assert first == [f"billing:customer:cus_o{number:03}" for number in range(40)]
    assert [each["key"] for each in rest] == [f"cus_o{number:03}" for number in range(40, 60)]
    with pytest.raises(NotFound, match="no exception 99"):
        mdm("exceptions", "records", 99)
