"""Commands about how the hub is governed: tiers of workflows, and what shows that they hold."""

from dataclasses import asdict

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table, progress_bar
from mdm.cli.steward_bench import bench_of
from mdm.hub.tiers import Standing, standings
from mdm.hub.tiers_proof import Proof, prove_tiers

governance = typer.Typer(no_args_is_help=True)


@governance.callback()
def _root() -> None:
    """How the hub is governed."""


@governance.command("tiers")
def tiers(
    prove: bool = typer.Option(False, "--prove", help="Try every control in a scratch hub; exit 1 if one fails."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Workflows, what their tier asks of the hub, how they stand, and the test that shows each control."""
    proof: Proof | None = None
    with bench_of("") as bench:
        hub = bench.pipeline
        with hub.engine.connect() as connection:
            found = standings(connection, hub.catalogue, bench.policy, hub.clock())
        if prove:
            with progress_bar("Proving", quiet=as_json) as progress:
                proof = prove_tiers(hub, bench.policy, lambda name: progress(name, 0.0))
    if as_json:
        print_json({"workflows": [each.as_json() for each in found], "proof": None if proof is None else _proof(proof)})
    else:
        _print(found, proof)
    if proof is not None and not proof.holds:
        raise typer.Exit(1)


def _print(found: list[Standing], proof: Proof | None) -> None:
    rows = [
        [each.workflow, each.tier.number, ", ".join(each.tables), f"{each.tier.fresh_within:,} s", _in_time(each),
         each.open.refused, each.open.held, each.open.overdue]
        for each in found
    ]  # fmt: skip
    titles = ("workflow", "tier", "tables", "golden within", "in time, 24 h", "refused", "waiting", "overdue")
    print_table("Workflows", titles, rows, right=(1, 3, 4, 5, 6, 7))
    if proof is None:
        controls = [[each.workflow, one.name, one.asked, one.test] for each in found for one in each.controls]
        print_table("Controls", ("workflow", "control", "asked", "test"), controls)
        return
    tried = [
        [each.workflow, each.tier, each.table, each.control, each.asked, each.seen, "holds" if each.holds else "FAILS"]
        for each in proof.shown
    ]
    print_table("Proof", ("workflow", "tier", "tried with", "control", "asked", "seen", ""), tried)
    for name, why in proof.not_shown.items():
        typer.echo(f"{name}: not shown. {why}")


def _in_time(standing: Standing) -> str:
    return "none timed" if standing.in_time is None else f"{standing.in_time:.1%} of {standing.changes:,}"


def _proof(proof: Proof) -> dict[str, object]:
    shown = [{**asdict(each), "holds": each.holds} for each in proof.shown]
    return {"holds": proof.holds, "shown": shown, "not_shown": dict(proof.not_shown)}
