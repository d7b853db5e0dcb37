"""Golden customers by the hundred thousand, written straight into the tables as the hub would hold them."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine, text

from matching.blocking import block_hash, block_keys
from mdm.hub.release import load_rules
from mdm.intake.candidate import candidate_record
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import CrosswalkKey, Domain, mint_entity_id
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from survivorship.writing import search_words

_AT = datetime(2025, 6, 1, tzinfo=UTC)
_SYLLABLES = [consonant + vowel for consonant in "bdklmnr" for vowel in "aeiou"]
_TRADES = ["logistics", "brewing", "software", "foundry", "textiles", "optics", "dairy", "shipping", "pharma", "mining"]
_FORMS = {"DE": "GmbH", "NL": "B.V.", "GB": "Ltd", "FR": "SARL", "SE": "AB", "IT": "S.r.l."}
_CHUNK = 10_000


def fill(engine: Engine, count: int) -> None:
    """Entities, golden records, one source row each, search terms and blocking keys. Planner statistics included."""
    model = load_rules(load_catalogue(None)).models[Domain.CUSTOMER]
    with unit_of_work(engine, lambda: _AT, "bench") as work:
        for start in range(0, count, _CHUNK):
            _write(work, model, [customer(number) for number in range(start, min(start + _CHUNK, count))], start)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def customer(number: int) -> dict[str, Any]:
    """A made-up company; the same number is always the same company."""
    choose = random.Random(number)  # noqa: S311 - a company, not a secret
    country = choose.choice(list(_FORMS))
    word = "".join(choose.choice(_SYLLABLES) for _ in range(choose.randint(3, 4)))
    second = "".join(choose.choice(_SYLLABLES) for _ in range(2))
    tax = f"{choose.randrange(10**9):09d}"
    return {
        "name": f"{word.title()} {second.title()} {choose.choice(_TRADES).title()} {_FORMS[country]}",
        "country": country,
        "status": "active",
        "identifiers": [{"type": "tax", "country": country, "value": tax, "normal": tax, "state": "unverifiable"}],
        "address": {"street": f"{second.title()}weg", "house_number": str(choose.randint(1, 200)), "city": word.title(),
                    "postal_code": f"{choose.randrange(10**5):05d}", "country": country},
        "emails": [{"value": f"office@{word}.example", "domain": f"{word}.example", "shared": True}],
        "phones": [{"value": f"+49 30 {tax}", "e164": f"+4930{tax}", "valid": True}],
    }  # fmt: skip


def some_ids(engine: Engine, count: int, column: str = "entity_id") -> Sequence[str]:
    """Some current golden records' ids, or names."""
    with engine.connect() as connection:
        rows = connection.scalars(text(f"select {column} from golden order by md5(entity_id) limit {count}"))
        return list(rows)


def _write(work: UnitOfWork, model: Any, customers: list[dict[str, Any]], start: int) -> None:
    keys = [CrosswalkKey("erp", "business_partner", f"{start + n:010d}") for n in range(len(customers))]
    ids = [mint_entity_id(Domain.CUSTOMER, key, _AT) for key in keys]
    records = [candidate_record(Domain.CUSTOMER, _typed(each)) for each in customers]
    numbers = range(start + 1, start + 1 + len(customers))
    work.copy(
        "entity",
        ("entity_id", "domain", "status", "founder", "founded_batch", "founded_at", "changed_at"),
        ((each, "customer", "active", rec, work.batch_id, _AT, _AT) for each, rec in zip(ids, numbers, strict=True)),
    )
    work.copy(
        "source_record",
        ("rec_id", "system", "type", "key", "kind", "domain", "deleted", "operation", "attributes", "comparison",
         "refs", "pos_major", "pos_minor", "pos_order", "pos_rank", "topic", "partition", "offset", "event_time",
         "batch_id"),
        ((rec, *key, "customer", "customer", False, "u", _json(each), _json(record.comparison), "[]", rec, rec, 0, 1,
          "erp.public.business_partner", 0, rec, _AT, work.batch_id)
         for rec, key, each, record in zip(numbers, keys, customers, records, strict=True)),
    )  # fmt: skip
    work.copy("crosswalk", ("rec_id", "entity_id", "since"), ((r, e, _AT) for r, e in zip(numbers, ids, strict=True)))
    work.copy(
        "golden",
        ("entity_id", "version", "domain", "name", "values", "lineage", "members", "digest", "support", "ruleset",
         "seq", "batch_id", "cause", "known_from"),
        ((each, 1, "customer", values["name"], _json(values), "{}", 1, hashlib.sha256(each.encode()).digest(), b"",
          "bench", (work.batch_id << 20) + rec, work.batch_id, "founded", _AT)
         for each, rec, values in zip(ids, numbers, customers, strict=True)),
    )  # fmt: skip
    work.copy("search_term", ("domain", "term", "entity_id"), sorted(set(_terms(ids, customers))))
    blocks = ((block_hash(model, key), rec) for rec, record in zip(numbers, records, strict=True)
              for key in block_keys(model, record.comparison))  # fmt: skip
    work.copy("block_key", ("block", "rec_id"), sorted(set(blocks)))


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "emails": [each["value"] for each in values["emails"]], "phones": []}


def _terms(ids: Sequence[str], customers: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for entity_id, values in zip(ids, customers, strict=True):
        for term in (*search_words(values["name"]), values["identifiers"][0]["normal"]):
            yield "customer", term, entity_id


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
