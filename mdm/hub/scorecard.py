"""The scorecard of governance, measured in the hub as it is."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from mdm.core.four_eyes import Policy
from mdm.core.scorecard import TITLES, Counted, Scorecard, Threshold, score
from mdm.core.worklist import due_at
from mdm.hub.process import Pipeline
from mdm.hub.reconcile import Reconciliation
from mdm.hub.tiers import standings
from mdm.intake.ownership import Ownership, lint, matrix
from mdm.lifecycle.findings import Severity
from mdm.lifecycle.reconciliation import ABOUT_PRODUCTS
from mdm.model.events import Outcome
from mdm.model.ids import Domain
from mdm.model.kpis import Period
from mdm.store import invariants, read_quality
from mdm.store.read_kpis import kept_of
from mdm.store.read_scorecard import live_rows_of, mended_in_time
from mdm.store.read_status import message_account
from mdm.store.reading import snapshot
from survivorship.document import read_document

_DOCUMENT = Path(__file__).parent / "scorecard.yaml"
_LATELY = timedelta(days=90)
#: What says who or what a golden record is.
_TELLING: Mapping[Domain, tuple[str, ...]] = {
    Domain.CUSTOMER: ("name", "country", "address"),
    Domain.CONTRACT: ("number", "customer", "start_date", "currency"),
    Domain.PRODUCT: ("name", "code"),
}


@cache
def thresholds(path: Path = _DOCUMENT) -> tuple[str, Mapping[str, Threshold]]:
    """The version of the document and what each measure must reach.

    Raises:
        ConfigurationInvalid: a measure is missing, unknown, or not a share; names the line.
    """
    document = read_document(path)
    parts = document.mapping("version", "measures")
    found = {}
    for name, part in parts["measures"].items():
        if name not in TITLES:
            part.refuse(f"is about {name}, which is not measured; measures are {', '.join(TITLES)}")
        own = part.mapping("min", "owner", "action")
        found[name] = Threshold(own["min"].number(0, 1), own["owner"].text(), own["action"].text())
    for name in TITLES:
        if name not in found:
            document.refuse(f"must have the measure {name}")
    return parts["version"].text(), found


def scorecard(
    hub: Pipeline, policy: Policy, ownership: Ownership, found: Reconciliation, least: float = 0.0
) -> Scorecard:
    """Measure everything. Only the audit grows with the age of the hub: its chain is looked through whole."""
    now = hub.clock()
    version, wanted = thresholds()
    with hub.engine.connect() as connection:
        tiers = standings(connection, hub.catalogue, policy, now)
        counted = {
            "owned": _owned(hub, ownership),
            "contracted": _contracted(hub),
            "accounted": _accounted(connection),
            "audited": Counted(0, 0),
            "accepted": _accepted(connection),
            "complete": _complete(connection),
            "valid": _valid(connection),
            "fresh": Counted(sum(each.fresh for each in tiers), sum(each.changes for each in tiers)),
            "mended": Counted(*mended_in_time(connection, now - _LATELY, now)),
            "answered": _answered(hub, connection, Period(now.date() - _LATELY, now.date())),
            "agreeing": _agreeing(connection, found),
            "moving": _moving(connection, found),
        }
    with snapshot(hub.engine) as work:
        rows = int(work.query("select count(*) from audit")[0][0])
        counted["audited"] = Counted(rows - sum(1 for _ in invariants.audit_breaks(work)), rows)
    return score(version, wanted, counted, least)


def _owned(hub: Pipeline, ownership: Ownership) -> Counted:
    rows = matrix(ownership, hub.catalogue)
    gaps = {each.row for each in lint(ownership, rows)}
    return Counted(sum(row.name not in gaps for row in rows), len(rows))


def _contracted(hub: Pipeline) -> Counted:
    profiles = hub.catalogue.profiles
    return Counted(sum(bool(each.readers) for each in profiles), len(profiles))


def _accounted(connection: Connection) -> Counted:
    topics = message_account(connection)["topics"]
    off = sum(abs(each["consumed"] - sum(each[name.value] for name in Outcome)) for each in topics)
    consumed = sum(each["consumed"] for each in topics)
    return Counted(consumed - off, consumed)


def _accepted(connection: Connection) -> Counted:
    tables = [each.whole for domain in Domain for each in read_quality.sources(connection, domain)]
    rows = sum(each.records for each in tables)
    return Counted(rows - sum(each.rejecting for each in tables), rows)


def _complete(connection: Connection) -> Counted:
    filled = [each for domain, names in _TELLING.items() for each in read_quality.filled(connection, domain, names)]
    return Counted(sum(each.filled for each in filled), sum(each.of_all for each in filled))


def _valid(connection: Connection) -> Counted:
    numbers = read_quality.identifiers(connection, Domain.CUSTOMER)
    valid = sum(each.valid for each in numbers)
    return Counted(valid, valid + sum(each.invalid for each in numbers))


def _answered(hub: Pipeline, connection: Connection, period: Period) -> Counted:
    kept = kept_of(connection, period, hub.rules.reconciliation.close_on).answered
    return Counted(sum(closed <= due_at(kind, opened) for kind, opened, closed in kept), len(kept))


def _agreeing(connection: Connection, found: Reconciliation) -> Counted:
    rows = live_rows_of(connection, ["invoice", "entitlement", "usage_batch"], contracts=True)
    # What the mapping of use lacks is about products, which are not among these rows; its coverage has a command.
    wrong = {
        each.subject for each in found.findings if each.severity is Severity.ERROR and each.rule not in ABOUT_PRODUCTS
    }
    return Counted(rows - len(wrong), rows)


def _moving(connection: Connection, found: Reconciliation) -> Counted:
    rows = live_rows_of(connection, ["order", "invoice"], contracts=True)
    return Counted(rows - len({each.subject for each in found.stuck}), rows)
