"""When a trained model is not written: without labels, and only when it is about something else than the one before."""

import pytest

from matching.training.parity import Parity
from matching.training.plausibility import Disagreement
from matching.training.stores import Store
from matching.training.train import Released
from mdm.hub.training import Material, refusal

SAME = Disagreement("before", pairs=5000, held_before=1000, held_now=1000, no_longer=9, newly=9, turned=())
OTHER = Disagreement("before", pairs=5000, held_before=1000, held_now=700, no_longer=300, newly=0, turned=())

UNLABELLED, LABELLED = Store([{"name": "a"}]), Store([{"name": "a"}], ["1"])


@pytest.mark.parametrize(
    ("stores", "found", "refused"),
    [
        ([UNLABELLED], OTHER, True),
        ([UNLABELLED], SAME, False),
        ([UNLABELLED], None, False),
        ([LABELLED], OTHER, False),
        ([LABELLED, UNLABELLED], OTHER, True),
    ],
    ids=["other", "same", "nothing to compare with", "labels have told", "not every store has labels"],
)
def test_a_model_is_refused(stores: list[Store], found: Disagreement | None, refused: bool) -> None:
    released = Released("", "", None, Parity(0, 0.0, 0.0), found)

    error = refusal(Material("product", "", stores), released)

    assert (error is not None) is refused
    if error is not None:
        assert error.code == "TRAINING_DISAGREES"
        assert "300 no longer" in error.message
        assert "--accept-disagreement" in error.advice
