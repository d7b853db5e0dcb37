"""Every document that docs/rules.md shows is read as it says: what is right decides, what is refused is refused."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from matching.model import load_model, read_model
from mdm.cli.app import app
from mdm.errors import ConfigurationInvalid
from survivorship.criteria import CRITERIA
from survivorship.engine import consolidate
from survivorship.ruleset import RuleSet, load_ruleset, parse_ruleset
from tests.pages import take
from tests.unit.survivorship.members import member, trust

_GUIDE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
_HEADED = [block.removeprefix("# ").partition("\n") for block in take("rules", "yaml")]
_BLOCKS = [(head, text) for head, _, text in _HEADED]
_RULES = [(title, text) for title, text in _BLOCKS if not title.startswith("model")]
_MODELS = [(title, text) for title, text in _BLOCKS if title.startswith("model")]


def ruleset_of(title: str, text: str) -> RuleSet:
    """The fragment with what every rule set must have around it."""
    domain = title.partition(":")[0]
    name = "number" if domain == "contract" else "name"
    head = f"domain: {domain}\nversion: '1'\ndefault: {{rank: [trust]}}\nsearch: {{words: [{name}]}}\n"
    named = "" if "display:" in text else f"display: [{name}]\n"
    return parse_ruleset(domain, head + named + text, Path("mine.yaml"))


def refusal(title: str) -> str | None:
    found = re.search(r'refused, "(.*)"', title)
    return found.group(1) if found else None


@pytest.mark.parametrize(("title", "text"), _RULES)
def test_a_survivorship_document_of_the_guide_does_what_it_says(title: str, text: str) -> None:
    why = refusal(title)
    if why is None:
        assert ruleset_of(title, text).rules
        return
    with pytest.raises(ConfigurationInvalid, match=re.escape(why)) as told:
        ruleset_of(title, text)
    assert re.search(r"mine\.yaml.*line \d+", str(told.value))


@pytest.mark.parametrize(("title", "text"), _MODELS)
def test_a_model_of_the_guide_does_what_it_says(title: str, text: str) -> None:
    shipped = load_model("product")
    changed = yaml.safe_dump({**yaml.safe_load(shipped.texts[0]), **yaml.safe_load(text)}, sort_keys=False)
    why = refusal(title)
    if why is None:
        assert read_model(changed, shipped.texts[1], shipped.texts[2]).fingerprint != shipped.fingerprint
        return
    with pytest.raises(ConfigurationInvalid, match=why):
        read_model(changed, shipped.texts[1], shipped.texts[2])


def test_the_guide_shows_enough() -> None:
    assert len(_RULES) >= 10
    assert len(_MODELS) >= 4
    assert all(f"`{name}`" in _GUIDE for name in CRITERIA)


def example(words: str) -> RuleSet:
    return next(ruleset_of(title, text) for title, text in _RULES if words in title)


def test_the_newest_statement_wins_where_the_guide_says_so() -> None:
    members = [member("erp:1", employees=10), member("billing:1", at=5, employees=20)]

    assert consolidate(example("the newest statement"), members, trust).values["employees"] == 20


def test_erp_decides_alone_where_the_guide_says_so() -> None:
    free = [
        member("erp:1", payment_terms="Z030", blocked=False),
        member("crm:1", at=9, payment_terms="Z060", blocked=False),
    ]
    held = [member("erp:1", payment_terms="Z030", blocked=True), member("crm:1", payment_terms="Z060", blocked=False)]

    assert consolidate(example("ERP decides alone"), free, trust).values["payment_terms"] == "Z030"
    assert consolidate(example("ERP decides alone"), held, trust).values["payment_terms"] == "Z060"


def test_a_region_has_its_own_rule_where_the_guide_says_so() -> None:
    for country, expected in (("DE", "new"), ("FR", "trusted")):
        members = [
            member("erp:1", country=country, payment_terms="trusted"),
            member("billing:1", at=5, country=country, payment_terms="new"),
        ]
        assert consolidate(example("newest terms of payment"), members, trust).values["payment_terms"] == expected


def test_documents_are_checked_without_a_hub(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(load_ruleset("customer").document, "utf-8")
    wrong.write_text(load_ruleset("customer").document.replace("most_recent, trust]", "newest, trust]", 1), "utf-8")

    good = CliRunner().invoke(app, ["releases", "check", "survivorship", "customer", str(right), "--json"])
    bad = CliRunner().invoke(app, ["releases", "check", "survivorship", "customer", str(wrong)])

    assert good.exit_code == 0, good.output
    assert load_ruleset("customer").fingerprint in good.stdout
    assert bad.exit_code != 0
    assert re.search(r"wrong\.yaml.*line \d+.*newest", str(bad.exception))


def test_a_model_is_checked_without_a_hub(tmp_path: Path) -> None:
    file = tmp_path / "product.yaml"
    file.write_text(load_model("product").texts[0], "utf-8")

    told = CliRunner().invoke(app, ["releases", "check", "matching", "product", str(file)])

    assert told.exit_code == 0, told.output
    assert load_model("product").fingerprint in told.stdout


def test_every_command_of_the_guide_exists_with_its_options() -> None:
    for line in re.findall(r"^mdm (.*?)(?:\s+#.*)?$", _GUIDE, re.MULTILINE):
        words = line.split()
        path = words[:2] if words[0] in ("releases", "match") else words[:1]
        shown = CliRunner().invoke(app, [*path, "--help"], terminal_width=200)
        assert shown.exit_code == 0, line
        assert all(option in shown.stdout for option in re.findall(r"--[a-z-]+", line)), line
