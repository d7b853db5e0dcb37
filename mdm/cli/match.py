"""Commands about the matching engine."""

from getpass import getuser
from pathlib import Path
from typing import Any

import typer

from matching.engines.engine import ENGINES, open_engine
from mdm.cli.context import JSON_OPTION, hub, notes, pipeline, print_json, print_table
from mdm.hub.evaluate import DomainQuality, evaluate_world
from mdm.hub.release import load_rules
from mdm.hub.rematch import preview, rematch
from mdm.hub.rematch.report import Report
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


@match.command("run")
def run(
    engine: str = typer.Option("duckdb", help="Where pairs are found and scored: " + ", ".join(ENGINES) + "."),
    apply: bool = typer.Option(False, "--apply", help="Write it; without this only what would change is told."),
    workers: int = typer.Option(2, help="Threads, or local Spark workers."),
    memory: str = typer.Option("1GB", help="What DuckDB may use before it goes to disk."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Match the whole hub anew with the released model: after a bulk load (`mdm ingest --bulk`), after a model release.

    Tells first what would change; the preview does the work in one transaction and undoes it, and ingest waits for it.
    With --apply the work is written unit by unit, each audited; an interrupted run is finished by running it again.
    """
    with hub() as opened:
        flow, chosen = pipeline(opened), open_engine(engine, workers, memory)
        report = rematch(flow, chosen, getuser(), notes.print) if apply else preview(flow, chosen, notes.print)
    if as_json:
        print_json({"applied": apply, **report.as_json()})
        return
    _print_run(report, apply)


def _print_run(report: Report, applied: bool) -> None:
    numbers = (
        "links_added", "links_removed", "founded", "merged", "split", "retired", "moved_records", "golden_changed",
        "lineage_renewed", "tasks_opened", "tasks_closed",
    )  # fmt: skip
    rows = [
        [domain.value, report.records[domain], report.candidates[domain], *(getattr(effects, each) for each in numbers)]
        for domain, effects in report.by_domain.items()
    ]
    columns = ("domain", "records", "pairs", *(each.replace("_", " ") for each in numbers))
    title = "What changed" if applied else "What would change; nothing was written"
    print_table(f"{title} (engine {report.engine}, rules {report.rules})", columns, rows, right=range(1, len(columns)))
    examples = [
        [domain.value, each.entity_id, each.name, each.cause, each.members, ", ".join(each.changed)]
        for domain, effects in report.by_domain.items()
        for each in effects.examples
    ]
    if examples:
        columns = ("domain", "entity", "name", "by", "members", "attributes that change")
        print_table("Merges and splits, for example", columns, examples)
    if not applied and not report.empty:
        notes.print("To write it: mdm match run --apply")


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
