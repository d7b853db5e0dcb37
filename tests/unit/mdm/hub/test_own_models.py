"""From two CSV files to a trained model, its evaluation, and the page about it, by the commands that people use."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mdm.cli.app import app
from mdm.errors import OperatorError

CASE = Path(__file__).parents[3] / "cases" / "restaurants"
TABLES = [
    "--domain", "restaurant", "--config", str(CASE / "mapping.yaml"),
    "--records", f"{CASE / 'fodors.csv'},{CASE / 'zagats.csv'}",
]  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["match", *arguments])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    found = run("train", *TABLES, "--out", str(folder), "--json")
    assert found.exit_code == 0, found.output
    return folder


def test_training_writes_the_documents_of_a_model(models: Path) -> None:
    assert sorted(path.name for path in models.iterdir()) == [
        "restaurant.frequencies.json",
        "restaurant.weights.json",
        "restaurant.yaml",
    ]


def test_evaluation_tells_how_right_the_model_is(models: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    truth = ("--truth", str(CASE / "matches.csv"))

    found = run("evaluate", *TABLES, *truth, "--models", str(models), "--html", str(page), "--json")

    result = json.loads(found.stdout)
    assert result["pairwise"]["f1"] > 0.95
    assert result["candidate_recall"] > 0.98
    assert result["largest_entity"] == 2
    assert result["calibration"]["mean_distance"] < 0.05
    assert {"sizes", "thresholds", "joined_wrongly", "left_apart_wrongly", "queue"} <= result.keys()
    assert "<svg" in page.read_text("utf-8")


def test_labels_are_read_from_the_truth(tmp_path: Path) -> None:
    found = run("train", *TABLES, "--labels", str(CASE / "matches.csv"), "--out", str(tmp_path), "--json")

    assert json.loads(found.stdout)["provenance"]["method"].startswith("m and u from labels")


def test_a_domain_without_a_model_says_how_to_get_one() -> None:
    found = run("evaluate", *TABLES, "--truth", str(CASE / "matches.csv"))

    assert isinstance(found.exception, OperatorError)
    assert "mdm match train" in str(found.exception.advice)
