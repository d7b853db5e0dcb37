"""A folder of platforms of one's own in the place of the shipped one, through a migration of a contract."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.hub import stale_keys
from mdm.hub.mappings import CODE
from tests.integration.cli.conftest import Command, printed
from tests.unit.mdm.intake.messages import envelope, message
from tests.unit.mdm.intake.test_majors import FIRST, MAPPING, new_row, old_row, written

Ingest = Callable[..., dict[str, Any]]
_RETIRED = FIRST.replace("status: active", "status: retired")
_DEPRECATED = FIRST.replace("status: active", "status: deprecated")


@pytest.fixture
def ingest(mdm: Command, tmp_path: Path) -> Ingest:
    """Feeds one change of the table to the hub, with the row after it at its own place in the topic and in the log."""
    file = tmp_path / "shop.jsonl"
    offsets = iter(range(100))

    def feed(row: dict[str, Any], *options: str) -> dict[str, Any]:
        number = next(offsets)
        position = {"lsn": 200 + number, "sequence": f'["{199 + number}","{200 + number}"]'}
        each = message(envelope("u", after=row, source=position), offset=number)
        line = {"topic": each.place.topic, "partition": 0, "offset": number, "timestamp": 0}
        line |= {"key": json.loads(each.key or b""), "value": json.loads(each.value or b"")}
        file.write_text(json.dumps(line) + "\n", "utf-8")
        return dict(printed(mdm("ingest", "--feed", f"file:{file}", "--json", *options)))

    return feed


def codes(mdm: Command) -> set[str]:
    listed = printed(mdm("exceptions", "list", "--json"))
    return {each["code"] for each in (*listed["exceptions"], *listed["dead_letters"])}


def golden_name(mdm: Command) -> str:
    (product,) = mdm("export", "golden", "--domain", "product").stdout.splitlines()
    return str(json.loads(product)["name"])


def test_a_contract_migrates_from_one_major_to_the_next(
    mdm: Command, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    monkeypatch.setenv("MDM_SOURCES", str(written(sources)))

    ingest(old_row(name="First"))
    ingest(new_row("Second"))
    assert golden_name(mdm) == "Second"
    ingest(old_row(name="Third"))
    assert golden_name(mdm) == "Third"
    assert codes(mdm) == set(), "both majors are accepted"

    written(sources, first=_DEPRECATED)
    ingest(old_row(name="Fourth"))
    assert codes(mdm) == {"CONTRACT_DEPRECATED"}

    written(sources, first=_RETIRED)
    mdm("replay", "--system", "shop")
    assert golden_name(mdm) == "Fourth", "what was not sent since keeps its name"
    ingest(old_row(name="Fifth"))
    assert codes(mdm) == {"CONTRACT_DEPRECATED", "COLUMN_RENAMED"}
    ingest(new_row("Sixth"))
    assert golden_name(mdm) == "Sixth"
    assert mdm("verify").exit_code == 0
    assert {(row["version"], row["state"]) for row in printed(mdm("contracts", "list", "--json"))} == {
        ("1.0.0", "retired"),
        ("2.0.0", "active"),
    }


def test_rows_that_another_mapping_read_are_told_of_at_start_until_all_are_taken_anew(
    mdm: Command, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    nothing = tmp_path / "nothing.jsonl"
    nothing.write_text("", "utf-8")
    monkeypatch.setenv("MDM_SOURCES", str(written(sources)))

    def changed() -> Any:
        return printed(mdm("status", "--json"))["changed_mappings"]

    written(sources, mapping=f"{MAPPING}trust: {{default: 0.7}}\n")
    assert changed() == [], "before there are rows, nothing was read by another mapping"
    written(sources)
    ingest(old_row(name="Bolt"))
    written(sources, mapping=f"# The parts of a shop\n{MAPPING}")
    assert changed() == [], "a comment changes nothing"

    written(sources, mapping=f"{MAPPING}trust: {{default: 0.9}}\n")
    assert changed() == ["shop.part"]
    monkeypatch.setattr("mdm.cli.run.serve_http", lambda *_: None)
    read = ("--feed", f"file:{nothing}")
    for command in (("ingest", *read), ("serve", "--port", 0), ("worker", "ingest", *read)):
        said = mdm(*command).stderr
        assert CODE in said
        assert "shop.part" in said
        assert "`mdm rebuild --swap`" in said
    again = " ".join(mdm("match", "run").stderr.split())
    assert "The mapping of shop.part has changed" in again
    assert "Matching them anew does not change that. `mdm rebuild` shows" in again
    mdm("rebuild")
    assert changed() == ["shop.part"], "a comparison takes nothing into use"
    mdm("rebuild", "--swap")
    assert changed() == []

    written(sources)
    assert changed() == ["shop.part"], "back is another mapping, too"
    mdm("replay", "--system", "shop", "--table", "part", "--from", "2000-01-01")
    assert changed() == ["shop.part"], "of a part of the rows nobody knows"
    mdm("replay", "--system", "shop")
    assert changed() == []
    assert CODE not in mdm("ingest", "--feed", f"file:{nothing}").stderr


def test_rows_that_nothing_has_matched_are_told_of_at_start_until_they_are(
    mdm: Command, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, nothing = tmp_path / "sources", tmp_path / "nothing.jsonl"
    nothing.write_text("", "utf-8")
    monkeypatch.setenv("MDM_SOURCES", str(written(sources)))
    monkeypatch.setattr("mdm.cli.run.serve_http", lambda *_: None)
    read = ("--feed", f"file:{nothing}")

    def stale() -> Any:
        return printed(mdm("status", "--json"))["stale_keys"]

    assert stale() == []
    ingest(old_row(name="Bolt"), "--bulk")
    assert stale() == ["product"]
    for command in (("ingest", *read), ("serve", "--port", 0), ("worker", "ingest", *read)):
        said = mdm(*command).stderr
        assert stale_keys.CODE in said
        assert "Some products are not under the blocking keys" in said
        assert "`mdm match run --apply`" in said
    assert "Some products are not under the blocking keys" in mdm("status").stdout
    mdm("match", "run")
    assert stale() == ["product"], "a preview writes nothing"
    mdm("match", "run", "--apply")
    assert stale() == []
    assert stale_keys.CODE not in mdm("ingest", *read).stderr


def test_a_company_says_what_its_platforms_are_reconciled_by(
    mdm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "reconciliation.yaml"
    own.write_text('version: "ours"\nprogress: {ordered: {days: 33, owner: order-desk}}\n', "utf-8")
    monkeypatch.setenv("MDM_RECONCILIATION", str(own))
    monkeypatch.setattr("mdm.cli.run.serve_http", lambda *_: None)

    (ordered,) = [line for line in mdm("reconcile", "stuck").stdout.splitlines() if line.startswith("ordered")]
    assert "33" in ordered
    assert "order-desk" in ordered

    own.write_text('version: "ours"\nroles: {agreement: [crm.agreement], order: [crm.order]}\n', "utf-8")
    nothing = tmp_path / "nothing.jsonl"
    nothing.write_text("", "utf-8")
    for command in (("reconcile",), ("serve", "--port", 0), ("worker", "ingest", "--feed", f"file:{nothing}")):
        with pytest.raises(ConfigurationInvalid, match=r"roles\.order \(known: subscription, agreement\)"):
            mdm(*command)
    own.write_text('version: "ours"\nroles: {agreement: [crm.agreement]}\n', "utf-8")
    for command in (("reconcile",), ("serve", "--port", 0), ("worker", "ingest", "--feed", f"file:{nothing}")):
        with pytest.raises(ConfigurationInvalid, match=r"crm\.agreement as agreement"):
            mdm(*command)
