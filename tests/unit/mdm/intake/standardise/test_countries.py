"""Countries are read from codes and names, also where a code looks like what fills an empty field."""

import pytest

from mdm.intake.candidate import candidate_record
from mdm.model.ids import Domain


@pytest.mark.parametrize("code", ["EE", "BB", "GG", "MM", "SS", "TT", "ee", "NA"])
def test_a_code_of_one_letter_is_a_country(code: str) -> None:
    place = {"street": "Narva maantee 7", "city": "Tallinn", "country": code}

    record = candidate_record(Domain.CUSTOMER, {"name": "Acme", "country": code, "address": place})

    assert record.attributes["country"] == code.upper()
    assert record.attributes["address"]["country"] == code.upper()
    assert record.rejected == {}


@pytest.mark.parametrize("filler", ["XX", "ZZ", "n/a", "na", "xxx"])
def test_what_fills_an_empty_field_is_none(filler: str) -> None:
    record = candidate_record(Domain.CUSTOMER, {"name": "Acme", "country": filler})

    assert "country" not in record.attributes
    assert record.rejected == {"country": "PLACEHOLDER"}
