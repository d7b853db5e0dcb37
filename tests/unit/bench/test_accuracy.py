"""The accuracy bench on a small set that is in the repository: pairs as records, a model of its own, a plain peer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.accuracy.naive import best_of_one_similarity
from bench.accuracy.run import HERE, train_on, wrong_joins
from bench.accuracy.sides import files_of
from matching.assessment import assess
from matching.batch import open_pairs
from mdm.hub.tabular import Table, read_table, vocabulary
from mdm.intake.tabular import read_tabular

SETS = yaml.safe_load((HERE / "sets.yaml").read_text("utf-8"))
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


def test_of_records_that_are_all_different_wrong_joins_are_counted(tmp_path: Path) -> None:
    """By name and country alone namesakes are one; a number that each has for itself keeps them apart."""
    namesakes = ["5299000J2N45DDNE4Y28,Seebad Werke GmbH,DE", "529900D6BF99LW9R2E68,Seebad Werke GmbH,DE"]
    rows = [*namesakes, "7LTWFZYICNSX8D621K86,Vetokraft AG,DE"]
    (tmp_path / "names.csv").write_text("\n".join(["lei,legal_name,country", *rows]), "utf-8")

    by_name, numbered = (
        wrong_joins(read_table([tmp_path / "names.csv"], HERE / name / "mapping.yaml"))
        for name in ("gleif", "gleif_numbered")
    )

    assert "2 are joined wrongly, in 1 entities of at most 2" in by_name
    assert "0 are joined wrongly, in 0 entities of at most 1" in numbered


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

    # Distinct sets have no profile: they are for the model that ships.
    assert (found.profile is None) == SETS[mapping.parent.name].get("distinct", False)
    assert vocabulary(None)(found.domain, found.profile) is not None
