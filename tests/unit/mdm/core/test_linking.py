"""Which candidate pairs become links, and with what weight."""

import pytest

from matching.model import load_model
from matching.scoring import explain_pair
from mdm.core.linking import change_links, decide_links
from mdm.model.delta import Link
from mdm.model.ids import RecordId
from mdm.model.neighbourhood import LiveLink

MODEL = load_model("customer")
ONE, TWO, THREE = map(RecordId, (1, 2, 3))
_NAMED = {"name": "nordlicht pumpen", "country": "de", "postcode": "20457", "domains": ["nordlicht.de"]}
COMPARISONS = {
    ONE: {"self": ["crm:account:1"], **_NAMED},
    TWO: {"self": ["erp:partner:2"], **_NAMED},
    THREE: {"self": ["erp:partner:3"], "name": "wattgold ventile", "country": "at"},
}


def test_links_keep_the_digits_of_their_weight_and_nothing_is_linked_that_is_unlike() -> None:
    score = explain_pair(MODEL, COMPARISONS[ONE], COMPARISONS[TWO])
    assert score.weight != round(score.weight, 1), "the weight must have digits to keep"

    (link,) = decide_links(MODEL, [(ONE, TWO), (ONE, THREE), (TWO, THREE)], COMPARISONS)

    assert (link.a, link.b) == (ONE, TWO)
    assert link.weight == round(score.weight, 6)


@pytest.mark.parametrize(
    ("weight", "added", "superseded"),
    [
        pytest.param(9.000001, (), (), id="the same weight"),
        pytest.param(9.000002, (Link(ONE, TWO, "match", 9.000002, None),), (7,), id="a millionth more"),
    ],
)
def test_a_link_whose_weight_moved_by_as_little_as_is_kept_is_written_anew(
    weight: float, added: tuple[Link, ...], superseded: tuple[int, ...]
) -> None:
    live = LiveLink(7, ONE, TWO, "match", 9.000001, None)

    change = change_links([live], [Link(ONE, TWO, "match", weight, None)])

    assert (change.added, change.superseded) == (added, superseded)
