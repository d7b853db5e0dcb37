"""Trade item, employer and D-U-N-S numbers are judged as they are labelled, and a wrong label is told."""

import shutil
from pathlib import Path

import pytest

from bench.vectors import beside

_VECTORS = Path(__file__).parents[1] / "mdm" / "onboarding" / "vectors"


def test_the_cases_beside_the_list_are_judged_as_labelled(capsys: pytest.CaptureFixture[str]) -> None:
    assert not beside(_VECTORS)
    assert capsys.readouterr().out.splitlines() == [
        "gtin_cases.csv: 9 of 9 judged as labelled",
        "ein_cases.csv: 5 of 5 judged as labelled",
        "duns_format.csv: 7 of 7 judged as labelled",
    ]


def test_a_label_that_is_wrong_is_told(tmp_path: Path) -> None:
    shutil.copy(_VECTORS / "ein_cases.csv", tmp_path)
    file = tmp_path / "ein_cases.csv"
    file.write_text(file.read_text().replace("07-1144442,0", "07-1144442,1"))

    assert [each["number"] for each in beside(tmp_path)] == ["07-1144442"]
