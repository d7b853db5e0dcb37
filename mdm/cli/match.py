"""Commands about the matching engine."""

from pathlib import Path
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table
from mdm.hub.evaluate import DomainQuality, evaluate_world
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue

match = typer.Typer(no_args_is_help=True)


@match.callback()
def _root() -> None:
    """The matching engine, measured."""


@match.command("evaluate")
def evaluate(
    world: Path = typer.Option(..., help="A folder with events/ and truth/ (see the sample world)."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Resolve a world with known truth from its change events, in memory, and say how right the entities are."""
    catalogue = load_catalogue(None)
    found = evaluate_world(catalogue, load_rules(catalogue), world)
    if as_json:
        print_json({domain.value: _json(quality) for domain, quality in found.items()})
        return
    rows = [[domain.value, *_row(quality)] for domain, quality in found.items()]
    columns = ("domain", "records", "true", "found", "P", "R", "F1", "B3 F1", "largest", "queued", "joined or queued")
    print_table("Entities compared with the truth, pairwise", columns, rows, right=range(1, 11))


def _row(quality: DomainQuality) -> list[object]:
    report, pairs = quality.report, quality.report.pairs.quality
    shares = [f"{each:.3f}" for each in (pairs.precision, pairs.recall, pairs.f1, report.b_cubed.f1)]
    counts = [report.records, report.true_entities, report.clusters]
    return [*counts, *shares, report.largest_cluster, quality.queued, f"{quality.queue_recall:.3f}"]


def _json(quality: DomainQuality) -> dict[str, Any]:
    report, pairs, cubed = quality.report, quality.report.pairs.quality, quality.report.b_cubed
    return {
        "records": report.records,
        "true_entities": report.true_entities,
        "entities": report.clusters,
        "pairwise": {"precision": pairs.precision, "recall": pairs.recall, "f1": pairs.f1},
        "b_cubed": {"precision": cubed.precision, "recall": cubed.recall, "f1": cubed.f1},
        "largest_entity": report.largest_cluster,
        "queued_pairs": quality.queued,
        "hopeless_pairs": quality.hopeless,
        "joined_or_queued_recall": quality.queue_recall,
    }
