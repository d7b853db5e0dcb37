"""Commands about the audit chain: hold it against itself and its anchors, anchor it, go on after a restore."""

import os
from dataclasses import asdict
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mdm.bootstrap import Hub
from mdm.cli.context import JSON_OPTION, hub, many, operator, print_json, print_table
from mdm.errors import OperatorError
from mdm.hub.audit_anchor import (
    Anchors,
    AuditVerification,
    anchor_to,
    current_anchor,
    read_anchors,
    reseal_audit,
    verify_audit,
)
from mdm.model.anchors import private_key, public_key, written
from mdm.settings import read_settings

audit = typer.Typer(no_args_is_help=True)

#: Faults shown to people; JSON has them all.
_SHOWN = 50
ANCHORS = typer.Option(None, "--anchors", help="Folder of anchors; default MDM_AUDIT_ANCHORS.")
PUBLIC_KEY = typer.Option(
    None,
    "--public-key",
    help="File of the key (PEM) that anchors must be signed by; default: that of the hub's own key.",
)


@audit.callback()
def _root() -> None:
    """The audit chain: verify, anchor outside the database, reseal."""


@audit.command("verify")
def verify(anchors: Path | None = ANCHORS, public: Path | None = PUBLIC_KEY, as_json: bool = JSON_OPTION) -> None:
    """Compute the whole chain anew; hold it against the end that the calendar saw, and against all anchors.

    An edit, a gap and another order show in the chain itself, entries cut from its end in what was seen before, and a
    chain that was written anew as a whole in the anchors. Ends with 1 when anything does not hold.
    """
    with hub() as opened:
        found = verify_audit(opened.engine, anchors_of(opened, anchors, public))
    if as_json:
        print_json(asdict(found) | {"holds": found.holds})
    else:
        _print(found)
    if not found.holds:
        raise typer.Exit(1)


@audit.command("anchor")
def anchor(
    folder: Path | None = typer.Option(None, "--to", help="Folder to write it to; default MDM_AUDIT_ANCHORS."),
) -> None:
    """Write the newest entry's number, hash and the time to a file outside the database; without a folder, print it.

    Signed where MDM_AUDIT_ANCHOR_KEY (or _FILE) holds an Ed25519 key.
    """
    with hub() as opened:
        said = opened.settings
        key = private_key(said.audit_anchor_key) if said.audit_anchor_key else None
        target = folder or said.audit_anchors
        if target is None:
            typer.echo(written(current_anchor(opened.engine, opened.clock), key).decode(), nl=False)
        else:
            typer.echo(anchor_to(opened.engine, opened.clock, target, key))


@audit.command("reseal")
def reseal(
    reason: str = typer.Option(..., "--reason", help="Which backup was restored, and why; kept in the audit."),
    anchors: Path | None = ANCHORS,
    public: Path | None = PUBLIC_KEY,
) -> None:
    """After a restore from an older backup: say in the chain which entries are lost, so that it may go on."""
    with hub() as opened:
        found = reseal_audit(opened.engine, opened.clock, anchors_of(opened, anchors, public), operator().name, reason)
    typer.echo(f"Row {found.seq} says that rows {found.kept_to + 1} to {found.lost_to} are lost.")


@audit.command("public-key")
def show_public_key() -> None:
    """The key that anchors of this hub are checked with, for whoever audits them; PEM."""
    pem = read_settings(os.environ).audit_anchor_key
    if pem is None:
        raise OperatorError(
            "Anchors of this hub are not signed.", action="Set MDM_AUDIT_ANCHOR_KEY_FILE to a file with an Ed25519 key."
        )
    typer.echo(_pem(private_key(pem).public_key()), nl=False)


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def anchors_of(opened: Hub, folder: Path | None = None, public: Path | None = None) -> Anchors:
    """The anchors of a folder, or of the one in the settings; none when neither names one."""
    said = opened.settings
    target = folder or said.audit_anchors
    if target is None:
        return Anchors()
    key: Ed25519PublicKey | None = None
    if public is not None:
        try:
            key = public_key(public.read_bytes())
        except OSError as fault:
            raise OperatorError(
                f"{public} cannot be read: {fault.strerror}.", action="Name a file with a key."
            ) from fault
    elif said.audit_anchor_key:
        key = private_key(said.audit_anchor_key).public_key()
    return read_anchors(target, key)


def _print(found: AuditVerification) -> None:
    for each in found.reseals:
        typer.echo(
            f"Row {each.seq}: {each.actor} said on {each.at:%Y-%m-%d} that rows {each.kept_to + 1} to {each.lost_to} "
            f"are lost: {each.reason}"
        )
    if found.newest_anchor is not None:
        typer.echo(f"{many(found.anchors, 'anchor')}, the newest of {found.newest_anchor:%Y-%m-%d %H:%M} UTC.")
    if found.holds:
        against = "" if found.anchors else " Without anchors, a chain that was written anew as a whole cannot be told."
        typer.echo(f"{many(found.entries, 'entry', 'entries')} of the audit: the chain holds.{against}")
        return
    rows = [[each.place, each.what] for each in found.faults[:_SHOWN]]
    print_table(f"The audit does not hold ({len(found.faults)})", ("where", "what"), rows)
