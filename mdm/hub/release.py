"""The released rules as they ship with the package."""

from pathlib import Path

from matching.model import load_model
from mdm.core.rules import Rules
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain
from survivorship.ruleset import load_ruleset


def load_rules(catalogue: Catalogue, models: Path | None = None) -> Rules:
    """Match models (from the folder `models` where it has one) and rule sets of all domains, and trust of sources.

    Raises:
        ConfigurationInvalid: a document is wrong; the message names the place.
    """
    return Rules(
        models={domain: load_model(domain.value, models) for domain in Domain},
        rulesets={domain: load_ruleset(domain.value) for domain in Domain},
        trust=catalogue.trust,
    )
