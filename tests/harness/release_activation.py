"""Puts a release into force in a process that a fault point may end: `-m tests.harness.release_activation ID`."""

import os
import sys
from unittest import mock

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.faults import arm
from mdm.hub import releases
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from tests.integration.hub.releases.conftest import CLARA


def main(release_id: int) -> None:
    """Activate, with units small enough for the sample world to need several."""
    arm(os.environ)
    catalogue = load_catalogue(None)
    pipeline = Pipeline(make_engine(os.environ["MDM_DATABASE_URL"]), system_clock, catalogue, load_rules(catalogue))
    with mock.patch("mdm.hub.releases.carrying.UNIT", 40):
        releases.activate(pipeline, CLARA, release_id)


if __name__ == "__main__":
    main(int(sys.argv[1]))
