"""Training a model: Splink estimates m and u, labels correct them for dependence; the result is a released document.

Without labels it starts from the weights before, where there are some for the same comparisons (`adapting`). Where
there are none it goes in rounds, each on one record per entity that the round before found, because duplicates make
values look frequent that are not.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.batch import Candidates, Whole, prepare, resolve_prepared
from matching.documents import CHECKSUM, checksum_of, read_profile, whole_in
from matching.features import Features, Kind, derive
from matching.features.values import texts
from matching.frequencies import count_values
from matching.model import MatchModel, profile_model, read_model
from matching.parsing import Tables
from matching.scoring import score_features
from matching.training.adapting import believed, bits_of, shares_of, shrinkage, words_kept
from matching.training.dependence import Sample, fit
from matching.training.estimate import SEED, PairSet, cold_start, level_shares, maximise, prior_within
from matching.training.labelled import MATCHES_A_RECORD, Known, Learned, learn, rarity_of
from matching.training.parity import Parity, check_parity
from matching.training.plausibility import Disagreement, comparable, disagreement
from matching.training.proving import together
from matching.training.reaching import reaching
from matching.training.stores import Store, common_tokens, drawn_from, fingerprint_of
from matching.training.thresholds import PARTS, Aim, choose, with_threshold
from matching.training.weights import settle, unmet, weights_of
from matching.training.writing import read_trained, tables_text, trained_document
from mdm.errors import ConfigurationInvalid, OperatorError

Progress = Callable[[str], None]
Shares: TypeAlias = tuple[NDArray[np.float64], ...]

#: Training without labels ends when nearly the same pairs are held to match as in the round before, or after so many.
_ROUNDS = 6
_NEARLY = 0.005
_PARITY_PAIRS = 50_000
#: Fewer matching pairs than this say little about any level.
_FEW = 100
#: Candidate pairs below which nothing is learned: twice the imagined ones (`estimate.IMAGINED`), so that what was seen
#: says more than what was expected. The share of matches among twenty is known to some twenty points, a bit or two.
_LEAST_PAIRS = 20
#: How a model was trained, as its provenance says it.
_LABELLED = {"method": "m and u from labels, corrected for dependence by logistic regression"}
_MAXIMISED = {"method": "m by expectation maximisation, u from candidates between the entities found"}
_ADAPTED = {
    "method": "from the weights before, drawn to them, by logistic regression over the entities that they form; u from "
    "candidates between these"
}
_VERSIONED = ("splink", "duckdb", "numpy", "rapidfuzz")


@dataclass(frozen=True, slots=True)
class Released:
    """The documents of a trained model, and what the release check found."""

    profile: str
    weights: str
    frequencies: str | None
    parity: Parity
    #: With the model that training was given to compare with (`Options.start`); None without one.
    disagreement: Disagreement | None = None

    def model(self) -> MatchModel:
        return read_model(self.profile, self.weights, self.frequencies)


@dataclass(frozen=True, slots=True)
class Options:
    """How to train: `shrinkage` draws labelled weights to Splink's per squared bit, `common_share` is how many entities
    a name token may have before it counts as common; `tables` are frequencies, and `common` tokens, that were counted
    elsewhere. `start` is the model before, where it weighs the same comparisons: the result is held against it, and
    without labels training starts from it, unless `afresh`. `aim`: with labels, choose the threshold of a match; None
    keeps the profile's."""

    shrinkage: float = 0.05
    common_share: float = 0.004
    tables: Tables | None = None
    common: Sequence[str] | None = None
    start: MatchModel | None = None
    afresh: bool = False
    aim: Aim | None = None


def train(profile: str, stores: Sequence[Store], options: Options, progress: Progress = lambda _: None) -> Released:
    """A model for the profile text, learned from the stores. The same input gives the same documents.

    Raises:
        ConfigurationInvalid: the profile is wrong, a level can be weighed neither by data nor by an expert, or the
            result does not score as Splink does.
        OperatorError: there are too few records to learn from.
    """
    if sum(len(store.comparisons) for store in stores) < 3:
        raise OperatorError("There are too few records to train on.", action="Give at least some hundred records.")
    if all(store.entities for store in stores):
        return _with_labels(profile, stores, options, progress)
    before = None if options.afresh else comparable(options.start, profile)
    if before is not None:
        return _from_before(profile, stores, before, options, progress)
    return _without_labels(profile, stores, _tokens(profile, stores, options), options, progress)


