"""How checks say what they saw."""

from collections.abc import Mapping

from mdm.onboarding.attestation import Attestation
from mdm.onboarding.verdict import Observation, Outcome


def passed(code: str, path: str, message: str, attestation: Attestation | None = None) -> Observation:
    return Observation(code, Outcome.PASS, path, message, attestation=attestation)


def failed(
    code: str,
    path: str,
    message: str,
    params: Mapping[str, str] | None = None,
    masked: str | None = None,
    attestation: Attestation | None = None,
) -> Observation:
    return Observation(code, Outcome.FAIL, path, message, params or {}, masked, attestation)


def unverifiable(
    code: str,
    path: str,
    message: str,
    params: Mapping[str, str] | None = None,
    attestation: Attestation | None = None,
) -> Observation:
    return Observation(code, Outcome.UNVERIFIABLE, path, message, params or {}, attestation=attestation)


def not_applicable(code: str, path: str, message: str) -> Observation:
    return Observation(code, Outcome.NOT_APPLICABLE, path, message)


def masked(value: str) -> str:
    """A number that can be recognised by whoever has it, and by nobody else: its ends."""
    shown = 4 if len(value) > 8 else 1
    return f"{value[:shown]}{'*' * max(len(value) - shown - 2, 3)}{value[-2:]}" if len(value) > 4 else "*" * len(value)
