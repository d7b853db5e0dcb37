"""A released matching model: what is compared, what each outcome weighs, and what may never be joined.

A model is two or three documents in one folder: `<domain>.yaml`, written by people (comparisons and their ordered
levels, blocking rules, vetoes, thresholds), `<domain>.weights.json`, written by training (m and u of every level, the
prior, and where they come from), and, where comparisons read them, the tables `<domain>.frequencies.json`. The
fingerprint covers all. Weights name the comparisons and tables that they were trained for, and fit no others.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from matching.conditions import Condition, Uses
from matching.documents import (
    CHECKSUM,
    FEATURES_VERSION,
    check_fit,
    check_unchanged,
    check_weighed,
    comparisons_fingerprint,
    labels_of,
    number_in,
    read_json,
    read_mapping,
    read_profile,
    text_of,
    texts_in,
    whole_in,
)
from matching.features import COLUMNS, DISTINCT_IN, KEY_COLUMNS, Kind
from matching.features.values import kinds
from matching.frequencies import Frequencies, dump_frequencies, fingerprint_of, read_frequencies
from matching.parsing import Tables, parse_condition
from matching.profile_check import (
    MOST_BITS,
    check_columns,
    check_limits,
    check_reach,
    check_weights,
    refuse_unknown_keys,
    refuse_unknown_weights,
)
from matching.proof import check_proven
from matching.vetoes import SAME_SOURCE, Veto, read_veto
from mdm.errors import ConfigurationInvalid
from mdm.model.blocks import HALVINGS, halved


@dataclass(frozen=True, slots=True)
class TermFrequency:
    """A level weighs more when the value that both share is rare, and less when it is frequent.

    Added to the level's weight: `weight` times log2(u_exact / share of the value), the share being at least `minimum`
    and u_exact the u of the level that says the values are equal. A value that was never counted adds nothing.
    """

    table: Frequencies
    weight: float
    minimum: float
    u_exact: float


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison. `weight` is log2(m / u) in bits; `condition` is None for the last level.

    `expected` is what an expert expects it to weigh: where training saw too little, its result stays near that; None
    when no expert said.
    """

    label: str
    condition: Condition | None
    m: float
    u: float
    weight: float
    expected: float | None
    term_frequency: TermFrequency | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ordered levels; the first that is true counts. Level 0 is "unknown": weight 0.

    No level may weigh less than `worst` or more than `best`: how much a difference in this may ever speak against a
    match, and agreement for one, whatever the training data say.
    """

    name: str
    unknown: Condition
    levels: tuple[Level, ...]
    worst: float
    best: float

    @property
    def adjusted(self) -> bool:
        """Whether any level's weight depends on how rare the shared value is."""
        return any(level.term_frequency is not None for level in self.levels)


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Records are candidates when they share a value of each of these columns. `limit` bounds keys per record.

    A rule that `refines` another looks at the same and more: where the other's blocks outgrow the cap, this one's do
    the work. Its keys are always computed, so nothing has to be caught up with when that happens.

    The cap of a coarse rule is that of the model, halved so many times: what it finds beyond that is mostly others of a
    common name, of whom nothing tells which is which, and whom finer rules find where something does.
    """

    name: str
    columns: tuple[str, ...]
    limit: int
    refines: str | None = None
    halvings: int = 0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Match weights in bits: from `match` on records are joined, from `possible` on a person is asked.

    `groups` is what joining two groups of two or more records needs, on average over the pairs between them; `attach`
    is the same for a single record and a group. One strong pair is not enough to melt two entities. In sets too large
    to score every pair, a pair that is no link counts as `absent`. What fits two groups that cannot be one, the second
    at most `rival` bits worse, is joined to neither (None: it is joined to the better). From `sure` bits on average on
    these two cannot be one only where something they state, or a rule, says so; below, also where they agree too little
    (None: always).
    """

    match: float
    possible: float
    groups: float
    attach: float
    absent: float
    rival: float | None = None
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class CannotLink:
    """Columns whose values identify: a group may not hold two that clearly differ unless another one agrees."""

    identifiers: tuple[str, ...] = ()
    parents: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
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
    #: More records than this that links connect are not looked at as one set; see `matching.bounding`.
    reach_cap: int
    fingerprint: str
    provenance: Mapping[str, Any]
    #: Name tokens too frequent to tell one company or product from another.
    common_tokens: frozenset[str] = field(default=frozenset())
    #: Columns that records of the domain have, and further ones that only blocking reads.
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    key_kinds: Mapping[str, Kind] = field(default_factory=dict)
    frequencies: Tables = field(default_factory=dict)
    #: What it was read from: profile, weights, frequencies.
    texts: tuple[str, str, str | None] = field(default=("", "", None), compare=False, repr=False)

    @property
    def refined_rules(self) -> frozenset[str]:
        """Names of rules that another rule refines."""
        return frozenset(rule.refines for rule in (*self.blocking, *self.dynamic) if rule.refines is not None)

    @property
    def coarse_rules(self) -> Mapping[str, int]:
        """How often the cap is halved for blocks of each rule that has one of its own."""
        return {rule.name: rule.halvings for rule in (*self.blocking, *self.dynamic) if rule.halvings}

    def cap_of(self, rule: BlockingRule) -> int:
        """How many records a block of this rule may have to pair them."""
        return halved(self.block_cap, rule.halvings)

    def columns(self) -> Uses:
        """Every column that comparisons and vetoes read, with the kind it must have."""
        conditions = [comparison.unknown for comparison in self.comparisons]
        for comparison in self.comparisons:
            conditions.extend(level.condition for level in comparison.levels if level.condition is not None)
        conditions.extend(veto.condition for veto in self.vetoes)
        uses = {use for condition in conditions for use in condition.columns()}
        return frozenset(uses)


