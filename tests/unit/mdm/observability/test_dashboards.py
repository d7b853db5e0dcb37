"""Dashboards and alert rules speak of metrics that are really served, under labels that they really have."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine

from api.metrics import RECONCILED
from api.metrics import Metrics as ApiMetrics
from deploy.grafana.build import DASHBOARDS, text_of
from mdm.observability.catalogue import METRICS
from mdm.observability.metrics import AskedCollector, Metrics, StateCollector
from mdm.store.process_numbers import process_numbers
from mdm.store.read_metrics import STATE_METRICS

DEPLOY = Path(__file__).parents[4] / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts" / "mdm.rules.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
#: Words of PromQL beside metric names and labels.
FUNCTIONS = {
    "sum",
    "max",
    "min",
    "by",
    "rate",
    "increase",
    "histogram_quantile",
    "le",
    "time",
    "absent",
    "for",
    "max_over_time",
    "topk",
    "scalar",
    "unless",
    "on",
}
PROCESS = process_numbers(create_engine("postgresql+psycopg://nobody@nowhere/nothing"))
SUFFIXES = re.compile(r"(_bucket|_count|_sum|_created)$")


def served() -> dict[str, set[str]]:
    """Every metric that an API process or a worker serves, with its labels."""
    found: dict[str, set[str]] = {name: set(METRICS[name].labels) for name in (*STATE_METRICS, *RECONCILED, *PROCESS)}
    for registry in (ApiMetrics(PROCESS).registry, Metrics(PROCESS).registry):
        for collector in registry._collector_to_names:
            if isinstance(collector, StateCollector | AskedCollector):
                continue
            labels = set(collector._labelnames)  # type: ignore[attr-defined]  # the library tells labels nowhere else
            for name in registry._collector_to_names[collector]:
                found.setdefault(SUFFIXES.sub("", name), set()).update(labels)
    return found


SERVED = served()


def names_of(expression: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in re.findall(r"\b(?:mdm|http_server)_[a-z_]+", expression)}


def labels_of(expression: str) -> set[str]:
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    return (grouped | set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=|=~|!=)", expression))) - FUNCTIONS


def expressions() -> list[tuple[str, str]]:
    panels = [
        (f"{name}: {panel['title']}", target["expr"])
        for name in DASHBOARDS
        for panel in json.loads((DEPLOY / "grafana" / f"{name}.json").read_text("utf-8"))["panels"]
        for target in panel["targets"]
    ]
    return panels + [(rule["alert"], rule["expr"]) for rule in RULES]


@pytest.mark.parametrize(("where", "expression"), expressions(), ids=lambda value: str(value)[:60])
def test_every_name_and_label_of_an_expression_is_served(where: str, expression: str) -> None:
    names = names_of(expression)

    assert names, f"{where} asks for nothing"
    assert names <= SERVED.keys()
    assert labels_of(expression) <= {label for name in names for label in SERVED[name]}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_what_its_description_builds(name: str) -> None:
    assert (DEPLOY / "grafana" / f"{name}.json").read_text("utf-8") == text_of(name), "run `make dashboards`"


def test_every_panel_and_every_alert_says_what_to_do() -> None:
    assert all(panel.help.endswith(".") for _, panels in DASHBOARDS.values() for panel in panels)
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "action"}
        assert rule["labels"]["severity"] in ("page", "ticket")
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_every_alert_has_a_story_in_which_it_is_told() -> None:
    stories = yaml.safe_load((DEPLOY / "alerts" / "mdm.tests.yaml").read_text("utf-8"))["tests"]
    told = {each["alertname"] for story in stories for each in story["alert_rule_test"] if each.get("exp_alerts")}

    assert told == {rule["alert"] for rule in RULES}


def promtool(*command: str) -> "subprocess.CompletedProcess[str]":
    """Prometheus' own tool in a folder of rules: of the path, or as `make alerts` has fetched it."""
    found = shutil.which("promtool", path=f"{os.environ['PATH']}{os.pathsep}{DEPLOY.parent / 'var' / 'bin'}")
    if found is None:
        pytest.skip("promtool is not here: `make alerts` fetches it with Go; Debian: apt-get install prometheus")
    return subprocess.run((found, *command), capture_output=True, text=True, check=False, timeout=300)


def test_every_alert_is_told_where_it_should_be_and_nowhere_else() -> None:
    """The stories of `mdm.tests.yaml`, as Prometheus itself reads them."""
    rules, stories = (str(DEPLOY / "alerts" / f"mdm.{name}.yaml") for name in ("rules", "tests"))
    for command in (("check", "rules", "--lint-fatal", rules), ("test", "rules", stories)):
        done = promtool(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("sum by (code) (max by (kind, code)", "sum by (code) (max by (kind)"),
        ("(mdm_audit_chain_ok) < 1", "(mdm_audit_chain_ok) <"),
        ("mdm_outbox_oldest_seconds) > 300", "mdm_outbox_oldest_seconds) > 3000000"),
    ],
    ids=["a label that is gone", "no expression", "never told"],
)
def test_a_rule_that_is_wrong_would_be_found(right: str, wrong: str, tmp_path: Path) -> None:
    rules = (DEPLOY / "alerts" / "mdm.rules.yaml").read_text("utf-8")
    assert right in rules
    (tmp_path / "mdm.rules.yaml").write_text(rules.replace(right, wrong), "utf-8")
    stories = shutil.copy(DEPLOY / "alerts" / "mdm.tests.yaml", tmp_path)

    assert promtool("test", "rules", str(stories)).returncode != 0


def test_every_metric_of_the_catalogue_is_seen_somewhere() -> None:
    """What nobody looks at need not be counted: a new one comes with a panel or an alert."""
    seen = set[str]().union(*(names_of(expression) for _, expression in expressions()))

    assert METRICS.keys() - seen == set()


def test_a_name_that_nobody_serves_would_be_found() -> None:
    assert not names_of("sum(rate(mdm_nobody_serves_this_total[5m]))") <= SERVED.keys()
