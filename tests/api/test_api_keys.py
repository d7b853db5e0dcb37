"""API keys in the store."""

import pytest
from sqlalchemy import Engine, select

from mdm.access import Caller, Role
from mdm.errors import OperatorError
from mdm.store import api_keys
from mdm.store.tables import api_key


def test_a_key_proves_who_holds_it(engine: Engine) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ERP, "SAP production")

        assert api_keys.verify(connection, key) == Caller(key.split("_")[1], Role.ERP, "SAP production")


def test_the_secret_is_not_stored(engine: Engine) -> None:
    with engine.begin() as connection:
        secret = api_keys.issue_key(connection, Role.READER, "test").split("_")[2]
        stored = connection.execute(select(api_key)).one()

    assert secret.encode() not in bytes(stored.secret_hash)
    assert secret not in str(tuple(stored))
    assert len(stored.secret_hash) == 32


def test_any_other_key_proves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "test")
        other = api_keys.issue_key(connection, Role.READER, "other")
        _, key_id, secret = key.split("_")
        last = "0" if secret[-1] != "0" else "1"

        mixed = f"mdm_{other.split('_')[1]}_{secret}"
        guessed = f"mdm_{key_id}_{'0' * 40}"
        changed = (key + "x", key[:-1], key[:-1] + last, key.upper(), key + "\n")
        for wrong in ("", "mdm", *changed, mixed, guessed, "mdm_é_é", "mdm_\0_\0"):
            assert api_keys.verify(connection, wrong) is None, wrong


def test_a_revoked_key_is_kept_but_proves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "leaver")
        key_id = key.split("_")[1]

        assert api_keys.is_live(connection, key_id)
        assert api_keys.revoke(connection, key_id)
        assert not api_keys.revoke(connection, key_id), "it was revoked already"
        assert api_keys.verify(connection, key) is None
        assert not api_keys.is_live(connection, key_id)
        (listed,) = api_keys.list_keys(connection)
        assert (listed.key_id, listed.role, listed.label) == (key_id, Role.STEWARD, "leaver")
        assert listed.revoked_at is not None


def test_a_key_needs_a_purpose(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(OperatorError):
        api_keys.issue_key(connection, Role.READER, "  ")
