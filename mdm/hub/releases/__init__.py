"""Releases of rules: draft, try on live data, approve, put into force, take back.

Rule sets of survivorship and matching models are documents with versions. What is in force here stands in for what
ships with the package, for everybody from the same unit of work on (`mdm.hub.in_force`).
"""

from mdm.hub.in_force import in_force, in_force_now, part, text_of
from mdm.hub.releases.carrying import (
    Carried,
    activate,
    begin_activation,
    begin_rollback,
    roll_back,
    run,
    same_state,
)
from mdm.hub.releases.drafting import approve, change, document_in_force, draft, last_simulation, reject, withdraw
from mdm.hub.releases.proving import need_prover, proof_of, splink
from mdm.hub.releases.testing import checks
from mdm.hub.releases.trying import Progress, begin_simulation, run_simulation, simulate, stop_simulation

__all__ = [
    "Carried",
    "Progress",
    "activate",
    "approve",
    "begin_activation",
    "begin_rollback",
    "begin_simulation",
    "change",
    "checks",
    "document_in_force",
    "draft",
    "in_force",
    "in_force_now",
    "last_simulation",
    "need_prover",
    "part",
    "proof_of",
    "reject",
    "roll_back",
    "run",
    "run_simulation",
    "same_state",
    "simulate",
    "splink",
    "stop_simulation",
    "text_of",
    "withdraw",
]
