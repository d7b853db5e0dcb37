"""The table of generated companies is kept for the next run, and made anew when what makes it changes."""

from pathlib import Path

import pytest

from bench import company_tables
from matching.model import load_model


def test_another_way_to_standardise_is_another_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = load_model("customer")
    source = tmp_path / "deep" / "names.py"
    source.parent.mkdir()
    source.write_text("A = 1\n")
    monkeypatch.setattr(company_tables, "_MADE_BY", (tmp_path,))

    before = company_tables._digest(model)
    assert company_tables._digest(model) == before
    source.write_text("A = 2\n")

    assert company_tables._digest(model) != before


def test_what_makes_the_table_is_there() -> None:
    for folder in company_tables._MADE_BY:
        assert list(folder.rglob("*.py")), folder
