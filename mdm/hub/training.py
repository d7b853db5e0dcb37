"""Training a matching model on one's own records: where they come from, and where the model goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from matching.model import MatchModel, load_model
from mdm.core.rules import Rules
from mdm.core.whole import resolve_all
from mdm.errors import OperatorError, TrainingDisagrees
from mdm.hub.evaluate import check_world, true_entities, world_records
from mdm.hub.tabular import profile_of, read_table
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain
from mdm.store import neighbourhood, whole
from mdm.store.reading import snapshot
from mdm.store.sampling import sample_with_candidates

if TYPE_CHECKING:
    from matching.training.stores import Store
    from matching.training.thresholds import Aim
    from matching.training.train import Released

Progress = Callable[[str], None]

#: Records of a hub that training reads, unless told otherwise: a minute or two.
MOST = 40_000
LEAST = 500


@dataclass(frozen=True, slots=True)
class Material:
    """What a model is trained on."""

    domain: str
    profile: str
    stores: "Sequence[Store]"
    #: What of the records counts for nothing, in sentences.
    remarks: Sequence[str] = ()
    #: Weights that training without labels starts from, and that the new ones are held against, if they are for the
    #: same comparisons: those in force, or that ship.
    start: MatchModel | None = None

    @property
    def labelled(self) -> bool:
        """Whether the truth of every store is known, so that it is learned from."""
        return all(store.entities for store in self.stores)


def from_files(domain: str, records: Sequence[Path], profile: Path | None, labelled: bool) -> Material:
    """Records in comparison form, one store per file of JSON lines; their entities count only when `labelled`."""
    _need_trainer()
    from matching.training.stores import Store, read_store

    stores = [read_store(path) for path in records]
    if labelled and not all(store.entities for store in stores):
        raise OperatorError("Not every file says what entity each record is.", action="Leave out --labelled.")
    chosen = stores if labelled else [Store(store.comparisons) for store in stores]
    return Material(domain, _profile(domain, profile), chosen, start=_shipped(domain))


def from_table(domain: str, records: Sequence[Path], config: Path, labels: Path | None, labelled: bool) -> Material:
    """Rows of CSV files by a mapping (see `mdm.intake.tabular`); their truth counts only when `labelled`."""
    _need_trainer()
    from matching.training.stores import Store

    table = read_table(records, config, labels if labelled else None, truth_known=labelled, option="--labels")
    if table.mapping.domain != domain:
        raise OperatorError(
            f"{config} maps to the domain {table.mapping.domain}, not {domain}.",
            action=f"Say --domain {table.mapping.domain}, or correct `domain` in the mapping.",
        )
    chosen = [number for number, entity in enumerate(table.entities) if entity is not None] if labelled else None
    if labelled and not chosen:
        raise OperatorError("No record has a label.", action="Say in the mapping where the truth stands (`truth`).")
    places = range(len(table.comparisons)) if chosen is None else chosen
    entities = [str(table.entities[number]) for number in places] if labelled else []
    store = Store([table.comparisons[number] for number in places], entities)
    return Material(domain, profile_of(table) or _profile(domain, None), [store], table.remarks, _shipped(domain))


def from_worlds(
    domain: str, worlds: Sequence[Path], labelled: bool, catalogue: Catalogue, rules: Rules, profile: Path | None = None
) -> Material:
    """The records that worlds end with, one store per world; their truth counts only when `labelled`.

    Args:
        profile: comparisons and blocking rules to train for, by default those that ship.
    """
    _need_trainer()
    from matching.training.stores import Store

    _hub_domain(domain)
    stores = []
    for world in worlds:
        check_world(world)
        records = world_records(catalogue, world / "events")
        comparisons = resolve_all(records, frozenset(), frozenset(), rules)[_hub_domain(domain)].comparisons
        names = {each.rec_id: each.record.key for each in records}
        truth = true_entities(_hub_domain(domain), world) if labelled else {}
        kept = [rec for rec in comparisons if not labelled or names[rec] in truth]
        entities = [truth[names[rec]] for rec in kept] if labelled else []
        stores.append(Store([comparisons[rec] for rec in kept], entities))
    return Material(domain, _profile(domain, profile), stores, start=_shipped(domain))


def from_hub(domain: str, engine: Engine, rules: Rules, profile: Path | None = None, most: int = MOST) -> Material:
    """The live records of a hub as matching reads them; of a hub that has more of them than `most`, about so many.

    Args:
        rules: in force, whose profile is trained for unless another is given. Which records of a sample are compared is
            asked of the hub, whose blocks are by these.

    Raises:
        OperatorError: the domain is none of the hub, the profile cannot be read, `most` is too few.
    """
    _need_trainer()
    from matching.training.stores import Store

    if most < LEAST:
        raise OperatorError(f"{most} records are too few to learn from.", action=f"Give {LEAST} or more with --most.")
    chosen = _hub_domain(domain)
    # What is in force here, and not what ships: training is for the comparisons that this hub makes.
    held = rules.models[chosen]
    text = held.texts[0] if profile is None else _profile(domain, profile)
    with snapshot(engine) as work:
        sample = sample_with_candidates(work, chosen, held.block_cap, most)
        if sample is None:
            found = neighbourhood.load_comparisons(work, chosen, set(whole.live_records(work, chosen)))
            return Material(domain, text, [Store([found[rec] for rec in sorted(found)])], start=held)
        found = neighbourhood.load_comparisons(work, chosen, sample.records)
        plain = neighbourhood.load_comparisons(work, chosen, sample.plain)
    ordered = sorted(found)
    seeds = frozenset(place for place, rec in enumerate(ordered) if rec in sample.seeds)
    store = Store(
        [found[rec] for rec in ordered],
        seeds=seeds,
        of=sample.of,
        pairs=sample.pairs,
        counted=[plain[rec] for rec in sorted(plain)],
    )
    said = (
        f"Of {sample.of:,} records it learns from {len(ordered):,}: {len(seeds):,} that were drawn, and everybody whom "
        "these are compared with. --most takes more or fewer."
    )
    return Material(domain, text, [store], [said], held)


def _hub_domain(domain: str) -> Domain:
    if domain not in tuple(Domain):
        raise OperatorError(f"The hub has no domain {domain!r}.", action="Use customer, contract or product.")
    return Domain(domain)


def train_model(
    material: Material, progress: Progress = lambda _: None, *, afresh: bool = False, aim: str | None = None
) -> "Released":
    """Train, check parity with Splink, and give the documents. The same material gives the same documents.

    Args:
        afresh: without labels, learn from what experts expect instead of from `material.start`.
        aim: with labels, what the threshold of a match is chosen for: `best`, or a precision; None keeps the profile's.

    Raises:
        OperatorError: the aim cannot be read or reached, or there is too little to learn from.
    """
    _need_trainer()
    from matching.training.train import Options, train

    chosen = None if aim is None else _aim(aim)
    options = Options(start=material.start, afresh=afresh, aim=chosen)
    return train(material.profile, material.stores, options, progress)


def _aim(text: str) -> "Aim":
    from matching.training.thresholds import Aim

    if text == "best":
        return Aim()
    try:
        precision = float(text)
    except ValueError:
        precision = 0.0
    if not 0 < precision < 1:
        raise OperatorError(
            f"{text!r} is no aim.", action="Give --aim best, or a precision between 0 and 1 such as --aim .995."
        )
    return Aim(precision)


def refusal(material: Material, released: "Released") -> TrainingDisagrees | None:
    """What to raise in the place of writing the model, if anything.

    Without labels, weights that hold very different pairs to match than those before (`matching.training.plausibility`)
    are no better: they are about something else. With labels the truth has spoken, and nothing is refused.
    """
    differs = released.disagreement
    if differs is None or not differs.large or material.labelled:
        return None
    return TrainingDisagrees(
        f"The trained weights are about something else than the ones before; nothing was written. {differs.words}"
    )


def write_model(domain: str, released: "Released", folder: Path) -> list[Path]:
    """Write the documents of a model into a folder; those of an earlier model of the domain are replaced.

    Raises:
        OperatorError: the folder cannot be written.
    """
    documents = {"yaml": released.profile, "weights.json": released.weights, "frequencies.json": released.frequencies}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in documents.items():
            path = folder / f"{domain}.{ending}"
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text, "utf-8")
                written.append(path)
    except OSError as error:
        raise OperatorError(
            f"The model cannot be written to {folder}: {error.strerror}.", action="Give another folder with --out."
        ) from error
    return written


def _shipped(domain: str) -> MatchModel | None:
    return load_model(domain) if domain in tuple(Domain) else None


def _profile(domain: str, path: Path | None) -> str:
    if path is not None:
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(
                f"The profile {path} cannot be read: {error}.", action="Give a YAML file in UTF-8 with --profile."
            ) from error
    shipped = files("matching") / "models" / f"{domain}.yaml"
    if not shipped.is_file():
        raise OperatorError(f"There is no profile for the domain {domain!r}.", action="Give one with --profile.")
    return shipped.read_text("utf-8")


def _need_trainer() -> None:
    """Training needs packages that running the hub does not."""
    missing = [name for name in ("splink", "duckdb", "scipy") if find_spec(name) is None]
    if missing:
        raise OperatorError(
            f"Training needs {', '.join(missing)}, which the hub itself does without.",
            action="Run: pip install 'mdm-hub[train]'",
        )
