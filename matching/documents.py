"""The documents of a matching model, as far as they can be checked before a model is made of them.

Whether profile, weights and frequencies are of one release is decided here; what they say is read by `matching.model`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from yaml.composer import ComposerError

from matching.features import COLUMNS
from matching.frequencies import fingerprint_of
from matching.parsing import Tables
from mdm.errors import ConfigurationInvalid

#: The version of the derived columns that this code computes; a model trained on others is refused.
FEATURES_VERSION = 1

#: Where weights say what they were when training wrote them.
CHECKSUM = "checksum"


class _EachKeyOnce(yaml.SafeLoader):
    """YAML lets a key stand twice and takes the last: a veto or a limit above it would be gone without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ComposerError(None, None, f"the key {key.value!r} stands there twice", key.start_mark)
                seen.add(key.value)
        return node


def read_yaml(text: str) -> Any:
    """A document in YAML; raises yaml.YAMLError also where a key stands twice."""
    return yaml.load(text, _EachKeyOnce)  # noqa: S506 - it is a safe loader


def read_json(text: str) -> Any:
    """A document in JSON; raises ValueError also where a key stands twice."""
    return json.loads(text, object_pairs_hook=_each_key_once)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def read_profile(text: str) -> Mapping[str, Any]:
    """The document of comparisons and blocking rules, as far as it can be told without weights.

    Raises:
        ConfigurationInvalid: it is no profile.
    """
    profile = read_mapping("profile", read_yaml, text)
    for key in ("domain", "comparisons", "blocking", "thresholds"):
        if not profile.get(key):
            raise ConfigurationInvalid(f"A matching model's profile lacks {key!r}.")
    return profile


def read_mapping(what: str, parse: Callable[[str], Any], text: str) -> Mapping[str, Any]:
    """The mapping in a document; raises ConfigurationInvalid when it is none."""
    try:
        found = parse(text)
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError) as error:
        # The YAML library lets slips of its own through, such as a day that does not exist.
        raise ConfigurationInvalid(f"A matching model's {what} cannot be read: {error}") from error
    if not isinstance(found, Mapping):
        raise ConfigurationInvalid(f"A matching model's {what} must be a mapping, and it is {type(found).__name__}.")
    return found


def text_of(document: Traversable) -> str:
    """The text of a document; raises ConfigurationInvalid when it cannot be read."""
    try:
        return document.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{document} cannot be read: {error}.") from error


def texts_in(items: Any, where: str) -> list[str]:
    """A list of texts of a document; raises ConfigurationInvalid when it is none."""
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigurationInvalid(f"{where} must be a list of texts.")
    return items


def number_in(value: Any, where: str) -> float:
    """A number of a document. Yes and no are none, though Python counts with them; nor is a text of digits.

    Raises:
        ConfigurationInvalid: it is yes or no, or a text. What is no number at all raises ValueError or TypeError.
    """
    if isinstance(value, bool | str):
        said = str(value).lower() if isinstance(value, bool) else f"the text {value!r}"
        raise ConfigurationInvalid(
            f"{where}: {said} is no number.",
            action=f"Write a number for {where}, or restore the document of the release.",
        )
    return float(value)


def whole_in(value: Any, where: str) -> int:
    """A whole number of a document: 2.7 would be read as 2, which nobody wrote.

    Raises:
        ConfigurationInvalid: it is none, or yes or no, or a text. What is no number at all raises ValueError or
            TypeError.
    """
    number = number_in(value, where)
    if not math.isfinite(number) or number != int(number):
        raise ConfigurationInvalid(
            f"{where}: {number:g} is no whole number.",
            action=f"Write a whole number for {where}: nothing is counted in parts.",
        )
    return int(number)


def comparisons_fingerprint(profile: Mapping[str, Any]) -> str:
    """One number for what weights are about: comparisons with their levels and conditions, whatever they may weigh."""
    meaning = [
        [item["name"], item["unknown"], [[level["label"], level["when"]] for level in item["levels"]], labels_of(item)]
        for item in profile.get("comparisons", ())
    ]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]


def check_fit(domain: str, profile: Mapping[str, Any], weights: Mapping[str, Any], tables: Tables) -> None:
    """Weights, profile and tables belong together."""
    if domain not in COLUMNS and "columns" not in profile:
        raise ConfigurationInvalid(
            f"Model: unknown domain {domain!r}.",
            action="A domain of your own declares its columns: {texts: ..., lists: ..., numbers: ...}.",
        )
    if weights.get("domain") != domain or weights.get("features") != FEATURES_VERSION:
        raise ConfigurationInvalid(
            f"{domain}: the weights are for domain {weights.get('domain')} and columns of version "
            f"{weights.get('features')}, the code has version {FEATURES_VERSION}.",
            action="Train the model again, or restore the documents of one release.",
        )
    if weights.get("frequencies") != (fingerprint_of(tables) if tables else None):
        raise ConfigurationInvalid(
            f"{domain}: the weights were trained with other term frequencies than those beside them.",
            action=f"Restore {domain}.frequencies.json of the same release, or train the model again.",
        )


def checksum_of(weights: Mapping[str, Any]) -> str:
    """One number for everything that a document of weights says."""
    said = {key: value for key, value in weights.items() if key != CHECKSUM}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def check_unchanged(domain: str, weights: Mapping[str, Any]) -> None:
    """Weights are what training measured; one that somebody changed is no longer covered by provenance and parity."""
    if weights.get(CHECKSUM, checksum_of(weights)) != checksum_of(weights):
        raise ConfigurationInvalid(
            f"{domain}: the weights are not those that training wrote: their checksum differs.",
            action=f"Restore {domain}.weights.json of the release, or train again (`mdm match train`). Who wants other "
            "weights says in the profile what they may be (`expected`, `worst`, `best`) and trains.",
        )


def check_weighed(domain: str, profile: Mapping[str, Any], weighed: Mapping[str, Any]) -> None:
    """Weights of what the profile does not compare are of another model."""
    known = {item["name"]: labels_of(item) for item in profile["comparisons"]}
    strange = [f"the comparison {name!r}" for name in weighed if name not in known]
    strange += [
        f"the level {label!r} of {name!r}"
        for name, labels in known.items()
        for label in weighed.get(name, {})
        if label not in labels
    ]
    if strange:
        raise ConfigurationInvalid(
            f"{domain}: there are weights for {strange[0]}, which the profile does not have.",
            action="Train the model again, or restore the profile of the same release.",
        )


def labels_of(item: Mapping[str, Any]) -> list[str]:
    """The labels of a comparison's levels, the last included."""
    last = item["otherwise"]
    return [*(level["label"] for level in item["levels"]), last["label"] if isinstance(last, Mapping) else last]
