"""Which rules hold the platforms against each other: the shipped document, or with one of the company's own over it."""

from collections.abc import Iterator
from pathlib import Path

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import Catalogue
from mdm.lifecycle.policy import Policy, extended_policy, shipped_policy
from mdm.model.ids import Domain
from mdm.model.platforms import PlatformRole

#: Whose tables play a part of the story, by the role of their platform.
_PARTS = {PlatformRole.CRM: "agreement", PlatformRole.BILLING: "subscription"}


def load_reconciliation(catalogue: Catalogue, path: Path | None = None) -> Policy:
    """The rules for these platforms: the shipped ones, with what the document says instead where one is given.

    Raises:
        ConfigurationInvalid: the document cannot be read, or names rules, meanings or tables that nobody knows; the
            message names them all. The shipped document may name platforms that are not there: see `silent_parts`.
    """
    if path is None:
        return shipped_policy()
    try:
        policy = extended_policy(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(
            f"{path} cannot be read: {error}.", action="Correct MDM_RECONCILIATION, or remove it for the shipped rules."
        ) from error
    if strange := [f"{name} as {part}" for part, name in unknown_tables(catalogue, policy)]:
        known = ", ".join(sorted(_agreements(catalogue))) or "none"
        raise ConfigurationInvalid(
            f"{path} names tables whose rows are no contracts of any source: {', '.join(strange)}.",
            action=f"Correct them under `roles`. Tables with contracts: {known}.",
        )
    return policy


def unknown_tables(catalogue: Catalogue, policy: Policy) -> list[tuple[str, str]]:
    """Parts of the story with the tables that play them and are not there, or hold no contracts."""
    known = _agreements(catalogue)
    return [(part, name) for part, names in sorted(policy.roles.items()) for name in sorted(names) if name not in known]


def silent_parts(catalogue: Catalogue, policy: Policy) -> Iterator[tuple[str, str]]:
    """CRMs without an agreement and billing platforms without a subscription: what they say is not reconciled.

    Only of platforms that have a table of contracts: the others have nothing to be silent about.
    """
    having = {name.partition(".")[0] for name in _agreements(catalogue)}
    for role, part in _PARTS.items():
        speaking = {name.partition(".")[0] for name in policy.roles[part]}
        for system in catalogue.platforms_of(role):
            if system in having and system not in speaking:
                yield system, part


def _agreements(catalogue: Catalogue) -> set[str]:
    return {
        f"{each.system}.{each.table}"
        for each in catalogue.profiles
        if each.mapping is not None and each.mapping.domain is Domain.CONTRACT
    }
