"""Bank accounts that a candidate states: right in themselves, of a fitting country, and approved when they changed."""

from collections.abc import Iterator

from rapidfuzz import fuzz
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from mdm.onboarding.checks.external import folded
from mdm.onboarding.checks.outcomes import failed, masked, not_applicable, passed
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import BankAccount, Subject
from mdm.onboarding.verdict import Observation


def bank_accounts(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Every stated account, one after the other."""
    accounts = subject.bank_accounts
    for each in accounts:
        yield from _account(subject, rules, each)
    if not accounts:
        yield not_applicable("IBAN_CHECKSUM", "/bank_accounts", "No bank account is stated.")


def _account(subject: Subject, rules: RuleSet, each: BankAccount) -> Iterator[Observation]:
    path = f"{each.path}/iban"
    try:
        iban = IBAN(each.iban, validate_bban=True)
    except (SchwiftyException, ValueError) as fault:
        shown = masked("".join(each.iban.split()))
        yield failed("IBAN_CHECKSUM", path, f"The IBAN is not valid: {_reason(fault)}.", masked=shown)
        return
    yield passed("IBAN_CHECKSUM", path, "Structure and check digits of the IBAN are right.")
    if subject.country is None:
        yield not_applicable("BANK_COUNTRY_MISMATCH", path, "The country of the seat is not known.")
    elif iban.country_code == subject.country:
        yield passed("BANK_COUNTRY_MISMATCH", path, "The account is in the country of the seat.")
    else:
        countries = {"account": iban.country_code, "seat": subject.country}
        message = f"The account is in {iban.country_code}, the seat in {subject.country}."
        yield failed("BANK_COUNTRY_MISMATCH", path, message, countries)
    yield from _bic(each, iban.country_code)
    yield from _holder(subject, rules, each)
    if each.changed:
        yield failed("BANK_CHANGED_REAPPROVE", path, "The account replaces an approved one and must be approved anew.")
    else:
        yield passed("BANK_CHANGED_REAPPROVE", path, "The account replaces none.")


def _bic(each: BankAccount, country: str) -> Iterator[Observation]:
    path = f"{each.path}/bic"
    if not each.bic:
        yield not_applicable("BIC_FORMAT", path, "No BIC is stated.")
        return
    try:
        bic = BIC(each.bic)
    except (SchwiftyException, ValueError) as fault:
        yield failed("BIC_FORMAT", path, f"The BIC is not valid: {_reason(fault)}.")
        return
    if bic.country_code == country:
        yield passed("BIC_FORMAT", path, "The BIC is well-formed and of the country of the account.")
    else:
        yield failed("BIC_FORMAT", path, f"The BIC is of {bic.country_code}, the account of {country}.")


def _holder(subject: Subject, rules: RuleSet, each: BankAccount) -> Iterator[Observation]:
    code, path, name = "BANK_HOLDER_MISMATCH", f"{each.path}/holder", subject.text("name")
    if not each.holder or name is None:
        yield not_applicable(code, path, "No account holder is stated.")
    elif fuzz.token_set_ratio(folded(each.holder), folded(name)) >= rules.name_likeness:
        yield passed(code, path, "The account is held by the customer.")
    else:
        yield failed(code, path, "The account is held by somebody with another name.")


def _reason(fault: Exception) -> str:
    return str(fault).rstrip(".") or type(fault).__name__
