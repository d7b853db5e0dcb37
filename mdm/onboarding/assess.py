"""Runs every check on a subject and draws the verdict."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from mdm.onboarding.checks import accounts, addresses, bank, contacts, external, identifiers, naming, standing
from mdm.onboarding.ruleset import DECISIONS, Effect, Rule, RuleSet
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import CheckResult, Finding, Observation, Outcome, Verdict

Check: TypeAlias = Callable[[Subject, RuleSet], Iterator[Observation]]

CHECKS: tuple[Check, ...] = (
    naming.name_present,
    naming.name_fits,
    naming.characters,
    naming.legal_form_present,
    naming.legal_form_of_country,
    naming.legal_form_of_name,
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
    external.vat_registration,
    external.lei,
    external.lei_parent,
    identifiers.duns,
    bank.bank_accounts,
    contacts.phones,
    contacts.emails,
    external.sanctions,
    external.evidence_age,
    standing.blocked,
    standing.parent,
    standing.hierarchy,
    standing.identity,
    accounts.subsidiary,
    accounts.payment_terms,
    accounts.tax_class,
    accounts.reconciliation_account,
    accounts.checkpoints,
    accounts.approvals,
)

_HUNDREDTH = Decimal("0.01")
#: The worst comes first.
_ORDER = tuple(DECISIONS)


def assess(subject: Subject, rules: RuleSet) -> Verdict:
    """The verdict on a subject: every check's outcome, in the order of the checks, and the decision they lead to.

    The worst effect decides: blocked before needs review before unverifiable before ready with warnings before ready.
    """
    findings = tuple(_finding(seen, rules, subject) for check in CHECKS for seen in check(subject, rules))
    effects = {_effect(each, rules.rules[each.code]) for each in findings}
    worst = next(effect for effect in _ORDER if effect in effects or effect is Effect.NONE)
    return Verdict(
        entity_id=subject.entity_id,
        version=subject.version,
        erp=rules.target.erp,
        release=subject.release,
        company_code=subject.account.company_code,
        country=subject.country,
        decision=DECISIONS[worst],
        ruleset_version=rules.version,
        ruleset_hash=rules.digest,
        valid_until=_valid_until(subject, rules, findings),
        completeness=_share(sum(_has(subject, path) for path in rules.complete), len(rules.complete)),
        validity=_validity(findings),
        checks=tuple(_check(number, title, findings) for number, title in sorted(rules.checks.items())),
        findings=findings,
        checkpoints=subject.checkpoints,
    )


def _finding(seen: Observation, rules: RuleSet, subject: Subject) -> Finding:
    rule = rules.rules[seen.code]
    waiver = proposed = None
    if seen.outcome is Outcome.FAIL and rule.waivable_by:
        live = (each for each in subject.waivers if each.expires_at > subject.as_of)
        waiver = next((each for each in live if each.covers(seen.code, seen.path)), None)
        if waiver is not None and needs_two(rule) and waiver.approved_by is None:
            waiver, proposed = None, waiver
    return Finding(
        observation=seen,
        severity=rule.severity,
        rule_id=rule.rule_id,
        rule_version=rule.version,
        evidence_kind=rule.evidence,
        evidence_source=rule.source,
        hint=rule.hint,
        owner=rule.owner,
        check=rule.check,
        waivable_by=rule.waivable_by,
        waiver=waiver,
        proposed=proposed,
    )


def needs_two(rule: Rule) -> bool:
    """Whether a waiver of this rule excuses nothing before a second person agreed: its failure blocks the customer."""
    return rule.effect is Effect.BLOCKED


def _effect(finding: Finding, rule: Rule) -> Effect:
    if finding.outcome is Outcome.WAIVED:
        return Effect.WARNING  # excused, but whoever reads the verdict should know
    if finding.outcome is Outcome.FAIL:
        return rule.effect
    return rule.unverified if finding.outcome is Outcome.UNVERIFIABLE else Effect.NONE


#: What a check came to is the worst of its findings.
_WORST = (Outcome.FAIL, Outcome.UNVERIFIABLE, Outcome.WAIVED, Outcome.PASS)


def _check(number: int, title: str, findings: Iterable[Finding]) -> CheckResult:
    mine = [each for each in findings if each.check == number]
    outcomes = {each.outcome for each in mine}
    worst = next((outcome for outcome in _WORST if outcome in outcomes), Outcome.NOT_APPLICABLE)
    return CheckResult(number, title, worst, tuple(sorted({each.code for each in mine if each.outcome is worst})))


def _valid_until(subject: Subject, rules: RuleSet, findings: Iterable[Finding]) -> datetime | None:
    """When the first thing that the verdict rests on expires; None when nothing does."""
    used = [(each.observation.attestation, each.waiver) for each in findings]
    ends = [known.checked_at + rules.max_age[known.provider] for known, _ in used if known is not None]
    ends += [waiver.expires_at for _, waiver in used if waiver is not None]
    ends += [each.expires_at for each in subject.checkpoints.values() if each.expires_at is not None]
    return min((end for end in ends if end > subject.as_of), default=None)


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
