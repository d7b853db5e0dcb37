"""A hub on a fresh database."""

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue


@pytest.fixture
def pipeline(engine: Engine) -> Pipeline:
    catalogue = load_catalogue(None)
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
