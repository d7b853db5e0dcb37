"""The documents of a trained model: what is known of its weights, written as it is read."""

import json
from typing import Any

import yaml

from matching.documents import FEATURES_VERSION, comparisons_fingerprint
from matching.frequencies import dump_frequencies
from matching.frequencies import fingerprint_of as tables_fingerprint
from matching.model import MatchModel, read_model
from matching.parsing import Tables


def trained_document(profile: str, neutral: MatchModel, found: dict[str, Any]) -> dict[str, Any]:
    """The document of weights that were found for a profile, without provenance."""
    return {
        "domain": neutral.domain,
        "features": FEATURES_VERSION,
        "comparisons_fingerprint": comparisons_fingerprint(yaml.safe_load(profile)),
        "frequencies": tables_fingerprint(neutral.frequencies) if neutral.frequencies else None,
        "provenance": {},
        "common_tokens": sorted(neutral.common_tokens),
        **found,
    }


def read_trained(profile: str, neutral: MatchModel, found: dict[str, Any], *, reached: bool = True) -> MatchModel:
    """The model by such weights; not `reached`: its thresholds may lie where no pair is."""
    document = trained_document(profile, neutral, found)
    return read_model(profile, json.dumps(document), tables_text(neutral.frequencies), reached=reached)


def tables_text(tables: Tables) -> str | None:
    """Frequencies as they are stored; None without any."""
    return dump_frequencies(tables) if tables else None
