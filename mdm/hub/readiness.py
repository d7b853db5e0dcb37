"""May this customer be created in ERP? Reads the hub at one instant and never writes."""

from sqlalchemy import Connection, Engine

from mdm.errors import NotFound
from mdm.model.ids import Domain
from mdm.onboarding.assess import assess
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.onboarding.subject import ParentState, Subject
from mdm.onboarding.verdict import Verdict
from mdm.store import read_readiness
from mdm.store.read_golden import GoldenRow, current_golden, find_entity

_TAX_TYPES = frozenset({"vat", "tax"})


def readiness(engine: Engine, entity_id: str, rules: RuleSet | None = None) -> Verdict:
    """The verdict on a golden customer; an absorbed id is answered for the customer it became part of.

    Without rules the shipped rule set decides.

    Raises:
        NotFound: no customer was ever issued this id, or it is retired.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        golden = _golden(connection, entity_id)
        subject = _subject(connection, golden)
    return assess(subject, rules or shipped_ruleset())


def _golden(connection: Connection, entity_id: str) -> GoldenRow:
    state = find_entity(connection, entity_id)
    if state is None or state.domain is not Domain.CUSTOMER:
        raise NotFound(
            f"There is no customer {entity_id}.",
            action="`mdm export crosswalk --domain customer` lists the ids of all customers.",
        )
    golden = current_golden(connection, Domain.CUSTOMER, state.merged_into or state.entity_id)
    if golden is None:
        raise NotFound(f"Customer {entity_id} is retired: no live source record belongs to it any more.")
    return golden


def _subject(connection: Connection, golden: GoldenRow) -> Subject:
    bare = Subject(golden.entity_id, golden.version, golden.values)
    numbers = [(each.type, each.country, each.normal) for each in bare.identifiers if each.type in _TAX_TYPES]
    ancestors = read_readiness.ancestors(connection, golden.entity_id, golden.values)
    named = bool(golden.values.get("parent"))
    return Subject(
        entity_id=golden.entity_id,
        version=golden.version,
        values=golden.values,
        sharing=read_readiness.sharing(connection, golden.entity_id, numbers),
        parent=ParentState.KNOWN if ancestors else ParentState.UNKNOWN if named else ParentState.NONE,
        ancestors=ancestors,
        open_questions=read_readiness.open_questions(connection, golden.entity_id),
    )
