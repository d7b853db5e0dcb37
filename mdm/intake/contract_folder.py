"""What is wrong between the documents of a folder: versions of one table that do not go together.

Each document by itself is `mdm.intake.contract_lint`. What a catalogue refuses to load is an error here, too.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mdm.intake.contract_lint import LintFinding, Severity
from mdm.intake.contracts import Contract, State


def lint_together(contracts: Sequence[Contract]) -> Iterator[LintFinding]:
    """Findings about tables that several documents describe, and about topics that several tables claim."""
    tables: dict[tuple[str, str], list[Contract]] = {}
    topics: dict[str, dict[tuple[str, str], Contract]] = {}
    for each in contracts:
        tables.setdefault((each.system, each.table), []).append(each)
        topics.setdefault(each.topic, {})[each.system, each.table] = each
    for versions in tables.values():
        yield from _versions(sorted(versions, key=lambda each: each.major))
    for topic, claimed in topics.items():
        if len(claimed) > 1:
            names = ", ".join(".".join(name) for name in sorted(claimed))
            (*_, last) = claimed.values()
            yield _error(last, "TOPIC_TWICE", f"{topic} is the topic of {names}: only one can be read from it.")


def _versions(versions: Sequence[Contract]) -> Iterator[LintFinding]:
    """Findings about the documents of one table, the oldest major first."""
    readable = [each for each in versions if each.state.readable]
    for older, newer in pairwise(versions):
        if older.major == newer.major:
            detail = (
                f"{_called(older)} and {_called(newer)} are both major {older.major}: within a major, the newer "
                "document replaces the older."
            )
            yield _error(newer, "MAJOR_TWICE", detail)
        elif newer.major > older.major + 1:
            detail = f"Version {newer.version} follows {older.version}: is a document missing between them?"
            yield _warning(newer, "VERSION_GAP", detail)
    if len(readable) > 2:
        told = ", ".join(each.version for each in readable)
        yield _error(readable[-1], "TOO_MANY_MAJORS", f"{told} would all be read; retire the oldest, two are accepted.")
    for older, newer in pairwise(readable):
        yield from _migration(older, newer)
    if versions[-1].state is State.RETIRED and not readable:
        yield _warning(versions[-1], "NOBODY_READS", "Every version is retired: what comes is refused.")
    if len(readable) == 1 and readable[0].state is State.DEPRECATED and readable[0] is versions[-1]:
        yield _warning(readable[0], "NO_SUCCESSOR", "It is deprecated, and no newer version is there to move to.")


def _migration(older: Contract, newer: Contract) -> Iterator[LintFinding]:
    if older.major == newer.major:
        return
    if older.state is State.ACTIVE and newer.state is State.ACTIVE:
        detail = (
            f"{older.version} and {newer.version} are both active. Deprecate {older.version}, with endOfSupport in its "
            "slaProperties: so its owner is told while it is still sent, and everybody knows until when."
        )
        yield _warning(older, "MIGRATION_UNMARKED", detail)
    if older.state is State.ACTIVE and newer.state is State.DEPRECATED:
        yield _warning(newer, "NEWER_DEPRECATED", f"{newer.version} is deprecated, the older {older.version} active.")
    if older.owner != newer.owner:
        yield _warning(newer, "OWNER_DIFFERS", f"{older.owner} owns {older.version}, {newer.owner} {newer.version}.")
    if older.topic != newer.topic:
        detail = f"{older.version} comes on {older.topic}, {newer.version} on {newer.topic}: one table has one topic."
        yield _warning(newer, "TOPIC_DIFFERS", detail)
    for code, one, other, told in (
        ("KEY_DIFFERS", older.primary_key, newer.primary_key, "primary key"),
        ("ENVELOPE_DIFFERS", older.flat, newer.flat, "envelope"),
    ):
        if one != other:
            yield _error(newer, code, f"{older.version} and {newer.version} differ in their {told}: not at one time.")


def _called(contract: Contract) -> str:
    name = contract.file.name if contract.file is not None else contract.id
    return f"{name} ({contract.version}, {contract.status})"


def _error(contract: Contract, code: str, detail: str) -> LintFinding:
    return LintFinding(str(contract.file), Severity.ERROR, code, contract.table, detail)


def _warning(contract: Contract, code: str, detail: str) -> LintFinding:
    return LintFinding(str(contract.file), Severity.WARNING, code, contract.table, detail)
