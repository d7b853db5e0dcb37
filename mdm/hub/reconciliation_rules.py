"""Which rules hold the platforms against each other: the shipped document, or with one of the company's own over it."""

from collections.abc import Iterator
from pathlib import Path

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import Catalogue
from mdm.lifecycle.policy import Policy, extended_policy, shipped_policy
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.platforms import PlatformRole

#: Parts of the story that contracts of a platform play, by its role. The other parts are played by products.
_PARTS = {PlatformRole.CRM: "agreement", PlatformRole.BILLING: "subscription"}


def load_reconciliation(catalogue: Catalogue, path: Path | None = None) -> Policy:
    """The rules for these platforms: the shipped ones, with what the document says instead where one is given.

    Raises:
        ConfigurationInvalid: the document cannot be read, or names rules, meanings or tables that nobody knows; the
            message names them all. The shipped document may name tables that are not there: see `unknown_tables`.
    """
    if path is None:
        return shipped_policy().among(catalogue.platforms)
    try:
        policy = extended_policy(path.read_text("utf-8"), str(path)).among(catalogue.platforms)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(
            f"{path} cannot be read: {error}.", action="Correct MDM_RECONCILIATION, or remove it for the shipped rules."
        ) from error
    shipped = shipped_policy().roles
    own = [(part, name) for part, name in unknown_tables(catalogue, policy) if name not in shipped[part]]
    if own:
        strange = ", ".join(f"{name} as {part}" for part, name in own)
        known = "; ".join(
            f"of {domain.plural} {', '.join(sorted(_tables(catalogue, domain))) or 'none'}"
            for domain in sorted({_domain_of(part) for part, _ in own})
        )
        raise ConfigurationInvalid(
            f"{path} names tables that no source has, or that hold something else: {strange}.",
            action=f"Correct them under `roles`. Tables {known}.",
        )
    return policy


def unknown_tables(catalogue: Catalogue, policy: Policy) -> list[tuple[str, str]]:
    """Parts of the story with the tables that play them and are not there, or hold something else.

    A table of a role is there when one platform of the role has it.
    """
    return [
        (part, name)
        for part, names in sorted(policy.roles.items())
        for name in sorted(names)
        if catalogue.platforms.meant_by({name}).isdisjoint(_tables(catalogue, _domain_of(part)))
    ]


def silent_parts(catalogue: Catalogue, policy: Policy) -> Iterator[tuple[str, str]]:
    """CRMs without an agreement and billing platforms without a subscription: what they say is not reconciled.

    Only of platforms that have a table of contracts: the others have nothing to be silent about.
    """
    having = [name.partition(".") for name in sorted(_tables(catalogue, Domain.CONTRACT))]
    for role, part in _PARTS.items():
        for system in catalogue.platforms_of(role):
            mine = [policy.plays(part, CrosswalkKey(system, table, "")) for name, _, table in having if name == system]
            if mine and not any(mine):
                yield system, part


def _domain_of(part: str) -> Domain:
    return Domain.CONTRACT if part in _PARTS.values() else Domain.PRODUCT


def _tables(catalogue: Catalogue, domain: Domain) -> set[str]:
    return {
        f"{each.system}.{each.table}"
        for each in catalogue.profiles
        if each.mapping is not None and each.mapping.domain is domain
    }
