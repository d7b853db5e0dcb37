"""Commands about the matching engine: training models, and holding them against known truth."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from matching.assessment import Assessment, Bin, assess, mean_distance
from matching.capping import Capped
from matching.model import MatchModel
from matching.training.plausibility import Disagreement
from mdm.cli import context
from mdm.cli.blocks import blocks
from mdm.cli.context import JSON_OPTION, notes, print_json, print_table
from mdm.cli.rematch import run
from mdm.errors import OperatorError
from mdm.hub import training
from mdm.hub.assessment_page import assessment_json, assessment_page, capped_json, describe_row
from mdm.hub.evaluate import DomainQuality, evaluate_world
from mdm.hub.in_force import in_force_now
from mdm.hub.release import load_rules
from mdm.hub.tabular import Table, empty_truth, model_of, profile_of, read_table
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain
from mdm.settings import read_settings

match = typer.Typer(no_args_is_help=True)
match.command("run")(run)
match.command("blocks")(blocks)


@match.callback()
def _root() -> None:
    """The matching engine: train models on one's own records, and measure them."""


@match.command("train")
def train(
    domain: str = typer.Option(..., help="customer, contract, product, or a domain of your own."),
    records: list[str] = typer.Option([], help="Records: CSV files with --config, else JSON lines. Comma-separated."),
    config: Path | None = typer.Option(None, help="What the columns of the CSV files mean."),
    labels: Path | None = typer.Option(None, help="A file with the true entities or pairs, as the config says."),
    labelled: bool = typer.Option(False, help="The records themselves (or the worlds) say what is one entity."),
    world: list[Path] = typer.Option([], help="Worlds (folders with events/ and truth/) to train on."),
    hub: bool = typer.Option(False, "--hub", help="Train on the records of this hub."),
    most: int = typer.Option(training.MOST, help="About how many records of a larger hub to train on."),
    profile: Path | None = typer.Option(
        None, help="Comparisons and blocking rules; else those in force with --hub, and those that ship without."
    ),
    out: Path = typer.Option(Path("models"), help="Where to write the model. MDM_MODELS_DIR makes a hub use it."),
    afresh: bool = typer.Option(
        False, "--afresh", help="Without labels: start from what experts expect, not from the weights before."
    ),
    aim: str | None = typer.Option(
        None, help="With labels: choose the threshold of a match, for a precision (.995) or the `best` F1."
    ),
    accept_disagreement: bool = typer.Option(
        False, help="Write it also when it holds very different pairs to match than the weights before."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Train a model with Splink and write it with its provenance. The same records in the same order give
    the same model.

    Without labels it starts from the weights in force (or that ship) for the same comparisons: they form entities, and
    these teach. Where there are none, or with --afresh, m is learned by expectation maximisation, from what experts
    expect. The result is held against the weights before: if it differs much, nothing is written.

    With labels and --aim the threshold of a match is chosen: weights learned from each two thirds of the entities
    resolve all records at eighteen thresholds, and the last third counts. The profile that is written has it.
    """
    _refuse_unread({"--aim": aim is not None and not (labelled or labels is not None)})
    material = _material(domain, _paths(records), config, labels, labelled, world, hub, profile, most, afresh)
    for remark in material.remarks:
        notes.print(remark, markup=False)
    released = training.train_model(material, lambda text: notes.print(f"  {text}"), afresh=afresh, aim=aim)
    refusal = None if accept_disagreement else training.refusal(material, released)
    if refusal is None:
        notes.print(_compared(released.disagreement), markup=False)
    written = [] if refusal is not None else training.write_model(domain, released, out)
    model = released.model()
    summary = {
        "domain": domain,
        "fingerprint": model.fingerprint,
        "prior": model.prior,
        "match": model.thresholds.match,
        "provenance": dict(model.provenance),
        "files": [str(path) for path in written],
        "remarks": list(material.remarks),
    }
    if as_json:
        print_json(summary)
    if refusal is not None:
        raise refusal
    if as_json:
        return
    rows = [
        [comparison.name, level.label, f"{level.m:.4g}", f"{level.u:.4g}", f"{level.weight:+.2f}"]
        for comparison in model.comparisons
        for level in comparison.levels
    ]
    print_table(f"Model {model.fingerprint} of {domain}", ("comparison", "level", "m", "u", "bits"), rows, range(2, 5))
    from_on = f"a match from {model.thresholds.match:g} bits on"
    typer.echo(f"prior {model.prior:+.2f} bits, {from_on}; written to {', '.join(map(str, written))}")


def _compared(found: Disagreement | None) -> str:
    if found is None:
        return "There are no other weights for these comparisons to hold the new ones against."
    return f"{found.words} That is a large disagreement." if found.large else found.words


def _material(
    domain: str,
    records: list[Path],
    config: Path | None,
    labels: Path | None,
    labelled: bool,
    worlds: list[Path],
    hub: bool,
    profile: Path | None,
    most: int,
    afresh: bool,
) -> training.Material:
    if sum(map(bool, (records, worlds, hub))) != 1:
        raise OperatorError("Say what to train on.", action="Give one of --records, --world and --hub.")
    tables = bool(records) and config is not None
    _refuse_unread(
        {
            "--config": config is not None and not records,
            "--labels": labels is not None and not tables,
            "--labelled": labelled and hub,
            "--afresh": afresh and (labelled or labels is not None),
            "--profile": profile is not None and tables,
            "--most": most != training.MOST and not hub,
        }
    )
    if worlds:
        catalogue = load_catalogue(context.sources_folder())
        return training.from_worlds(domain, worlds, labelled, catalogue, load_rules(catalogue), profile)
    if hub:
        with context.hub() as opened:
            shipped = load_rules(load_catalogue(opened.settings.sources), opened.settings.models_dir)
            return training.from_hub(domain, opened.engine, in_force_now(opened.engine, shipped), profile, most)
    if config is not None:
        return training.from_table(domain, records, config, labels, labelled or labels is not None)
    return training.from_files(domain, records, profile, labelled)


def _refuse_unread(options: Mapping[str, bool]) -> None:
    """What would be ignored is refused: a person who gave it expects something of it."""
    for name, given in options.items():
        if given:
            raise OperatorError(
                f"{name} means nothing together with the other options.",
                action=f"Leave out {name}; which options belong together is in --help.",
            )


@match.command("evaluate")
def evaluate(
    world: Path | None = typer.Option(None, help="A folder with events/ and truth/ (see the sample world)."),
    domain: str | None = typer.Option(None, help="The domain of the records."),
    records: list[str] = typer.Option([], help="CSV files with records of known truth. Comma-separated."),
    truth: Path | None = typer.Option(None, help="A file with the true entities or pairs, as the config says."),
    config: Path | None = typer.Option(None, help="What the columns mean and where the truth stands."),
    models: Path | None = typer.Option(None, help="The folder of the model; else the one that ships."),
    html: Path | None = typer.Option(None, help="Write a page with threshold sweep, calibration and mistakes."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Hold a model against known truth: a world of change events, or any CSV files."""
    if models is not None and not models.is_dir():
        raise OperatorError(f"{models} is no folder.", action="Give the folder that `mdm match train` wrote to.")
    if models is not None:
        _refuse_without_model(models, [domain] if world is None and domain else [each.value for each in Domain])
    if world is not None:
        given = {"--domain": domain, "--records": records, "--truth": truth, "--config": config, "--html": html}
        _refuse_unread({name: bool(value) for name, value in given.items()})
        _evaluate_world(world, models, as_json)
        return
    if not (records and config and domain):
        raise OperatorError("Say what to evaluate.", action="Give --world, or --domain, --records and --config.")
    table = read_table(_paths(records), config, truth, models=models)
    if table.mapping.domain != domain:
        raise OperatorError(
            f"{config} maps to the domain {table.mapping.domain}, not {domain}.",
            action=f"Say --domain {table.mapping.domain}, or correct `domain` in the mapping.",
        )
    for remark in table.remarks:
        notes.print(remark, markup=False)
    if not any(table.entities):
        if (column := table.mapping.truth.entity) is not None:
            raise empty_truth(column, "the records")
        raise OperatorError("The truth of these records is not known.", action="Say in the config where it stands.")
    model = _model(table, models)
    found = assess(model, table.comparisons, table.entities)
    if not found.candidates:
        notes.print("No two records share a blocking key: see that the config fills the columns that the model reads.")
    if html is not None:
        page = assessment_page(f"{config.parent.name}: {domain}", found, lambda at: describe_row(table.rows[at]))
        try:
            html.write_text(page, "utf-8")
        except OSError as error:
            raise OperatorError(
                f"The page cannot be written to {html}: {error.strerror}.", action="Give another file with --html."
            ) from error
        notes.print(f"written to {html}")
    if as_json:
        left_out = {"truth_without_record": len(table.strangers), "filled_by_nothing": list(table.silent)}
        print_json({"model": model.fingerprint, **left_out, **assessment_json(found, table.names)})
        return
    _print(found, table)


def _refuse_without_model(folder: Path, domains: Sequence[str]) -> None:
    """Whoever names a folder wants its model measured, not the one that ships."""
    if not any((folder / f"{domain}.{ending}").is_file() for domain in domains for ending in ("yaml", "weights.json")):
        raise OperatorError(
            f"{folder} has no model of {' or '.join(domains)}.",
            action="Give the folder that `mdm match train` wrote to, or leave out --models for the model that ships.",
        )


def _model(table: Table, folder: Path | None) -> MatchModel:
    if folder is None and profile_of(table) is not None:
        raise OperatorError(
            f"No model of {table.mapping.domain} ships.",
            action="Train one with `mdm match train` and give its folder with --models.",
        )
    return model_of(table, folder or read_settings(os.environ).models_dir)


def _print(found: Assessment, table: Table) -> None:
    pairs, cubed, best = found.operating.pairs.quality, found.operating.b_cubed, found.best_entities.entities
    rows: list[list[object]] = [
        ["entities, pairwise", *_shares(pairs)],
        ["entities, B-cubed", *_shares(cubed)],
        ["pairs above the threshold", *_shares(found.automatic)],
        [f"best pairs, from {found.best_pairs.threshold:.1f} bits", *_shares(found.best_pairs.pairs)],
    ]
    if best is not None:
        rows.append([f"best entities, from {found.best_entities.threshold:.1f} bits", *_shares(best.pairs.quality)])
    title = f"{found.records:,} records, {found.operating.true_entities:,} true entities"
    print_table(title, ("", "P", "R", "F1"), rows, right=range(1, 4))
    questions = found.questions
    typer.echo(
        f"candidate pairs {found.candidates:,} with a recall of {found.candidate_recall:.3f}; "
        f"largest entity {found.operating.largest_cluster}; calibration off by {found.calibration_error:.3f}\n"
        f"{found.operating.mixed_records:,} records are in the {found.operating.mixed_clusters:,} entities that hold "
        "records of more than one\n"
        f"queue {questions.pairs:,} pairs, {questions.hopeless:,} of them hopeless; "
        f"joined or queued recall {questions.recall:.3f}"
    )
    _print_capped("Keys that too many records share", found.capped)
    _print_reliability("Reliability", found.calibration)
    mistakes = [("joined", each) for each in found.false_joins[:5]] + [("apart", each) for each in found.missed[:5]]
    print_table(
        "Worst mistakes",
        ("", "bits", "records", "because"),
        [
            [
                kind if each.candidate else f"{kind}, never compared",
                f"{each.score.weight:+.1f}",
                f"{table.names[each.left]} | {table.names[each.right]}",
                "; ".join(f"{part.comparison}: {part.level} {part.bits:+.1f}" for part in each.score.contributions),
            ]
            for kind, each in mistakes
        ],
        right=(1,),
    )


def _shares(quality: Any) -> list[str]:
    return [f"{quality.precision:.3f}", f"{quality.recall:.3f}", f"{quality.f1:.3f}"]


def _paths(given: list[str]) -> list[Path]:
    return [Path(part) for text in given for part in text.split(",") if part]


def _evaluate_world(world: Path, models: Path | None, as_json: bool) -> None:
    catalogue = load_catalogue(context.sources_folder())
    found = evaluate_world(catalogue, load_rules(catalogue, models or read_settings(os.environ).models_dir), world)
    if as_json:
        print_json({domain.value: _json(quality) for domain, quality in found.items()})
        return
    rows = [[domain.value, *_row(domain, quality)] for domain, quality in found.items()]
    columns = ("domain", "records", "true", "found", "P", "R", "F1", "B3 F1", "largest", "auto P", "queued", "hopeless",
               "joined or queued")  # fmt: skip
    print_table("Entities compared with the truth, pairwise", columns, rows, right=range(1, 13))
    for domain, quality in found.items():
        _print_capped(f"Keys that too many records of {domain.value} share", quality.capped)
        _print_reliability(f"Reliability of {domain.value} weights", quality.calibration)


def _print_capped(title: str, found: Capped) -> None:
    """By rule, what its cap keeps from being compared; nothing where no block is above its cap."""
    if not found.rules:
        return
    lost = "?" if found.true_pairs_lost is None else f"{found.true_pairs_lost:,}"
    print_table(
        f"{title}: {lost} true pairs are not compared for that",
        ("rule", "cap", "blocks", "records", "pairs not made", "true pairs lost"),
        [
            [each.rule, each.cap, f"{each.blocks:,}", f"{each.records:,}", f"{each.pairs:,}",
             "?" if each.true_pairs_lost is None else f"{each.true_pairs_lost:,}"]
            for each in found.rules
        ],
        right=range(1, 6),
    )  # fmt: skip


def _print_reliability(title: str, bins: Sequence[Bin]) -> None:
    rows = [[f"{each.promised:.3f}", f"{each.observed:.3f}", f"{each.pairs:,}"] for each in bins]
    title = f"{title}, off by {mean_distance(bins):.3f} on average"
    print_table(title, ("promised", "observed", "pairs"), rows, right=range(3))


def _row(_domain: Domain, quality: DomainQuality) -> list[object]:
    report, pairs = quality.report, quality.report.pairs.quality
    shares = [f"{each:.3f}" for each in (pairs.precision, pairs.recall, pairs.f1, report.b_cubed.f1)]
    counts = [report.records, report.true_entities, report.clusters]
    hopeless = f"{quality.hopeless:,} ({quality.hopeless / max(quality.queued, 1):.0%})"
    queue = [quality.queued, hopeless, f"{quality.queue_recall:.3f}"]
    return [*counts, *shares, report.largest_cluster, f"{quality.automatic.precision:.4f}", *queue]


def _json(quality: DomainQuality) -> dict[str, Any]:
    report, pairs, cubed = quality.report, quality.report.pairs.quality, quality.report.b_cubed
    return {
        "records": report.records,
        "true_entities": report.true_entities,
        "entities": report.clusters,
        "pairwise": {"precision": pairs.precision, "recall": pairs.recall, "f1": pairs.f1},
        "b_cubed": {"precision": cubed.precision, "recall": cubed.recall, "f1": cubed.f1},
        "largest_entity": report.largest_cluster,
        "automatic_precision": quality.automatic.precision,
        "automatic_pairs": quality.automatic_pairs,
        "mixed_entities": report.mixed_clusters,
        "records_in_mixed_entities": report.mixed_records,
        "candidate_recall": quality.candidate_recall,
        "blocking": capped_json(quality.capped),
        "queued_pairs": quality.queued,
        "hopeless_pairs": quality.hopeless,
        "joined_or_queued_recall": quality.queue_recall,
        "calibration": {
            "mean_distance": mean_distance(quality.calibration),
            "bins": [
                {"promised": each.promised, "observed": each.observed, "pairs": each.pairs}
                for each in quality.calibration
            ],
        },
    }
