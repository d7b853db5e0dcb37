"""Keys of a record of which one column is not known: the same as if each value had been stated."""

import pytest

from matching.blocking import block_keys, block_keys_in
from matching.model import load_model
from mdm.intake.candidate import candidate_record
from mdm.model.ids import Domain

_COUNTRIES = ("de", "fr", "jp", "nl", "us")


@pytest.mark.parametrize("name", ["Acme Anvils Holding GmbH", "Siemens Nederland NV", "株式会社トヨタ", "AB", "Tisvxe"])
def test_keys_in_every_country_are_those_of_the_record_in_each(name: str) -> None:
    model = load_model("customer")
    record = dict(candidate_record(Domain.CUSTOMER, {"name": name}).comparison)
    forms = [record, *({**record, "country": country} for country in _COUNTRIES)]

    assert set(block_keys_in(model, record, "country", _COUNTRIES)) == {
        key for form in forms for key in block_keys(model, form)
    }
