"""What is compared of a record is derived once in a unit of work: for its keys, its links and its entity."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from matching import features
from mdm.hub.process import Pipeline
from tests.integration.hub.rows import take_in


def test_a_unit_of_work_derives_a_record_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    derived: Counter[bytes] = Counter()
    columns_of = features._columns

    def counted(domain: str, comparison: Mapping[str, Any], common_tokens: frozenset[str]) -> features.Features:
        derived[orjson.dumps(comparison, option=orjson.OPT_SORT_KEYS)] += 1
        return columns_of(domain, comparison, common_tokens)

    monkeypatch.setattr(features, "_columns", counted)
    features._derive.cache_clear()
    said = {"address_country": "DE", "address_city": "Stuttgart", "email": "info@nordlicht-optik.de"}
    take_in(pipeline, [{"id": f"cus_{number}", "name": "Nordlicht Optik GmbH"} | said for number in range(4)])

    with pipeline.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from entity").scalar() == 1
    assert len(derived) >= 4
    assert set(derived.values()) == {1}, derived
