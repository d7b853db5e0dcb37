"""The scorer can be compiled ahead, and works where nothing that was compiled can be kept."""

import os
import subprocess
import sys
from pathlib import Path

_SCORE = """
from matching import kernels
from matching.compiling import compile_ahead
compile_ahead()
print(sum(kernels.judge.stats.cache_hits.values()), sum(kernels.judge.stats.cache_misses.values()))
"""
_NOWHERE = """
from numba.core.caching import CompileResultCacheImpl
CompileResultCacheImpl._locator_classes = []
"""


def scored(program: str, folder: Path) -> list[int]:
    """Score a pair in a process that may keep compiled code in this folder; how often it found some, and not."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    told = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    return [int(number) for number in told.stdout.split()]


def test_what_was_compiled_ahead_is_found_by_the_next_process(tmp_path: Path) -> None:
    assert scored(_SCORE, tmp_path) == [0, 1]
    assert scored(_SCORE, tmp_path) == [1, 0]


def test_where_nothing_can_be_kept_each_process_compiles_for_itself(tmp_path: Path) -> None:
    assert scored(_NOWHERE + _SCORE, tmp_path) == [0, 1]
    assert not list(tmp_path.iterdir())
