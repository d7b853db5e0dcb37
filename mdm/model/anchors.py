"""An anchor: the newest entry of the audit chain at a time, written down outside the database.

Whoever can rewrite the database can rewrite the whole chain so that it holds in itself. What was written down
elsewhere they cannot: a chain that was cut or written anew does not have the anchored entry with the anchored hash. An
anchor names the one before it, so that one taken from between is missed, and may be signed (Ed25519): then a forged one
is told from one of the hub without trusting the folder.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from mdm.errors import ConfigurationInvalid

#: The version of the document, its first member.
_VERSION: Final = 1
#: An anchor has some hundred bytes.
MOST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is anchored: entry, its hash (32 bytes), when; and the SHA-256 of the anchor file before (hex), if any."""

    seq: int
    hash: bytes
    at: datetime
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An anchor as a file holds it: its name, the digest of the file, and what is wrong with its signature, if so."""

    name: str
    anchor: Anchor
    sha256: str
    signature_fault: str | None = None


class NoAnchor(ValueError):
    """The bytes are no anchor of this hub; the message says why."""


def private_key(pem: str) -> Ed25519PrivateKey:
    """The key that signs anchors.

    Raises:
        ConfigurationInvalid: it is no Ed25519 key in PEM without a password.
    """
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as fault:
        raise _no_key("MDM_AUDIT_ANCHOR_KEY") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key("MDM_AUDIT_ANCHOR_KEY")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """The key that signatures are checked with.

    Raises:
        ConfigurationInvalid: it is no Ed25519 public key in PEM.
    """
    try:
        key = load_pem_public_key(pem)
    except ValueError as fault:
        raise _no_key("The public key") from fault
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key("The public key")
    return key


def _no_key(what: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"{what} is no Ed25519 key in PEM without a password.",
        action="Make one with `openssl genpkey -algorithm ed25519 -out anchor.pem`; "
        "`openssl pkey -in anchor.pem -pubout` gives its public part.",
    )


def written(anchor: Anchor, key: Ed25519PrivateKey | None = None) -> bytes:
    """The file of an anchor: one line of JSON."""
    document = _document(anchor)
    if key is not None:
        document["signature"] = key.sign(_signed(document)).hex()
    return orjson.dumps(document) + b"\n"


def read(name: str, data: bytes, key: Ed25519PublicKey | None = None) -> Kept:
    """An anchor from its file; with a key its signature is checked.

    Raises:
        NoAnchor: the bytes are none.
    """
    try:
        document = orjson.loads(data)
        signature = document.pop("signature", None)
        if document["audit_anchor"] != _VERSION:
            raise NoAnchor(f"is an anchor of version {document['audit_anchor']!r}, which this release does not know")
        anchor = Anchor(
            _number(document["seq"]),
            bytes.fromhex(document["hash"]),
            datetime.fromisoformat(document["at"]),
            document["before"],
        )
        if len(anchor.hash) != hashlib.sha256().digest_size or anchor.at.tzinfo is None:
            raise NoAnchor("holds no hash, or a time without a zone")
        if not isinstance(anchor.before, str | None):
            raise NoAnchor("names no anchor before it")
    except NoAnchor:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise NoAnchor(f"is no anchor ({type(fault).__name__})") from fault
    return Kept(name, anchor, hashlib.sha256(data).hexdigest(), _signature_fault(document, signature, key))


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 63:
        raise NoAnchor("names no entry")
    return value


def _document(anchor: Anchor) -> dict[str, Any]:
    return {
        "audit_anchor": _VERSION,
        "seq": anchor.seq,
        "hash": anchor.hash.hex(),
        "at": anchor.at.isoformat(),
        "before": anchor.before,
    }


def _signed(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _signature_fault(document: dict[str, Any], signature: object, key: Ed25519PublicKey | None) -> str | None:
    if key is None:
        return None
    if not isinstance(signature, str):
        return "is not signed"
    try:
        key.verify(bytes.fromhex(signature), _signed(document))
    except (InvalidSignature, ValueError):
        return "is not signed by this key"
    return None
