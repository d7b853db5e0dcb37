"""The audit chain against somebody who holds the database: what is taken, changed or written anew is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from mdm.clock import system_clock
from mdm.errors import Conflict, Invalid, OperatorError
from mdm.hub.audit_anchor import (
    NO_ANCHORS,
    anchor_to,
    anchor_when_due,
    read_anchors,
    reseal_audit,
    verify_audit,
)
from mdm.hub.audit_check import check_audit
from mdm.model.anchors import read, written
from mdm.store import append_only, migrate
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work
from tests.harness.tampering import end_of, rebuild_chain, tamper

ENTRIES = 8


def go_on(engine: Engine, entries: int) -> None:
    for number in range(entries):
        with unit_of_work(engine, system_clock, "test") as work:
            write_audit(work, "test", "looked", f"entry {number}", {})


def after(**time: float) -> Callable[[], datetime]:
    return lambda: system_clock() + timedelta(**time)


@pytest.fixture
def seen(engine: Engine) -> Engine:
    """A hub with a chain that the calendar has looked at."""
    go_on(engine, ENTRIES)
    assert check_audit(engine, system_clock)
    return engine


def faults(engine: Engine) -> list[tuple[int, str]]:
    return [(each.seq, each.what) for each in verify_audit(engine).faults]


CUT = "delete from audit where seq > 6"
EDIT = "update audit set actor = 'nobody' where seq = 3"
REORDER = "update audit set seq = case seq when 3 then 104 else 103 end where seq in (3, 4)"
_REORDERED = "update audit set seq = seq - 100 where seq > 100"


@pytest.mark.parametrize(
    ("statements", "first", "told"),
    [
        ((CUT,), 7, "rows 7 to 8 were there when the chain was last looked at, and are gone"),
        (("delete from audit where seq = 4",), 5, "row 4 is missing"),
        (("delete from audit where seq in (4, 5)",), 6, "row 4 is missing"),
        ((REORDER, _REORDERED), 3, "does not continue the row before"),
        ((EDIT,), 3, "content does not match its hash"),
        (("delete from audit",), 1, "rows 1 to 8 were there when the chain was last looked at, and are gone"),
    ],
    ids=("newest", "middle", "two of the middle", "reordered", "edited", "all"),
)
def test_what_is_done_to_the_chain_is_told_with_its_place(
    seen: Engine, statements: tuple[str, ...], first: int, told: str
) -> None:
    tamper(seen, *statements)

    assert faults(seen)[0] == (first, told)
    assert not check_audit(seen, after(days=2))


def test_entries_taken_from_the_end_are_noticed_at_the_next_turn_also_when_the_hub_writes_on(seen: Engine) -> None:
    tamper(seen, CUT)
    assert not check_audit(seen, system_clock), "at once: not when the round is over"
    go_on(seen, 5)

    assert faults(seen) == [(8, "is another row than the one that was there when the chain was last looked at")]
    assert not check_audit(seen, after(days=2))
    assert not check_audit(seen, after(days=4)), "it is not forgotten"


def test_a_chain_written_anew_as_a_whole_is_found_by_an_anchor_only(seen: Engine, tmp_path: Path) -> None:
    anchor_to(seen, system_clock, tmp_path)
    go_on(seen, 2)
    anchor_to(seen, system_clock, tmp_path)
    tamper(seen, EDIT)
    rebuild_chain(seen)
    go_on(seen, 1)

    assert check_audit(seen, after(days=2))
    assert faults(seen) == []
    [first, second] = verify_audit(seen, read_anchors(tmp_path)).faults
    assert (first.seq, second.seq) == (1, 1)
    assert "row 8 is not the one that was there" in first.what


def test_a_cut_that_nothing_in_the_database_tells_is_found_by_an_anchor(seen: Engine, tmp_path: Path) -> None:
    good = anchor_to(seen, system_clock, tmp_path)
    go_on(seen, 3)
    last = anchor_to(seen, system_clock, tmp_path)
    tamper(seen, "delete from audit where seq > 9", "delete from audit_check")

    assert faults(seen) == []
    [fault] = verify_audit(seen, read_anchors(tmp_path)).faults
    assert (fault.seq, fault.place) == (10, last.name)
    assert "rows 10 to 11 were there" in fault.what
    assert good.exists()


def test_a_chain_written_anew_from_a_place_on_names_the_last_anchor_that_agrees(seen: Engine, tmp_path: Path) -> None:
    anchor_to(seen, system_clock, tmp_path)
    go_on(seen, 3)
    anchor_to(seen, system_clock, tmp_path)
    tamper(seen, "update audit set actor = 'nobody' where seq = 10")
    rebuild_chain(seen)

    [fault] = verify_audit(seen, read_anchors(tmp_path)).faults

    assert fault.seq == ENTRIES + 1
    assert "from a row after 8 on" in fault.what


def test_the_calendar_anchors_once_a_day_and_not_a_chain_that_contradicts_an_anchor(
    seen: Engine, tmp_path: Path
) -> None:
    for clock in (system_clock, after(hours=1), after(hours=25)):
        assert anchor_when_due(seen, clock, tmp_path) == ()
    kept = read_anchors(tmp_path).kept
    assert [each.anchor.seq for each in kept] == [ENTRIES, ENTRIES]
    assert end_of(seen).hash == kept[-1].anchor.hash

    tamper(seen, EDIT)
    rebuild_chain(seen)

    assert [each.seq for each in anchor_when_due(seen, after(hours=51), tmp_path)] == [1, 1]
    assert len(read_anchors(tmp_path).kept) == 2
    assert not check_audit(seen, after(hours=1)), "the metric and the alert tell it"


def test_an_empty_audit_is_not_anchored(engine: Engine, tmp_path: Path) -> None:
    assert anchor_when_due(engine, system_clock, tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Conflict, match="no entry yet"):
        anchor_to(engine, system_clock, tmp_path)


def test_an_anchor_taken_away_or_changed_between_others_is_missed(seen: Engine, tmp_path: Path) -> None:
    paths = [anchor_to(seen, after(hours=hour), tmp_path) for hour in range(3)]
    paths[0].unlink()
    assert verify_audit(seen, read_anchors(tmp_path)).holds, "the oldest may go"
    anchor_to(seen, after(hours=4), tmp_path)
    paths[2].unlink()

    [fault] = verify_audit(seen, read_anchors(tmp_path)).faults

    assert "names an anchor before it that is gone or was changed" in fault.what


def test_a_file_that_is_no_anchor_is_told(seen: Engine, tmp_path: Path) -> None:
    (tmp_path / "audit-1.json").write_bytes(b"[]")

    [fault] = verify_audit(seen, read_anchors(tmp_path)).faults

    assert (fault.place, fault.what) == ("audit-1.json", "is no anchor (TypeError)")


def test_a_folder_that_is_not_there_says_what_to_do(seen: Engine, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read") as refused:
        anchor_to(seen, system_clock, tmp_path / "gone")
    assert "MDM_AUDIT_ANCHORS" in refused.value.advice


def test_who_may_write_to_the_folder_cannot_forge_a_signed_anchor(seen: Engine, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path = anchor_to(seen, system_clock, tmp_path, key)
    assert verify_audit(seen, read_anchors(tmp_path, key.public_key())).holds
    tamper(seen, EDIT)
    rebuild_chain(seen)
    forged = replace(read(path.name, path.read_bytes()).anchor, hash=end_of(seen).hash)

    for data, told in (
        (written(forged), "is not signed"),
        (written(forged, Ed25519PrivateKey.generate()), "is not signed by this key"),
    ):
        path.write_bytes(data)
        assert verify_audit(seen, read_anchors(tmp_path)).holds, "without the key it cannot be told"
        [fault] = verify_audit(seen, read_anchors(tmp_path, key.public_key())).faults
        assert fault.what == told


def test_after_a_restore_somebody_says_what_is_lost_and_the_chain_goes_on(seen: Engine, tmp_path: Path) -> None:
    anchor_to(seen, system_clock, tmp_path)
    go_on(seen, 4)
    anchor_to(seen, system_clock, tmp_path)
    check_audit(seen, system_clock)
    tamper(seen, "delete from audit where seq > 9")  # as a backup has it, with what the calendar saw later
    go_on(seen, 1)

    with pytest.raises(Invalid, match="reason"):
        reseal_audit(seen, system_clock, read_anchors(tmp_path), "ada", " ")
    said = reseal_audit(seen, system_clock, read_anchors(tmp_path), "ada", "backup of Monday")

    assert (said.kept_to, said.lost_to) == (9 + 1, 12), "row 10 was written after the restore"
    found = verify_audit(seen, read_anchors(tmp_path))
    assert found.faults == ()
    assert [(each.actor, each.reason, each.lost_to) for each in found.reseals] == [("ada", "backup of Monday", 12)]
    assert check_audit(seen, after(hours=1))
    go_on(seen, 3)
    anchor_to(seen, after(hours=2), tmp_path)
    tamper(seen, "delete from audit where seq > 13", "delete from audit_check")
    assert [each.seq for each in verify_audit(seen, read_anchors(tmp_path)).faults] == [14], "what comes later counts"


def test_what_was_not_lost_cannot_be_given_up(seen: Engine) -> None:
    tamper(seen, EDIT)

    with pytest.raises(Conflict, match="lost"):
        reseal_audit(seen, system_clock, NO_ANCHORS, "ada", "none")


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'nobody' where seq = 1",
        "update audit set actor = actor where false",
        "delete from audit",
        "truncate audit cascade",
        "update audit_remark set text = 'other'",
        "update audit_remark set text = '[erased]'",
        "delete from audit_remark",
        "truncate audit_remark",
        "update record_history set topic = 'other'",
        "delete from record_history",
        "truncate record_history",
        "delete from decision",
        "truncate decision cascade",
    ],
)
def test_the_database_refuses_to_change_what_is_only_added_to(engine: Engine, statement: str) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        write_audit(work, "test", "looked", "entry", {"reason": "words"})

    with pytest.raises(IntegrityError, match="is only ever added to"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_remark_may_be_erased_and_the_chain_holds(engine: Engine) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        write_audit(work, "test", "looked", "entry", {"reason": "words"})
    with engine.begin() as connection:
        connection.execute(text("update audit_remark set text = '[erased]', salt = null"))

    assert faults(engine) == []


def test_a_database_of_before_gets_the_triggers_at_the_next_upgrade(engine: Engine) -> None:

    with engine.begin() as connection:
        connection.execute(text("drop function mdm_append_only() cascade"))
        assert not append_only.kept(connection)

    migrate.upgrade(engine)

    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("delete from audit"))
