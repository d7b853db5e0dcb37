"""Runs every check on a subject and draws the verdict."""

from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from mdm.onboarding.checks import addresses, contacts, identifiers, naming, standing
from mdm.onboarding.ruleset import DECISIONS, Effect, Rule, RuleSet
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Finding, Observation, Outcome, Verdict

Check: TypeAlias = Callable[[Subject, RuleSet], Iterator[Observation]]

CHECKS: tuple[Check, ...] = (
    naming.name_present,
    naming.name_fits,
    naming.characters,
    naming.legal_form_present,
    naming.legal_form_of_country,
    naming.country_present,
    naming.country_of_address,
    naming.field_lengths,
    addresses.address_complete,
    addresses.postcode,
    addresses.region,
    identifiers.tax_number_present,
    identifiers.tax_number_checksum,
    identifiers.tax_number_country,
    identifiers.tax_number_unique,
    identifiers.single_identifiers,
    identifiers.vat_registration,
    identifiers.lei,
    identifiers.duns,
    contacts.phones,
    contacts.emails,
    standing.blocked,
    standing.validated,
    standing.parent,
    standing.hierarchy,
    standing.identity,
    standing.sanctions,
)

_HUNDREDTH = Decimal("0.01")
#: The worst comes first.
_ORDER = tuple(DECISIONS)


def assess(subject: Subject, rules: RuleSet) -> Verdict:
    """The verdict on a subject: every check's outcome, in the order of the checks, and the decision they lead to.

    The worst effect decides: blocked before needs review before unverifiable before ready with warnings before ready.
    """
    findings = tuple(_finding(seen, rules.rules[seen.code]) for check in CHECKS for seen in check(subject, rules))
    effects = {_effect(each, rules.rules[each.code]) for each in findings}
    worst = next(effect for effect in _ORDER if effect in effects or effect is Effect.NONE)
    return Verdict(
        entity_id=subject.entity_id,
        version=subject.version,
        erp=rules.erp,
        country=subject.country,
        decision=DECISIONS[worst],
        ruleset_version=rules.version,
        ruleset_hash=rules.digest,
        completeness=_share(sum(_has(subject, path) for path in rules.complete), len(rules.complete)),
        validity=_validity(findings),
        findings=findings,
    )


def _finding(seen: Observation, rule: Rule) -> Finding:
    return Finding(
        observation=seen,
        severity=rule.severity,
        rule_id=rule.rule_id,
        rule_version=rule.version,
        evidence_kind=rule.evidence,
        evidence_source=rule.source,
        hint=rule.hint,
        owner=rule.owner,
    )


def _effect(finding: Finding, rule: Rule) -> Effect:
    if finding.outcome is Outcome.FAIL:
        return rule.effect
    return rule.unverified if finding.outcome is Outcome.UNVERIFIABLE else Effect.NONE


def _has(subject: Subject, path: str) -> bool:
    if path == "tax_numbers":
        return bool(subject.tax_numbers)
    return bool(naming.value_at(subject, path))


def _validity(findings: Iterable[Finding]) -> str:
    outcomes = [finding.outcome for finding in findings]
    passes = outcomes.count(Outcome.PASS)
    return _share(passes, passes + outcomes.count(Outcome.FAIL))


def _share(part: int, whole: int) -> str:
    """A share with two decimals; of nothing, all."""
    share = Decimal(part) / whole if whole else Decimal(1)
    return str(share.quantize(_HUNDREDTH, ROUND_HALF_UP))
