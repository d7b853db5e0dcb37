"""What proves that a model's weights are what Splink says: the report of its training, and of each release of it.

Training scores its pairs with the hub's scorer and with Splink before it writes a model (`matching.training.parity`).
Weights without that report, or changed after it, may be read but neither decide nor be released. Whoever releases a
model trusts no report: it is scored both ways anew (`matching.training.proving`), and what comes of it is a `Proof`.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from matching.documents import CHECKSUM
from mdm.errors import ConfigurationInvalid, ParityUnproven

if TYPE_CHECKING:
    from matching.model import MatchModel

#: Bits that two sums of the same numbers in another order may differ by.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of scoring pairs with the hub's scorer and with Splink by one model.

    Attributes:
        fingerprint: of the model's documents.
        scorer: names the code that scored; see `scorer_now`.
        pairs: how many pairs were scored both ways.
        own: how many of these were candidates among the hub's own records.
        weight: the largest difference of two match weights, in bits; infinite where Splink gave none.
        contribution: the same of what one comparison adds.
        most: the comparison whose contributions differ most; none where they do not.
        levels: levels of comparisons that some pair reaches, "unknown" counted as one.
        of_levels: how many levels there are.
        unreached: those that no pair reaches, each as `comparison: level`.
        non_ascii: pairs of which a record has letters beyond ASCII.
        unknown: pairs of which a comparison has nothing to compare.
        adjusted: pairs of which a contribution depends on how frequent a value is.
        versions: of the packages that scored.
    """

    fingerprint: str
    scorer: str
    pairs: int
    own: int
    weight: float
    contribution: float
    most: str
    levels: int
    of_levels: int
    unreached: tuple[str, ...]
    non_ascii: int
    unknown: int
    adjusted: int
    versions: Mapping[str, str]

    @property
    def holds(self) -> bool:
        """Some pairs were scored, and the two differ by no more than rounding."""
        return self.pairs > 0 and 0 <= self.weight <= TOLERANCE and 0 <= self.contribution <= TOLERANCE

    @property
    def words(self) -> str:
        """The same as a sentence for people."""
        mine = f" ({self.own:,} of this hub's records)" if self.own else ""
        most = f"; most of all in the comparison {self.most!r}" if self.most else ""
        missed = f"; not reached: {', '.join(self.unreached)}" if self.unreached else ""
        return (
            f"Splink {self.versions.get('splink', '?')} and the hub differ by "
            f"{max(self.weight, self.contribution):.1e} bits at most, over {self.pairs:,} pairs{mine} that reach "
            f"{self.levels} of {self.of_levels} levels{missed}{most}."
        )

    def document(self) -> dict[str, Any]:
        """As JSON can hold it: a difference that is no number is null. It says whether it holds, too."""
        told = {"holds": self.holds, **asdict(self), "unreached": list(self.unreached), "versions": dict(self.versions)}
        return {name: None if value == math.inf else value for name, value in told.items()}

    def about(self, fingerprint: str) -> bool:
        """Whether it is about these documents, as the code of now scores."""
        return (self.fingerprint, self.scorer) == (fingerprint, scorer_now())


def read_proof(document: Any) -> Proof | None:
    """A proof from its document; None where there is none."""
    names = [each.name for each in fields(Proof)]
    if not isinstance(document, Mapping) or not set(names) <= document.keys():
        return None
    told: dict[str, Any] = {name: math.inf if document[name] is None else document[name] for name in names}
    return Proof(**{**told, "unreached": tuple(told["unreached"])})


def check_holds(proof: Proof) -> None:
    """Raises ParityUnproven when the hub's scorer and Splink were seen to differ, or over no pairs."""
    if not proof.holds:
        raise ParityUnproven(
            f"This model is not scored as Splink scores it: {proof.words} {TOLERANCE:g} bits are allowed."
        )


@cache
def scorer_now() -> str:
    """Names the code that scores in this process: another name where the code or a package that it calls is another."""
    digest = hashlib.sha256()
    for file in sorted(files("matching").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    digest.update(json.dumps([version(name) for name in ("numpy", "numba", "rapidfuzz")]).encode())
    return digest.hexdigest()[:16]


def check_proven(model: "MatchModel") -> None:
    """The weights carry a report of parity with Splink, say what they were learned from, and are those that the report
    is about.

    Raises:
        ConfigurationInvalid: there is no report, or it is about no pairs, or the two differ by more than 1e-9 bits, or
            nothing says from which data and by which version of Splink they were learned, or the weights do not say
            what they were when it was written.
    """
    wrong = (
        _unproven(model.provenance.get("parity")) or _untold(model.provenance) or _unsealed(json.loads(model.texts[1]))
    )
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


def _untold(provenance: Mapping[str, Any]) -> str | None:
    if not isinstance(provenance.get("data"), str) or not provenance["data"]:
        return "nothing says what its weights were learned from: `provenance` of the weights has no `data`."
    versions = provenance.get("versions")
    if not isinstance(versions, Mapping) or not isinstance(versions.get("splink"), str):
        return "nothing says by what its weights were learned: `provenance.versions` of the weights has no `splink`."
    return None


def _unsealed(weights: Mapping[str, Any]) -> str | None:
    """Whether weights that say what they were are those that were written is checked where they are read."""
    if CHECKSUM in weights:
        return None
    return f"the weights have no `{CHECKSUM}`: nothing says that they are those of which parity with Splink was proven."
