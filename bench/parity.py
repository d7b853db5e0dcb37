"""Does the scorer say what Splink says? Over many pairs of generated companies, the timing of both beside each other.

python -m bench.parity --pairs 1000000
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from bench.companies import rows
from matching.features import derive
from matching.model import load_model
from matching.scoring import score_features
from matching.training.parity import TOLERANCE, check_parity
from mdm.intake.catalogue import load_catalogue
from mdm.intake.mapping import standardise

_STEP = 100_000
#: Records per block of pairs: neighbours are often one company, the others are not.
_NEAR = 40


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    model, catalogue = load_model("customer"), load_catalogue(None)
    count = options.pairs // _NEAR + _NEAR + 1
    features = [
        derive(model.domain, standardise(catalogue, row.key, row.row).comparison, model.common_tokens)
        for row in rows(count)
    ]
    worst = seconds_ours = seconds_splink = 0.0
    done = 0
    left = np.repeat(np.arange(count - _NEAR), _NEAR)[: options.pairs]
    right = left + np.tile(np.arange(1, _NEAR + 1), count - _NEAR)[: options.pairs]
    for start in range(0, options.pairs, _STEP):
        a, b = left[start : start + _STEP], right[start : start + _STEP]
        first = int(a[0])
        some = features[first : int(b.max()) + 1]
        begun = time.perf_counter()
        score_features(model, some, a - first, b - first)
        middle = time.perf_counter()
        found = check_parity(model, some, a - first, b - first)
        seconds_ours += middle - begun
        seconds_splink += time.perf_counter() - middle - (middle - begun)
        worst, done = max(worst, found.weight, found.contribution), done + found.pairs
        sys.stderr.write(f"{done:>10,} pairs, largest difference {worst:.2e} bits\n")
    sys.stdout.write(
        f"{done:,} pairs, largest difference {worst:.2e} bits; ours {done / seconds_ours:,.0f} pairs/s, "
        f"Splink {done / max(seconds_splink, 1e-9):,.0f} pairs/s\n"
    )
    if worst > TOLERANCE:
        raise SystemExit(f"The scorer differs from Splink by {worst} bits.")


if __name__ == "__main__":
    main()
