"""A released matching model: what is compared, what each outcome weighs, and what may never be joined.

A model is two documents beside this file: `<domain>.yaml`, written by people (columns, comparisons and their ordered
levels, blocking rules, vetoes, thresholds), and `<domain>.weights.json`, written by training (m and u of every level,
the prior, token frequencies, and where they come from). The fingerprint covers both.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from matching.conditions import Condition, Uses
from matching.features import COLUMNS, KEY_COLUMNS
from matching.parsing import parse_condition
from mdm.errors import ConfigurationInvalid

#: The version of the derived columns that this code computes; a model trained on others is refused.
FEATURES_VERSION = 1


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison. `weight` is log2(m / u) in bits; `condition` is None for the last level.

    `expected` is what an expert expects it to weigh: where training saw too little, its result stays near that.
    """

    label: str
    condition: Condition | None
    m: float
    u: float
    weight: float
    expected: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ordered levels; the first that is true counts. Level 0 is "unknown": weight 0.

    No level may weigh less than `worst`: how much a difference in this may ever speak against a match, whatever the
    training data say.
    """

    name: str
    unknown: Condition
    levels: tuple[Level, ...]
    worst: float


class Effect(StrEnum):
    """What a veto does to a pair: `forbid` parts it, `review` demotes an automatic match to a question."""

    FORBID = "forbid"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Veto:
    """A reason why a pair may not be joined automatically, whatever its weight."""

    name: str
    condition: Condition
    effect: Effect
    reason: str


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Records are candidates when they share a value of each of these columns. `limit` bounds keys per record."""

    name: str
    columns: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Match weights in bits: from `match` on records are joined, from `possible` on a person is asked.

    `groups` is what joining two groups of two or more records needs, on average over the pairs between them; `attach`
    is the same for a single record and a group. One strong pair is not enough to melt two entities. In sets too large
    to score every pair, a pair that is no link counts as `absent`. What fits two groups that cannot be one, the second
    at most `rival` bits worse, is joined to neither (None: it is joined to the better).
    """

    match: float
    possible: float
    groups: float
    attach: float
    absent: float
    rival: float | None = None


@dataclass(frozen=True, slots=True)
class CannotLink:
    """Columns whose values identify: a group may not hold two that clearly differ unless another one agrees."""

    identifiers: tuple[str, ...] = ()
    parents: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class MatchModel:
    """Everything that scoring, blocking, deciding and clustering of one domain depend on."""

    domain: str
    prior: float
    comparisons: tuple[Comparison, ...]
    vetoes: tuple[Veto, ...]
    blocking: tuple[BlockingRule, ...]
    dynamic: tuple[BlockingRule, ...]
    thresholds: Thresholds
    cannot_link: CannotLink
    block_cap: int
    fingerprint: str
    provenance: str
    #: Name tokens too frequent to tell one company or product from another.
    common_tokens: frozenset[str] = field(default=frozenset())

    def columns(self) -> Uses:
        """Every column that comparisons and vetoes read, with the kind it must have."""
        conditions = [comparison.unknown for comparison in self.comparisons]
        for comparison in self.comparisons:
            conditions.extend(level.condition for level in comparison.levels if level.condition is not None)
        conditions.extend(veto.condition for veto in self.vetoes)
        uses = {use for condition in conditions for use in condition.columns()}
        return frozenset(uses)


# A weight beyond this cannot come from data: a level was never seen on one side and not smoothed.
_MAX_WEIGHT_BITS = 40.0


@cache
def load_model(domain: str) -> MatchModel:
    """The model that ships for a domain. Raises ConfigurationInvalid naming the document and the place."""
    folder = files("matching") / "models"
    profile = folder / f"{domain}.yaml"
    weights = folder / f"{domain}.weights.json"
    if not (profile.is_file() and weights.is_file()):
        raise ConfigurationInvalid(f"No matching model for {domain!r}.", action="Use customer, contract or product.")
    return read_model(profile.read_text("utf-8"), weights.read_text("utf-8"))


def read_model(profile_text: str, weights_text: str) -> MatchModel:
    """A model from the text of its two documents, checked: known columns, every level weighed, no extreme weight."""
    try:
        profile, weights = yaml.safe_load(profile_text), json.loads(weights_text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        raise ConfigurationInvalid(f"A matching model cannot be read: {error}") from error
    domain = str(profile.get("domain"))
    if domain not in COLUMNS:
        raise ConfigurationInvalid(f"Model: unknown domain {domain!r}.")
    if weights.get("domain") != domain or weights.get("features") != FEATURES_VERSION:
        raise ConfigurationInvalid(
            f"{domain}: the weights are for domain {weights.get('domain')} and columns of version "
            f"{weights.get('features')}, the code has version {FEATURES_VERSION}. Train the model again."
        )
    try:
        model = _build(domain, profile, weights)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationInvalid(f"{domain}: the model document lacks or misuses {error}.") from error
    for column, kind in sorted(model.columns(), key=str):
        if column not in COLUMNS[domain] or kind not in (None, COLUMNS[domain][column]):
            raise ConfigurationInvalid(
                f"{domain}: there is no column {column!r}{f' that is a {kind}' if kind else ''}."
            )
    for rule in (*model.blocking, *model.dynamic):
        for column in set(rule.columns) - COLUMNS[domain].keys() - KEY_COLUMNS[domain].keys():
            raise ConfigurationInvalid(f"{domain}: blocking rule {rule.name!r} names no column: {column!r}.")
    return model


def profile_model(profile_text: str, common_tokens: Iterable[str]) -> MatchModel:
    """A model without evidence: every level weighs nothing. What training starts from."""
    profile = yaml.safe_load(profile_text)
    neutral = {"m": 0.5, "u": 0.5}
    weights = {
        "domain": profile["domain"],
        "features": FEATURES_VERSION,
        "prior": 0.0,
        "common_tokens": sorted(common_tokens),
        "comparisons": {item["name"]: dict.fromkeys(_labels(item), neutral) for item in profile["comparisons"]},
    }
    return read_model(profile_text, json.dumps(weights))


def _labels(item: Mapping[str, Any]) -> list[str]:
    last = item["otherwise"]
    return [*(level["label"] for level in item["levels"]), last["label"] if isinstance(last, Mapping) else last]


def _build(domain: str, profile: Mapping[str, Any], weights: Mapping[str, Any]) -> MatchModel:
    canonical = json.dumps([profile, weights], sort_keys=True, separators=(",", ":"), default=str)
    return MatchModel(
        domain=domain,
        prior=_finite(weights["prior"], f"{domain}.prior"),
        comparisons=tuple(
            _comparison(domain, item, weights["comparisons"].get(item["name"], {})) for item in profile["comparisons"]
        ),
        vetoes=tuple(
            Veto(
                str(item["name"]),
                parse_condition(item["when"], f"{domain}.vetoes.{item['name']}"),
                Effect(item["effect"]),
                str(item["reason"]),
            )
            for item in profile.get("vetoes", ())
        ),
        blocking=_rules(profile["blocking"]),
        dynamic=_rules(profile.get("dynamic_blocking", ())),
        thresholds=Thresholds(**{key: float(value) for key, value in profile["thresholds"].items()}),
        cannot_link=_cannot_link(profile.get("cannot_link", {})),
        block_cap=int(profile.get("block_cap", 100)),
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest()[:16],
        provenance=str(weights.get("provenance", "")),
        common_tokens=frozenset(weights.get("common_tokens", ())),
    )


def _rules(items: Any) -> tuple[BlockingRule, ...]:
    return tuple(
        BlockingRule(str(item["rule"]), tuple(str(name) for name in item["columns"]), int(item.get("limit", 24)))
        for item in items
    )


def _cannot_link(item: Mapping[str, Any]) -> CannotLink:
    parents = item.get("parents")
    return CannotLink(tuple(item.get("identifiers", ())), (parents[0], parents[1]) if parents else None)


def _comparison(domain: str, item: Mapping[str, Any], weights: Mapping[str, Any]) -> Comparison:
    name = str(item["name"])
    where = f"{domain}.comparisons.{name}"
    last = item["otherwise"]
    items = [*item["levels"], last if isinstance(last, Mapping) else {"label": last}]
    levels = tuple(_level(level, number < len(items), weights, where) for number, level in enumerate(items, start=1))
    if len({level.label for level in levels}) != len(levels):
        raise ConfigurationInvalid(f"{where}: two levels have the same label.")
    unknown = parse_condition(item["unknown"], f"{where}.unknown")
    return Comparison(name, unknown, levels, float(item.get("worst", -_MAX_WEIGHT_BITS)))


def _level(item: Mapping[str, Any], conditional: bool, weights: Mapping[str, Any], where: str) -> Level:
    label = str(item["label"])
    if label not in weights:
        raise ConfigurationInvalid(f"{where}: level {label!r} has no weight. Train the model again.")
    m, u = float(weights[label]["m"]), float(weights[label]["u"])
    if not (0 < m <= 1 and 0 < u <= 1):
        raise ConfigurationInvalid(f"{where}: m and u of {label!r} must be probabilities above 0.")
    condition = parse_condition(item["when"], f"{where}.{label}") if conditional else None
    weight = _finite(math.log2(m / u), f"{where}.{label}")
    return Level(label, condition, m, u, weight, float(item.get("expected", 0.0)))


def _finite(value: Any, where: str) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > _MAX_WEIGHT_BITS:
        raise ConfigurationInvalid(f"{where}: {number} bits is not a weight that data can support.")
    return number
