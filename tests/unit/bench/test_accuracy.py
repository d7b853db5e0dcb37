"""The accuracy bench on a small set that is in the repository: pairs as records, a model of its own, a plain peer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.accuracy.naive import best_of_one_similarity
from bench.accuracy.run import HERE, train_on
from bench.accuracy.sides import files_of
from matching.assessment import assess
from matching.batch import open_pairs
from mdm.hub.tabular import Table, read_table, vocabulary
from mdm.intake.tabular import read_tabular

CASE = Path(__file__).parents[2] / "cases" / "register"
SIDES = [
    {"file": "pairs.csv", "columns": {"entity": "gt_entity_id", "name": "gt_name"}},
    {"file": "pairs.csv", "columns": {"entity": "entity_id", "name": "name"}},
]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Table:
    files = files_of({"sides": SIDES}, CASE, tmp_path_factory.mktemp("sides"))
    return read_table(files, HERE / "emm" / "mapping.yaml")


def test_each_side_of_the_pairs_becomes_records_that_occur_once(register: Table) -> None:
    assert len(set(register.names)) == len(register.names) == 210
    assert sum(name.startswith("side1:") for name in register.names) == 10


def test_a_model_without_labels_beats_one_similarity_with_the_best_threshold(register: Table) -> None:
    model = train_on(register, range(len(register.names)), labels=False)

    found = assess(model, register.comparisons, register.entities, [0.0])

    names = [row["name"] for row in register.rows]
    naive = best_of_one_similarity(names, register.entities, open_pairs(model, register.comparisons))
    assert found.operating.pairs.quality.f1 > naive > 0.5
    assert found.operating.pairs.quality.precision == 1.0


def test_a_record_of_a_pair_that_is_no_match_is_an_entity_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("case,a,b,is_match\n1,x,x st,1\n1,x,y st,0\n", "utf-8")
    side = {"file": "pairs.csv", "columns": {"line": "b", "entity": "case"}, "when": "is_match"}

    (path,) = files_of({"sides": [side]}, tmp_path, tmp_path)

    assert path.read_text("utf-8").splitlines() == ["line,entity", "x st,1", "y st,none 1"]


def texts(node: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from texts(each)
    else:
        yield str(node)


@pytest.mark.parametrize("mapping", sorted(HERE.glob("*/mapping.yaml")), ids=lambda path: path.parent.name)
def test_a_set_fills_only_what_its_profile_knows(mapping: Path) -> None:
    """The sets themselves are not here: whatever the document names may be a column of theirs."""
    columns = texts(yaml.safe_load(mapping.read_text("utf-8")))

    found = read_tabular(mapping, columns, vocabulary(None))

    assert found.profile is not None
    assert vocabulary(None)(found.domain, found.profile) is not None
