"""What changed between two documents of a data contract, how large a step that is, and whether the version says so.

Major: what a reader of the old version can no longer rely on. Minor: what it may ignore. Patch: words only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from mdm.intake.contracts import Column, Contract
from mdm.intake.types import ColumnType, Kind, column_limit


class Step(IntEnum):
    """How large a step a change is."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One difference: where, what, and how large a step it is."""

    table: str
    column: str | None
    code: str
    detail: str
    step: Step


@dataclass(frozen=True, slots=True)
class ContractDiff:
    """All differences between two documents, and the step between their versions."""

    before: str
    after: str
    changes: tuple[ContractChange, ...]
    taken: Step

    @property
    def needed(self) -> Step:
        return max((change.step for change in self.changes), default=Step.NONE)

    @property
    def honest(self) -> bool:
        """Whether the version number took a step as large as the changes need."""
        return self.taken >= self.needed


def diff_contracts(before: Sequence[Contract], after: Sequence[Contract]) -> ContractDiff:
    """Compare all tables of two documents."""
    old, new = {each.table: each for each in before}, {each.table: each for each in after}
    changes: list[ContractChange] = []
    for table in sorted(old.keys() | new.keys()):
        if table not in new:
            changes.append(ContractChange(table, None, "TABLE_REMOVED", "The table is gone.", Step.MAJOR))
        elif table not in old:
            changes.append(ContractChange(table, None, "TABLE_ADDED", "The table is new.", Step.MINOR))
        else:
            changes += _table(old[table], new[table])
    versions = before[0].version, after[0].version
    return ContractDiff(*versions, tuple(changes), _step(*versions))


def _step(before: str, after: str) -> Step:
    """The step from one version to a later one; going back is none."""
    old, new = ([int(part) for part in version.split(".")] for version in (before, after))
    if new <= old:
        return Step.NONE
    return next(step for step, a, b in zip((Step.MAJOR, Step.MINOR, Step.PATCH), old, new, strict=True) if a != b)


_TERMS: Mapping[str, tuple[str, Step]] = {
    "topic": ("TOPIC_CHANGED", Step.MAJOR),
    "primary_key": ("KEY_CHANGED", Step.MAJOR),
    "encodings": ("ENCODING_CHANGED", Step.MAJOR),
    "flat": ("ENVELOPE_CHANGED", Step.MAJOR),
    "truncate_applies": ("TRUNCATE_CHANGED", Step.MAJOR),
    "replica_identity_full": ("REPLICA_IDENTITY_CHANGED", Step.MINOR),
    "mode": ("MODE_CHANGED", Step.MINOR),
    "owner": ("OWNER_CHANGED", Step.PATCH),
    "role": ("ROLE_CHANGED", Step.PATCH),
}


def _table(before: Contract, after: Contract) -> Iterator[ContractChange]:
    table = before.table
    for name, (code, step) in _TERMS.items():
        was, becomes = getattr(before, name), getattr(after, name)
        if was != becomes:
            yield ContractChange(table, None, code, f"was {was}, becomes {becomes}", step)
    gone = [column for name, column in before.columns.items() if name not in after.columns]
    come = [column for name, column in after.columns.items() if name not in before.columns]
    if len(gone) == len(come) == 1 and gone[0].type == come[0].type:
        detail = f"{gone[0].name} is gone and {come[0].name} of the same type has come: renamed"
        yield ContractChange(table, gone[0].name, "COLUMN_RENAMED", detail, Step.MAJOR)
    else:
        for column in gone:
            yield ContractChange(table, column.name, "COLUMN_REMOVED", f"{column.physical} is gone", Step.MAJOR)
        for column in come:
            detail = f"{column.physical} is new" + ("" if column.may_be_absent else ", and older events do not have it")
            yield ContractChange(table, column.name, "COLUMN_ADDED", detail, Step.MINOR)
    for name in before.columns.keys() & after.columns.keys():
        yield from _column(table, before.columns[name], after.columns[name])


def _column(table: str, before: Column, after: Column) -> Iterator[ContractChange]:
    def changed(code: str, detail: str, step: Step) -> ContractChange:
        return ContractChange(table, before.name, code, detail, step)

    types = f"was {before.physical}, becomes {after.physical}"
    if _retyped(before.type, after.type):
        yield changed("COLUMN_RETYPED", types, Step.MAJOR)
    elif before.physical != after.physical:
        wider, narrower = _wider(before, after), _wider(after, before)
        if narrower and not wider:
            yield changed("COLUMN_NARROWED", types, Step.MAJOR)
        elif wider and not narrower:
            yield changed("COLUMN_WIDENED", types, Step.MINOR)
        else:
            yield changed("TYPE_RENAMED", types, Step.PATCH)
    if before.required and not after.required:
        yield changed("COLUMN_OPTIONAL", "was required, may be null now", Step.MAJOR)
    if after.required and not before.required:
        yield changed("COLUMN_REQUIRED", "is never null any more", Step.MINOR)
    if lost := before.values - after.values if after.values else frozenset[str]():
        yield changed("ENUM_VALUES_REMOVED", f"{', '.join(sorted(lost))} no longer occur", Step.MINOR)
    if before.values and (more := after.values - before.values):
        yield changed("ENUM_VALUES_ADDED", f"{', '.join(sorted(more))} may occur", Step.MINOR)
    if before.mode != after.mode:
        yield changed("MODE_CHANGED", f"was {before.mode or 'as the table'}, becomes {after.mode or 'as the table'}",
                      Step.MINOR)  # fmt: skip


def _retyped(before: ColumnType, after: ColumnType) -> bool:
    if before.kind is Kind.DECIMAL and after.kind is Kind.DECIMAL:
        return False
    return before != after


def _wider(narrow: Column, wide: Column) -> bool:
    """Whether the second holds more than the first in some way."""
    one, other = column_limit(narrow.physical), column_limit(wide.physical)
    longer = one.length is not None and (other.length is None or other.length > one.length)
    larger = one.highest is not None and (other.highest is None or other.highest > one.highest)
    finer = one.scale is not None and (other.scale is None or other.scale > one.scale)
    return longer or larger or finer