def _with_labels(profile: str, stores: Sequence[Store], options: Options, progress: Progress) -> Released:
    """Learns from all labels, and where there is an aim chooses the threshold of a match that reaches it."""
    neutral, data, learned = _learned(profile, stores, options, progress)
    how: Mapping[str, Any] = _LABELLED
    if learned.matches < data.matching.sum():
        drawn = {"of_these_learned_from": learned.matches}
        progress(f"of the pairs that match {learned.matches} are learned from: {MATCHES_A_RECORD} a record, drawn")
        how = {**how, **drawn}
    if options.aim is not None:
        whole = read_trained(profile, neutral, learned.weights, reached=False)

        def of_a_part(parts: Sequence[Store]) -> MatchModel:
            within, _, said = _learned(profile, parts, options, lambda _: None)
            return read_trained(profile, within, said.weights, reached=False)

        progress(f"choosing a threshold: weights learned from each two of {PARTS} parts are held against the third")
        choice = choose(of_a_part, stores, options.aim, whole, learned.matches)
        progress(choice.words)
        profile = with_threshold(profile, whole.thresholds, choice.chosen.threshold)
        how = {**how, "thresholds": choice.document()}
    return _release(profile, neutral, learned.weights, data, stores, how, learned.unmet, options.start, progress)


def _learned(
    profile: str, stores: Sequence[Store], options: Options, progress: Progress
) -> tuple[MatchModel, Known, Learned]:
    tokens, entities = _tokens(profile, stores, options), [list(store.entities) for store in stores]
    tables = _tables(profile, _representatives(stores, entities), tokens, options)
    neutral = profile_model(profile, tokens, tables)
    data = _data(neutral, stores, _prepared(neutral, stores), entities)
    _say(progress, data)
    return neutral, data, learn(profile, neutral, data, options.shrinkage)


def _without_labels(
    profile: str, stores: Sequence[Store], tokens: Sequence[str], options: Options, progress: Progress
) -> Released:
    """Starts from what experts expect, and learns in rounds what the entities found so far say of the levels."""
    tables = _tables(profile, [store.to_count for store in stores], tokens, options)
    model = cold_start(profile_model(profile, tokens, tables))
    wholes = _prepared(model, stores)
    held: NDArray[np.bool_] | None = None
    u: Shares | None = None
    for number in range(_ROUNDS):
        entities = _entities(model, wholes)
        data = _data(model, stores, wholes, entities)
        if held is not None and (held != data.matching).sum() <= _enough(int(held.sum()), stores):
            break
        held = data.matching
        _say(progress, data)
        neutral = profile_model(profile, tokens, _tables(profile, _representatives(stores, entities), tokens, options))
        u = _damped(u, level_shares(neutral, data.pairs.chosen(~data.matching)))
        estimates = maximise(neutral, data.pairs, u)
        progress(f"round {number + 1}: a share of {2**estimates.prior / (1 + 2**estimates.prior):.3f} matches")
        found = weights_of(neutral, u, settle(neutral, estimates), estimates.prior)
        missing = unmet(neutral, estimates)
        model = read_trained(profile, neutral, found)
    return _release(profile, neutral, found, data, stores, _MAXIMISED, missing, options.start, progress)


def _from_before(
    profile: str, stores: Sequence[Store], before: MatchModel, options: Options, progress: Progress
) -> Released:
    """One step away from the weights before: see `matching.training.adapting`. A second would take the labels of the
    first for news."""
    tokens = _tokens(profile, stores, options)
    if before.domain == "customer" and options.common is None:
        tokens = words_kept(before, stores, options.common_share)
    bits = bits_of(before)
    counted = _tables(profile, [store.to_count for store in stores], tokens, options)
    neutral = profile_model(profile, tokens, counted)
    model = read_trained(profile, neutral, weights_of(neutral, shares_of(before), bits, before.prior))
    wholes = _prepared(model, stores)
    entities = _entities(model, wholes)
    data = _data(model, stores, wholes, entities)
    _say(progress, data)
    if counted:
        counted = _tables(profile, _representatives(stores, entities), tokens, options)
        neutral = profile_model(profile, tokens, counted)
    apart = data.pairs.chosen(~data.matching)
    u = level_shares(neutral, apart) if len(apart) else shares_of(before)
    model = read_trained(profile, neutral, weights_of(neutral, u, bits, before.prior))
    pairs = data.pairs.records, data.pairs.left, data.pairs.right
    scores = score_features(model, *pairs)
    sure = believed(scores.weight, data.matching)
    least, most = prior_within(len(sure))
    fitted = fit(
        neutral.comparisons,
        Sample(scores.levels, sure, rarity_of(model, data.pairs, scores.levels)),
        bits,
        shrinkage(float(sure.sum())),
        (min(least, before.prior), max(most, before.prior)),
    )
    progress(f"starts from {before.fingerprint}, by whose weights {sure.sum():.0f} of the pairs match")
    found = weights_of(neutral, u, fitted.weights, fitted.prior)
    how = {**_ADAPTED, "started_from": before.fingerprint}
    return _release(profile, neutral, found, data, stores, how, [], options.start, progress)


