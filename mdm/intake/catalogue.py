"""The catalogue: every source table the hub knows, with its contract, mapping and trust.

Read from a folder of platforms; the shipped one is `mdm/intake/sources`. A platform folder holds `contract.odcs.yaml`
and one mapping per table, named after the table. Adding a platform is adding a folder.

While a platform migrates, a second document (`contract.v2.odcs.yaml`) describes the next major version: events are read
by whichever of the two fits, and rows have the columns of both.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdm.errors import ConfigurationInvalid
from mdm.intake.contracts import Contract, State, read_contracts
from mdm.intake.majors import read_by_fit, read_key_by_fit, with_all_columns
from mdm.intake.rows import ReadRow, RowReader
from mdm.intake.rules import TableMapping, read_mapping
from mdm.intake.standardise.registry import STANDARDISERS
from mdm.intake.tiers import TierPolicy, Tiers, Workflow, tiers_of
from mdm.model.platforms import PlatformRole, Platforms

SHIPPED_SOURCES = Path(__file__).parent / "sources"
CONTRACT_FILE = "contract.odcs.yaml"
#: What contract files are called: the one above, and `contract.v2.odcs.yaml` or the like beside it.
CONTRACT_FILES = "contract*.odcs.yaml"
#: Majors of one table that are accepted at the same time.
_MOST_MAJORS = 2
#: Trust in a source that the catalogue does not know.
UNKNOWN_TRUST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One source table. Without a mapping its rows are mirrored but mean nothing to the hub.

    `contract` is the newest one that events are read by. While the platform migrates, `readers` holds the one before
    as well; it is empty when no contract of the table is active. `former` are the columns that only retired contracts
    have.
    """

    contract: Contract
    mapping: TableMapping | None
    rows: RowReader
    #: What it serves, and how critical that is.
    workflow: Workflow
    readers: tuple[RowReader, ...] = ()
    former: frozenset[str] = frozenset()

    @property
    def system(self) -> str:
        return self.contract.system

    @property
    def table(self) -> str:
        return self.contract.table

    @property
    def owner(self) -> str:
        return self.contract.owner

    @property
    def tier(self) -> TierPolicy:
        return self.workflow.tier

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of all contracts that events are read by."""
        return tuple(dict.fromkeys(each.contract.topic for each in (self.rows, *self.readers)))

    def read_key(self, key: bytes, schema: bytes | None) -> dict[str, Any]:
        """The key columns as the newest contract reads them that can."""
        if len(self.readers) <= 1:
            return self.rows.read_key(key, schema)
        return read_key_by_fit(self.readers, key, schema)

    def read_row(self, row: bytes, schema: bytes | None) -> ReadRow:
        """The row as the contract that fits it reads it; see `mdm.intake.majors`."""
        if len(self.readers) == 1 and not self.former:
            return self.rows.read_row(row, schema)
        return read_by_fit(self.readers, lambda reader: reader.read_row(row, schema), self.former)

    def read_flat_row(self, row: bytes, schema: bytes | None) -> ReadRow:
        """As `read_row`, for a row without envelope."""
        if len(self.readers) == 1 and not self.former:
            return self.rows.read_flat_row(row, schema)
        return read_by_fit(self.readers, lambda reader: reader.read_flat_row(row, schema), self.former)

    def trust(self, attribute: str) -> float:
        """How far this table is believed about an attribute, 0 to 1."""
        if self.mapping is None:
            return UNKNOWN_TRUST
        return self.mapping.trust.get(attribute, self.mapping.default_trust)


class Catalogue:
    """All profiles, found by topic or by platform and table."""

    def __init__(self, profiles: tuple[Profile, ...], folder: Path | None = None) -> None:
        self._profiles = profiles
        #: Where it was read from, and can be read again; None where it was put together otherwise.
        self.folder = folder
        #: How critical the workflows are that its tables serve.
        self.tiers = tiers_of(folder)
        self._by_topic = {topic: profile for profile in profiles for topic in profile.topics}
        self._by_table = {(profile.system, profile.table): profile for profile in profiles}
        self._prefixes = frozenset(profile.contract.topic_prefix for profile in profiles)
        #: What the platforms are to the company, as far as their contracts say.
        self.platforms = _roles(profiles)
        self._ignored = frozenset(topic for profile in profiles for topic in profile.contract.ignored_topics)
        if len(self._by_topic) < sum(len(profile.topics) for profile in profiles) or len(self._by_table) < len(
            profiles
        ):
            raise ConfigurationInvalid("Two contracts describe the same topic, or the same table of a platform.")
        for profile in profiles:
            self._check_targets(profile)

    def _check_targets(self, profile: Profile) -> None:
        """Targets in a platform of this catalogue must exist; a platform that is not in it may come later."""
        platforms = {system for system, _ in self._by_table}
        for target in profile.mapping.targets() if profile.mapping is not None else ():
            table, _, alias = target.type.partition("#")
            other = self._by_table.get((target.system, table))
            declared = {rule.name for rule in other.mapping.aliases} if other is not None and other.mapping else set()
            if target.system in platforms and (other is None or (alias and alias not in declared)):
                raise ConfigurationInvalid(
                    f"The mapping of {profile.system}.{profile.table} points at {target.system}.{target.type}, "
                    "which is no table or alias of that platform.",
                    action="Correct `to` in the mapping, or declare the alias in the mapping of the other table.",
                )

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return self._profiles

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(self._by_topic)

    @property
    def topic_prefixes(self) -> frozenset[str]:
        """Debezium's `topic.prefix` of every platform."""
        return self._prefixes

    def platforms_of(self, role: PlatformRole) -> tuple[str, ...]:
        """Names of the platforms with this role, in order; empty when no contract declares it."""
        return self.platforms.of(role)

    @property
    def without_role(self) -> tuple[str, ...]:
        """Platforms whose contracts do not say what they are: the hub treats them as none of the four."""
        return tuple(sorted({each.system for each in self._profiles} - self.platforms.roles.keys()))

    def topics_of(self, system: str) -> frozenset[str]:
        """All topics of a platform, named as contracts or as its topics do; also those that are ignored."""
        mine = [each for each in self._profiles if system in (each.system, each.contract.topic_prefix)]
        return frozenset(topic for each in mine for topic in (*each.topics, *each.contract.ignored_topics))

    def ignores(self, topic: str) -> bool:
        """Whether a contract says that this topic carries nothing for the hub."""
        return topic in self._ignored

    def by_topic(self, topic: str) -> Profile | None:
        return self._by_topic.get(topic)

    def profile(self, system: str, table: str) -> Profile | None:
        return self._by_table.get((system, table))

    def owner_of(self, system: str, table: str) -> str:
        """Who owns a table, by its contract; the stewards of customers where none names it."""
        profile = self._by_table.get((system, table))
        return profile.owner if profile is not None else "customer stewards"

    def trust(self, system: str, table: str, attribute: str) -> float:
        """How far a table is believed about an attribute, 0 to 1; one half for an unknown table."""
        profile = self._by_table.get((system, table))
        return UNKNOWN_TRUST if profile is None else profile.trust(attribute)


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The catalogue of a folder of platforms, by default the shipped one.

    Raises:
        ConfigurationInvalid: a document is wrong; names file, line and key.
    """
    folder = folder or SHIPPED_SOURCES
    files = sorted(folder.glob(f"*/{CONTRACT_FILES}"))
    if not files:
        raise ConfigurationInvalid(
            f"{folder} holds no platform.", action=f"Put each platform in a folder of its own with a {CONTRACT_FILE}."
        )
    platforms, tiers = dict.fromkeys(file.parent for file in files), tiers_of(folder)
    return Catalogue(tuple(profile for platform in platforms for profile in _profiles(platform, tiers)), folder)


def _roles(profiles: tuple[Profile, ...]) -> Platforms:
    found: dict[str, PlatformRole] = {}
    for profile in profiles:
        for contract in (profile.contract, *(each.contract for each in profile.readers)):
            if contract.role is None:
                continue
            if found.setdefault(contract.system, contract.role) is not contract.role:
                raise ConfigurationInvalid(
                    f"Contracts of {contract.system} call it {found[contract.system]} and {contract.role}.",
                    action="A platform has one role: correct `role` in the customProperties of its contracts.",
                )
    return Platforms(found)


def _profiles(platform: Path, tiers: Tiers) -> list[Profile]:
    files = sorted(platform.glob(CONTRACT_FILES))
    mappings = {file.stem: file for file in sorted(platform.glob("*.yaml")) if file not in files}
    tables: dict[str, list[Contract]] = {}
    for file in files:
        for contract in read_contracts(file):
            tables.setdefault(contract.table, []).append(contract)
    profiles = [profile_of(contracts, mappings.pop(table, None), tiers) for table, contracts in tables.items()]
    if mappings:
        stray = ", ".join(str(file) for file in mappings.values())
        raise ConfigurationInvalid(f"No table of {platform} is called like the mapping {stray}.")
    return profiles


def profile_of(contracts: list[Contract], file: Path | None, tiers: Tiers | None = None) -> Profile:
    """One table by all its contracts, the newest readable one first, and by the document of its mapping, if it has one.

    Raises:
        ConfigurationInvalid: too many contracts, or a mapping that does not fit them.
    """
    versions = sorted(contracts, key=lambda each: each.major, reverse=True)
    readable = [each for each in versions if each.state.readable]
    if len({each.major for each in versions}) < len(versions):
        raise ConfigurationInvalid(
            f"Two contracts of {versions[0].system}.{versions[0].table} have the major version {versions[0].major}.",
            action="Within a major version the newer document replaces the older one.",
        )
    if len(readable) > _MOST_MAJORS:
        raise ConfigurationInvalid(
            f"{len(readable)} major versions of {versions[0].system}.{versions[0].table} are active or deprecated.",
            action="Retire the oldest: no more than two are accepted at once.",
        )
    for what, told in (("primary_key", "primary key"), ("flat", "envelope")):
        if len({getattr(each, what) for each in readable}) > 1:
            raise ConfigurationInvalid(
                f"The major versions of {versions[0].system}.{versions[0].table} differ in their {told}.",
                action="Rows of the two could not be told to be the same: let the next major be a table of its own, "
                "or retire the version before it together with its connector.",
            )
    newest, *_ = readable or versions
    # Rows that nobody has changed since the migration have the columns of the retired version only.
    past = [each for each in versions if each.state is State.RETIRED and each.major < newest.major]
    mapping = None
    if file is not None:
        columns = with_all_columns(newest, [*readable, *past] if readable else [])
        mapping = read_mapping(file, columns, frozenset(STANDARDISERS))
    readers = tuple(RowReader(each) for each in readable)
    known = {name for each in readable for name in each.columns}
    former = frozenset(name for each in past for name in each.columns if readable and name not in known)
    rows = readers[0] if readers else RowReader(newest)
    return Profile(newest, mapping, rows, _workflow_of(newest, tiers), readers, former)


def _workflow_of(contract: Contract, tiers: Tiers | None) -> Workflow:
    beside = contract.file.parent.parent if contract.file is not None else None
    known = tiers or tiers_of(beside)
    found = known.workflow(contract.workflow)
    if found is None:
        raise ConfigurationInvalid(
            f"The contract of {contract.system}.{contract.table} names the workflow {contract.workflow}.",
            action=f"Name one of {', '.join(known.workflows)}, or add it to tiers.yaml beside the sources.",
        )
    return found
