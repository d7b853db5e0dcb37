"""What strangers send - tokens, cursors, CSV files - is read or refused with a sentence; nothing else comes out."""

import base64
import csv
import gzip
import io
import json
import math
import string
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from api.console.oidc import IdentityProvider, OidcOptions
from api.cursors import MAX_CURSOR, read_cursor, write_cursor
from api.errors import INVALID_CURSOR, ProblemRaised
from mdm.access import Role
from mdm.cli.reconcile import _read as read_digests
from mdm.errors import OperatorError, Refused
from mdm.hub.tabular import _read as read_csv
from mdm.hub.tokens import TokenRules, TokenVerifier
from mdm.providers.gleif import read_entities
from mdm.providers.sanctions import read_sanctions

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

# --- tokens ---

ISSUER, AUDIENCE, NOW = "https://idp.example", "mdm", time.time()
KEY = ECKey.generate_key("P-256", auto_kid=True)
RULES = TokenRules(ISSUER, AUDIENCE, {"erp": Role.ERP}, now=lambda: NOW)
PROPER = {"iss": ISSUER, "aud": AUDIENCE, "sub": "erp-sync", "exp": int(NOW) + 300, "groups": ["erp"]}

SURROGATES = st.characters()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(SURROGATES, max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "groups", "mdm_scope"]), JSON, max_size=4
)


def verifier() -> TokenVerifier:
    published: Any = KeySet([KEY]).as_dict(private=False)
    return TokenVerifier(RULES, lambda: published)


def signed(claims: dict[str, Any]) -> str:
    """A token of the provider whose claims may be anything that JSON, or Python's idea of it, can say."""

    return jws.serialize_compact({"alg": "ES256", "kid": KEY.kid}, json.dumps(claims).encode(), KEY)


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def rightful(claims: dict[str, Any]) -> bool:
    audience = claims.get("aud")
    return claims.get("iss") == ISSUER and (audience == AUDIENCE or AUDIENCE in audience)


@MANY
@given(CLAIMS)
def test_whatever_a_signed_token_claims_it_is_believed_or_not(claims: dict[str, Any]) -> None:
    said = PROPER | claims

    caller = verifier().caller(signed(said))

    if caller is not None:
        assert rightful(said)
        assert said["exp"] >= NOW - RULES.skew
        assert caller.role == Role.ERP


@MANY
@given(st.text(SURROGATES, max_size=80))
@example("\ud800")
@example("a\0b")
def test_whoever_a_token_names_can_be_written_down(name: str) -> None:
    caller = verifier().caller(signed(PROPER | {"sub": name}))

    if caller is not None:
        assert "\0" not in (caller.key_id + caller.label).encode().decode()


@MANY
@given(CLAIMS | st.fixed_dictionaries({"sub": st.text(SURROGATES), "groups": JSON, "name": JSON}))
def test_whoever_comes_back_from_the_provider_may_enter_or_is_refused(claims: dict[str, Any]) -> None:
    provider = IdentityProvider(OidcOptions(ISSUER, AUDIENCE, None, {"erp": Role.STEWARD}))
    keys: Any = KeySet([KEY]).as_dict(private=False)
    said = PROPER | {"nonce": "once"} | claims

    try:
        caller = provider._caller(provider._claims(signed(said), keys, "once"))
    except Refused:
        return
    assert caller.role == Role.STEWARD
    assert "\0" not in (caller.key_id + caller.label).encode().decode()


@MANY
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_text_that_is_no_token_is_nobody(text: str) -> None:
    assert verifier().caller(text) is None


PARTS = st.one_of(
    JSON.map(lambda value: _base64(json.dumps(value))),
    st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    st.text(string.ascii_letters + string.digits + "-_=", max_size=40),
)
HEADS = st.fixed_dictionaries(
    {}, optional={"alg": st.sampled_from(["none", "HS256", "ES256", "RS256", "dir"]) | JSON, "kid": JSON, "crit": JSON,
                  "b64": JSON, "jwk": JSON, "zip": JSON, "typ": JSON}
).map(lambda head: _base64(json.dumps(head)))  # fmt: skip


@MANY
@given(HEADS | PARTS, PARTS, PARTS)
@example(_base64('{"alg":"ES256","crit":null}'), "", "")
@example(_base64('{"alg":"ES256","crit":[null]}'), "", "")
def test_three_parts_that_nobody_signed_are_nobody(head: str, body: str, signature: str) -> None:
    assert verifier().caller(f"{head}.{body}.{signature}") is None


@MANY
@given(st.data())
def test_a_token_with_a_changed_character_says_the_same_or_nothing(data: st.DataObject) -> None:
    token = signed(PROPER)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=\0é"))
    honest = verifier().caller(token)
    assert honest is not None

    # The last bits of a part may mean nothing: such a change is none.
    assert verifier().caller(token[:place] + other + token[place + 1 :]) in (None, honest)


# --- cursors ---

FORMS: list[tuple[type, ...]] = [(int,), (str,), (float, str), (int, str), (str, str, str)]


BASE64 = string.ascii_letters + string.digits + "-_"


