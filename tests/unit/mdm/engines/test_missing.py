"""An engine whose software is not installed says what to install."""

import sys

import pytest

from mdm.engines import open_engine
from mdm.errors import ConfigurationInvalid


def test_spark_without_pyspark_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "mdm.engines.spark", raising=False)

    with pytest.raises(ConfigurationInvalid, match="needs pyspark") as refused:
        open_engine("spark")

    assert "pip install 'mdm-hub[spark]'" in str(refused.value.advice)
