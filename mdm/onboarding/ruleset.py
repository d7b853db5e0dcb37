"""The rule set as data: rules with severity and owner, what countries ask of an address, field lengths of ERP."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from mdm.errors import ConfigurationInvalid
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
    """A declared check; `effect` is that of a failure, `unverified` that of a check nobody could make."""

    code: str
    rule_id: str
    version: str
    severity: Severity
    effect: Effect
    unverified: Effect
    evidence: str
    source: str
    hint: str
    owner: str


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
class RuleSet:
    """Everything that checks know beside the subject. `digest` is the SHA-256 of the documents it was read from."""

    version: str
    digest: str
    erp: str
    rules: Mapping[str, Rule]
    countries: Mapping[str, Country]
    legal_forms: Mapping[str, frozenset[str]]
    vies: frozenset[str]
    complete: tuple[str, ...]
    name_lines: Field
    lengths: Mapping[str, Field]
    identifier_lengths: Mapping[str, Field]


@cache
def shipped_ruleset() -> RuleSet:
    """The rule set that ships with the hub."""
    folder = files("mdm.onboarding")
    return read_ruleset(*((folder / name).read_text("utf-8") for name in _DOCUMENTS))


def read_ruleset(rules: str, countries: str, legal_forms: str) -> RuleSet:
    """A rule set from its three YAML documents.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(rules)
        return RuleSet(
            version=str(document["version"]),
            digest=hashlib.sha256("\0".join((rules, countries, legal_forms)).encode()).hexdigest(),
            erp=document["erp"],
            rules={code: _rule(code, rule) for code, rule in document["rules"].items()},
            countries={code: _country(each) for code, each in yaml.safe_load(countries).items()},
            legal_forms={form: frozenset(where) for form, where in yaml.safe_load(legal_forms).items()},
            vies=frozenset(document["vies"]),
            complete=tuple(document["complete"]),
            name_lines=_field(document["name_lines"]),
            lengths={path: _field(each) for path, each in document["lengths"].items()},
            identifier_lengths={name: _field(each) for name, each in document["identifier_lengths"].items()},
        )
    except KeyError as fault:
        raise ConfigurationInvalid(f"The onboarding rules lack {fault}.") from fault
    except (yaml.YAMLError, re.error, AttributeError, TypeError, ValueError) as fault:
        raise ConfigurationInvalid(f"The onboarding rules cannot be read: {fault}.") from fault


def _rule(code: str, rule: Mapping[str, str]) -> Rule:
    return Rule(
        code=code,
        rule_id=rule["rule"],
        version=rule["version"],
        severity=Severity(rule["severity"]),
        effect=Effect(rule["effect"]),
        unverified=Effect(rule.get("unverified", Effect.WARNING)),
        evidence=rule.get("evidence", "algorithm"),
        source=rule.get("source", "mdm.onboarding"),
        hint=rule["hint"],
        owner=rule["owner"],
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