@cache
def load_model(domain: str, folder: Traversable | None = None) -> MatchModel:
    """The model of a domain: the one in `folder`, else the one that ships.

    Raises ConfigurationInvalid naming the document and the place; also where nothing proves that its weights are what
    Splink says (`matching.proof`).
    """
    places = [folder] if folder is not None else []
    for place in (*places, files("matching") / "models"):
        profile, weights, tables = (
            place / f"{domain}.{ending}" for ending in ("yaml", "weights.json", "frequencies.json")
        )
        if profile.is_file() and weights.is_file():
            model = read_model(text_of(profile), text_of(weights), text_of(tables) if tables.is_file() else None)
            check_proven(model)
            return model
        if profile.is_file() or weights.is_file():
            # The model that ships must not decide in the place of one that somebody meant to use.
            raise ConfigurationInvalid(
                f"{place} has only half of a matching model for {domain!r}.",
                action=f"Put {profile.name} and {weights.name} of one release there, or remove both.",
            )
    raise ConfigurationInvalid(
        f"No matching model for {domain!r}.",
        action="Use customer, contract or product, or train a model of your own: mdm match train --help.",
    )


def read_model(
    profile_text: str, weights_text: str, frequencies_text: str | None = None, *, reached: bool = True
) -> MatchModel:
    """A model from the text of its documents, checked: known columns, every level weighed, no weight that is extreme
    or beyond what its comparison allows, thresholds where weights of pairs are (unless not `reached`: who chooses the
    thresholds yet), weights trained for these comparisons and these tables."""
    model = _read(profile_text, weights_text, frequencies_text)
    check_weights(model)
    if reached:
        check_reach(model)
    return model


