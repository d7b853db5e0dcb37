"""How far a business transaction got, stage by stage: what is done, what is awaited, what is missing, what disagrees.

Pure. What the stages of a process are and which rows belong to them is said elsewhere (`quote_to_cash`,
`usage_to_revenue`); here it is judged what that comes to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from mdm.lifecycle.findings import Finding
from mdm.model.ids import CrosswalkKey

#: A stage names at most so many rows, the newest; `count` counts all.
MOST_ROWS = 20
#: The code of what nobody disagrees about, but which stands still (`mdm.lifecycle.stuck`).
STANDS_STILL = "STANDS_STILL"
_NEVER = datetime.min.replace(tzinfo=UTC)


class StageState(StrEnum):
    """How a stage stands.

    Done; open: begun or next; missing: what follows is there, it is overdue, or nothing will come any more; in
    conflict: a finding says that the platforms disagree.
    """

    DONE = "done"
    OPEN = "open"
    MISSING = "missing"
    IN_CONFLICT = "in conflict"


@dataclass(frozen=True, slots=True)
class Blocker:
    """What holds a stage up: a finding, or that it stands still (`rule` is None then). `facts` begin with its
    subject."""

    code: str
    rule: str | None
    facts: tuple[CrosswalkKey, ...]
    owner: str
    action: str

    @property
    def subject(self) -> CrosswalkKey:
        return self.facts[0]


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do where a stage is not done, and whose move that is."""

    action: str
    owner: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as it stands, `since` when, and by which rows. `next_step` is None where it is done."""

    name: str
    state: StageState
    since: datetime | None
    rows: tuple[CrosswalkKey, ...]
    count: int
    blocked_by: tuple[Blocker, ...]
    next_step: NextStep | None
    #: The transaction has gone on from here, whatever is missing.
    passed: bool


@dataclass(slots=True)
class Evidence:
    """What speaks for a stage, before it is judged: finished rows, rows that wait, what is absent, what disagrees."""

    name: str
    usual: NextStep
    finished: list[CrosswalkKey] = field(default_factory=list)
    waiting: list[CrosswalkKey] = field(default_factory=list)
    absent: list[Blocker] = field(default_factory=list)
    conflicts: list[Blocker] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        return bool(self.finished or self.waiting)


def judge(stages: Sequence[Evidence], when: Mapping[CrosswalkKey, datetime], *, over: bool) -> tuple[Stage, ...]:
    """How each stage stands, in their order. `over` says that nothing will follow by itself any more."""
    judged: list[Stage] = []
    reached: datetime | None = None
    for place, each in enumerate(stages):
        later = any(other.begun for other in stages[place + 1 :])
        stage = _judged(each, when, reached, later=later, over=over)
        if each.begun:
            reached = max((when[row] for row in (*each.finished, *each.waiting) if row in when), default=reached)
        judged.append(stage)
    return tuple(judged)


def standing(stages: Sequence[Stage]) -> Stage:
    """The stage that a transaction is in: the first that it has not passed; the last where it has passed all."""
    return next((stage for stage in stages if not stage.passed), stages[-1])


def blocker_of(finding: Finding) -> Blocker:
    """A finding as what holds a stage up."""
    return Blocker(finding.code, finding.rule, finding.facts, finding.owner, finding.action)


def _judged(
    each: Evidence, when: Mapping[CrosswalkKey, datetime], reached: datetime | None, *, later: bool, over: bool
) -> Stage:
    blockers = (*each.conflicts, *each.absent)
    rows: Iterable[CrosswalkKey] = (fact for blocker in blockers for fact in blocker.facts)
    earliest = True
    if each.conflicts:
        state = StageState.IN_CONFLICT
    elif each.absent:
        state = StageState.MISSING
    elif each.waiting:
        state, rows = StageState.OPEN, each.waiting
    elif each.finished:
        state, rows, earliest = StageState.DONE, each.finished, False
    else:
        state = StageState.MISSING if later or over else StageState.OPEN
    named = sorted(set(rows), key=lambda row: (when.get(row, _NEVER), row))
    times = [when[row] for row in named if row in when]
    since = (min(times) if earliest else max(times)) if times else reached
    done = state is StageState.DONE
    step = NextStep(blockers[0].action, blockers[0].owner) if blockers else each.usual
    return Stage(
        each.name, state, since, tuple(named[-MOST_ROWS:]), len(named), blockers, None if done else step,
        passed=done or (state is StageState.MISSING and not blockers and later),
    )  # fmt: skip
