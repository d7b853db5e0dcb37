"""Commands of rule releases: draft, simulate, approve, activate, roll back."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from matching.model import load_model, read_model
from matching.proof import Proof, check_holds, check_proven, read_proof
from mdm.cli.context import JSON_OPTION, print_json, print_table, progress_bar, sources_folder
from mdm.cli.steward_bench import ACTOR, Bench, bench_of
from mdm.core.former import refuse_witnesses_that_echo, witnesses_of
from mdm.core.releases import contradicted_in, differences
from mdm.errors import OperatorError
from mdm.faults import arm
from mdm.hub import releases as releasing
from mdm.hub.in_force import Ruling, part, text_of, version_of
from mdm.hub.in_force import read as read_document
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind, Run
from mdm.store import releases as store
from mdm.store.read_release_samples import records_of
from survivorship.ruleset import load_ruleset

releases = typer.Typer(no_args_is_help=True)

_NUMBER = typer.Argument(..., help="Number of the release.")
_KIND = typer.Argument(..., help="survivorship, matching or usage-revenue.")
_DOMAIN = typer.Argument(..., help="customer, contract or product.")
#: Contradicted verdicts shown to people; JSON has them all.
_SHOWN = 20
_FILE = typer.Argument(..., help="The document, as `mdm releases document` prints the one in force.")


@releases.callback()
def _root() -> None:
    """Rules as releases: tried on live data, approved by a second person, put into force by a third, taken back."""


@releases.command("list")
def list_releases(
    before: int | None = typer.Option(None, help="Only older ones than this number."),
    limit: int = typer.Option(50, min=1, max=500),
    as_json: bool = JSON_OPTION,
) -> None:
    """Releases, the newest first."""
    with bench_of("") as bench, bench.pipeline.engine.connect() as connection:
        found = store.page(store.asking(connection), [], before, limit)
    if as_json:
        print_json([_summary(each) for each in found])
        return
    rows = [
        [each.release_id, each.kind, each.domain, each.title, each.status.replace("_", " "), each.author,
         each.approver, each.releaser]
        for each in found
    ]  # fmt: skip
    print_table("Releases", ("no.", "kind", "domain", "what", "state", "by", "approved by", "released by"), rows)


@releases.command("in-force")
def in_force(as_json: bool = JSON_OPTION) -> None:
    """Which document decides what now."""
    with bench_of("") as bench, bench.pipeline.engine.connect() as connection:
        ask = store.asking(connection)
        rules, held = releasing.in_force(ask, bench.pipeline.rules), store.in_force(ask)
    found = [
        {
            "kind": kind.value, "domain": domain.value, "version": version_of(part(rules, kind, domain)),
            "fingerprint": part(rules, kind, domain).fingerprint, "release": held.get((kind, domain), (None,))[0],
        }
        for kind in RuleKind
        for domain in kind.domains
    ]  # fmt: skip
    if as_json:
        print_json(found)
        return
    print_table("In force", ("kind", "domain", "version", "fingerprint", "release"),
                [[*list(each.values())[:4], each["release"] or "as shipped"] for each in found])  # fmt: skip


@releases.command("document")
def document(kind: RuleKind = _KIND, domain: Domain = _DOMAIN) -> None:
    """Print the document in force: where a draft starts."""
    with bench_of("") as bench:
        rules = releasing.in_force_now(bench.pipeline.engine, bench.pipeline.rules)
    typer.echo(text_of(part(rules, kind, domain)), nl=False)


@releases.command("check")
def check(
    kind: RuleKind = _KIND,
    domain: Domain = _DOMAIN,
    file: Path = _FILE,
    weights: Path | None = typer.Option(None, help="A matching model's weights; those that ship if not given."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Read a document as the hub would, without one: a fault is told with its line and key. A matching model is scored
    with Splink too, over the records that ship and pairs made for it."""
    proof: Proof | None = None
    if kind is RuleKind.SURVIVORSHIP:
        ruleset = load_ruleset(domain.value, file)
        refuse_witnesses_that_echo(witnesses_of(load_catalogue(sources_folder())), ruleset)
        read: Ruling = ruleset
    elif kind is RuleKind.USAGE_REVENUE:
        read = read_document(kind, domain, _text(file), {})
    else:
        shipped = load_model(domain.value)
        read = read_model(_text(file), _text(weights) if weights else shipped.texts[1], shipped.texts[2])
        check_proven(read)
        proof = releasing.splink(read, (), None)
        check_holds(proof)
        if read.domain != domain.value:
            raise OperatorError(f"The model is for {read.domain}, not for {domain.value}.", action="Name its domain.")
    told = {"kind": kind.value, "domain": domain.value, "version": version_of(read), "fingerprint": read.fingerprint}
    if as_json:
        print_json(told if proof is None else {**told, "parity": proof.document()})
        return
    typer.echo(f"{file} is a rule set for {domain.value} ({kind.value}), fingerprint {read.fingerprint}.")
    if proof is not None:
        typer.echo(proof.words)