def _read(profile_text: str, weights_text: str, frequencies_text: str | None) -> MatchModel:
    profile, weights = read_profile(profile_text), read_mapping("weights", read_json, weights_text)
    tables = read_frequencies(frequencies_text) if frequencies_text is not None else {}
    domain = str(profile.get("domain"))
    check_fit(domain, profile, weights, tables)
    check_unchanged(domain, weights)
    try:
        refuse_unknown_keys(domain, profile)
        refuse_unknown_weights(domain, weights)
        model = _build(domain, profile, weights, tables)
        check_weighed(domain, profile, weights["comparisons"])
    except KeyError as error:
        raise ConfigurationInvalid(f"{domain}: the model document lacks {error}.") from error
    except (IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ConfigurationInvalid(f"{domain}: the model document has a value that cannot be: {error}.") from error
    check_columns(model)
    check_limits(model)
    if weights.get("comparisons_fingerprint") != comparisons_fingerprint(profile):
        raise ConfigurationInvalid(
            f"{domain}: the weights were trained for other comparisons than the profile has now.",
            action="Train the model again, or restore the profile of the same release.",
        )
    return replace(model, texts=(profile_text, weights_text, frequencies_text))


def profile_model(profile_text: str, common_tokens: Iterable[str], frequencies: Tables | None = None) -> MatchModel:
    """A model without evidence: every level weighs nothing. What training starts from."""
    profile = read_profile(profile_text)
    tables = frequencies or {}
    neutral = {"m": 0.5, "u": 0.5}
    try:
        comparisons = {item["name"]: dict.fromkeys(labels_of(item), neutral) for item in profile["comparisons"]}
        fingerprint = comparisons_fingerprint(profile)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationInvalid(f"{profile['domain']}: the profile lacks or misuses {error}.") from error
    weights = {
        "domain": profile["domain"],
        "features": FEATURES_VERSION,
        "prior": 0.0,
        "common_tokens": sorted(common_tokens),
        "comparisons": comparisons,
        "comparisons_fingerprint": fingerprint,
        "frequencies": fingerprint_of(tables) if tables else None,
    }
    # Not `read_model`: to weigh nothing is no offence against a `worst` above 0 or a `best` below it.
    return _read(profile_text, json.dumps(weights), dump_frequencies(tables) if tables else None)


def _build(domain: str, profile: Mapping[str, Any], weights: Mapping[str, Any], tables: Tables) -> MatchModel:
    meant = {key: value for key, value in weights.items() if key != CHECKSUM}
    canonical = json.dumps([profile, meant], sort_keys=True, separators=(",", ":"), default=str)
    return MatchModel(
        domain=domain,
        prior=_finite(weights["prior"], f"{domain}.prior"),
        comparisons=tuple(
            _comparison(domain, item, weights["comparisons"].get(item["name"], {}), tables)
            for item in profile["comparisons"]
        ),
        vetoes=(SAME_SOURCE, *(read_veto(domain, item, tables) for item in profile.get("vetoes", ()))),
        blocking=_rules(profile["blocking"]),
        dynamic=_rules(profile.get("dynamic_blocking", ())),
        thresholds=Thresholds(
            **{key: number_in(bits, f"{domain}.thresholds.{key}") for key, bits in profile["thresholds"].items()}
        ),
        cannot_link=_cannot_link(profile.get("cannot_link", {})),
        block_cap=whole_in(profile.get("block_cap", 100), f"{domain}.block_cap"),
        reach_cap=whole_in(profile.get("reach_cap", 1000), f"{domain}.reach_cap"),
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest()[:16],
        provenance=dict(weights.get("provenance", {})),
        common_tokens=frozenset(texts_in(weights.get("common_tokens", []), f"{domain}.common_tokens")),
        kinds={
            **(COLUMNS[domain] if domain in COLUMNS else declared_columns(profile["columns"])),
            DISTINCT_IN: Kind.TEXT,
        },
        key_kinds=KEY_COLUMNS.get(domain, {}),
        frequencies=tables,
    )


def _rules(items: Any) -> tuple[BlockingRule, ...]:
    rules = tuple(
        BlockingRule(
            str(item["rule"]),
            tuple(str(name) for name in item["columns"]),
            whole_in(item.get("limit", 24), f"blocking rule {item['rule']!r}.limit"),
            item.get("refines"),
            _halvings(str(item["rule"]), item.get("halved", 0)),
        )
        for item in items
    )
    names = {rule.name for rule in rules}
    for rule in rules:
        if rule.refines is not None and rule.refines not in names - {rule.name}:
            raise ConfigurationInvalid(f"Blocking rule {rule.name!r} refines {rule.refines!r}, which is no other rule.")
    return rules


def _halvings(rule: str, times: Any) -> int:
    """How often the model's cap is halved to be that of a rule."""
    number = number_in(times, f"blocking rule {rule!r}.halved")
    if number not in range(HALVINGS + 1):
        raise ConfigurationInvalid(
            f"Blocking rule {rule!r}.halved: block_cap cannot be halved {number:g} times.",
            action=f"Set it to {HALVINGS} or less, or leave it out: then the rule's cap is block_cap.",
        )
    return int(number)


def _cannot_link(item: Mapping[str, Any]) -> CannotLink:
    parents = item.get("parents")
    identifiers = texts_in(item.get("identifiers", []), "cannot_link.identifiers")
    return CannotLink(tuple(identifiers), (parents[0], parents[1]) if parents else None)


def declared_columns(columns: Mapping[str, Any]) -> Mapping[str, Kind]:
    """What the `columns` of a profile declare."""
    return kinds(
        texts=str(columns.get("texts", "")),
        lists=str(columns.get("lists", "")),
        numbers=str(columns.get("numbers", "")),
    )


def _comparison(domain: str, item: Mapping[str, Any], weights: Mapping[str, Any], tables: Tables) -> Comparison:
    name = str(item["name"])
    where = f"{domain}.comparisons.{name}"
    last = item["otherwise"]
    items = [*item["levels"], last if isinstance(last, Mapping) else {"label": last}]
    levels: list[Level] = []
    for number, level in enumerate(items, start=1):
        levels.append(_level(level, number < len(items), weights, where, tables, levels))
    if len({level.label for level in levels}) != len(levels):
        raise ConfigurationInvalid(f"{where}: two levels have the same label.")
    unknown = parse_condition(item["unknown"], f"{where}.unknown", tables)
    worst, best = (
        number_in(item.get(key, limit), f"{where}.{key}") for key, limit in (("worst", -MOST_BITS), ("best", MOST_BITS))
    )
    if not worst <= best:
        raise ConfigurationInvalid(f"{where}: worst is {worst:g} bits and best is {best:g}.")
    return Comparison(name, unknown, tuple(levels), worst, best)


def _level(
    item: Mapping[str, Any],
    conditional: bool,
    weights: Mapping[str, Any],
    where: str,
    tables: Tables,
    better: Iterable[Level],
) -> Level:
    label = str(item["label"])
    if label not in weights:
        raise ConfigurationInvalid(
            f"{where}: level {label!r} has no weight.",
            action="Train the model again, or restore the profile of the same release.",
        )
    m, u = (number_in(weights[label][name], f"{where}.{label}.{name}") for name in ("m", "u"))
    if not (0 < m <= 1 and 0 < u <= 1):
        raise ConfigurationInvalid(f"{where}: m and u of {label!r} must be probabilities above 0.")
    return Level(
        label,
        parse_condition(item["when"], f"{where}.{label}", tables) if conditional else None,
        m,
        u,
        _finite(math.log2(m / u), f"{where}.{label}"),
        _finite(item["expected"], f"{where}.{label}.expected") if "expected" in item else None,
        _term_frequency(item, u, f"{where}.{label}", tables, better) if "term_frequency" in item else None,
    )


def _term_frequency(
    item: Mapping[str, Any], u: float, where: str, tables: Tables, better: Iterable[Level]
) -> TermFrequency:
    wanted = item["term_frequency"]
    column = str(wanted["column"])
    if column not in tables:
        raise ConfigurationInvalid(f"{where}: the model has no frequencies of {column!r}.")
    exact = {"equal": column}
    if item["when"] == exact:
        u_exact = u
    else:
        same = parse_condition(exact, where)
        u_exact = next((level.u for level in better if level.condition == same), 0.0)
        if not u_exact:
            raise ConfigurationInvalid(f"{where}: no level before it says that {column!r} is equal.")
    weight, minimum = (
        number_in(wanted.get(key, usual), f"{where}.term_frequency.{key}")
        for key, usual in (("weight", 1.0), ("minimum", 0.0))
    )
    return TermFrequency(tables[column], weight, minimum, u_exact)


def _finite(value: Any, where: str) -> float:
    number = number_in(value, where)
    if not math.isfinite(number) or abs(number) > MOST_BITS:
        raise ConfigurationInvalid(f"{where}: {number} bits is not a weight that data can support.")
    return number
