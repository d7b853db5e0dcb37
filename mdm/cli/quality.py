"""Commands about blind samples: draw one, judge it, and what it tells of the matching."""

import typer

from mdm.cli.context import JSON_OPTION, many, print_json, print_table
from mdm.cli.steward_bench import ACTOR, bench_of, plain
from mdm.core.blind import Agreement, Estimate, Figures
from mdm.errors import OperatorError
from mdm.hub import blind
from mdm.model.ids import Domain

quality = typer.Typer(no_args_is_help=True)

_SAMPLE = typer.Argument(..., metavar="SAMPLE", help="Its number.")


@quality.callback()
def _root() -> None:
    """How right the matching is, told by people who see no weight: samples of pairs, judged twice."""


@quality.command("draw")
def draw(
    domain: str = typer.Option("customer", "--domain", help="customer, contract or product."),
    size: int = typer.Option(blind.USUAL, "--size", help=f"About so many pairs: {blind.LEAST} to {blind.MOST:,}."),
    seed: str | None = typer.Option(None, "--seed", help="Draws the same again from the same hub."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Draw pairs that are joined, asked about, below the threshold, and never compared. The console presents them."""
    if domain not in tuple(Domain):
        raise OperatorError(f"{domain!r} is no domain.", action="Use customer, contract or product.")
    with bench_of(actor) as bench:
        found = blind.draw(bench.pipeline, Domain(domain), size, bench.actor.name, seed)
    if as_json:
        print_json(plain(found))
    else:
        typer.echo(f"Sample {found.sample_id}: {many(found.pairs, 'pair')}, to judge under Quality in the console.")


@quality.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """The samples, the newest first."""
    with bench_of("") as bench:
        found = blind.samples(bench.pipeline)
    if as_json:
        print_json([plain(each) for each in found])
        return
    rows = [
        [each.sample_id, each.domain, "closed" if each.closed_at else "open", each.pairs, each.complete, each.drawn_by]
        for each in found
    ]
    print_table("Blind samples", ("sample", "domain", "state", "pairs", "complete", "drawn by"), rows, right=(3, 4))


@quality.command("report")
def report(sample: int = _SAMPLE, as_json: bool = JSON_OPTION) -> None:
    """Precision and recall with intervals, by platform too, and how far people agree."""
    with bench_of("") as bench:
        told = blind.tell(bench.pipeline, sample)
    if as_json:
        print_json(blind.as_json(told))
        return
    rows = [_row("all", told.report.whole), *(_row(name, each) for name, each in told.report.by_source.items())]
    print_table(f"Sample {sample}: {told.head.domain.plural}", ("pairs of", "precision", "recall, joined",
                "recall, joined or asked"), rows)  # fmt: skip
    typer.echo(f"People agree: {_agreed(told.report.agreement)}.")
    typer.echo(f"{told.head.complete} of {told.head.pairs} pairs are complete; "
               f"{many(len(told.wrong), 'pair')} seen otherwise than the hub did.")  # fmt: skip


@quality.command("close")
def close(sample: int = _SAMPLE, actor: str = ACTOR, as_json: bool = JSON_OPTION) -> None:
    """Take no more answers."""
    with bench_of(actor) as bench:
        found = blind.close(bench.pipeline, sample, bench.actor.name)
    if as_json:
        print_json(plain(found))
    else:
        typer.echo(f"Sample {sample} is closed.")


def _row(name: str, each: Figures) -> list[object]:
    return [name, _told(each.precision), _told(each.auto_recall), _told(each.recall)]


def _told(each: Estimate) -> str:
    if each.value is None or each.low is None or each.high is None:
        return "not known yet"
    return f"{each.value:.1%} ({each.low:.1%} to {each.high:.1%})"


def _agreed(each: Agreement) -> str:
    if each.share is None:
        return "not known yet"
    return f"{each.share:.0%} of {each.of}" + ("" if each.kappa is None else f", kappa {each.kappa:.2f}")
