"""What stewards do: judge, merge, split, override, undo; preview any of it; work on tasks; approve; delegate.

`decide` and `preview` take any command of `mdm.model.stewardship`. Everything here is one unit of work with an audit
row. Reads for lists and pages are in `mdm.store.read_stewardship`.
"""

from mdm.hub.steward.actor import Actor
from mdm.hub.steward.approvals import (
    Proposal,
    ProposalOrder,
    ProposalPlace,
    against_answering,
    find_proposal,
    list_proposals,
)
from mdm.hub.steward.bulk import (
    MOST_ITEMS,
    Answer,
    Job,
    Purpose,
    bulk_job,
    carried_out_by,
    jobs_of,
    own_job,
    run_bulk,
    start_bulk,
    start_take_back,
    stop_bulk,
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
from mdm.hub.steward.looking import (
    AT_A_TIME,
    BulkPreview,
    continue_job,
    items_possible,
    looked_at,
    preview_bulk,
    run_job,
    run_look,
    start_look,
)
from mdm.hub.steward.many import Handled, assign_all, snooze_all
from mdm.hub.steward.policy import NO_POLICY, load_policy
from mdm.hub.steward.similar import Similar, similar_decisions
from mdm.hub.steward.steps import TAKEN_BACK_HERE, Step, last_steps, take_back
from mdm.hub.steward.tasks import (
    Remark,
    TaskState,
    assign,
    claim,
    comment,
    comments,
    release,
    snooze,
    task_state,
    task_states,
)
from mdm.hub.steward.tokens import Expected, task_tokens
from mdm.hub.steward.workplace import Desk, Workplace

__all__ = [
    "AT_A_TIME",
    "MOST_ITEMS",
    "NO_POLICY",
    "TAKEN_BACK_HERE",
    "Actor",
    "Answer",
    "BulkPreview",
    "CommandKey",
    "Decided",
    "Delegation",
    "Desk",
    "Expected",
    "Handled",
    "Job",
    "Preview",
    "Proposal",
    "ProposalOrder",
    "ProposalPlace",
    "Purpose",
    "Remark",
    "Similar",
    "Step",
    "TaskState",
    "Workplace",
    "against_answering",
    "approve",
    "assign",
    "assign_all",
    "bulk_job",
    "carried_out_by",
    "claim",
    "comment",
    "comments",
    "continue_job",
    "decide",
    "delegate",
    "delegations",
    "end_delegation",
    "expire_due",
    "find_proposal",
    "items_possible",
    "jobs_of",
    "last_steps",
    "list_proposals",
    "load_policy",
    "looked_at",
    "own_job",
    "preview",
    "preview_bulk",
    "preview_proposal",
    "reject",
    "release",
    "run_bulk",
    "run_job",
    "run_look",
    "similar_decisions",
    "snooze",
    "snooze_all",
    "start_bulk",
    "start_look",
    "start_take_back",
    "stop_bulk",
    "take_back",
    "task_state",
    "task_states",
    "task_tokens",
    "undo_last",
    "withdraw",
]
