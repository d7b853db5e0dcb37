"""Whatever README and docs show in a fenced block is carried out by a test, or stands in a short list."""

import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pages import LEFT_OUT, PAGES, ROOT, TAKEN, examples

#: The tests that carry out examples; importing one notes what it takes.
_GUIDES = (
    "tests.api.test_erp_guide",
    "tests.api.test_guide",
    "tests.api.test_onboarding_guide",
    "tests.api.test_readme",
    "tests.api.test_reconciliation_guide",
    "tests.api.test_security_guide",
    "tests.integration.cli.test_api",
    "tests.integration.cli.test_backup",
    "tests.integration.cli.test_feed_pages",
    "tests.integration.cli.test_ordinary_owner",
    "tests.integration.cli.test_postings",
    "tests.integration.cli.test_reconciliation_guide",
    "tests.integration.hub.steward.test_guide",
    "tests.unit.mdm.test_documents_of_guides",
    "tests.unit.test_rules_guide",
)


@pytest.fixture(scope="module", autouse=True)
def _taken() -> None:
    for module in _GUIDES:
        importlib.import_module(module)


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_page_is_carried_out_by_a_test(page: str) -> None:
    for example in examples(page):
        assert example.left_out or (page, example.kind) in TAKEN, f"nobody carries out {example}"


def test_fences_name_their_language_or_nothing_would_be_looked_at() -> None:
    for page, path in PAGES.items():
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert all(fences[::2]), page
        assert not any(fences[1::2]), page


def test_what_is_left_out_is_on_a_page() -> None:
    assert {example.left_out for page in PAGES for example in examples(page)} - {None} == set(LEFT_OUT)


def test_targets_and_modules_of_what_is_left_out_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for example in (each for page in PAGES for each in examples(page)):
        if example.kind == "make":
            assert example.words[1] in targets, example
        elif example.kind == "python -m":
            module = find_spec(example.words[2])
            assert module, example
            assert module.origin, example
            source = Path(module.origin).read_text(encoding="utf-8")
            assert all(f'"{word}"' in source for word in example.words if word.startswith("--")), example
        elif example.kind == "docker":
            assert (ROOT / example.words[example.words.index("-f") + 1]).exists(), example
