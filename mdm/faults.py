"""Fault points: named places at which a test ends the process, as a power cut would.

`MDM_FAULT=name:n` ends it with SIGKILL when the place is reached for the n-th time. Without it, passing a fault point
costs a comparison. Every durable step of the hub has one before and one after; the names are the list below.
"""

import os
import signal
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from mdm.errors import ConfigurationInvalid

FaultPoint: TypeAlias = Literal[
    "unit.written",  # a unit of work - of whatever command or worker - has written everything and is not committed
    "unit.committed",  # it is committed, and who asked for it does not know
    "ingest.polled",  # messages were taken from the feed, nothing is written
    "ingest.mirrored",  # rows and their history are written, not committed
    "ingest.resolved",  # identity, golden records and outbox are written, not committed
    "ingest.accounted",  # ledger, counts, positions and audit are written, not committed
    "ingest.committed",  # the unit of work is committed, the broker does not know
    "ingest.acknowledged",  # the broker knows
    "relay.read",  # announcements were read, nothing is sent
    "relay.sent",  # announcements are on their way, the broker has perhaps not written them
    "relay.delivered",  # the broker has written them, the outbox does not know
    "relay.marked",  # the outbox knows
    "release.unit",  # some golden records are in line with a release, not committed
    "release.in_line",  # all of them are, and the release does not know
    "rebuild.exchanged",  # the rebuilt tables are in the place of the live ones, not committed
    "rebuild.swapped",  # it is committed, feeds are held still
]
FAULT_POINTS: tuple[FaultPoint, ...] = get_args(FaultPoint)

#: How often each armed point has still to be passed before the process ends.
_armed: dict[str, int] = {}


def arm(environment: Mapping[str, str]) -> None:
    """Arm the fault point that `MDM_FAULT` names; disarm all others.

    Raises:
        ConfigurationInvalid: there is no such point, or the number is not a positive whole number.
    """
    _armed.clear()
    text = environment.get("MDM_FAULT")
    if not text:
        return
    name, _, number = text.partition(":")
    if name not in FAULT_POINTS or not (number or "1").isdecimal() or int(number or "1") == 0:
        raise ConfigurationInvalid(
            f"MDM_FAULT={text!r} is no fault point with a number.",
            action=f"Use NAME:N with one of {', '.join(FAULT_POINTS)}; remove MDM_FAULT outside of tests.",
        )
    _armed[name] = int(number or "1")


def fault_point(name: FaultPoint) -> None:
    """End the process here when this point is armed and has been passed often enough."""
    if not _armed or name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
