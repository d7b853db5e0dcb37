"""What `mdm explain` tells a person of a match that was not followed, and of a row that has ended."""

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.errors import RowDeleted
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.rows import billed, take_in

_PLACE = {"name": "Vetokraft Werke GmbH", "address_country": "DE", "address_line1": "Ring 5", "address_city": "Ulm",
          "address_postal_code": "89073"}  # fmt: skip
_MAIL = {"email": "info@vetokraft.de", "phone": "+49 731 4711000"}
ROWS = [
    {"id": "cus_v1", **_PLACE, "tax_id_type": "eu_vat", "tax_id": "DE136695976"},
    {"id": "cus_v2", **_PLACE, **_MAIL},
    {"id": "cus_v3", **_PLACE, **_MAIL, "tax_id_type": "eu_vat", "tax_id": "DE129273398"},
]


def test_what_differs_is_printed_with_its_values_and_a_row_that_ended_is_told_as_such(
    mdm: Command, engine: Engine
) -> None:
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    take_in(pipeline, ROWS)
    a, b, c = (str(billed(row["id"])) for row in ROWS)

    pair = mdm("explain", a, b).stdout
    entity = mdm("explain", printed(mdm("explain", a, "--json"))["record"]["entity_id"]).stdout

    assert f"Refused along {a} | {b}: identifiers differ (" in pair
    for told in (pair, entity):
        assert "de136695976 | de129273398" in " ".join(told.split())
    assert printed(mdm("explain", a, b, "--json"))["parted_by"] is None
    take_in(pipeline, ROWS[2:], first=3, gone=True)
    with pytest.raises(RowDeleted, match=f"{c} was deleted in its platform"):
        mdm("explain", a, c)
