"""What a profile may say: a key or column that is misspelt would leave out a veto or a limit without a word."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mdm.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from matching.model import Level, MatchModel

# `shared` holds anchors that other places of the document repeat; nothing reads it by itself.
_PROFILE = """domain columns frequencies shared block_cap reach_cap thresholds blocking dynamic_blocking vetoes
              cannot_link comparisons"""
_COLUMNS = "texts lists numbers"
_THRESHOLDS = "match possible groups attach absent rival sure"
_RULE = "rule columns limit refines halved"
_VETO = "name when effect reason"
_CANNOT_LINK = "identifiers parents"
_COMPARISON = "name worst best unknown levels otherwise"
_LEVEL = "label expected when term_frequency"
_LAST = "label expected"
_TERM_FREQUENCY = "column weight minimum"
_WEIGHTS = "domain features comparisons_fingerprint frequencies provenance common_tokens prior comparisons checksum"
_WEIGHED = "m u"
#: A weight or prior beyond this cannot come from data: m and u are measured on 40,000 pairs at most, and a level that
#: none of them meets counts as half a pair, which is 17 bits.
MOST_BITS = 20.0


def refuse_unknown_keys(domain: str, profile: Mapping[str, Any]) -> None:
    """Raises ConfigurationInvalid naming the key, its place and what there is."""
    _refuse_unknown(domain, _sections(profile))


def refuse_unknown_weights(domain: str, weights: Mapping[str, Any]) -> None:
    """The same for the document of weights: its own keys, and those of each level. Provenance may say anything."""
    levels = (
        (("weights", name, label), _WEIGHED, weight)
        for name, labels in weights["comparisons"].items()
        for label, weight in labels.items()
    )
    _refuse_unknown(domain, [(("weights",), _WEIGHTS, weights), *levels])


def _refuse_unknown(domain: str, sections: Iterable[tuple[tuple[str, ...], str, Any]]) -> None:
    for place, known, section in sections:
        allowed = known.split()
        for key in section if isinstance(section, Mapping) else ():
            if key not in allowed:
                where = ".".join((domain, *place))
                raise ConfigurationInvalid(f"{where}: {key!r} is not a known key here; there are {', '.join(allowed)}.")


def _sections(profile: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every mapping of the document with its place and the keys that it may have."""
    yield (), _PROFILE, profile
    yield ("columns",), _COLUMNS, profile.get("columns")
    yield ("thresholds",), _THRESHOLDS, profile["thresholds"]
    yield ("cannot_link",), _CANNOT_LINK, profile.get("cannot_link")
    for key in ("blocking", "dynamic_blocking"):
        for rule in _items(profile.get(key)):
            yield (key, str(rule.get("rule"))), _RULE, rule
    for veto in _items(profile.get("vetoes")):
        yield ("vetoes", str(veto.get("name"))), _VETO, veto
    for comparison in _items(profile["comparisons"]):
        place = ("comparisons", str(comparison.get("name")))
        yield place, _COMPARISON, comparison
        yield (*place, "otherwise"), _LAST, comparison.get("otherwise")
        for level in _items(comparison.get("levels")):
            inside = (*place, str(level.get("label")))
            yield inside, _LEVEL, level
            yield (*inside, "term_frequency"), _TERM_FREQUENCY, level.get("term_frequency")


def _items(sections: Any) -> Iterable[Mapping[str, Any]]:
    return [each for each in sections if isinstance(each, Mapping)] if isinstance(sections, list) else ()


def check_columns(model: "MatchModel") -> None:
    """Whatever a model reads is a column that there is, of the kind that is needed."""
    for column, kind in sorted(model.columns(), key=str):
        if column not in model.kinds or kind not in (None, model.kinds[column]):
            raise ConfigurationInvalid(
                f"{model.domain}: there is no column {column!r}{f' that is a {kind}' if kind else ''}."
            )
    _check_rules(model)
    for column in {*model.cannot_link.identifiers, *(model.cannot_link.parents or ())} - model.kinds.keys():
        raise ConfigurationInvalid(f"{model.domain}.cannot_link: there is no column {column!r}.")


#: Thresholds are sums of weights. Beyond this they are slips of the pen, whatever is compared.
_MOST_BITS = 100.0
#: Levels of a comparison, and vetoes of a model, are counted in a byte.
_MOST_COUNTED = 127
#: Records that share a key are compared each with each: one block of this size makes fifty million pairs.
_MOST_IN_A_BLOCK = 10_000
#: Records that links connect are grouped as one set, in memory and in one piece. Ten times what it is unless said.
_MOST_IN_A_SET = 10_000
#: Keys of one record by one rule: each is stored, and brings up to `block_cap` others to compare it with.
_MOST_KEYS = 1_000


