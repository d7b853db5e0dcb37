"""The released rules as they ship with the package, and the memory of those that decided in a hub before."""

from pathlib import Path

from sqlalchemy import Connection, Engine

from matching.model import load_model
from mdm.core.former import refuse_witnesses_that_echo, witnesses_of
from mdm.core.placing import read_plan, shipped_plan
from mdm.core.rules import Rules
from mdm.errors import ConfigurationInvalid, NotFound
from mdm.hub.reconciliation_rules import load_reconciliation
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import Domain
from mdm.store import released
from survivorship.ruleset import RuleSet, load_ruleset, parse_ruleset


def load_rules(
    catalogue: Catalogue, models: Path | None = None, placement: Path | None = None, reconciliation: Path | None = None
) -> Rules:
    """Match models (from the folder `models` where it has one) and rule sets of all domains, and trust of sources.

    `placement` is a plan of one's own for where golden records belong, `reconciliation` what a document of one's own
    says else than the shipped rules that hold the platforms against each other.

    Raises:
        ConfigurationInvalid: a document is wrong; the message names the place.
    """
    platforms = catalogue.platforms
    rulesets = {domain: load_ruleset(domain.value).among(platforms) for domain in Domain}
    plan = shipped_plan() if placement is None else read_plan(_text(placement), str(placement))
    rules = Rules(
        models={domain: load_model(domain.value, models) for domain in Domain},
        rulesets=rulesets,
        trust=catalogue.trust,
        placement=plan.among(platforms),
        witnesses=witnesses_of(catalogue),
        platforms=platforms,
        reconciliation=load_reconciliation(catalogue, reconciliation),
    )
    must_agree(rules)
    return rules


def must_agree(rules: Rules) -> None:
    """Refuse rule sets that go against the mappings: those that ship when they are read, those in force at start.

    Raises:
        ConfigurationInvalid: a platform is called an echo whose mapping keeps former values.
    """
    for ruleset in rules.rulesets.values():
        refuse_witnesses_that_echo(rules.witnesses, ruleset)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{path} cannot be read: {error}.") from error


def remember_rules(engine: Engine, rules: Rules) -> None:
    """Store the documents of these rules under their fingerprints, once each: what decided can be asked for ever."""
    with engine.begin() as connection:
        for domain, ruleset in rules.rulesets.items():
            released.remember(connection, domain, ruleset.version, ruleset.fingerprint, ruleset.document)


def released_ruleset(connection: Connection, rules: Rules, domain: Domain, fingerprint: str) -> RuleSet:
    """The survivorship rule set with this fingerprint: the present one, or one that decided in this hub before.

    Raises:
        NotFound: no rule set of the domain with this fingerprint ever decided here.
    """
    if rules.rulesets[domain].fingerprint == fingerprint:
        return rules.rulesets[domain]
    document = released.document(connection, domain, fingerprint)
    if document is None:
        raise NotFound(
            f"No rule set {fingerprint} of {domain.plural} was ever released here.",
            action="`GET /v1/rules` lists the rule sets that decided in this hub.",
        )
    return parse_ruleset(domain.value, document, Path(f"{domain.value} rules {fingerprint}")).among(rules.platforms)
