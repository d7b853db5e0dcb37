"""The rule set as data: rules with severity and owner, what countries ask of an address, field lengths of ERP."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.onboarding.attestation import Provider
from mdm.onboarding.checkpoint import CheckpointName
from mdm.onboarding.verdict import Decision, Severity

_DOCUMENTS = ("rules.yaml", "countries.yaml", "legal_forms.yaml")


class Effect(StrEnum):
    """What an outcome does to the decision."""

    NONE = "none"
    WARNING = "warning"
    UNVERIFIABLE = "unverifiable"
    NEEDS_REVIEW = "needs_review"
    BLOCKED = "blocked"


#: The worst effect decides.
DECISIONS: Mapping[Effect, Decision] = {
    Effect.BLOCKED: Decision.BLOCKED,
    Effect.NEEDS_REVIEW: Decision.NEEDS_REVIEW,
    Effect.UNVERIFIABLE: Decision.UNVERIFIABLE,
    Effect.WARNING: Decision.READY_WITH_WARNINGS,
    Effect.NONE: Decision.READY,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A declared check; `effect` is that of a failure, `unverified` that of a check nobody could make.

    `check` is the number of the check it belongs to; `waivable_by` the roles that may excuse a failure.
    """

    code: str
    check: int
    rule_id: str
    version: str
    severity: Severity
    effect: Effect
    unverified: Effect
    evidence: str
    source: str
    hint: str
    owner: str
    waivable_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    """What a country asks of an address and of a business."""

    postcode: re.Pattern[str] | None
    needs: tuple[str, ...]
    region: bool
    tax_id: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of ERP and how many characters it holds."""

    name: str
    length: int
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """What one ERP asks: field lengths, terms of payment that exist, parts of the account that must be stated."""

    erp: str
    #: What its maker calls it.
    title: str
    name_lines: Field
    lengths: Mapping[str, Field]
    identifier_lengths: Mapping[str, Field]
    payment_terms: tuple[re.Pattern[str], ...]
    needs: frozenset[str]
    checkpoints: frozenset[CheckpointName]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that checks know beside the subject. `digest` is the SHA-256 of the documents it was read from.

    `target` is the ERP that is asked for; `targets` are all there are. `max_age` says how long an answer of a provider
    is believed; `name_likeness` (0..100) from which likeness two names are taken for the same.
    """

    version: str
    digest: str
    target: Target
    targets: Mapping[str, Target]
    checks: Mapping[int, str]
    max_age: Mapping[Provider, timedelta]
    name_likeness: float
    rules: Mapping[str, Rule]
    countries: Mapping[str, Country]
    legal_forms: Mapping[str, frozenset[str]]
    vies: frozenset[str]
    complete: tuple[str, ...]

    def aimed_at(self, erp: str) -> "RuleSet":
        """These rules with another ERP as target.

        Raises:
            OperatorError: no rules are kept for this ERP.
        """
        if erp not in self.targets:
            raise OperatorError(f"There are no rules for {erp!r}.", action=f"Targets: {', '.join(self.targets)}.")
        return replace(self, target=self.targets[erp])


@cache
def shipped_ruleset() -> RuleSet:
    """The rule set that ships with the hub."""
    folder = files("mdm.onboarding")
    # The checks of field lengths follow the projections, so that a verdict is another one when these change.
    targets = sorted((files("mdm") / "projection" / "targets").iterdir(), key=lambda each: each.name)
    fields = "\0".join(each.read_text("utf-8") for each in targets if each.name.endswith(".yaml"))
    rules, countries, legal_forms = ((folder / name).read_text("utf-8") for name in _DOCUMENTS)
    return read_ruleset(rules, countries, legal_forms, fields)


def read_ruleset(rules: str, countries: str, legal_forms: str, fields: str = "") -> RuleSet:
    """A rule set from its three YAML documents; `fields` are those of the projections, for the digest.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(rules)
        targets = {erp: _target(erp, each) for erp, each in document["targets"].items()}
        return RuleSet(
            version=str(document["version"]),
            digest=hashlib.sha256("\0".join((rules, countries, legal_forms, fields)).encode()).hexdigest(),
            target=targets[document["erp"]],
            targets=targets,
            checks={int(number): title for number, title in document["checks"].items()},
            max_age={Provider(name): timedelta(days=days) for name, days in document["max_age_days"].items()},
            name_likeness=float(document["name_likeness"]),
            rules={code: _rule(code, rule) for code, rule in document["rules"].items()},
            countries={code: _country(each) for code, each in yaml.safe_load(countries).items()},
            legal_forms={form: frozenset(where) for form, where in yaml.safe_load(legal_forms).items()},
            vies=frozenset(document["vies"]),
            complete=tuple(document["complete"]),
        )
    except KeyError as fault:
        raise ConfigurationInvalid(f"The onboarding rules lack {fault}.") from fault
    except (yaml.YAMLError, re.error, AttributeError, TypeError, ValueError) as fault:
        raise ConfigurationInvalid(f"The onboarding rules cannot be read: {fault}.") from fault


def _rule(code: str, rule: Mapping[str, Any]) -> Rule:
    return Rule(
        code=code,
        check=int(rule["check"]),
        rule_id=rule["rule"],
        version=rule["version"],
        severity=Severity(rule["severity"]),
        effect=Effect(rule["effect"]),
        unverified=Effect(rule.get("unverified", Effect.WARNING)),
        evidence=rule.get("evidence", "algorithm"),
        source=rule.get("source", "mdm.onboarding"),
        hint=rule["hint"],
        owner=rule["owner"],
        waivable_by=tuple(rule.get("waivable_by", "").split()),
    )


def _target(erp: str, target: Mapping[str, Any]) -> Target:
    return Target(
        erp=erp,
        title=target["title"],
        name_lines=_field(target["name_lines"]),
        lengths={path: _field(each) for path, each in target["lengths"].items()},
        identifier_lengths={name: _field(each) for name, each in target["identifier_lengths"].items()},
        payment_terms=tuple(re.compile(each) for each in target.get("payment_terms") or ()),
        needs=frozenset(target.get("needs") or ()),
        checkpoints=frozenset(CheckpointName(each) for each in target.get("checkpoints") or ()),
    )


def _country(country: Mapping[str, Any]) -> Country:
    pattern = country["postcode"]
    needs = country.get("needs") or (["street", "postal_code", "city"] if pattern else ["street", "city"])
    return Country(
        postcode=re.compile(pattern) if pattern else None,
        needs=tuple(needs),
        region=bool(country.get("region")),
        tax_id=bool(country.get("tax_id")),
    )


def _field(field: Mapping[str, Any]) -> Field:
    return Field(field["field"], int(field["length"]), int(field.get("lines", 1)))