def refused(read: Callable[[], object]) -> bool:
    try:
        read()
    except ProblemRaised as problem:
        return problem.problem.type is INVALID_CURSOR
    return False


@MANY
@given(
    st.sampled_from(FORMS), st.text(max_size=200) | st.text(string.ascii_letters + string.digits + "-_", max_size=99)
)
def test_text_that_is_no_cursor_is_refused(form: tuple[type, ...], text: str) -> None:
    assert refused(lambda: read_cursor(text, "list", form))


OF_TYPE: dict[type, st.SearchStrategy[Any]] = {int: st.integers(), float: st.floats(), str: st.text(SURROGATES)}


#: A form and a place: mostly one that a list could have written, if it had such values.
FORMED = st.sampled_from(FORMS).flatmap(
    lambda form: st.tuples(st.just(form), st.tuples(*(OF_TYPE[each] for each in form)))
)
AWRY = st.tuples(st.sampled_from(FORMS), st.lists(JSON, max_size=5).map(tuple))


@MANY
@given(FORMED | AWRY, st.sampled_from([True, True, True, False]))
@example(((float, str), (math.inf, "")), True)
@example(((float, str), (math.nan, "")), True)
@example(((int, str), (1, "\ud800")), True)
@example(((int, str), (2**63, "")), True)
@example(((int,), (True,)), True)
def test_a_cursor_that_is_read_can_be_asked_of_the_database(
    asked: tuple[tuple[type, ...], tuple[Any, ...]], own: bool
) -> None:
    form, place = asked
    mark = json.loads(base64.urlsafe_b64decode(write_cursor("list", []) + "=="))[0] if own else "0" * 8
    cursor = _base64(json.dumps([mark, *place]))

    def read() -> list[Any]:
        return read_cursor(cursor, "list", form)

    if refused(read):
        return
    assert own
    for part, expected in zip(read(), form, strict=True):
        assert type(part) is expected
        if isinstance(part, str):
            assert "\0" not in part.encode().decode()
        else:
            assert math.isfinite(part)
            assert isinstance(part, float) or abs(part) < 2**63


PLACES = st.tuples(
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60),
)


@MANY
@given(PLACES, st.text(max_size=20), st.text(max_size=20))
def test_a_cursor_leads_back_to_its_place_and_to_no_other_list(
    place: tuple[int, float, str], scope: str, other: str
) -> None:
    form = (int, float, str)
    cursor = write_cursor(scope, place)
    assert len(cursor) <= MAX_CURSOR

    assert read_cursor(cursor, scope, form) == list(place)
    assert refused(lambda: read_cursor(cursor, other, form)) == (scope != other)


# --- CSV ---

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=5)
HEADERS = st.sampled_from(
    [
        b"bucket,rows,digest\n",
        b"id,schema,name,aliases,countries\n",
        b'36,"A",-0- ,1,2,3,4,5,6,7,8,9\n',
        b"LEI,Entity.LegalName,Registration.RegistrationStatus\n",
        *(b"", b"a;b\n", b"{", b"[", b"\xef\xbb\xbf", b"\x1f\x8b", b"PK\x03\x04"),
    ]
)
DAMAGE = st.binary(max_size=60) | st.text('",;\t\r\n\0ab1é', max_size=60).map(str.encode)
READERS: dict[str, Callable[[Path], Iterable[object]]] = {
    "records": read_csv,
    "digests": read_digests,
    "sanctions": read_sanctions,
    "gleif": read_entities,
}


def written(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def assert_told(refusal: OperatorError) -> None:
    assert refusal.message
    assert refusal.advice


def outcome(name: str, data: bytes, suffix: str = ".csv") -> list[object] | None:
    """The rows; None when the file was refused with a sentence that says what to do."""
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        try:
            return list(READERS[name](Path(file.name)))
        except OperatorError as refusal:
            assert_told(refusal)
            return None


@MANY
@example("sanctions", b"id,schema,name,aliases,countries\n", b"1,Person\n", False)
@example("gleif", b"LEI,Entity.LegalName,Registration.RegistrationStatus\n", b"1,Acme\n\n", False)
@example("gleif", b"{", b'"records": 5}', False)
@example("gleif", b"PK\x05\x06", bytes(18), False)
@given(st.sampled_from(sorted(READERS)), HEADERS, TABLES.map(written) | DAMAGE, st.booleans())
def test_a_file_is_read_or_refused_with_a_sentence(name: str, head: bytes, rest: bytes, zipped: bool) -> None:
    data = gzip.compress(head + rest) if zipped else head + rest

    outcome(name, data, ".csv.gz" if zipped else ".csv")


NAMES = st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), min_size=1, max_size=4, unique=True)


@MANY
@given(st.data(), NAMES)
def test_what_was_written_is_read(data: st.DataObject, names: list[str]) -> None:
    plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    rows = data.draw(st.lists(st.lists(plain, min_size=len(names), max_size=len(names)), min_size=1, max_size=4))

    assert outcome("records", written([names, *rows])) == [dict(zip(names, row, strict=True)) for row in rows]
