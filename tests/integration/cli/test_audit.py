"""The audit chain from the command line: verified, anchored, resealed."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.errors import Conflict, OperatorError
from mdm.model.anchors import read
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work
from tests.harness.tampering import end_of, rebuild_chain, tamper
from tests.integration.cli.conftest import Command, printed


@pytest.fixture(autouse=True)
def entries(engine: Engine) -> None:
    for number in range(4):
        with unit_of_work(engine, system_clock, "test") as work:
            write_audit(work, "test", "looked", f"entry {number}", {})


def test_without_a_folder_an_anchor_is_printed(mdm: Command, engine: Engine) -> None:
    kept = read("stdout", mdm("audit", "anchor").stdout.encode())

    assert (kept.anchor.seq, kept.anchor.hash) == (4, end_of(engine).hash)


def test_a_chain_written_anew_holds_in_itself_and_not_against_its_anchor(
    mdm: Command, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(mdm("audit", "anchor", "--to", tmp_path).stdout.strip())
    assert "the chain holds" in mdm("audit", "verify", "--anchors", tmp_path).stdout
    tamper(engine, "update audit set actor = 'nobody' where seq = 2")
    rebuild_chain(engine)

    alone = mdm("audit", "verify")
    against = mdm("audit", "verify", "--anchors", tmp_path, "--json")
    monkeypatch.setenv("MDM_AUDIT_ANCHORS", str(tmp_path))
    everything = mdm("verify", "--json")

    assert (alone.exit_code, against.exit_code, everything.exit_code) == (0, 1, 1)
    assert "Without anchors, a chain that was written anew" in alone.stdout
    assert [each["place"] for each in printed(against)["faults"]] == [file.name]
    assert [each["subject"] for each in printed(everything)["differences"]] == [file.name]


def test_anchors_are_signed_and_checked_with_the_public_key(
    mdm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(OperatorError, match="not signed"):
        mdm("audit", "public-key")
    monkeypatch.setenv("MDM_AUDIT_ANCHOR_KEY", pem)
    public = tmp_path / "anchor.pub"
    public.write_text(mdm("audit", "public-key").stdout)
    file = Path(mdm("audit", "anchor", "--to", tmp_path).stdout.strip())
    monkeypatch.delenv("MDM_AUDIT_ANCHOR_KEY")
    arguments = ("audit", "verify", "--anchors", tmp_path, "--public-key", public)
    assert mdm(*arguments).exit_code == 0

    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"seq": 3}))

    assert "is not signed by this key" in mdm(*arguments).stdout
    public.write_text("no key")
    with pytest.raises(OperatorError, match="no Ed25519 key"):
        mdm(*arguments)


def test_after_a_restore_what_is_lost_is_said_once(mdm: Command, engine: Engine, tmp_path: Path) -> None:
    mdm("audit", "anchor", "--to", tmp_path)
    with pytest.raises(Conflict, match="lost"):
        mdm("audit", "reseal", "--anchors", tmp_path, "--reason", "backup of Monday")
    tamper(engine, "delete from audit where seq > 2")
    assert "rows 3 to 4 were there" in mdm("audit", "verify", "--anchors", tmp_path).stdout

    said = mdm("audit", "reseal", "--anchors", tmp_path, "--reason", "backup of Monday").stdout

    assert said == "Row 3 says that rows 3 to 4 are lost.\n"
    shown = mdm("audit", "verify", "--anchors", tmp_path)
    assert shown.exit_code == 0
    assert "are lost: backup of Monday" in shown.stdout
