"""Platforms that say nothing: no change and no heartbeat for too long becomes an exception, and ends by itself.

A connector that is down makes no noise, and everything downstream looks right, only older and older.
"""

from collections.abc import Sequence
from datetime import timedelta

from mdm.hub.process import Pipeline
from mdm.intake.catalogue import Catalogue
from mdm.intake.refusal import FALLBACK_OWNER
from mdm.store import silence as store
from mdm.store.unit_of_work import unit_of_work


def look_for_silence(pipeline: Pipeline, limit: timedelta) -> Sequence[str]:
    """The platforms that were heard once and have been silent for longer than `limit`, each with an open exception.

    The exception of a platform that is heard again is closed. Nothing is written while nothing changes; several
    workers may look.

    Raises:
        TransientError: the database cannot be reached now.
    """
    now = pipeline.clock()
    found = store.heard(pipeline.engine)
    silent = [each for each in found if now - each.heard_at > limit]
    new = [each for each in silent if not each.told]
    over = [each for each in found if each.told and now - each.heard_at <= limit]
    if new or over:
        with unit_of_work(pipeline.engine, pipeline.clock, "silence") as work:
            store.tell(work, new, limit, lambda system: _owner(pipeline.catalogue, system))
            store.close(work, over)
    return [each.system for each in silent]


def _owner(catalogue: Catalogue, system: str) -> str:
    """Who answers for most tables of a platform; by name among equals."""
    owners = [profile.owner for profile in catalogue.profiles if profile.system == system]
    return max(sorted(set(owners)), key=owners.count, default=FALLBACK_OWNER)
