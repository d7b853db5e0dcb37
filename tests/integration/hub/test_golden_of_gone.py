"""What only a row stated that is gone does not stay in the golden record."""

from typing import Any

from sqlalchemy import text

from mdm.hub.process import Pipeline
from mdm.hub.verify import verify
from tests.integration.hub.rows import take_in


def golden(pipeline: Pipeline) -> list[dict[str, Any]]:
    with pipeline.engine.connect() as connection:
        return list(connection.scalars(text('select "values" from golden where known_to is null')))


def test_when_one_of_two_rows_is_deleted_what_it_alone_stated_is_gone(pipeline: Pipeline) -> None:
    row = {"name": "Nordlicht Pumpen GmbH", "address_country": "DE", "address_line1": "Hafenstr. 9",
           "address_city": "Hamburg", "address_postal_code": "20457"}  # fmt: skip
    leaving = {"id": "cus_b", **row, "email": "info@nordlicht-pumpen.de"}
    take_in(pipeline, [{"id": "cus_a", **row}, leaving])
    (before,) = golden(pipeline)
    assert "info@nordlicht-pumpen.de" in str(before)

    take_in(pipeline, [leaving], first=2, gone=True)

    (after,) = golden(pipeline)
    assert after["name"] == before["name"]
    assert "info@nordlicht-pumpen.de" not in str(after)
    assert verify(pipeline.engine, pipeline.catalogue, pipeline.rules).differences == ()
