"""The ERP view, ready when somebody reads it: versions that are new are judged at once, many of them beside it."""

import logging
from collections.abc import Sequence
from threading import Lock, Thread
from typing import Any

from sqlalchemy import Connection, Engine

from api.deps import ReadHub
from api.errors import HELD_BACK, refuse
from mdm.errors import MdmError
from mdm.hub.erp_gates import gates_wait, judge_again, pass_gates
from mdm.model.ids import Domain, EntityId
from mdm.model.platforms import Platforms
from mdm.store.erp_view import Standing, standings
from mdm.store.read_golden import GoldenRow, golden_version
from mdm.store.reading import transient_failures

_logger = logging.getLogger("mdm.api")
_lock = Lock()
#: Versions that a page judges itself: about a second, once.
_AT_ONCE = 1000


def ready(hub: ReadHub, platforms: Platforms, erp: str, domain: Domain) -> None:
    """What is new was judged, unless it is much: then the view serves what has passed so far, and the rest is judged
    beside it."""
    engine, now = hub.engine, hub.clock()
    if not gates_wait(engine, now, erp, domain):
        return
    pass_gates(engine, platforms, now, erp, [domain], at_most=_AT_ONCE)
    if gates_wait(engine, now, erp, domain) and _lock.acquire(blocking=False):
        Thread(target=_judge, args=(hub, engine, platforms, erp, domain), name="erp gates", daemon=True).start()


def passed(connection: Connection, erp: str, row: GoldenRow) -> GoldenRow:
    """The last version of a golden record that passed the gates of an ERP.

    Raises:
        ProblemRaised: `held-back`, with the reasons, when none did.
    """
    found = standings(connection, [row.entity_id], erp)
    standing = found[0] if found else None
    if standing is not None and standing.version == row.version:
        return row
    if standing is not None and standing.version is not None:
        served = golden_version(connection, row.domain, row.entity_id, standing.version)
        if served is not None:
            return served
    reasons = list(standing.reasons) if standing is not None else []
    detail = "No version of this record has passed the gates." if reasons else "It is not judged yet; ask again."
    raise refuse(HELD_BACK, detail, reasons=reasons)


def one_ready(hub: ReadHub, platforms: Platforms, erp: str, domain: Domain, entity_id: str) -> None:
    """Versions of the domain are judged, and one that is held back of this record anew: what it lacked may be there."""
    ready(hub, platforms, erp, domain)
    judge_again(hub.engine, platforms, hub.clock(), erp, domain, EntityId(entity_id))


def held_objects(connection: Connection, erp: str, rows: Sequence[GoldenRow]) -> dict[str, dict[str, Any]]:
    """By golden id what is held back, of those of which something is."""
    found = standings(connection, [row.entity_id for row in rows], erp) if rows else []
    return {each.entity_id: held_object(each) for each in found if each.held}


def held_object(standing: Standing) -> dict[str, Any]:
    """A version that is held back, and why."""
    return {
        "version": standing.judged,
        "judged_at": standing.judged_at,
        "reasons": list(standing.reasons),
        "proposal_id": standing.proposal_id,
    }


def _judge(hub: ReadHub, engine: Engine, platforms: Platforms, erp: str, domain: Domain) -> None:
    try:
        with transient_failures():
            pass_gates(engine, platforms, hub.clock(), erp, [domain])
    except MdmError as error:  # the next page tries again
        _logger.warning("Versions could not be judged for %s: %s", erp, error.message)
    finally:
        _lock.release()