def check_limits(model: "MatchModel") -> None:
    """Thresholds and caps are such that somebody may mean them, and no two vetoes have one name."""
    _check_thresholds(model)
    _check_caps(model)
    counted = {f".comparisons.{each.name}": ("levels", len(each.levels)) for each in model.comparisons}
    for place, (what, many) in {".vetoes": ("vetoes", len(model.vetoes)), **counted}.items():
        if many > _MOST_COUNTED:
            raise ConfigurationInvalid(
                f"{model.domain}{place}: {many} {what} are more than {_MOST_COUNTED}.",
                action="Say several things in one condition (`any`), or leave some out.",
            )
    names = [veto.name for veto in model.vetoes]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigurationInvalid(
            f"{model.domain}.vetoes: two vetoes are named {twice[0]!r}, and what one does would be done for the other.",
            action="Give each veto a name of its own.",
        )


def _check_thresholds(model: "MatchModel") -> None:
    """What can be told of thresholds without weights."""
    for key, bits in asdict(model.thresholds).items():
        if bits is not None and not abs(bits) <= _MOST_BITS:
            raise ConfigurationInvalid(
                f"{model.domain}.thresholds.{key}: {bits:g} is no match weight.",
                action=f"Set it between {-_MOST_BITS:g} and {_MOST_BITS:g} bits.",
            )
    if model.thresholds.possible > model.thresholds.match:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.possible: people would be asked from {model.thresholds.possible:g} bits on, "
            f"but records are joined from {model.thresholds.match:g} on.",
            action="Set `possible` at or below `match`.",
        )
    if (sure := model.thresholds.sure) is not None and sure < model.thresholds.match:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.sure: {sure:g} bits are less than `match` ({model.thresholds.match:g}): every "
            "match would be sure, and records of which little is known would never be rivals.",
            action="Set `sure` to what `match` is, or more, or leave it out: then no match is too sure for rivals.",
        )
    if model.thresholds.absent > 0:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.absent: {model.thresholds.absent:g} bits for a pair that is no link would join "
            "records because nothing was found between them.",
            action="Set `absent` to 0 or less: what such a pair weighs on average.",
        )
    if model.thresholds.groups < model.thresholds.attach:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.groups: {model.thresholds.groups:g} bits are less than `attach` "
            f"({model.thresholds.attach:g}): two groups would be joined more easily than a record and a group.",
            action="Set `groups` to what `attach` is, or more: the band between them keeps entities from melting.",
        )
    if (rival := model.thresholds.rival) is not None and rival < 0:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.rival: {rival:g} bits worse is better; equals would be no rivals.",
            action="Set `rival` to 0 or more, or leave it out: then what fits two groups is joined to the better.",
        )


def _check_caps(model: "MatchModel") -> None:
    """How many records are compared, and grouped, at once."""
    for key, cap in (("block_cap", model.block_cap), ("reach_cap", model.reach_cap)):
        if cap < 2:
            raise ConfigurationInvalid(
                f"{model.domain}.{key}: {cap} would leave no two records to compare.", action="Set 2 or more."
            )
    if model.block_cap > _MOST_IN_A_BLOCK:
        pairs = model.block_cap * (model.block_cap - 1) // 2
        raise ConfigurationInvalid(
            f"{model.domain}.block_cap: {model.block_cap:,} records of one block would be {pairs:,} pairs.",
            action=f"Set {_MOST_IN_A_BLOCK:,} or less; some hundred find what there is where rules refine one another.",
        )
    if model.reach_cap > _MOST_IN_A_SET:
        raise ConfigurationInvalid(
            f"{model.domain}.reach_cap: {model.reach_cap:,} records that links connect would be grouped as one set, "
            "however a number or a name shared by mistake chains them.",
            action=f"Set it from 2 to {_MOST_IN_A_SET:,}, or leave it out; of larger sets the weakest links are left.",
        )
    for rule in (*model.blocking, *model.dynamic):
        if rule.limit > _MOST_KEYS:
            raise ConfigurationInvalid(
                f"{model.domain}: blocking rule {rule.name!r}.limit: {rule.limit:,} keys of one record would each be "
                f"stored and bring up to {model.cap_of(rule):,} others to compare it with.",
                action=f"Set it from 1 to {_MOST_KEYS:,}, or leave it out.",
            )


#: Bits by which a weight may pass its limit: m and u are written with some digits, and the weight is worked out anew.
_ROUNDING = 1e-6


