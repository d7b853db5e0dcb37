"""What stewards do: judge, merge, split, override, undo; preview any of it; work on tasks; approve; delegate.

`decide` and `preview` take any command of `mdm.model.stewardship`. Everything here is one unit of work with an audit
row. Reads for lists and pages are in `mdm.store.read_stewardship`.
"""

from mdm.hub.steward.actor import Actor
from mdm.hub.steward.approvals import Proposal, find_proposal, list_proposals
from mdm.hub.steward.bulk import (
    Answer,
    BulkPreview,
    Job,
    bulk_job,
    preview_bulk,
    run_bulk,
    start_bulk,
    stop_bulk,
    undo_bulk,
)
from mdm.hub.steward.delegations import Delegation, delegate, delegations, end_delegation
from mdm.hub.steward.desk import (
    CommandKey,
    Decided,
    Preview,
    approve,
    decide,
    preview,
    preview_proposal,
    reject,
    undo_last,
    withdraw,
)
from mdm.hub.steward.expiry import expire_due
from mdm.hub.steward.policy import NO_POLICY, load_policy
from mdm.hub.steward.similar import Similar, similar_decisions
from mdm.hub.steward.tasks import Remark, TaskState, assign, claim, comment, comments, release, snooze, task_state
from mdm.hub.steward.tokens import Expected, task_tokens
from mdm.hub.steward.workplace import Desk, Workplace

__all__ = [
    "NO_POLICY",
    "Actor",
    "Answer",
    "BulkPreview",
    "CommandKey",
    "Decided",
    "Delegation",
    "Desk",
    "Expected",
    "Job",
    "Preview",
    "Proposal",
    "Remark",
    "Similar",
    "TaskState",
    "Workplace",
    "approve",
    "assign",
    "bulk_job",
    "claim",
    "comment",
    "comments",
    "decide",
    "delegate",
    "delegations",
    "end_delegation",
    "expire_due",
    "find_proposal",
    "list_proposals",
    "load_policy",
    "preview",
    "preview_bulk",
    "preview_proposal",
    "reject",
    "release",
    "run_bulk",
    "similar_decisions",
    "snooze",
    "start_bulk",
    "stop_bulk",
    "task_state",
    "task_tokens",
    "undo_bulk",
    "undo_last",
    "withdraw",
]
