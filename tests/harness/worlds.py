"""Generated worlds in memory: their rows standardised, resolved domain by domain as the hub would, beside the truth.

A world is a folder with `manifest.json`, `tables/PLATFORM.TABLE.csv[.gz]` and `truth/`. Nothing here is fast or stored;
it exists so that matching can be measured without a database.
"""

import csv
import gzip
import io
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matching.batch import Resolution, resolve
from matching.model import load_model
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.mapping import standardise
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain
from mdm.model.records import SourceRecord

csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One domain: records in order, what matching read of each, true entity of each (None unknown), and the result."""

    keys: tuple[CrosswalkKey, ...]
    comparisons: tuple[Mapping[str, Any], ...]
    truth: tuple[str | None, ...]
    resolution: Resolution

    def found(self) -> dict[CrosswalkKey, str]:
        """Entity of each record, named by its first record."""
        return {
            self.keys[number]: str(min(self.keys[member] for member in group))
            for group in self.resolution.clustering.groups
            for number in group
        }

    def true_entities(self) -> dict[CrosswalkKey, str]:
        return {key: entity for key, entity in zip(self.keys, self.truth, strict=True) if entity is not None}


def rows(path: Path) -> Iterator[dict[str, str | None]]:
    """Rows of a CSV file, gzip or not; `\\N` is None."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for row in csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")):
        yield {name: None if value == "\\N" else value for name, value in row.items()}


def records(world: Path, catalogue: Catalogue) -> list[SourceRecord]:
    """Every live row of the world as a source record."""
    manifest = json.loads((world / "manifest.json").read_text("utf-8"))
    result = []
    for path in sorted((world / "tables").iterdir()):
        system, table = path.name.split(".")[:2]
        types = manifest["columns_at_end"][f"{system}.{table}"]
        primary = manifest["primary_keys"][f"{system}.{table}"]
        for row in rows(path):
            key = CrosswalkKey(system, table, "|".join(str(row[column]) for column in primary))
            values = {name: _canonical(value, types.get(name, "text")) for name, value in row.items()}
            result.append(standardise(catalogue, key, values))
    return result


def _canonical(value: str | None, type_name: str) -> Any:
    if value is None:
        return None
    if type_name.startswith(("int", "bigint", "smallint")):
        return int(value)
    if type_name.startswith("bool"):
        return value == "true"
    if type_name.startswith("json") or type_name.endswith("[]"):
        return json.loads(value)
    return value


def truth(world: Path, domain: Domain) -> dict[CrosswalkKey, str]:
    """The true entity of every live source row of a domain."""
    column = {Domain.CUSTOMER: "entity_id", Domain.CONTRACT: "contract_id", Domain.PRODUCT: "product_id"}[domain]
    path = world / "truth" / f"{domain.plural}.csv"
    return {
        CrosswalkKey(str(row["platform"]), str(row["table"]), str(row["source_key"])): str(row[column])
        for row in rows(path if path.exists() else path.with_suffix(".csv.gz"))
        if not row["valid_to"]
    }


def resolve_world(world: Path) -> dict[Domain, Resolved]:
    """Resolve products, then customers, then contracts with both as evidence."""
    everything = records(world, load_catalogue())
    places: dict[CrosswalkKey, list[SourceRecord]] = defaultdict(list)
    tokens: dict[CrosswalkKey, set[str]] = defaultdict(set)
    for record in everything:
        for name in (record.key, *record.aliases):
            places[name].append(record)
    for record in everything:
        for evidence in record.evidence:
            for owner in places.get(evidence.owner, ()):
                tokens[owner.key].add(evidence.token)
    entities: dict[CrosswalkKey, str] = {}
    result = {}
    for domain in RESOLUTION_ORDER:
        members = [record for record in everything if record.domain is domain]
        comparisons = tuple(_joined(record, tokens, places, entities) for record in members)
        known = truth(world, domain)
        result[domain] = Resolved(
            tuple(record.key for record in members),
            comparisons,
            tuple(known.get(record.key) for record in members),
            resolve(load_model(domain), comparisons),
        )
        entities.update(result[domain].found())
    return result


def _joined(
    record: SourceRecord,
    tokens: Mapping[CrosswalkKey, set[str]],
    places: Mapping[CrosswalkKey, list[SourceRecord]],
    entities: Mapping[CrosswalkKey, str],
) -> Mapping[str, Any]:
    """The comparison form with what the hub joins in: evidence tokens, and for contracts the resolved references."""
    joined = dict(record.comparison)
    if tokens.get(record.key):
        joined["tokens"] = sorted(tokens[record.key])
    if record.domain is Domain.CONTRACT:
        targets = defaultdict(set)
        for reference in record.references:
            for target in _masters(reference.target, places):
                if target.key in entities:
                    targets[reference.role].add(entities[target.key])
        if len(targets["customer"]) == 1:
            joined["customer"] = next(iter(targets["customer"]))
        if targets["product"]:
            joined["products"] = sorted(targets["product"])
    return joined


def _masters(name: CrosswalkKey, places: Mapping[CrosswalkKey, list[SourceRecord]]) -> Iterator[SourceRecord]:
    """The records of a name; for an offer (a price) those of what is offered."""
    for target in places.get(name, ()):
        if target.domain is not None:
            yield target
        for reference in target.references:
            if reference.role == "offer_of":
                yield from places.get(reference.target, ())


def dump(world: Path, out: Path) -> None:
    """Write `OUT.DOMAIN.jsonl`: what matching reads of each record, and its true entity; input of training."""
    for domain, resolved in resolve_world(world).items():
        lines = [
            json.dumps({"key": list(key), "comparison": comparison, "entity": entity})
            for key, comparison, entity in zip(resolved.keys, resolved.comparisons, resolved.truth, strict=True)
            if entity is not None
        ]
        out.with_name(f"{out.name}.{domain}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    dump(Path(sys.argv[1]), Path(sys.argv[2]))