def _enough(held: int, stores: Sequence[Store]) -> float:
    """How many pairs may change sides in the round that is the last.

    Of a sample, half the standard deviation of their number too: another sample would differ by more than that.
    """
    sampled = any(store.seeds is not None for store in stores)
    return max(_NEARLY * held, 0.5 * held**0.5 if sampled else 0.0)


def _damped(before: Shares | None, now: Shares) -> Shares:
    """Half way from the round before, so that rounds settle instead of swinging to and fro."""
    if before is None:
        return now
    middle = [np.sqrt(one * other) for one, other in zip(before, now, strict=True)]
    return tuple(shares / shares.sum() for shares in middle)


def _say(progress: Progress, data: Known) -> None:
    held = int(data.matching.sum())
    progress(f"{len(data.pairs.records)} records, {len(data.pairs)} candidate pairs, {held} held to match")
    if 0 < len(data.pairs) < _LEAST_PAIRS:
        raise OperatorError(
            f"There are only {len(data.pairs)} pairs of records that share a blocking key: too few to learn from.",
            action=f"Give more records, of which some describe the same: from fewer than {_LEAST_PAIRS} such pairs a "
            "model would be a guess. See also that the mapping fills the columns that the blocking rules name.",
        )
    if not len(data.pairs):
        raise OperatorError(
            "No two records share a blocking key, so there is nothing to learn from.",
            action="See that the mapping fills the columns that the blocking rules of the profile name, and give more "
            "records.",
        )


def _tokens(profile: str, stores: Sequence[Store], options: Options) -> Sequence[str]:
    if read_profile(profile)["domain"] != "customer":
        return []
    if options.common is not None:
        return sorted(options.common)
    return common_tokens([store.to_count for store in stores], options.common_share)


def _tables(profile: str, stores: Sequence[Store], tokens: Sequence[str], options: Options) -> Tables:
    """Frequencies of the columns that the profile names, over records of which each stands for an entity."""
    document = read_profile(profile)
    wanted, given = document.get("frequencies", {}), options.tables or {}
    if not wanted.keys() - given.keys():
        return {column: given[column] for column in wanted}
    domain, common = str(document["domain"]), frozenset(tokens)
    records = [derive(domain, comparison, common) for store in stores for comparison in store.comparisons]
    tables = {column: given[column] for column in wanted if column in given}
    for column, at_least in wanted.items():
        if column not in given:
            values = (value for record in records for value in texts(record, column))
            least = whole_in(at_least, f"{domain}.frequencies.{column}")
            tables[str(column)] = count_values(str(column), values, least)
    return tables


def _prepared(model: MatchModel, stores: Sequence[Store]) -> list[Whole]:
    """The stores as every model of this training reads them: they differ in weights only."""
    return [prepare(model, store.comparisons, store.pairs) for store in stores]


def _entities(model: MatchModel, wholes: Sequence[Whole]) -> list[list[str]]:
    """The entity of every record as the model finds them."""
    result = []
    for whole in wholes:
        names = [""] * len(whole.records)
        for group in resolve_prepared(model, whole).clustering.groups:
            for number in group:
                names[number] = str(min(group))
        result.append(names)
    return result


