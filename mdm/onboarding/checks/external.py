"""What only others can tell: VAT registration, LEI, sanctions - and how old their answers are."""

from collections.abc import Iterator
from datetime import datetime

from anyascii import anyascii
from rapidfuzz import fuzz

from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checks.outcomes import failed, masked, not_applicable, passed, unverifiable
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import Identifier, Subject
from mdm.onboarding.verdict import Observation

_INVALID = "invalid"
#: Numbers with this prefix are in VIES although the country is not.
_NORTHERN_IRELAND = "XI"


def vat_registration(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Whether a VAT number is registered, and under which name, only the member state knows."""
    numbers = [each for each in subject.identifiers if each.type == "vat" and _in_vies(each, rules)]
    for each in numbers:
        known = fresh(subject, rules, Provider.VIES, each.normal)
        if known is None or known.answer is Answer.UNAVAILABLE:
            why = known.reason if known is not None and known.reason else "VIES has not been asked"
            message = f"Whether the VAT number is registered is not known: {why}."
            yield unverifiable("VAT_UNVERIFIABLE", each.path, message, {"reason": why}, known)
        elif known.answer is Answer.REFUTED:
            message = "The member state does not know the VAT number."
            yield failed("VAT_NOT_REGISTERED", each.path, message, masked=masked(each.normal), attestation=known)
        else:
            yield passed("VAT_NOT_REGISTERED", each.path, "The VAT number is registered.", known)
            yield _named_alike(subject, rules, "VAT_NAME_MISMATCH", each.path, known)
    if not numbers:
        yield not_applicable("VAT_NOT_REGISTERED", "/identifiers", "There is no VAT number that VIES would know.")


def vat_number_of(each: Identifier, rules: RuleSet) -> str | None:
    """The number that VIES can be asked about, or None."""
    return each.normal if each.type == "vat" and _in_vies(each, rules) else None


def _in_vies(each: Identifier, rules: RuleSet) -> bool:
    return each.state != _INVALID and (each.country in rules.vies or each.normal.startswith(_NORTHERN_IRELAND))


def lei(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """A legal entity identifier has right check digits, is issued and not lapsed, and bears the entity's name."""
    numbers = [each for each in subject.identifiers if each.type == "lei"]
    for each in numbers:
        if each.state == _INVALID:
            message = "The check digits of the LEI are wrong."
            yield failed("LEI_FORMAT", each.path, message, masked=masked(each.normal))
            continue
        yield passed("LEI_FORMAT", each.path, "The check digits of the LEI are right.")
        yield from _lei_record(subject, rules, each)
    if not numbers:
        yield not_applicable("LEI_FORMAT", "/identifiers", "No LEI is known.")


def _lei_record(subject: Subject, rules: RuleSet, each: Identifier) -> Iterator[Observation]:
    known = fresh(subject, rules, Provider.GLEIF, each.normal)
    if known is None or known.answer is Answer.UNAVAILABLE:
        why = known.reason if known is not None and known.reason else "the LEI is in no list that was loaded"
        yield unverifiable("LEI_UNVERIFIABLE", each.path, f"GLEIF could not be asked: {why}.", {"reason": why}, known)
        return
    status = known.facts.get("status", "")
    if known.answer is Answer.REFUTED:
        message = f"The LEI is not in force: GLEIF has it as {status or 'unknown'}."
        yield failed("LEI_LAPSED", each.path, message, {"status": status}, attestation=known)
    else:
        yield passed("LEI_LAPSED", each.path, f"GLEIF has the LEI as {status}.", known)
    yield _named_alike(subject, rules, "LEI_NAME_MISMATCH", each.path, known)


def lei_parent(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """The parent that GLEIF reports (level 2) is among the parents the hub knows."""
    code, path = "PARENT_CONFLICT", "/parent"
    known = [
        found
        for each in subject.identifiers
        if each.type == "lei" and (found := fresh(subject, rules, Provider.GLEIF, each.normal)) is not None
    ]
    reported = [(each, each.facts["direct_parent"]) for each in known if each.facts.get("direct_parent")]
    for attestation, parent in reported:
        if not subject.ancestor_leis:
            message = "GLEIF reports a parent; the hub knows the LEI of no parent to compare."
            yield unverifiable(code, path, message, {"reported": parent}, attestation)
        elif parent in subject.ancestor_leis:
            yield passed(code, path, "The parent that GLEIF reports is a parent here too.", attestation)
        else:
            message = f"GLEIF reports the parent {parent}, which is none of the parents here."
            yield failed(code, path, message, {"reported": parent}, attestation=attestation)
    if not reported:
        exceptions = sorted({each.facts["parent_exception"] for each in known if each.facts.get("parent_exception")})
        stated = f"GLEIF reports no parent: {', '.join(exceptions)}." if exceptions else "GLEIF reports no parent."
        yield not_applicable(code, path, stated)


def sanctions(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Whether the customer is on a sanctions list, only the lists can tell."""
    path, name = "/name", subject.text("name")
    if name is None:
        yield not_applicable("SANCTIONS_HIT", path, "There is no name to screen.")
        return
    known = fresh(subject, rules, Provider.SANCTIONS, folded(name))
    if known is None or known.answer is Answer.UNAVAILABLE:
        why = known.reason if known is not None and known.reason else "no sanctions list is loaded"
        yield unverifiable("SANCTIONS_UNSCREENED", path, f"The name was not screened: {why}.", {"reason": why}, known)
        return
    about = {name: known.facts[name] for name in ("entry", "listed_name", "score", "list") if name in known.facts}
    if known.answer is Answer.REFUTED:
        message = f"The name is on {about.get('list', 'a sanctions list')}: {about.get('listed_name', '')}."
        yield failed("SANCTIONS_HIT", path, message, about, attestation=known)
    elif known.answer is Answer.DOUBTFUL:
        message = f"The name resembles {about.get('listed_name', 'an entry')} on {about.get('list', 'a list')}."
        yield failed("SANCTIONS_REVIEW", path, message, about, attestation=known)
    else:
        yield passed("SANCTIONS_HIT", path, "The name is on none of the lists that were loaded.", known)


def evidence_age(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Answers of others are believed for as long as the rules say, and not longer."""
    old = [each for each in subject.attestations.values() if is_stale(each, subject.as_of, rules)]
    for each in sorted(old, key=lambda each: (each.provider, each.key)):
        code = "SANCTIONS_STALE" if each.provider is Provider.SANCTIONS else "EVIDENCE_STALE"
        days = rules.max_age[each.provider].days
        message = f"The answer of {each.provider} is older than {days} days; it must be asked again."
        yield failed(code, "", message, {"provider": each.provider.value, "days": str(days)}, attestation=each)
    if not old:
        yield passed("EVIDENCE_STALE", "", "No answer that the verdict rests on is too old.")


def fresh(subject: Subject, rules: RuleSet, provider: Provider, key: str) -> Attestation | None:
    """What a provider said, unless it is too old to rely on."""
    known = subject.attested(provider, key)
    return None if known is None or is_stale(known, subject.as_of, rules) else known


def is_stale(attestation: Attestation, as_of: datetime, rules: RuleSet) -> bool:
    return attestation.checked_at + rules.max_age[attestation.provider] <= as_of


def folded(name: str) -> str:
    """A name as providers are asked about it: ASCII, lower case, letters and digits in words."""
    letters = (each if each.isalnum() else " " for each in anyascii(name).casefold())
    return " ".join("".join(letters).split())


def _named_alike(subject: Subject, rules: RuleSet, code: str, path: str, known: Attestation) -> Observation:
    """Names in registries are longer or shorter than in daily use, so the common words decide."""
    stated, ours = known.facts.get("name"), subject.text("name")
    if not stated or ours is None:
        return not_applicable(code, path, f"{known.provider} states no name to compare.")
    others = [ours, *map(str, subject.values.get("alternate_names") or ())]
    likeness = max(fuzz.token_set_ratio(folded(each), folded(stated)) for each in others)
    if likeness >= rules.name_likeness:
        return passed(code, path, f"{known.provider} has the same name.", known)
    return failed(code, path, f"{known.provider} has another name: {stated}.", {"stated": stated}, attestation=known)
