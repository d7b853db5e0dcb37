"""Columns that records are compared by change knowingly: weights are measured on them, and stay as they are."""

from hashlib import sha256
from typing import Final

import orjson
import pytest

from matching.documents import FEATURES_VERSION
from matching.features import derive_all
from matching.training.examples import examples
from mdm.core.rules import Rules
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain

#: Of the columns of the records that ship, by version of the columns. Where one differs, columns have changed. Either
#: weights still mean what they meant: then run `make accuracy` and `mdm match evaluate` on worlds, and write the new
#: digest here. Or they have to be learned anew: then raise `FEATURES_VERSION`, so that no older ones are loaded.
_DIGESTS: Final = {
    1: {"customer": "72e2c92e0d27a408", "contract": "85066cab7711165e", "product": "8001abd392a8f49f"},
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(load_catalogue(None))


@pytest.mark.parametrize("domain", ["customer", "contract", "product"])
def test_columns_are_those_of_their_version(rules: Rules, domain: str) -> None:
    model = rules.models[Domain(domain)]
    columns = derive_all(domain, examples(domain), model.common_tokens)

    digest = sha256(orjson.dumps([dict(each) for each in columns], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    assert digest == _DIGESTS[FEATURES_VERSION][domain]
