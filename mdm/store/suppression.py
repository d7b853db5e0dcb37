"""Who must not come back: keyed digests of the names of erased source rows."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable

from mdm.model.ids import CrosswalkKey
from mdm.store.unit_of_work import UnitOfWork


def suppressed(work: UnitOfWork, keys: Collection[CrosswalkKey]) -> frozenset[CrosswalkKey]:
    """Those of the keys whose subject was erased. One cheap query while nobody was ever erased."""
    if not keys or not work.query("select exists (select 1 from suppression)")[0][0]:
        return frozenset()
    secret = _secret(work)
    by_digest = {digest_of(secret, key): key for key in keys}
    rows = work.query("select digest from suppression where digest = any(%s)", list(by_digest))
    return frozenset(by_digest[bytes(row[0])] for row in rows)


def suppress(work: UnitOfWork, keys: Iterable[CrosswalkKey], erasure_id: int) -> None:
    """Keep these rows out for ever."""
    secret = _secret(work)
    digests = sorted({digest_of(secret, key) for key in keys})
    known = {bytes(row[0]) for row in work.query("select digest from suppression where digest = any(%s)", digests)}
    work.copy("suppression", ("digest", "erasure_id"), ((each, erasure_id) for each in digests if each not in known))


def suppress_like(work: UnitOfWork, pairs: Collection[tuple[CrosswalkKey, CrosswalkKey | None]]) -> None:
    """Keep out each first row for the reason for which the second is kept out: it is the same row under a new key."""
    for key, like in pairs:
        if like is not None:
            secret = _secret(work)
            work.execute(
                """insert into suppression (digest, erasure_id) select %s, erasure_id from suppression where digest = %s
                   on conflict do nothing""",
                digest_of(secret, key),
                digest_of(secret, like),
            )


def digest_of(secret: bytes, key: CrosswalkKey) -> bytes:
    """HMAC-SHA-256 of a source row's name. Without the secret nobody can try keys out."""
    return hmac.new(secret, "\0".join(key).encode(), hashlib.sha256).digest()


def _secret(work: UnitOfWork) -> bytes:
    rows = work.query("select secret from suppression_secret")
    if rows:
        return bytes(rows[0][0])
    secret = secrets.token_bytes(32)
    work.execute("insert into suppression_secret (secret) values (%s)", secret)
    return secret
