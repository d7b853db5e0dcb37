"""What proves that a model's weights are what Splink says: the report of the training that wrote them.

Training scores its pairs with the hub's scorer and with Splink before it writes a model (`matching.training.parity`).
Weights without that report, or changed after it, may be read but neither decide nor be released.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matching.documents import CHECKSUM
from mdm.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from matching.model import MatchModel

#: Bits that two sums of the same numbers in another order may differ by.
TOLERANCE = 1e-9


def check_proven(model: "MatchModel") -> None:
    """The weights carry a report of parity with Splink, and are those that the report is about.

    Raises:
        ConfigurationInvalid: there is no report, or it is about no pairs, or the two differ by more than 1e-9 bits, or
            the weights do not say what they were when it was written.
    """
    wrong = _unproven(model.provenance.get("parity")) or _unsealed(json.loads(model.texts[1]))
    if wrong:
        raise ConfigurationInvalid(
            f"{model.domain}: {wrong}",
            action=f"Train the model (`mdm match train --domain {model.domain}`): it scores its pairs with Splink "
            f"too, and writes how far the two differ ({TOLERANCE:g} bits at most). Or restore the weights of a "
            "release.",
        )


def _unproven(report: Any) -> str | None:
    if not isinstance(report, Mapping):
        return "nothing says that its weights are what Splink says: `provenance` of the weights has no `parity`."
    pairs = report.get("pairs")
    if not isinstance(pairs, int) or isinstance(pairs, bool) or pairs < 1:
        return f"`provenance.parity.pairs` of the weights is {pairs!r}: they were compared with Splink over no pairs."
    for key in ("weight", "contribution"):
        bits = report.get(key)
        if isinstance(bits, bool) or not isinstance(bits, int | float) or not 0 <= bits <= TOLERANCE:
            return (
                f"`provenance.parity.{key}` of the weights is {bits!r}: what the hub says of a pair may differ from "
                f"what Splink says by {TOLERANCE:g} bits at most."
            )
    return None


def _unsealed(weights: Mapping[str, Any]) -> str | None:
    """Whether weights that say what they were are those that were written is checked where they are read."""
    if CHECKSUM in weights:
        return None
    return f"the weights have no `{CHECKSUM}`: nothing says that they are those of which parity with Splink was proven."
