"""What governing the data comes to, in figures."""

from datetime import date

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table
from mdm.cli.steward_bench import bench_of
from mdm.core.kpis import Measure
from mdm.errors import OperatorError
from mdm.hub.kpis import Kpis, read_kpis
from mdm.hub.reconcile import found_by
from mdm.hub.worklist import rank_new_tasks
from mdm.model.kpis import Period


def kpi(
    period: str | None = typer.Option(None, help="Like 2026-07-01..2026-09-30; the last 90 days if absent."),
    baseline: str | None = typer.Option(None, help="The period to compare with; as many days before it if absent."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Money at risk, readiness to close, and the measures of a period beside those of another."""
    asked, compared = _period(period), _period(baseline)
    with bench_of("") as bench:
        rank_new_tasks(bench.pipeline.engine, bench.pipeline.rules, bench.pipeline.clock(), bench.policy)
        found = found_by(bench.pipeline)
        figures = read_kpis(bench.pipeline, found, asked, compared)
    if as_json:
        print_json(figures.as_json())
    else:
        _print(figures)


def _period(text: str | None) -> Period | None:
    if text is None:
        return None
    first, _, last = text.partition("..")
    try:
        return Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise OperatorError(f"{text!r} is no period.", action="Write it like 2026-07-01..2026-09-30.") from None


def _print(found: Kpis) -> None:
    for title, sums in (
        ("disagreements between platforms", found.disagreements),
        ("behind open questions", found.questions),
        ("behind refused messages", found.refused),
    ):
        shown = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(sums.items())) or "nothing"
        typer.echo(f"At risk, {title}: {shown}")
    for title, sums in (("open questions", found.questions_impact), ("refused messages", found.refused_impact)):
        shown = ", ".join(f"{amount:,.0f} {currency} hours" for currency, amount in sorted(sums.items())) or "nothing"
        typer.echo(f"Amount times hours open, behind {title}: {shown}")
    close = found.close
    state = "ready" if found.ready else f"{found.open_points} of {found.points} points open"
    typer.echo(f"Close of {close.month}, due {close.due}: {state}")
    rows = [[each.title, _told(each, each.value), _told(each, each.baseline), _moved(each)] for each in found.measures]
    periods = [f"{each.first} to {each.last}" for each in (found.period, found.baseline)]
    print_table("Measures", ("what", *periods, "it"), rows, right=(1, 2))
    if found.parts:
        rows = [
            [each.title, each.part or "", _told(each, each.value), _told(each, each.baseline), _moved(each)]
            for each in found.parts
        ]
        print_table("By platform, kind and owner", ("what", "of", *periods, "it"), rows, right=(2, 3))


def _told(measure: Measure, value: float | None) -> str:
    if value is None:
        return "nothing to measure"
    if measure.unit == "share":
        return f"{value:.1%}"
    return f"{value:,.0f} {measure.unit}" if measure.unit == "decisions" else f"{value:,.1f} {measure.unit}"


def _moved(measure: Measure) -> str:
    return {True: "became better", False: "became worse", None: ""}[measure.improved]