def _representatives(stores: Sequence[Store], entities: Sequence[Sequence[str]]) -> list[Store]:
    """One record per entity and store: the one that says most, ties by position. Of a sample what it counts in."""
    result = []
    for store, names in zip(stores, entities, strict=True):
        if store.counted is not None:
            result.append(store.to_count)
            continue
        best: dict[str, int] = {}
        for number, name in enumerate(names):
            held = best.get(name)
            if held is None or len(store.comparisons[number]) > len(store.comparisons[held]):
                best[name] = number
        result.append(Store([store.comparisons[number] for number in sorted(best.values())]))
    return result


def _data(
    model: MatchModel, stores: Sequence[Store], wholes: Sequence[Whole], entities: Sequence[Sequence[str]]
) -> Known:
    features: list[Features] = []
    pairs: list[NDArray[np.intp]] = []
    labels: list[str] = []
    for number, (store, whole, names) in enumerate(zip(stores, wholes, entities, strict=True)):
        pairs.append(_learned_from(store, whole.open_pairs) + len(features))
        features.extend(whole.features)
        labels.extend(f"{number}:{entity}" for entity in names)
    _check_kinds(model, features)
    left, right = np.concatenate(pairs, axis=1)
    return Known(PairSet(features, left, right), np.array(labels))


def _learned_from(store: Store, pairs: Candidates) -> Candidates:
    """Of a sample the pairs with a seed: which of the others are there says something about seeds, not about pairs."""
    if store.seeds is None:
        return pairs
    seed = np.zeros(len(store.comparisons), dtype=np.bool_)
    seed[list(store.seeds)] = True
    found: Candidates = pairs[:, seed[pairs[0]] | seed[pairs[1]]]
    return found


#: What a column of each kind holds.
_SHAPES: Mapping[Kind, type | tuple[type, ...]] = {Kind.TEXT: str, Kind.LIST: (list, tuple), Kind.NUMBER: (int, float)}


def _check_kinds(model: MatchModel, records: Sequence[Features]) -> None:
    for number, record in enumerate(records, start=1):
        for column, value in record.items():
            kind = model.kinds.get(column)
            if kind is not None and not isinstance(value, _SHAPES[kind]):
                raise OperatorError(
                    f"Record {number} gives {value!r} for {column!r}, which is no {kind}.",
                    action="Correct the records: texts, lists of texts and numbers, as the profile declares them.",
                )


def _release(
    profile: str,
    neutral: MatchModel,
    found: dict[str, Any],
    data: Known,
    stores: Sequence[Store],
    how: Mapping[str, Any],
    missing: Sequence[str],
    start: MatchModel | None,
    progress: Progress,
) -> Released:
    """The documents, after the check that the scorer says what Splink says."""
    if missing:
        progress(f"met by no pair, so weighed as what stands beside them: {'; '.join(missing)}")
    if data.matching.sum() < _FEW and "started_from" not in how:
        progress(
            f"only {data.matching.sum()} pairs are held to match: give more records, or take these weights for a guess"
        )
    document, tables = trained_document(profile, neutral, found), tables_text(neutral.frequencies)
    model = read_trained(profile, neutral, found)
    seen = data.pairs.at_most(_PARITY_PAIRS)
    sample = together(seen, reaching(model, seen.records).pairs)
    parity = check_parity(model, sample.records, sample.left, sample.right)
    progress(f"parity with Splink over {parity.pairs} pairs: {parity.weight:.1e} bits")
    if not parity.holds:
        raise ConfigurationInvalid(
            f"{model.domain}: the scorer differs from Splink by {max(parity.weight, parity.contribution):.3g} bits.",
            action="Report this with the profile; the model was not written.",
        )
    records = [comparison for store in stores for comparison in store.comparisons]
    beside = comparable(start, profile)
    differs = None if beside is None else disagreement(beside, model, records, data.pairs)
    document["provenance"] = {
        **how,
        "records": len(data.pairs.records),
        "stores": len(stores),
        "candidate_pairs": len(data.pairs),
        "matching_pairs": int(data.matching.sum()),
        **({"unmet": list(missing)} if missing else {}),
        **({} if differs is None else {"compared_with": differs.document()}),
        **drawn_from(stores),
        "seed": SEED,
        "data": fingerprint_of(stores),
        "versions": {name: version(name) for name in _VERSIONED},
        "parity": asdict(parity),
    }
    document[CHECKSUM] = checksum_of(document)
    return Released(profile, json.dumps(document, indent=1) + "\n", tables, parity, differs)
