"""Released documents as rules: read once per fingerprint, put in the place of the rules that ship."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from sqlalchemy import Engine

from matching.model import MatchModel, read_model
from matching.proof import check_proven
from mdm.core.former import refuse_witnesses_that_echo
from mdm.core.rules import Rules
from mdm.errors import ConfigurationInvalid, Invalid, NotFound
from mdm.lifecycle.usage_revenue import UsageRevenue, read_usage_revenue, shipped_usage_revenue
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind
from mdm.store import releases as store
from survivorship.ruleset import RuleSet, parse_ruleset

#: What a released document is once it was read.
Ruling: TypeAlias = RuleSet | MatchModel | UsageRevenue

#: What is attached to a matching model, in the order in which `read_model` takes it.
_WEIGHTS, _FREQUENCIES = "weights", "frequencies"

#: Documents that were read in this process, by fingerprint: the same text for ever.
_known: dict[tuple[RuleKind, Domain, str], Ruling] = {}
_lock = Lock()


def read(kind: RuleKind, domain: Domain, document: str, attachments: Mapping[str, str | None]) -> Ruling:
    """The rules in a document.

    Raises:
        ConfigurationInvalid: the document is wrong; the message names line and key.
        Invalid: it is for another domain, or the kind has no document for the domain.
    """
    must_be_of(kind, domain)
    if kind is RuleKind.USAGE_REVENUE:
        return read_usage_revenue(document)
    if kind is RuleKind.SURVIVORSHIP:
        return parse_ruleset(domain.value, document, Path(f"{domain.value} rules"))
    model = read_model(document, attachments.get(_WEIGHTS) or "{}", attachments.get(_FREQUENCIES))
    if model.domain != domain.value:
        raise Invalid(f"The model is for {model.domain}, not for {domain.value}.")
    return model


def must_be_of(kind: RuleKind, domain: Domain) -> None:
    """Raises Invalid when the kind has no document for the domain."""
    if domain not in kind.domains:
        only = " or ".join(each.plural for each in kind.domains)
        raise Invalid(f"There is no {kind.value} of {domain.plural}.", action=f"Write one of {only}.")


def must_fit(rules: Rules, released: Ruling) -> None:
    """Refuse a document that goes against the mappings, which do not come by release, and weights without proof.

    Raises:
        Invalid: a platform would be called an echo whose mapping keeps former values, or nothing proves that a model's
            weights are what Splink says.
    """
    try:
        if isinstance(released, RuleSet):
            refuse_witnesses_that_echo(rules.witnesses, released.among(rules.platforms))
        elif isinstance(released, MatchModel):
            check_proven(released)
    except ConfigurationInvalid as error:
        raise Invalid(error.message, action=error.advice) from error


def must_still_fit(query: store.Query, rules: Rules, release: Release, *, back: bool = False) -> None:
    """`must_fit` for a release that was written before: a mapping, or what a release needs, may have changed since.

    Args:
        back: it has decided here before, and a rollback returns to it: weights without proof are no reason to stay with
            what went wrong.
    """
    if release.kind is RuleKind.SURVIVORSHIP or (release.kind is RuleKind.MATCHING and not back):
        must_fit(rules, read(release.kind, release.domain, *store.texts(query, release.release_id)))


def attachments_of(model: Ruling) -> dict[str, str | None] | None:
    """What belongs to a document beside its text."""
    if isinstance(model, MatchModel):
        return {_WEIGHTS: model.texts[1], _FREQUENCIES: model.texts[2]}
    return None


def part(rules: Rules, kind: RuleKind, domain: Domain) -> Ruling:
    """The rules of a kind and domain among all.

    Raises:
        NotFound: the kind has no document for the domain.
    """
    if domain not in kind.domains:
        raise NotFound(f"There is no {kind.value} of {domain.plural}.", action="`mdm releases in-force` lists all.")
    if kind is RuleKind.USAGE_REVENUE:
        return rules.usage_revenue
    return rules.rulesets[domain] if kind is RuleKind.SURVIVORSHIP else rules.models[domain]


def text_of(rules: Ruling) -> str:
    """The document that rules were read from."""
    return rules.texts[0] if isinstance(rules, MatchModel) else rules.document


def version_of(rules: Ruling) -> str:
    """How people call this version: what the document says, or when the model was trained."""
    if isinstance(rules, MatchModel):
        return str(rules.provenance.get("version") or rules.fingerprint)
    return rules.version


def standing_in(rules: Rules, instead: Ruling) -> Rules:
    """The rules with one document in the place of another."""
    if isinstance(instead, UsageRevenue):
        return replace(rules, usage_revenue=instead)
    domain = Domain(instead.domain)
    if isinstance(instead, MatchModel):
        return replace(rules, models={**rules.models, domain: instead})
    return replace(rules, rulesets={**rules.rulesets, domain: instead.among(rules.platforms)})


def in_force(query: store.Query, rules: Rules) -> Rules:
    """The rules that decide in this hub now: its releases in the place of those that ship.

    Asked in a unit of work, they stay until its end: rules come into force in one that has the hub for itself.
    """
    shipped = rules.base or rules
    found = store.in_force(query)
    if not found:
        return shipped
    now = shipped
    for (kind, domain), (release_id, fingerprint) in found.items():
        now = standing_in(now, _released(query, kind, domain, release_id, fingerprint))
    return replace(now, base=shipped)


def in_force_now(engine: Engine, rules: Rules) -> Rules:
    """`in_force`, outside of a unit of work."""
    with engine.connect() as connection:
        return in_force(store.asking(connection), rules)


def usage_revenue_in_force(query: store.Query) -> UsageRevenue:
    """The mapping of use and revenue that holds in this hub now."""
    held = store.in_force(query).get((RuleKind.USAGE_REVENUE, Domain.PRODUCT))
    if held is None:
        return shipped_usage_revenue()
    found = _released(query, RuleKind.USAGE_REVENUE, Domain.PRODUCT, *held)
    assert isinstance(found, UsageRevenue)  # its kind says so
    return found


def _released(query: store.Query, kind: RuleKind, domain: Domain, release_id: int, fingerprint: str) -> Ruling:
    name = (kind, domain, fingerprint)
    with _lock:
        if name not in _known:
            _known[name] = read(kind, domain, *store.texts(query, release_id))
        return _known[name]
