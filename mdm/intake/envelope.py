"""Debezium's envelope as typed structures, with the rows left as bytes until their table is known."""

from typing import Annotated, Final

import msgspec

from mdm.intake.refusal import Refused
from mdm.model.events import Operation, SourcePosition

_decode_any = msgspec.json.decode
#: An LSN in decimal digits, within 63 bits.
_Lsn = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
_decode_sequence = msgspec.json.Decoder(tuple[_Lsn | None, _Lsn]).decode


#: The largest position that a log can have, and that the store can keep.
_MOST: Final = 2**63 - 1
_Int64 = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
# A Raw field cannot be optional: no bytes stand for an absent field, `null` for a null.
_ABSENT: Final = msgspec.Raw()


class Transaction(msgspec.Struct):
    """The transaction block (`provide.transaction.metadata`)."""

    id: str | None = None
    total_order: _Int64 | None = None


class Origin(msgspec.Struct):
    """The source block: the fields that say when and where in the source's log."""

    ts_ms: int | None = None
    ts_us: int | None = None
    snapshot: str | bool | None = None
    # PostgreSQL
    sequence: str | None = None
    lsn: _Int64 | None = None
    tx_id: int | str | None = msgspec.field(default=None, name="txId")
    # MySQL and MariaDB
    file: str | None = None
    pos: _Int64 | None = None
    row: _Int64 | None = None


class Envelope(msgspec.Struct):
    """One change event; or its wrapper with the schema beside it."""

    op: str | None = None
    after: msgspec.Raw = _ABSENT
    source: Origin | None = None
    transaction: Transaction | None = None
    schema: msgspec.Raw = _ABSENT
    payload: msgspec.Raw = _ABSENT


def json_of(raw: msgspec.Raw) -> bytes | None:
    """The JSON of a raw field; None when it is absent or null."""
    held = bytes(raw)
    return None if held in (b"", b"null") else held


class Flat(msgspec.Struct):
    """What the transform ExtractNewRecordState leaves of an envelope, by `add.fields` and `rewrite` of deletes."""

    op: str | None = msgspec.field(default=None, name="__op")
    deleted: str | None = msgspec.field(default=None, name="__deleted")
    sequence: str | None = msgspec.field(default=None, name="__source_sequence")
    lsn: _Int64 | None = msgspec.field(default=None, name="__lsn")
    file: str | None = msgspec.field(default=None, name="__source_file")
    pos: _Int64 | None = msgspec.field(default=None, name="__source_pos")
    row: _Int64 | None = msgspec.field(default=None, name="__source_row")
    snapshot: str | None = msgspec.field(default=None, name="__source_snapshot")
    tx_id: int | str | None = msgspec.field(default=None, name="__source_txId")
    ts_ms: int | None = msgspec.field(default=None, name="__source_ts_ms")

    def envelope(self) -> Envelope:
        """The envelope as far as it is left; without op, a row is taken for an update."""
        op = "d" if self.deleted == "true" else self.op or "u"
        origin = Origin(
            ts_ms=self.ts_ms,
            snapshot=self.snapshot,
            sequence=self.sequence,
            lsn=self.lsn,
            tx_id=self.tx_id,
            file=self.file,
            pos=self.pos,
            row=self.row,
        )
        return Envelope(op=op, source=origin)


class Wrapper(msgspec.Struct):
    """What `schemas.enable=true` puts around a key, a header or a flat row."""

    schema: msgspec.Raw = _ABSENT
    payload: msgspec.Raw = _ABSENT


decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_flat = msgspec.json.Decoder(Flat).decode
decode_wrapper = msgspec.json.Decoder(Wrapper).decode


def position(origin: Origin, transaction: Transaction | None, operation: Operation) -> SourcePosition:
    """Where an event stands in its source's log (see `SourcePosition` for the order).

    PostgreSQL's plain `lsn` is in write order, not in commit order, so `sequence` decides: the LSN of the last commit,
    then the LSN. Until the first commit after a snapshot the former is unknown and counts as the LSN.

    Raises:
        Refused: POSITION_MISSING.
    """
    rank = 0 if operation is Operation.READ else 1
    order = (transaction.total_order or 0) if transaction is not None else 0
    if origin.sequence is not None:
        commit, lsn = _sequence(origin.sequence)
        return SourcePosition(lsn if commit is None else commit, lsn, order, rank)
    if origin.lsn is not None:
        return SourcePosition(origin.lsn, origin.lsn, order, rank)
    if origin.file is not None and origin.pos is not None:
        _, _, number = origin.file.rpartition(".")
        if number.isdecimal() and len(number) < 18:
            return SourcePosition(int(number), origin.pos, origin.row or 0, rank)
    raise Refused("POSITION_MISSING", "The source block has neither sequence nor lsn, nor binlog file and position.")


def _sequence(text: str) -> tuple[int | None, int]:
    try:
        commit, lsn = _decode_sequence(text)
        return (None if commit is None else int(commit)), int(lsn)
    except (msgspec.DecodeError, ValueError) as fault:
        raise Refused("POSITION_MISSING", "The source block's sequence is not a pair of numbers.") from fault


def unwrap(text: bytes) -> tuple[bytes, bytes | None]:
    """Payload and schema of a wrapped JSON text; the text itself and None when it is not wrapped."""
    if b'"payload"' not in text or b'"schema"' not in text:
        return text, None
    wrapper = decode_wrapper(text)
    if not wrapper.payload or not wrapper.schema:
        return text, None
    return bytes(wrapper.payload), bytes(wrapper.schema)


def header_text(content: bytes) -> str:
    """A header's text: plain, in quotes (JSON converter), or wrapped with its schema."""
    payload, _ = unwrap(content)
    return str(_decode_any(payload)) if payload.startswith(b'"') else payload.decode()
