"""What stewards do: judge, merge, split, override, undo; preview any of it; work on tasks; approve.

`decide` and `preview` take any command of `mdm.model.stewardship`. Everything here is one unit of work with an audit
row. Reads for lists and pages are in `mdm.store.read_stewardship`.
"""

from mdm.hub.steward.actor import Actor
from mdm.hub.steward.desk import CommandKey, Decided, Preview, decide, preview, undo_last
from mdm.hub.steward.tasks import Remark, TaskState, assign, claim, comment, comments, release, snooze, task_state
from mdm.hub.steward.tokens import Expected, task_tokens
from mdm.hub.steward.workplace import Desk, Workplace

__all__ = [
    "Actor",
    "CommandKey",
    "Decided",
    "Desk",
    "Expected",
    "Preview",
    "Remark",
    "TaskState",
    "Workplace",
    "assign",
    "claim",
    "comment",
    "comments",
    "decide",
    "preview",
    "release",
    "snooze",
    "task_state",
    "task_tokens",
    "undo_last",
]
