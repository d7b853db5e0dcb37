"""Compile the scorer before it is needed: `python -m matching.compiling`. Where that was done, it does nothing."""

import numpy as np

from matching.frame import Frame
from matching.model import load_model
from matching.scoring import score_columns


def compile_ahead() -> None:
    """Compile what scoring calls; it is kept beside the source, or in the user's cache (`matching.machine_code`)."""
    pair = np.array([0], dtype=np.intp)
    score_columns(load_model("customer"), Frame([{"self": ("a",)}]), pair, pair)


if __name__ == "__main__":
    compile_ahead()
