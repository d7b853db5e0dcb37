"""Proposed data contracts: rows in, values out. What may be done is decided elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from mdm.errors import NotFound
from mdm.model.contract_proposals import ContractProposal, ProposalStatus
from mdm.store.unit_of_work import UnitOfWork

#: Asks the database: a statement with `%s`, then what fills them.
Query: TypeAlias = Callable[..., Sequence[Sequence[Any]]]

_COLUMNS = """proposal_id, system, version, base, document, fingerprint, title, report::text, status, author,
    proposed_at, decider, decided_at, reason"""


def insert(work: UnitOfWork, proposal: Mapping[str, object], report: Mapping[str, Any]) -> int:
    """Write a proposal; returns its number, or 0 where the same document waits already."""
    row = {**proposal, "report": orjson.dumps(report).decode(), "proposed_at": work.now}
    places = ", ".join(["%s"] * len(row))
    rows = work.query(
        f"""insert into contract_proposal ({", ".join(row)}) values ({places})
            on conflict (system, fingerprint) where status = 'proposed' do nothing returning proposal_id""",
        *row.values(),
    )
    return int(rows[0][0]) if rows else 0


def decide(work: UnitOfWork, proposal_id: int, status: ProposalStatus, actor: str, reason: str) -> None:
    """Note what was decided, by whom and why."""
    work.execute(
        "update contract_proposal set status = %s, decider = %s, decided_at = %s, reason = %s where proposal_id = %s",
        status.value, actor, work.now, reason, proposal_id,
    )  # fmt: skip


def find(query: Query, proposal_id: int, author: str | None = None, *, lock: bool = False) -> ContractProposal:
    """A proposal; with an author, only one of theirs.

    Raises:
        NotFound: there is none with this number.
    """
    rows = query(
        f"""select {_COLUMNS} from contract_proposal
            where proposal_id = %s and (%s::text is null or author = %s) {"for update" if lock else ""}""",
        proposal_id, author, author,
    )  # fmt: skip
    if not rows:
        raise NotFound(
            f"There is no contract proposal {proposal_id}.", action="`mdm contracts proposals` shows those that are."
        )
    return _proposal(rows[0])


def page(
    query: Query, status: ProposalStatus | None, author: str | None, before: int | None, limit: int
) -> list[ContractProposal]:
    """Up to `limit` proposals, the newest first."""
    rows = query(
        f"""select {_COLUMNS} from contract_proposal
            where (%s::text is null or status = %s) and (%s::text is null or author = %s)
              and (%s::bigint is null or proposal_id < %s::bigint)
            order by proposal_id desc limit %s""",
        status, status, author, author, before, before, limit,
    )  # fmt: skip
    return [_proposal(row) for row in rows]


def waiting(query: Query, author: str | None) -> int:
    """How many wait for an answer; with an author, of theirs."""
    rows = query(
        "select count(*) from contract_proposal where status = 'proposed' and (%s::text is null or author = %s)",
        author, author,
    )  # fmt: skip
    return int(rows[0][0])


def _proposal(row: Sequence[Any]) -> ContractProposal:
    number, system, version, base, document, fingerprint, title, report, status, *rest = row
    return ContractProposal(
        number, system, version, base, document, fingerprint, title, orjson.loads(report), ProposalStatus(status), *rest
    )
