"""The released rules as they ship with the package."""

from matching.model import load_model
from mdm.core.rules import Rules
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain
from survivorship.ruleset import load_ruleset


def load_rules(catalogue: Catalogue) -> Rules:
    """Match models and rule sets of all domains, and the source trust of the profiles.

    Raises:
        ConfigurationInvalid: a document is wrong; the message names the place.
    """
    return Rules(
        models={domain: load_model(domain.value) for domain in Domain},
        rulesets={domain: load_ruleset(domain.value) for domain in Domain},
        trust=catalogue.trust,
    )
