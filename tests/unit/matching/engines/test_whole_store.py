"""A whole store on an engine gives the candidates, links and entities of the path that takes record by record."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from matching.batch import Resolution, candidate_pairs, open_pairs, resolve
from matching.decision import Decision
from matching.engines import duckdb_engine, settling
from matching.engines.links import Links, score_links
from matching.engines.table import TableFrame, feature_table
from matching.engines.whole import cluster_table
from matching.features import derive_once
from matching.model import MatchModel, load_model
from matching.scoring import explain_pair, score_columns, score_few
from matching.validity import SAME_SOURCE

#: The stores that ship with the package.
SAMPLES = Path(str(files("matching"))) / "training" / "samples"
DOMAINS = pytest.mark.parametrize("domain", ["customer", "contract", "product"])


@cache
def store(domain: str) -> list[dict[str, Any]]:
    path = SAMPLES / f"{domain}.jsonl.gz"
    return [json.loads(line)["comparison"] for line in gzip.decompress(path.read_bytes()).splitlines()]


@cache
def resolved(domain: str) -> Resolution:
    return resolve(load_model(domain), store(domain))


@cache
def links_of(domain: str) -> tuple[pa.Table, TableFrame, Links]:
    model = load_model(domain)
    table = feature_table(model, store(domain))
    frame = TableFrame(model, table)
    return table, frame, score_links(model, frame, duckdb_engine.candidate_pairs(model, table), workers=2)


@DOMAINS
def test_duckdb_finds_the_candidates_of_the_blocking_keys(domain: str) -> None:
    model = load_model(domain)
    left, right = candidate_pairs(model, store(domain))

    packed = duckdb_engine.candidate_pairs(model, feature_table(model, store(domain)))

    assert packed.tolist() == (left << 32 | right).tolist()


def test_rows_of_a_table_without_duplicates_are_candidates_on_every_engine() -> None:
    """The veto parts them, on every engine alike; only training and evaluation leave them out."""
    model = load_model("customer")
    records = [{**record, "distinct_in": "crm:account"} for record in store("customer")[:200]]

    packed = duckdb_engine.candidate_pairs(model, feature_table(model, records))

    left, right = candidate_pairs(model, records)
    assert packed.tolist() == (left << 32 | right).tolist()
    assert left.size
    assert not open_pairs(model, records).size


@DOMAINS
def test_a_table_gives_the_links_that_pairs_of_records_give(domain: str) -> None:
    model, (_, _, links) = load_model(domain), links_of(domain)

    names = [None if number < 0 else model.vetoes[number].name for number in links.veto.tolist()]
    columns = (links.a.tolist(), links.b.tolist(), links.weight.tolist(), links.match.tolist(), names)
    found = list(zip(*columns, strict=True))

    assert found == [
        (edge.a, edge.b, edge.weight, edge.decision is Decision.MATCH, edge.veto) for edge in resolved(domain).edges
    ]


@DOMAINS
def test_a_table_gives_the_entities_that_records_give(domain: str) -> None:
    table, frame, links = links_of(domain)

    found = cluster_table(load_model(domain), table, frame, links)

    assert groups_of(found.entity) == set(resolved(domain).clustering.groups)
    assert {(frozenset((each.a, each.b)), each.weight, each.reason) for each in found.refused} == {
        (frozenset((each.a, each.b)), each.weight, each.reason) for each in resolved(domain).clustering.refused
    }


@DOMAINS
def test_several_cores_give_the_entities_that_one_gives(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, frame, links = links_of(domain)
    alone = cluster_table(load_model(domain), table, frame, links)
    monkeypatch.setattr(settling, "_MANY", 0)
    monkeypatch.setattr(settling, "_PORTION", 50)

    found = cluster_table(load_model(domain), table, frame, links, workers=2)

    assert found.entity.tolist() == alone.entity.tolist()
    assert found.refused == alone.refused


@DOMAINS
def test_compiled_code_scores_a_store_as_its_pairs_are_scored_one_by_one(domain: str) -> None:
    model, (table, frame, _) = load_model(domain), links_of(domain)
    packed = duckdb_engine.candidate_pairs(model, table)
    left, right = packed >> 32, packed & 0xFFFFFFFF

    found = score_columns(model, frame, left, right)

    records = [derive_once(domain, each, model.common_tokens) for each in store(domain)]
    alone = score_few(model, records, left, right)
    for name in ("weight", "levels", "vetoes", "parting"):
        assert (getattr(found, name) == getattr(alone, name)).all()


def test_rows_of_a_table_that_is_trusted_to_hold_no_duplicates_stay_apart() -> None:
    model = load_model("customer")
    name = {
        "name": "acme tools",
        "name_tokens": ["acme", "tools"],
        "identifiers": ["vat:de:811569869"],
        "country": "de",
    }
    comparisons = [
        {**name, "self": ["crm:account:0"], "distinct_in": "crm:account", "phones": ["+4930123456"]},
        {**name, "self": ["crm:account:1"], "distinct_in": "crm:account"},
        {**name, "self": ["erp:partner:1"], "phones": ["+4930123456"]},
    ]
    table = feature_table(model, comparisons)
    frame = TableFrame(model, table)

    links = score_links(model, frame, np.array([0 << 32 | 1, 0 << 32 | 2, 1 << 32 | 2]), workers=1)
    found = cluster_table(model, table, frame, links)

    assert links.b.tolist() == [2, 2]
    assert groups_of(found.entity) == {frozenset((0, 2)), frozenset((1,))}
    assert explain_pair(model, *comparisons[:2]).vetoes == ("same_source",)
    assert [each.reason for each in found.refused] == [SAME_SOURCE]


def test_blocks_that_are_no_columns_pair_records_up_to_the_cap() -> None:
    model: MatchModel = load_model("customer")
    table = feature_table(model, [{"self": [f"crm:account:{number}"]} for number in range(model.block_cap + 3)])
    few, many = [0, 7], list(range(model.block_cap + 1))
    shared = pa.table({"block": [1] * len(few) + [2] * len(many), "number": few + many})

    assert duckdb_engine.candidate_pairs(model, table, shared).tolist() == [0 << 32 | 7]


def test_an_empty_store_has_no_links_and_no_entities() -> None:
    model = load_model("customer")
    table = feature_table(model, [])
    frame = TableFrame(model, table)
    links = score_links(model, frame, duckdb_engine.candidate_pairs(model, table), workers=1)

    assert len(links) == 0
    assert len(cluster_table(model, table, frame, links).entity) == 0


def test_threads_that_read_texts_at_once_all_find_them() -> None:
    table = pa.table({"city": [f"city {number}" for number in range(200_000)]})

    for _ in range(3):
        frame = TableFrame(load_model("customer"), table)
        codes = frame.codes("city")[-5:]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _, frame=frame, codes=codes: frame.texts("city", codes), range(8)))

        assert found == [[f"city {number}".encode() for number in range(199_995, 200_000)]] * 8


def groups_of(entity: np.ndarray[Any, np.dtype[np.int64]]) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for row, name in enumerate(entity.tolist()):
        groups.setdefault(name, set()).add(row)
    return set(map(frozenset, groups.values()))
