"""Use case of the pre-posting check: a batch of postings, held against the hub before ERP sees them. Nothing is stored.

Deciding is pure (`mdm.lifecycle.prepost`); here the facts are read in one snapshot, with as many statements for one
posting as for a whole batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from mdm.errors import ConfigurationInvalid
from mdm.hub.in_force import usage_revenue_in_force
from mdm.hub.reach import reachable
from mdm.intake.catalogue import Catalogue
from mdm.lifecycle.accounts import read_accounts, shipped_accounts
from mdm.lifecycle.coverage import Step, follow
from mdm.lifecycle.prepost import Documents, Judgement, Known, KnownCustomer, KnownProduct, PlannedPosting, judge
from mdm.lifecycle.tax_codes import read_tax_codes, shipped_tax_codes
from mdm.lifecycle.usage_revenue import UsageRevenue
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.onboarding.checkpoint import CheckpointName
from mdm.store import onboarding, read_postings, releases
from mdm.store.read_golden import GoldenRow, current_goldens
from mdm.store.read_identity import meanings
from mdm.store.scoped import scope_of, unrestricted

#: Postings that are judged in one go.
MOST_POSTINGS = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check says of each posting, in their order, and by which documents."""

    judgements: tuple[Judgement, ...]
    documents: Documents
    mapping: UsageRevenue

    @property
    def blocked(self) -> int:
        """How many of them must not be made."""
        return sum(not each.passes for each in self.judgements)


def load_documents(accounts: Path | None = None, tax_codes: Path | None = None) -> Documents:
    """The documents of the settings; those that ship where none is named.

    Raises:
        ConfigurationInvalid: one cannot be read, or is wrong; the message names file and line.
    """
    return Documents(
        shipped_accounts() if accounts is None else read_accounts(_text(accounts), str(accounts)),
        shipped_tax_codes() if tax_codes is None else read_tax_codes(_text(tax_codes), str(tax_codes)),
    )


def check_postings(
    engine: Engine, catalogue: Catalogue, documents: Documents, postings: Sequence[PlannedPosting], now: datetime
) -> Checked:
    """Judge a batch of at most `MOST_POSTINGS`. Golden records out of the caller's reach are not known."""
    with unrestricted(engine).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        mapping = usage_revenue_in_force(releases.asking(connection))
        known = _known(engine, connection, catalogue, mapping, postings, now)
    return Checked(tuple(judge(each, known, documents) for each in postings), documents, mapping)


def _known(
    engine: Engine,
    connection: Connection,
    catalogue: Catalogue,
    mapping: UsageRevenue,
    postings: Sequence[PlannedPosting],
    now: datetime,
) -> Known:
    partner_tables, item_tables = (_tables(catalogue, role) for role in ("customer", "product"))
    partners = _named(partner_tables, (each.partner for each in postings))
    items = _named(item_tables, (line.product for each in postings for line in each.lines))
    found = meanings(connection, {*partners, *items})
    means = {name: {each.entity_id for each in them} for name, them in found.items()}
    ids = read_postings.customers_now(connection, {each.customer for each in postings if each.customer is not None})
    asked: set[str] = {entity for them in means.values() for entity in them} | {now_ for now_, _ in ids.values()}
    reached = reachable(engine, asked) if scope_of(engine).limits_rows else asked
    customers = current_goldens(connection, Domain.CUSTOMER, sorted(reached))
    products = current_goldens(connection, Domain.PRODUCT, sorted(reached))
    # What was deleted is out of reach for whoever reaches part of the hub: it belongs to nobody any more.
    gone = read_postings.deleted_rows(connection, {*partners, *items}) if reached is asked else set()
    return Known(
        partners=_by_key(partners, means, reached),
        items=_by_key(items, means, reached),
        ids={given: id_ for given, (id_, _) in ids.items() if id_ in reached},
        gone=frozenset(name.key for name in gone & partners),
        gone_items=frozenset(name.key for name in gone & items),
        customers=_customers(connection, customers, partner_tables, now),
        products={row.entity_id: _product(mapping, row) for row in products},
        closed=frozenset(read_postings.closed_months(connection, {each.month for each in postings})),
    )


def _tables(catalogue: Catalogue, role: str) -> list[tuple[str, str]]:
    """The tables (or other names of their rows) that postings of any ERP point at in a role."""
    targets = {
        (rule.target.system, rule.target.type)
        for profile in catalogue.profiles
        if profile.mapping is not None and profile.mapping.kind == "posting"
        for rule in profile.mapping.references
        if rule.role == role
    }
    return sorted(targets)


def _named(tables: Sequence[tuple[str, str]], keys: Iterable[str | None]) -> set[CrosswalkKey]:
    return {CrosswalkKey(*table, key) for key in set(keys) if key is not None for table in tables}


def _by_key(
    names: Iterable[CrosswalkKey], means: Mapping[CrosswalkKey, set[EntityId]], reached: set[str]
) -> dict[str, tuple[EntityId, ...]]:
    """What each number means, whichever ERP's it is."""
    found: dict[str, set[EntityId]] = {}
    for name in names:
        if meant := means.get(name, set()) & reached:
            found.setdefault(name.key, set()).update(map(EntityId, meant))
    return {key: tuple(sorted(them)) for key, them in found.items()}


def _customers(
    connection: Connection, rows: Sequence[GoldenRow], tables: Sequence[tuple[str, str]], now: datetime
) -> dict[EntityId, KnownCustomer]:
    ids = [row.entity_id for row in rows]
    placed = read_postings.legal_entities_of(connection, ids)
    partnered = read_postings.with_row_in(
        connection, ids, {f"{system}.{type_.partition('#')[0]}" for system, type_ in tables}
    )
    confirmed = onboarding.checkpoints_of(connection, ids)
    returned = onboarding.returns_of(connection, ids)
    found: dict[EntityId, KnownCustomer] = {}
    for row in rows:
        point = confirmed.get(row.entity_id, {}).get(CheckpointName.LEGAL_ENTITY_VALIDATED)
        holds = point is not None and (point.expires_at is None or point.expires_at > now)
        # As in onboarding: what was confirmed here counts, and where nobody did, what the platforms say.
        approved = holds if point is not None else bool(row.values.get("validated"))
        found[row.entity_id] = KnownCustomer(
            entity_id=row.entity_id,
            blocked=bool(row.values.get("blocked")),
            approved=approved and row.entity_id not in returned,
            in_erp=row.entity_id in partnered,
            country=_word(row, "country"),
            tax_category=_word(row, "tax_classification"),
            legal_entities=placed.get(row.entity_id, frozenset()),
        )
    return found


def _product(mapping: UsageRevenue, row: GoldenRow) -> KnownProduct:
    chain = follow(mapping, row.entity_id, row.values, ())
    lacks = next((lack.why for lack in chain.lacks if lack.step is Step.ACCOUNT), "")
    return KnownProduct(row.entity_id, chain.account, lacks, _word(row, "tax_code"))


def _word(row: GoldenRow, name: str) -> str | None:
    value = row.values.get(name)
    return str(value) if value not in (None, "") else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError) as fault:
        raise ConfigurationInvalid(
            f"{path} cannot be read ({type(fault).__name__}).", action="Name a file that the hub may read."
        ) from fault
