"""The demo from its command line, and explanations of what it loaded, for people and for machines."""

import json
import socket

import pytest

from mdm.errors import NotFound, OperatorError
from tests.integration.cli.conftest import Command, printed


def test_the_demo_and_its_explanations_are_json_when_asked(mdm: Command) -> None:
    told = printed(mdm("demo", "--no-serve", "--json"))

    sources = told["story"]["sources"]
    assert {source["key"]["system"] for source in sources} == {"crm", "billing", "product", "erp"}
    first, second = (list(source["key"].values()) for source in sources[:2])
    alone = printed(mdm("explain", *first, "--json"))
    record = alone["record"]
    for each in (*alone["inside"], *alone["rejected"]):
        score = each["score"]
        bits = sum(part["bits"] for part in score["contributions"])
        assert score["prior"] + bits == pytest.approx(score["weight"])
        assert each["shared_keys"]
    grown = printed(mdm("explain", record["entity_id"], "--json"))
    assert len(grown["steps"]) == len(grown["members"]) - 1
    both = printed(mdm("explain", *first, *second, "--json"))
    assert both
    for mark in ":/":
        assert printed(mdm("explain", mark.join(first), "--json"))["record"] == record
        assert printed(mdm("explain", mark.join(first), mark.join(second), "--json")) == both
    for what in (("golden", "--domain", "product"), ("crosswalk", "--domain", "product"),
                 ("records", "--system", "crm", "--type", "product2")):  # fmt: skip
        lines = mdm("export", *what, "--json").stdout.splitlines()
        assert lines
        assert all(isinstance(json.loads(line), dict) for line in lines)
    listed = map(json.loads, mdm("export", "crosswalk", "--domain", "product", "--json").stdout.splitlines())
    price = next(each for each in listed if each["type"] == "price")
    with pytest.raises(NotFound) as refused:
        mdm("explain", price["system"], price["type"], price["key"])
    assert "It is an offer of billing:product:" in (refused.value.advice)
    assert mdm("export", "golden", "--domain", "product", "--format", "parquet").stdout_bytes.startswith(b"PAR1")


def test_a_taken_port_is_said_before_anything_is_loaded(mdm: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OperatorError, match="cannot be listened on"):
            mdm("demo", "--port", taken.getsockname()[1])

    assert printed(mdm("status", "--json"))["messages"]["consumed"] == 0
