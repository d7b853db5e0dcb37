"""What an erasure did, and what stays: the search for traces in every table that lets it end, or stops it."""

from collections.abc import Mapping, Sequence
from typing import Any

from mdm.errors import Conflict
from mdm.privacy.policy import Policy
from mdm.privacy.traces import telling
from mdm.store import erasure as store
from mdm.store.unit_of_work import UnitOfWork


def proof_of(
    work: UnitOfWork,
    rows: Sequence[store.RowOf],
    kept: Mapping[str, str],
    traces: frozenset[str],
    entities: Sequence[str],
    blotted: Mapping[str, int],
    versions: int,
    policy: Policy,
) -> dict[str, Any]:
    """What was done and what stays, without a value of the subject.

    Raises:
        Conflict: a trace would be left where none may be.
    """
    sought = telling(traces)
    left = store.tables_with(work, sought) if sought else {}
    mentioned = store.records_with(work, sought) if sought else []
    # Other people's rows, and what is derived of them, may state the same; everything else may not.
    allowed = {"source_record", "record_history"} if mentioned else set()
    # The audit chain cannot be rewritten: it names rows and golden records, remarks stand apart from it. Registers that
    # were loaded as a whole say what their publisher says. Where a trace stands in them, the proof says so.
    allowed |= {"audit", "gleif_entity", "sanction_name"}
    if any(kind not in policy.held for _, _, kind, _ in mentioned):
        allowed |= {
            "golden",
            "search_term",
            "outbox",
            "record_evidence",
            "identifier_use",
            "recycled_identifier",
            "identifier_kept",
            "link",
            "decision",
            "proposal",
            "golden_override",
            "dead_letter",
        }
    stray = {table: count for table, count in left.items() if table not in allowed}
    if stray:
        where = ", ".join(f"{table} ({count})" for table, count in sorted(stray.items()))
        raise Conflict(
            f"Traces of the subject would be left in {where}; nothing was erased.",
            action="Take them out there by hand, or hold the column that states them; then approve again.",
        )
    return {
        "policy": policy.version,
        "rows": [{"system": row.key.system, "type": row.key.type, "kind": row.kind} for row in rows],
        "versions_forgotten": versions,
        "entities": list(entities),
        "blotted": {table: count for table, count in sorted(blotted.items()) if count},
        "kept_by_hold": dict(kept),
        "traces_sought": len(sought),
        "tables_searched": "all",
        "tables_with_traces": left,
        "stays": [
            {"system": system, "type": type_, "rows": count, "basis": policy.held.get(kind, "stated by another record")}
            for system, type_, kind, count in mentioned
        ],
        "suppressed": len(rows),
    }
