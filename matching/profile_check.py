"""What a profile may say: a key or column that is misspelt would leave out a veto or a limit without a word."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mdm.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from matching.model import MatchModel

# `shared` holds anchors that other places of the document repeat; nothing reads it by itself.
_PROFILE = """domain columns frequencies shared block_cap reach_cap thresholds blocking dynamic_blocking vetoes
              cannot_link comparisons"""
_COLUMNS = "texts lists numbers"
_THRESHOLDS = "match possible groups attach absent rival"
_RULE = "rule columns limit refines"
_VETO = "name when effect reason"
_CANNOT_LINK = "identifiers parents"
_COMPARISON = "name worst best unknown levels otherwise"
_LEVEL = "label expected when term_frequency"
_LAST = "label expected"
_TERM_FREQUENCY = "column weight minimum"


def refuse_unknown_keys(domain: str, profile: Mapping[str, Any]) -> None:
    """Raises ConfigurationInvalid naming the key, its place and what there is."""
    for place, known, section in _sections(profile):
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
