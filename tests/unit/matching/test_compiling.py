"""The scorer can be compiled ahead, and works where nothing can be kept, or what was kept is damaged."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from matching import kernels, rows

#: Batches of records and of a table; places as they come from Arrow, and every second of an array of another width.
_SCORE = """
import numpy as np
import pyarrow as pa
from matching import kernels, rows
from matching.engines.table import TableFrame, feature_table
from matching.frame import Frame
from matching.model import load_model
from matching.scoring import score_columns

for domain in ("contract", "customer"):
    model = load_model(domain)
    records = [{"self": ["a"], "numbers": ["1", "2"], "names": ["x", "y"], "name": "x"}] * 2
    for frame in (Frame([]), TableFrame(model, feature_table(model, records))):
        places = pa.array([0] * (0 if isinstance(frame, Frame) else 4), pa.int64()).to_numpy()
        assert len(score_columns(model, frame, places, places).weight) == len(places)
        score_columns(model, frame, places.astype(np.int32)[::2], places.astype(np.int32)[::2])
found = [function.stats for function in (kernels.judge, rows.sketched, rows._arrange, rows._put)]
print(sum(sum(each.cache_hits.values()) for each in found), sum(sum(each.cache_misses.values()) for each in found))
"""
_NOWHERE = """
from numba.core.caching import CompileResultCacheImpl
CompileResultCacheImpl._locator_classes = []
"""
#: What Numba tries before it takes a folder for one that it may write to.
_READ_ONLY = """
import tempfile
def refuse(**_):
    raise PermissionError("read-only file system")
tempfile.TemporaryFile = refuse
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the scorer was compiled ahead; that takes some seconds."""
    folder = tmp_path_factory.mktemp("compiled")
    told = "import matching.compiling; matching.compiling.compile_ahead()"
    subprocess.run([sys.executable, "-c", told], env={**os.environ, "NUMBA_CACHE_DIR": str(folder)}, check=True)
    return folder


def scored(program: str, folder: Path, setting: str = "NUMBA_CACHE_DIR") -> list[int]:
    """Score pairs in a process that may keep compiled code in this folder; how often it found some, and not."""
    environment = {**os.environ, setting: str(folder)}
    told = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    return [int(number) for number in told.stdout.split()]


def test_what_was_compiled_ahead_is_all_that_the_next_process_needs(compiled: Path) -> None:
    assert scored(_SCORE, compiled) == [4, 0]


def test_where_nothing_can_be_kept_each_process_compiles_for_itself(tmp_path: Path) -> None:
    assert scored(_NOWHERE + _SCORE, tmp_path) == [0, 4]
    assert not list(tmp_path.iterdir())


def test_the_cache_of_the_user_is_read_where_it_can_no_more_be_written_to(compiled: Path, tmp_path: Path) -> None:
    (place,) = compiled.iterdir()
    shutil.copytree(place, tmp_path / "numba" / place.name)

    assert scored(_READ_ONLY + _SCORE, tmp_path, setting="XDG_CACHE_HOME") == [4, 0]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10])


def _in_the_way(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("damage", "ending", "mended"),
    [(_cut, "nbi", True), (_cut, "nbc", True), (_in_the_way, "nbi", False), (_in_the_way, "nbc", False)],
)
def test_what_was_kept_and_cannot_be_read_is_compiled_again(
    damage: Callable[[Path], None], ending: str, mended: bool, compiled: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(compiled, tmp_path / "damaged")
    for file in folder.rglob(f"rows.*.{ending}"):
        damage(file)

    assert scored(_SCORE, folder) == [1, 3]
    assert scored(_SCORE, folder) == ([4, 0] if mended else [1, 3])


@pytest.mark.parametrize("module", [kernels, rows])
def test_compiled_code_reads_nothing_of_other_files(module: object) -> None:
    """What is kept goes by the file that it is from: a change elsewhere would not be noticed."""
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    imported = {
        (each.asname or each.name)
        for line in tree.body
        if isinstance(line, ast.Import | ast.ImportFrom)
        for each in line.names
    }
    compiled = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.decorator_list]
    read = {
        (function.name, name.id)
        for function in compiled
        for line in function.body
        for name in ast.walk(line)
        if isinstance(name, ast.Name) and name.id in imported - {"np"}
    }

    assert len(compiled) > 2
    assert read == set()
