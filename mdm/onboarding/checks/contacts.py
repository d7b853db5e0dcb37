"""Phones and e-mail addresses: at least one that works."""

import re
from collections.abc import Iterator

from mdm.onboarding.checks.outcomes import failed, not_applicable, passed
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Observation

#: The common part of RFC 5321: a local part, and a domain with a dot whose labels begin and end well.
_EMAIL = re.compile(r"[^@\s]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[\w](?:[\w-]{0,61}[\w])?")


def phones(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Numbers that the numbering plan has (the hub's canonical form says so)."""
    code, known = "PHONE_INVALID", subject.values.get("phones") or ()
    for position, phone in enumerate(known):
        path = f"/phones/{position}"
        if phone.get("valid"):
            yield passed(code, path, "The number exists in its numbering plan.")
        else:
            yield failed(code, path, "The number does not exist in its numbering plan.")
    if not known:
        yield not_applicable(code, "/phones", "No phone number is known.")


def emails(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Addresses with a form that mail servers accept."""
    code, known = "EMAIL_INVALID", subject.values.get("emails") or ()
    for position, email in enumerate(known):
        path = f"/emails/{position}"
        address = str(email.get("value") or "")
        if email.get("valid", True) and len(address) <= 254 and _EMAIL.fullmatch(address):
            yield passed(code, path, "The address is well-formed.")
        else:
            yield failed(code, path, "The address is not well-formed.")
    if not known:
        yield not_applicable(code, "/emails", "No e-mail address is known.")
