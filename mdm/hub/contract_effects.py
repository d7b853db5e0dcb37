"""What a proposed data contract would do: how it differs from what is in force now, which of the changes reach what the
hub reads, and whether the hub could read by it at all. Nothing is written; the mappings are tried in a copy.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import CONTRACT_FILE, Catalogue, load_catalogue
from mdm.intake.column_coverage import TableCoverage, Use, column_coverage
from mdm.intake.contract_diff import ContractChange, Step, diff_contracts
from mdm.intake.contracts import read_contracts
from mdm.model.contract_proposals import ContractProposal


@dataclass(frozen=True, slots=True)
class Reached:
    """A change, and what the hub reads the changed column for; where a whole table breaks, all that it is read for."""

    change: ContractChange
    uses: tuple[Use, ...]

    @property
    def breaks(self) -> bool:
        """Whether a reader of the contract in force can no longer rely on something."""
        return self.change.step is Step.MAJOR


@dataclass(frozen=True, slots=True)
class ContractEffect:
    """A proposed contract against the hub as it is. `in_force` is the version it differs from, None for a platform that
    the hub does not know. `unreadable` says why no process could start by it; empty where it could."""

    in_force: str | None
    changes: tuple[Reached, ...]
    unreadable: str = ""

    @property
    def needed(self) -> Step:
        """The largest step of all changes."""
        return max((each.change.step for each in self.changes), default=Step.NONE)


def effect_of(catalogue: Catalogue, found: ContractProposal) -> ContractEffect:
    """What the contract would do if it took the place of the one in force.

    Raises:
        ConfigurationInvalid: the document, taken when it was proposed, is none that this version of the hub reads.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / CONTRACT_FILE
        file.write_text(found.document, "utf-8")
        proposed = read_contracts(file)
    profiles = [each for each in catalogue.profiles if each.system == found.system]
    unreadable = _tried(catalogue, found)
    if not profiles:
        return ContractEffect(None, (), unreadable)
    diff = diff_contracts([each.contract for each in profiles], proposed)
    tables = {each.table: column_coverage(each) for each in profiles}
    return ContractEffect(
        diff.before, tuple(Reached(each, _read_for(tables, each)) for each in diff.changes), unreadable
    )


def _read_for(tables: Mapping[str, TableCoverage], change: ContractChange) -> tuple[Use, ...]:
    table = tables.get(change.table)
    if table is None or (change.column is None and change.step is not Step.MAJOR):
        return ()
    columns = [each for each in table.columns if change.column in (None, each.name)]
    return tuple(dict.fromkeys(use for each in columns for use in each.uses))


def _tried(catalogue: Catalogue, found: ContractProposal) -> str:
    """Why the platforms could not be read with this document among them; empty where they could, or where it cannot be
    tried because they were not read from a folder."""
    if catalogue.folder is None:
        return ""
    with TemporaryDirectory() as directory:
        trial = Path(directory) / "sources"
        shutil.copytree(catalogue.folder, trial, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (trial / found.system).mkdir(exist_ok=True)
        (trial / found.system / CONTRACT_FILE).write_text(found.document, "utf-8")
        try:
            load_catalogue(trial)
        except ConfigurationInvalid as fault:
            return str(fault).replace(f"{trial}/", "")
    return ""


def systems_of(catalogue: Catalogue, scope: frozenset[str] | None) -> Sequence[str]:
    """The platforms whose contracts somebody may propose, by name; `scope` None for all."""
    return sorted({each.system for each in catalogue.profiles if scope is None or each.system in scope})
