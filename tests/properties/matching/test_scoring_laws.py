"""Laws of scoring and blocking, on random comparison forms of every domain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.blocking import block_hash, block_keys, dynamic_keys
from matching.features import derive
from matching.frame import Frame
from matching.model import load_model
from matching.scoring import explain_pair, score_columns, score_few, score_pairs
from tests.properties.matching.worlds import RECORDS

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
def test_compiled_code_and_single_pairs_score_alike_to_the_last_bit(domain: str, data: st.DataObject) -> None:
    model = load_model(domain)
    records = [
        derive(domain, each, frozenset()) for each in data.draw(st.lists(RECORDS[domain], min_size=2, max_size=9))
    ]
    left, right = np.triu_indices(len(records), k=1)

    one_by_one = score_few(model, records, left, right)
    together = score_columns(model, Frame(records), left, right)

    np.testing.assert_array_equal(one_by_one.weight, together.weight)
    np.testing.assert_array_equal(one_by_one.levels, together.levels)
    assert one_by_one.veto == together.veto
    np.testing.assert_array_equal(one_by_one.parting, together.parting)


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
        assert all(-(2**63) <= block_hash(model, key) < 2**63 for key in found)