@releases.command("draft")
def draft(
    kind: RuleKind = _KIND,
    domain: Domain = _DOMAIN,
    file: Path = _FILE,
    title: str = typer.Option(..., "--title", help="What changes, in a few words."),
    weights: Path | None = typer.Option(None, help="A matching model's weights; those in force if not given."),
    frequencies: Path | None = typer.Option(None, help="Its term frequencies, where it has any."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Write a release."""
    attached = None
    if weights is not None:
        attached = {"weights": _text(weights), "frequencies": _text(frequencies) if frequencies else None}
    with bench_of(actor) as bench:
        made = releasing.draft(bench.pipeline, bench.actor, kind, domain, title, _text(file), attached)
        _show(bench, made.release_id, as_json)


@releases.command("change")
def change(
    release: int = _NUMBER,
    file: Path = _FILE,
    title: str = typer.Option("", "--title", help="As it is if not given."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Change a draft of your own; it must be simulated again."""
    with bench_of(actor) as bench:
        with bench.pipeline.engine.connect() as connection:
            before = store.find(store.asking(connection), release)
        releasing.change(bench.pipeline, bench.actor, release, title or before.title, _text(file))
        _show(bench, release, as_json)


@releases.command("show")
def show(release: int = _NUMBER, as_json: bool = JSON_OPTION) -> None:
    """A release: how it differs from what is in force, and what was done with it."""
    with bench_of("") as bench:
        _show(bench, release, as_json)


@releases.command("simulate")
def simulate(release: int = _NUMBER, actor: str = ACTOR, as_json: bool = JSON_OPTION) -> None:
    """What it would change in the hub as it is now, by the engine that would do it. Nothing is written."""
    with bench_of(actor) as bench, progress_bar("simulating", quiet=as_json) as tell:
        run = releasing.simulate(bench.pipeline, bench.actor, release, tell)
    _show_run(run, as_json)


@releases.command("test")
def check_release(release: int = _NUMBER, as_json: bool = JSON_OPTION) -> None:
    """What must hold before it comes into force: it fits, it was simulated against the rules in force, and no verdict
    of a steward speaks against it. Exits with 1 when something does not hold."""
    with bench_of("") as bench, bench.pipeline.engine.connect() as connection:
        ask = store.asking(connection)
        found = store.find(ask, release)
        held = releasing.checks(ask, bench.pipeline, found)
        simulation = releasing.last_simulation(ask, release)
        wrong = contradicted_in(simulation)
        named = records_of(connection, {end for each in wrong for end in each[1:]})
    passed = all(each.passed for each in held)
    pairs = [(each.verdict, str(named[each.a]), str(named[each.b])) for each in wrong if {each.a, each.b} <= set(named)]
    if as_json:
        told = [{"verdict": verdict, "records": [a, b]} for verdict, a, b in pairs]
        checks = [each._asdict() for each in held]
        print_json({"release": release, "passed": passed, "checks": checks, "contradicted": told})
    else:
        rows = [[each.name, "holds" if each.passed else "FAILS", each.detail] for each in held]
        print_table(f"Release {release}", ("check", "", "detail"), rows)
        if pairs:
            print_table("Verdicts that it contradicts", ("stewards said", "record", "record"), pairs[:_SHOWN])
    if not passed:
        raise typer.Exit(1)


@releases.command("approve")
def approve(
    release: int = _NUMBER,
    comment: str = typer.Option("", "--comment"),
    seen: int | None = typer.Option(None, "--simulation", help="The run that you looked at."),
    despite: str = typer.Option("", "--despite-verdicts", help="Why it may although verdicts speak against it."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Agree to a release that somebody else wrote, as its last simulation showed it. One that contradicts verdicts of
    stewards needs --despite-verdicts, which is audited."""
    with bench_of(actor) as bench:
        releasing.approve(bench.pipeline, bench.actor, release, seen, comment, despite=despite)
        _show(bench, release, as_json)


@releases.command("reject")
def reject(
    release: int = _NUMBER,
    comment: str = typer.Option(..., "--comment", help="Why."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Turn down a release that somebody else wrote."""
    with bench_of(actor) as bench:
        releasing.reject(bench.pipeline, bench.actor, release, comment)
        _show(bench, release, as_json)


@releases.command("withdraw")
def withdraw(release: int = _NUMBER, actor: str = ACTOR, as_json: bool = JSON_OPTION) -> None:
    """Take back a release of your own before it comes into force."""
    with bench_of(actor) as bench:
        releasing.withdraw(bench.pipeline, bench.actor, release)
        _show(bench, release, as_json)


@releases.command("activate")
def activate(release: int = _NUMBER, actor: str = ACTOR, as_json: bool = JSON_OPTION) -> None:
    """Put an approved release into force, as a third person. Killed half way: asking for the same again ends it."""
    _carry(actor, as_json, lambda bench, tell: releasing.activate(bench.pipeline, bench.actor, release, tell))


@releases.command("roll-back")
def roll_back(
    release: int = _NUMBER,
    reason: str = typer.Option(..., "--reason", help="What went wrong."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Take a release out of force; what was before decides again, and the hub follows."""
    _carry(actor, as_json, lambda bench, tell: releasing.roll_back(bench.pipeline, bench.actor, release, reason, tell))


def _carry(actor: str, as_json: bool, act: Callable[[Bench, releasing.Progress], releasing.Carried]) -> None:
    arm(os.environ)
    with bench_of(actor) as bench, progress_bar("bringing the hub in line", quiet=as_json) as tell:
        carried = act(bench, tell)
    if as_json:
        told = {"release": _summary(carried.release), "run": asdict(carried.run), "same_state": carried.same_state}
        print_json(told)
        return
    _show_run(carried.run, as_json)
    typer.echo(f"Release {carried.release.release_id} is {carried.release.status.replace('_', ' ')}.")
    if carried.same_state is not None:
        typer.echo(
            "The hub is in the state that the release had found."
            if carried.same_state
            else "The hub is NOT in the state that the release had found: run `mdm verify`."
        )


def _show(bench: Bench, release_id: int, as_json: bool) -> None:
    with bench.pipeline.engine.connect() as connection:
        ask = store.asking(connection)
        release, runs = store.find(ask, release_id), store.runs(ask, release_id)
        now = releasing.document_in_force(ask, bench.pipeline, release.kind, release.domain)
    lines, proof = differences(now, release.document), releasing.proof_of(release, runs)
    if as_json:
        shown = [f"{line.sign}{line.text}" for line in lines]
        told = {"parity": None if proof is None else proof.document(), "runs": [asdict(each) for each in runs]}
        print_json({**_summary(release), "differences": shown, **told})
        return
    typer.echo(f"Release {release_id}: {release.title} ({release.kind} of {release.domain.plural}, {release.status})")
    typer.echo(f"  by {release.author}, approved by {release.approver or '-'}, released by {release.releaser or '-'}")
    for line in lines:
        typer.echo(f"{line.sign} {line.text}")
    if proof is not None:
        typer.echo(f"parity: {proof.words}")
    for run in runs:
        typer.echo(f"{run.what} {run.run_id}: {run.status}, {run.done:,} of {run.total:,}, {_counts(run.report)}")


def _show_run(run: Run, as_json: bool) -> None:
    if as_json:
        print_json(asdict(run))
        return
    title = "What it would change; nothing was written" if run.what == "simulation" else "What it changed"
    print_table(title, ("what", "how many"), [[name.replace("_", " "), value] for name, value in _ints(run.report)],
                right=(1,))  # fmt: skip
    proof = read_proof(run.report.get("parity"))
    if proof is not None:
        typer.echo(f"parity: {proof.words}")
    attributes = run.report.get("attributes", {})
    if attributes:
        rows = [[name, count, ", ".join(run.report["samples"].get(name, [])[:3])] for name, count in attributes.items()]
        print_table("By attribute", ("attribute", "golden records", "for example"), rows, right=(1,))


def _ints(report: dict[str, Any]) -> list[tuple[str, int]]:
    return [(name, value) for name, value in report.items() if isinstance(value, int)]


def _counts(report: dict[str, Any]) -> str:
    return ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in _ints(report) if value) or "no changes"


def _summary(release: Release) -> dict[str, Any]:
    told = asdict(release)
    del told["document"]
    return told


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file} cannot be read: {error}", action="Name a text file.") from error
