"""The command that matches the whole hub anew."""

from getpass import getuser

import typer

from mdm.cli.context import JSON_OPTION, hub, notes, pipeline, print_json, print_table
from mdm.engines import ENGINES, open_engine
from mdm.hub.mappings import ADVICE, changed_mappings, sentence
from mdm.hub.rematch import preview, rematch
from mdm.hub.rematch.report import Report


def run(
    engine: str = typer.Option("duckdb", help="Where pairs are found and scored: " + ", ".join(ENGINES) + "."),
    apply: bool = typer.Option(False, "--apply", help="Write it; without this only what would change is told."),
    workers: int = typer.Option(2, help="Threads, or local Spark workers."),
    memory: str = typer.Option("1GB", help="What DuckDB may use before it goes to disk."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Match the whole hub anew with the released model: after a bulk load (`mdm ingest --bulk`), after a model release.

    Tells first what would change; the preview does the work on a copy of the hub's present, and nobody waits for it.
    With --apply the work is written unit by unit, each audited; an interrupted run is finished by running it again.
    """
    with hub() as opened:
        flow, chosen = pipeline(opened), open_engine(engine, workers, memory)
        changed = changed_mappings(opened.engine, flow.catalogue)
        report = rematch(flow, chosen, getuser(), notes.print) if apply else preview(flow, chosen, notes.print)
    if changed:
        # `distinct: true` is no change of the model: matching anew reads rows as they were taken in.
        notes.print(f"{sentence(changed)} Matching them anew does not change that. {ADVICE}", markup=False)
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
