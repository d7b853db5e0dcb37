"""Fault points end the process where they are armed, and nowhere else."""

import multiprocessing
import signal

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.faults import arm, fault_point


def pass_points(setting: str) -> None:
    arm({"MDM_FAULT": setting})
    for _ in range(3):
        fault_point("ingest.polled")
    fault_point("relay.sent")


def exit_of(setting: str) -> int | None:
    process = multiprocessing.get_context("spawn").Process(target=pass_points, args=(setting,))
    process.start()
    process.join(60)
    return process.exitcode


def test_an_armed_point_kills_the_process_when_it_is_passed_often_enough() -> None:
    assert exit_of("ingest.polled:3") == -signal.SIGKILL


def test_a_point_that_is_passed_too_seldom_does_nothing() -> None:
    assert exit_of("ingest.polled:4") == 0


@pytest.mark.parametrize("setting", ["ingest.nowhere:1", "ingest.polled:0", "ingest.polled:x"])
def test_a_setting_that_means_nothing_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="MDM_FAULT"):
        arm({"MDM_FAULT": setting})