def check_weights(model: "MatchModel") -> None:
    """No level weighs less than its comparison's `worst` or more than its `best`."""
    for comparison in model.comparisons:
        for level in comparison.levels:
            if level.weight < comparison.worst - _ROUNDING:
                key, limit = "worst", comparison.worst
            elif level.weight > comparison.best + _ROUNDING:
                key, limit = "best", comparison.best
            else:
                continue
            raise ConfigurationInvalid(
                f"{model.domain}.comparisons.{comparison.name}: {level.label!r} weighs {level.weight:g} bits, and the "
                f"{key} that the comparison may weigh is {limit:g}.",
                action="Restore profile and weights of one release, or train the model again; "
                f"who means the weight changes {key!r} in {model.domain}.yaml.",
            )


def span_of(model: "MatchModel") -> tuple[float, float]:
    """The least and the most that a compared pair can weigh, in bits."""
    weights = [[0.0, *(level.weight + _rarity(level) for level in each.levels)] for each in model.comparisons]
    least = model.prior + sum(min(0.0, *(level.weight for level in each.levels)) for each in model.comparisons)
    return least, model.prior + sum(map(max, weights))


def check_reach(model: "MatchModel") -> None:
    """Thresholds are where weights of pairs are.

    Some pairs can reach `match`, and some that are compared do not; else all or nothing would be joined. Nor does any
    other threshold lie where no pair ever is.
    """
    least, reach = span_of(model)
    limits = model.thresholds
    for key, bits, becomes in (
        ("match", limits.match, "nothing would ever be joined"),
        ("attach", limits.attach, "no record would ever be joined with two that are one"),
        ("groups", limits.groups, "no two groups would ever be joined"),
        ("sure", limits.sure, "no match would ever be sure, as if it were left out"),
    ):
        if bits is not None and bits > reach:
            raise ConfigurationInvalid(
                f"{model.domain}.thresholds.{key}: {bits:g} bits are more than any pair can weigh ({reach:.1f}): "
                f"{becomes}.",
                action=f"Set `{key}` below {reach:.1f}.",
            )
    if limits.match <= least:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.match: {limits.match:g} bits are no more than any pair weighs ({least:.1f}): "
            "all that is compared would be joined.",
            action=f"Set `match` above {least:.1f}.",
        )
    # Training that tells little apart makes weights small: a floor that one weight alone could reach is no slip then.
    floor = min(least, -MOST_BITS)
    for key, bits, becomes in (
        ("possible", limits.possible, "people would be asked about all that is compared"),
        ("attach", limits.attach, "it would keep no record from a group"),
        ("groups", limits.groups, "it would keep no two groups apart"),
        (
            "absent",
            limits.absent,
            "a pair of which nothing is known would speak against more than any that was compared",
        ),
    ):
        if bits < floor:
            raise ConfigurationInvalid(
                f"{model.domain}.thresholds.{key}: {bits:g} bits are less than any pair weighs ({least:.1f}): "
                f"{becomes}.",
                action=f"Set `{key}` to {math.ceil(10 * floor) / 10:.1f} or more.",
            )
    if limits.rival is not None and limits.rival > reach - least:
        raise ConfigurationInvalid(
            f"{model.domain}.thresholds.rival: {limits.rival:g} bits are more than the weights of any two pairs differ "
            f"by ({reach - least:.1f}): whatever fits two groups would be joined to neither.",
            action=f"Set `rival` from 0 to {reach - least:.1f}; it is what still counts as about as well.",
        )


def _rarity(level: "Level") -> float:
    """The most that a rare value adds to a level."""
    rare = level.term_frequency
    if rare is None:
        return 0.0
    return max(0.0, rare.weight * (math.log2(rare.u_exact / rare.minimum) if rare.minimum > 0 else MOST_BITS))


def _check_rules(model: "MatchModel") -> None:
    """Blocking rules name columns that there are, once each, make keys, and do not refine one another in a circle."""
    rules = (*model.blocking, *model.dynamic)
    coarser = {rule.name: rule.refines for rule in rules}
    if len(coarser) != len(rules):
        raise ConfigurationInvalid(f"{model.domain}: two blocking rules have one name.")
    for rule in rules:
        where = f"{model.domain}: blocking rule {rule.name!r}"
        for column in set(rule.columns) - model.kinds.keys() - model.key_kinds.keys():
            raise ConfigurationInvalid(f"{where} names no column: {column!r}.")
        if not rule.columns or rule.limit < 1:
            raise ConfigurationInvalid(f"{where} makes no keys; it needs columns, and a limit of 1 or more.")
        above, name = 0, rule.refines
        while name is not None and above <= len(rules):
            above, name = above + 1, coarser.get(name)
        if name is not None:
            raise ConfigurationInvalid(f"{where} refines itself by way of {rule.refines!r}.")
