"""Laws of scoring and blocking, on random comparison forms of every domain."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.blocking import block_hash, block_keys, dynamic_keys
from matching.model import load_model
from matching.scoring import explain_pair, score_pairs

WORDS = st.lists(st.sampled_from(["acme", "fort", "tools", "nord", "data", "kiln", "böen", "山田"]), max_size=4)
SMALL_LISTS = st.lists(st.sampled_from(["a", "b", "ab", "3112", "x:y:z"]), max_size=3, unique=True)
DAYS = st.integers(min_value=19_000, max_value=19_040)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}


@st.composite
def customers(draw: st.DrawFn) -> dict[str, Any]:
    words = draw(WORDS)
    identifiers = st.sampled_from(
        ["vat:nl:nl169963937b05", "vat:fr:fr06608414553", "registration:fr:608414553", "duns::123456789"]
    )
    return _filled(
        {
            "name": " ".join(words),
            "name_sorted": " ".join(sorted(words)),
            "name_compact": "".join(words),
            "alternate_names": draw(SMALL_LISTS),
            "country": draw(st.sampled_from([None, "nl", "fr"])),
            "identifiers": draw(st.lists(identifiers, max_size=2, unique=True)),
            "weak_identifiers": draw(st.lists(identifiers, max_size=1)),
            "phones": draw(SMALL_LISTS),
            "domains": draw(st.lists(st.sampled_from(["acme.nl", "acme.fr", "nord-data.com"]), max_size=2)),
            "city": draw(st.sampled_from([None, "lyon", "breda"])),
            "street": draw(st.sampled_from([None, "hoofdstraat", "hoofdstr"])),
            "house_number": draw(st.sampled_from([None, "4"])),
            "postcode": draw(st.sampled_from([None, "9780np"])),
            "tokens": draw(SMALL_LISTS),
            "self": ["crm:account:1"],
            "parents": draw(SMALL_LISTS),
        }
    )


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    return _filled(
        {
            "numbers": draw(SMALL_LISTS),
            "start": draw(st.none() | DAYS),
            "end": draw(st.none() | DAYS),
            "value": draw(st.none() | st.floats(0, 1000)),
            "currency": draw(st.sampled_from([None, "eur", "usd"])),
            "source_type": draw(st.sampled_from(["crm:contract", "billing:subscription"])),
            "customer": draw(st.sampled_from([None, "cus_1", "cus_2"])),
            "products": draw(SMALL_LISTS),
            "self": ["crm:contract:1"],
        }
    )


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    return _filled(
        {
            "codes": draw(SMALL_LISTS),
            "code_parts": draw(SMALL_LISTS),
            "name": " ".join(draw(WORDS)),
            "name_tokens": sorted(set(draw(WORDS))),
            "gtin": draw(st.sampled_from([None, "3007822945943", "3007822945944"])),
            "edition": draw(st.sampled_from([None, "starter", "professional"])),
            "version": draw(st.sampled_from([None, "v1", "v2"])),
        }
    )


RECORDS = {"customer": customers(), "contract": contracts(), "product": products()}
DOMAINS = pytest.mark.parametrize("domain", sorted(RECORDS))


@DOMAINS
@given(data=st.data())
def test_a_weight_is_the_prior_plus_its_contributions(domain: str, data: st.DataObject) -> None:
    model = load_model(domain)
    left, right = data.draw(RECORDS[domain]), data.draw(RECORDS[domain])

    score = explain_pair(model, left, right)

    assert score.weight == pytest.approx(score.prior + sum(part.bits for part in score.contributions), abs=1e-9)
    assert 0.0 <= score.probability <= 1.0


@DOMAINS
@given(data=st.data())
def test_scores_are_symmetric_and_a_batch_scores_like_a_single_pair(domain: str, data: st.DataObject) -> None:
    model = load_model(domain)
    left = data.draw(st.lists(RECORDS[domain], min_size=1, max_size=5))
    right = data.draw(st.lists(RECORDS[domain], min_size=len(left), max_size=len(left)))

    forward, backward = score_pairs(model, left, right), score_pairs(model, right, left)

    np.testing.assert_array_equal(forward.weight, backward.weight)
    np.testing.assert_array_equal(forward.levels, backward.levels)
    assert forward.veto == backward.veto
    alone = [explain_pair(model, a, b) for a, b in zip(left, right, strict=True)]
    assert forward.weight.tolist() == [score.weight for score in alone]
    assert forward.veto == [score.vetoes[0] if score.vetoes else None for score in alone]


@DOMAINS
@given(data=st.data())
def test_blocking_keys_depend_on_the_record_alone(domain: str, data: st.DataObject) -> None:
    model = load_model(domain)
    record = data.draw(RECORDS[domain])
    reordered = dict(reversed(record.items()))

    for keys in (block_keys, dynamic_keys):
        found = keys(model, record)
        assert found == keys(model, reordered)
        assert len(set(found)) == len(found)
        assert all(-(2**63) <= block_hash(domain, key) < 2**63 for key in found)
