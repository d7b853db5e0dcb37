"""The shipped models on a store that took no part in training: right enough, stable, better than following chains."""

import gzip
import json
import random
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from matching.assessment import assess
from matching.batch import Resolution, candidate_pairs, resolve
from matching.decision import Decision
from matching.evaluation import Report, candidate_recall, evaluate
from matching.model import load_model

#: The stores that ship with the package.
SAMPLES = Path(str(files("matching"))) / "training" / "samples"
DOMAINS = ("customer", "contract", "product")


@cache
def store(domain: str) -> tuple[list[dict[str, Any]], list[str]]:
    path = SAMPLES / f"{domain}.jsonl.gz"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return [line["comparison"] for line in lines], [line["entity"] for line in lines]


@cache
def resolved(domain: str) -> Resolution:
    return resolve(load_model(domain), store(domain)[0])


def quality(domain: str) -> Report:
    found = {record: number for number, group in enumerate(resolved(domain).clustering.groups) for record in group}
    return evaluate(found, dict(enumerate(store(domain)[1])))


@pytest.mark.parametrize(
    ("domain", "precision", "recall"), [("customer", 0.98, 0.9), ("contract", 0.97, 0.96), ("product", 0.97, 0.96)]
)
def test_entities_are_right(domain: str, precision: float, recall: float) -> None:
    report = quality(domain)

    assert report.pairs.quality.precision >= precision
    assert report.pairs.quality.recall >= recall
    assert report.b_cubed.f1 >= 0.95


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_joined_without_asking_is_right_and_what_is_neither_is_asked_about(domain: str) -> None:
    records, entities = store(domain)

    found = assess(load_model(domain), records, entities, ())

    # Nobody has judged anything here: all that is together was joined without asking.
    assert found.operating.pairs.quality.precision >= 0.995
    assert found.questions.recall >= 0.97
    assert found.questions.hopeless <= 0.15 * found.questions.pairs


@pytest.mark.parametrize("domain", DOMAINS)
def test_true_pairs_are_candidates(domain: str) -> None:
    records, entities = store(domain)
    left, right = candidate_pairs(load_model(domain), records)

    assert candidate_recall(zip(left.tolist(), right.tolist(), strict=True), dict(enumerate(entities))) >= 0.96
    # Bounded: a record is compared with a handful of others, not with the store.
    assert len(left) < 8 * len(records)


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_not_certain_is_asked_and_little_else(domain: str) -> None:
    entities = store(domain)[1]
    group = {record: number for number, group in enumerate(resolved(domain).clustering.groups) for record in group}
    asked = [
        edge for edge in resolved(domain).edges if edge.decision is Decision.POSSIBLE and group[edge.a] != group[edge.b]
    ]

    hopeless = [edge for edge in asked if edge.weight < 0]
    assert len(hopeless) <= 0.15 * len(asked)
    assert len(asked) < 0.2 * len(entities)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_order_of_records_does_not_matter(domain: str) -> None:
    records = store(domain)[0]
    shuffled = list(range(len(records)))
    random.Random(5).shuffle(shuffled)

    again = resolve(load_model(domain), [records[number] for number in shuffled]).clustering.groups

    assert {frozenset(shuffled[number] for number in group) for group in again} == set(
        resolved(domain).clustering.groups
    )


def test_joining_strongest_first_is_more_precise_than_following_chains() -> None:
    entities = dict(enumerate(store("customer")[1]))
    component = {record: record for record in entities}
    for edge in resolved("customer").edges:
        if edge.decision is Decision.MATCH and component[edge.a] != component[edge.b]:
            kept, gone = component[edge.a], component[edge.b]
            component = {record: kept if label == gone else label for record, label in component.items()}

    chained = evaluate(component, entities).pairs.quality

    assert quality("customer").pairs.quality.precision > chained.precision


def test_no_customer_holds_two_tax_numbers_that_clearly_differ() -> None:
    records = store("customer")[0]
    for group in resolved("customer").clustering.groups:
        numbers: dict[str, set[str]] = {}
        for record in group:
            for identifier in records[record].get("identifiers", ()):
                kind, _, value = identifier.rpartition(":")
                numbers.setdefault(kind, set()).add(value)
        for kind, values in numbers.items():
            if kind.startswith(("vat:", "tax:")) and len(values) > 1:
                # Only spellings of one number: every value is within one edit of another.
                assert all(any(_one_edit(a, b) for b in values - {a}) for a in values), values


def _one_edit(a: str, b: str) -> bool:
    if abs(len(a) - len(b)) > 1:
        return False
    differing = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
    return len(a) != len(b) or len(differing) <= 2
