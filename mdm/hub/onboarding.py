"""May this legal entity be created in ERP? The verdict on a golden customer or on a candidate, with all that is known.

Deciding is pure (`mdm.onboarding`); here the facts are gathered in one snapshot of the hub, set-based for many at once.
Asking outside registries is apart (`mdm.hub.registries`), so that a verdict never waits for anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import Connection, Engine

from mdm.core.rules import Rules
from mdm.errors import Gone, NotFound
from mdm.hub.match import find_matches
from mdm.hub.projections import fitted
from mdm.hub.reach import OUT_OF_REACH, reachable
from mdm.intake.candidate import candidate_record, compared_attributes
from mdm.intake.standardise.legal_forms import may_be_one
from mdm.intake.standardise.organisations import organisation_name
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.model.platforms import Platforms
from mdm.onboarding.assess import assess
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checks.external import folded
from mdm.onboarding.ruleset import RuleSet, shipped_ruleset
from mdm.onboarding.subject import Account, Duplicate, Identifier, ParentState, Subject
from mdm.onboarding.verdict import Verdict
from mdm.store import onboarding as store
from mdm.store import read_readiness
from mdm.store.read_golden import GoldenRow, current_golden, current_goldens, find_entity
from mdm.store.read_identity import resolve_names
from mdm.store.scoped import scope_of, unrestricted

_TAX_TYPES = frozenset({"vat", "tax"})
#: Listed names that are compared with a name: those that share most words with it.
_MOST_LISTED = 200
#: From which likeness (0..100) a listed name is the customer's, and from which a person must look.
_LISTED, _RESEMBLES = 97.0, 88.0


#: Stands for a candidate where golden customers are named by id.
_NOBODY = EntityId("")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is not in the hub: canonical values, bank accounts, the parent's id or source row if any."""

    values: Mapping[str, Any]
    bank_accounts: Sequence[Mapping[str, Any]] = ()
    parent: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What the verdict is for: the ERP (the rule set's own when None) and the account structure asked for."""

    erp: str | None = None
    account: Account = field(default_factory=Account)


def verdict_on_golden(
    engine: Engine,
    platforms: Platforms,
    entity_id: str,
    now: datetime,
    aim: Aim = Aim(),
    rules: RuleSet | None = None,
) -> Verdict:
    """The verdict on a golden customer; an absorbed id is answered for the customer it became part of.

    Without rules the shipped rule set decides. `platforms` say whose rows make a customer one that is in ERP.

    Raises:
        NotFound: no customer was ever issued this id.
        Gone: it is retired or erased.
        OperatorError: there are no rules for the ERP that was named.
    """
    aimed = _aimed(rules, aim)
    if scope_of(engine).limits_rows:
        with engine.connect() as connection:
            golden_customer(connection, entity_id)
    with unrestricted(engine).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        golden = golden_customer(connection, entity_id)
        (subject,) = _golden_subjects(connection, platforms, [golden], now, aim.account)
    return assess(fitted(_within_reach(engine, subject), aimed), aimed)


def verdicts_on_golden(
    engine: Engine,
    platforms: Platforms,
    entities: Sequence[EntityId],
    now: datetime,
    aim: Aim = Aim(),
    rules: RuleSet | None = None,
) -> list[Verdict]:
    """`verdict_on_golden` of many active customers in one snapshot; ids without a golden record within reach are left
    out.

    A handful of queries for all of them together.

    Raises:
        OperatorError: there are no rules for the ERP that was named.
    """
    aimed = _aimed(rules, aim)
    if scope_of(engine).limits_rows:
        reached = reachable(engine, set(entities))
        entities = [each for each in entities if each in reached]
    with unrestricted(engine).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        rows = current_goldens(connection, Domain.CUSTOMER, entities)
        subjects = _golden_subjects(connection, platforms, rows, now, aim.account)
    return [assess(fitted(_within_reach(engine, subject), aimed), aimed) for subject in subjects]


def verdict_on_candidate(
    engine: Engine, released: Rules, candidate: Candidate, now: datetime, aim: Aim = Aim(), rules: RuleSet | None = None
) -> Verdict:
    """The verdict on somebody who is not in the hub. The matcher says whether it is; nothing is stored.

    Raises:
        OperatorError: there are no rules for the ERP that was named.
    """
    aimed = _aimed(rules, aim)
    found = find_matches(unrestricted(engine), released, Domain.CUSTOMER, candidate.values, limit=5)
    duplicates = tuple(
        Duplicate(each.home.entity_id, round(each.score.weight, 1), each.decision.value == "match")
        for each in found.candidates
        if each.decision.value != "none"
    )
    with unrestricted(engine).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        subject = _candidate_subject(connection, candidate, duplicates, now, aim.account)
    return assess(fitted(_within_reach(engine, subject), aimed), aimed)


def _within_reach(engine: Engine, subject: Subject) -> Subject:
    """The subject with golden records out of the caller's reach unnamed: they count, for a duplicate is one wherever it
    stands, and say nothing."""
    if not scope_of(engine).limits_rows:
        return subject
    named = {each for ids in subject.sharing.values() for each in ids}
    named |= {each.entity_id for each in subject.duplicates or ()}
    reached = reachable(engine, named)

    def told(entity_id: EntityId) -> EntityId:
        return entity_id if entity_id in reached else OUT_OF_REACH

    sharing = {number: sorted({told(each) for each in ids}) for number, ids in subject.sharing.items()}
    duplicates = subject.duplicates
    if duplicates is not None:
        duplicates = tuple(each._replace(entity_id=told(each.entity_id)) for each in duplicates)
    return replace(subject, sharing=sharing, duplicates=duplicates)


def golden_customer(connection: Connection, entity_id: str) -> GoldenRow:
    """The golden record of a customer's id, or of the customer it became part of.

    Raises:
        NotFound: no customer was ever issued this id.
        Gone: it is retired or erased.
    """
    state = find_entity(connection, entity_id)
    if state is None or state.domain is not Domain.CUSTOMER:
        raise NotFound(
            f"There is no customer {entity_id}.",
            action="`mdm export crosswalk --domain customer` lists the ids of all customers.",
        )
    golden = current_golden(connection, Domain.CUSTOMER, state.merged_into or state.entity_id)
    if golden is not None:
        return golden
    ended = (find_entity(connection, state.merged_into) if state.merged_into is not None else None) or state
    erased = ended.status == "erased"
    what = "was erased" if erased else "is retired: no live source record belongs to it any more"
    raise Gone(f"Customer {ended.entity_id} {what}.", name=ended.entity_id, since=ended.changed_at, erased=erased)


def asked_keys(subject: Subject) -> set[tuple[Provider, str]]:
    """What registries can be asked about a subject."""
    keys = {(Provider.VIES, each.normal) for each in subject.identifiers if each.type == "vat"}
    keys |= {(Provider.GLEIF, each.normal) for each in subject.identifiers if each.type == "lei"}
    if (name := subject.text("name")) is not None:
        keys.add((Provider.SANCTIONS, folded(name)))
    return keys


def _aimed(rules: RuleSet | None, aim: Aim) -> RuleSet:
    chosen = rules or shipped_ruleset()
    return chosen if aim.erp is None else chosen.aimed_at(aim.erp)


def _golden_subjects(
    connection: Connection, platforms: Platforms, goldens: Sequence[GoldenRow], now: datetime, account: Account
) -> list[Subject]:
    """Golden customers with all that is known about them, in their order."""
    bare = {row.entity_id: Subject(row.entity_id, row.version, row.values, now) for row in goldens}
    ids = list(bare)
    above = read_readiness.all_ancestors(connection, {row.entity_id: row.values for row in goldens})
    leis = store.leis_of(connection, {each for chain in above.values() for each in chain})
    shared = read_readiness.sharing(connection, {id_: _numbers(each.identifiers) for id_, each in bare.items()})
    questions = read_readiness.all_open_questions(connection, ids)
    pending = read_readiness.pending_approvals(connection, ids, now)
    known = _known(connection, list(bare.values()))
    checkpoints = store.checkpoints_of(connection, ids)
    waivers = store.waivers_of(connection, ids)
    returned = store.returns_of(connection, ids)
    partners = store.in_erp(connection, ids, platforms.erps)
    return [
        replace(
            each,
            sharing=shared[id_],
            parent=_parent_state(above[id_], bool(each.values.get("parent"))),
            ancestors=above[id_],
            ancestor_leis=tuple(sorted({lei for parent in above[id_] for lei in leis.get(parent, ())})),
            open_questions=questions.get(id_, 0),
            legal_form_in_name=_form_in(each),
            attestations={key: known[key] for key in sorted(asked_keys(each)) if key in known},
            checkpoints=checkpoints.get(id_, {}),
            waivers=waivers.get(id_, ()),
            account=account,
            in_erp=id_ in partners,
            pending=pending.get(id_, 0),
            returned=returned.get(id_),
        )
        for id_, each in bare.items()
    ]


def _parent_state(above: Sequence[EntityId], named: bool) -> ParentState:
    return ParentState.KNOWN if above else ParentState.UNKNOWN if named else ParentState.NONE


def _candidate_subject(
    connection: Connection, candidate: Candidate, duplicates: tuple[Duplicate, ...], now: datetime, account: Account
) -> Subject:
    values = _standardised(candidate)
    bare = Subject(None, 0, values, now)
    parent = _parent_of(connection, candidate.parent)
    above: tuple[EntityId, ...] = ()
    if parent is not None and (golden := current_golden(connection, Domain.CUSTOMER, parent)) is not None:
        above = (parent, *read_readiness.ancestors(connection, parent, golden.values))
    return Subject(
        entity_id=None,
        version=0,
        values=values,
        as_of=now,
        sharing=read_readiness.sharing(connection, {_NOBODY: _numbers(bare.identifiers)})[_NOBODY],
        parent=_parent_state(above, bool(candidate.parent)),
        ancestors=above,
        ancestor_leis=tuple(sorted({lei for each in store.leis_of(connection, above).values() for lei in each})),
        duplicates=duplicates,
        legal_form_in_name=_form_in(bare),
        attestations=_known(connection, [bare]),
        account=account,
    )


def _standardised(candidate: Candidate) -> dict[str, Any]:
    """The values as the hub would hold them. Contacts that no standardiser takes are kept, to be told about."""
    read = compared_attributes(Domain.CUSTOMER)
    values = {name: value for name, value in candidate.values.items() if name not in read}
    values |= candidate_record(Domain.CUSTOMER, candidate.values).attributes
    for name in ("phones", "emails"):
        if name not in values:
            values[name] = [{"value": str(each), "valid": False} for each in candidate.values.get(name) or ()]
    values["bank_accounts"] = [dict(each) for each in candidate.bank_accounts]
    return values


def _numbers(identifiers: Sequence[Identifier]) -> list[read_readiness.Number]:
    return [(each.type, each.country, each.normal) for each in identifiers if each.type in _TAX_TYPES]


def _form_in(subject: Subject) -> str | None:
    name = subject.text("name")
    forms = organisation_name(name, subject.country) if name is not None else None
    if forms is None or forms.form is None:
        return None
    stated, named = subject.text("legal_form"), forms.form.display
    # A company whose form is 株式会社 is called Co., Ltd. in English: that is no other form.
    return stated if stated is not None and may_be_one(stated, named, subject.country) else named


def _parent_of(connection: Connection, parent: Mapping[str, Any] | None) -> EntityId | None:
    if parent is None:
        return None
    if parent.get("entity_id"):
        state = find_entity(connection, str(parent["entity_id"]))
        return None if state is None else state.merged_into or state.entity_id
    name = CrosswalkKey(str(parent["system"]), str(parent["type"]), str(parent["key"]))
    return resolve_names(connection, [name]).get(name)


def _known(connection: Connection, subjects: Sequence[Subject]) -> dict[tuple[Provider, str], Attestation]:
    """Stored answers about these subjects, and those that the loaded lists give on the spot."""
    keys = {key for subject in subjects for key in asked_keys(subject)}
    known = store.attestations(connection, keys)
    leis = [key for provider, key in keys if provider is Provider.GLEIF]
    if leis:
        known |= {(Provider.GLEIF, lei): each for lei, each in store.gleif_answers(connection, leis).items()}
    names = sorted({key for provider, key in keys if provider is Provider.SANCTIONS})
    return known | {(Provider.SANCTIONS, key): each for key, each in screen(connection, names).items()}


def screen(connection: Connection, names: Sequence[str]) -> dict[str, Attestation]:
    """What the loaded sanctions lists say about folded names; empty when none is loaded.

    An answer is as old as the oldest list: a list that was not renewed has not seen today's entries.
    """
    lists = [each for each in store.loaded_lists(connection) if each.name != "GLEIF"] if names else []
    if not lists:
        return {}
    listed = store.listed_names(connection, names, _MOST_LISTED)
    reference = "; ".join(f"{each.name} {each.version}" for each in lists)
    as_of = min(each.loaded_at for each in lists)
    return {key: _screened(key, listed.get(key, ()), reference, as_of) for key in names}


def _screened(key: str, listed: Sequence[store.ListedEntry], reference: str, as_of: datetime) -> Attestation:
    scored = [(fuzz.token_sort_ratio(key, each.folded), each) for each in listed]
    best = max(scored, key=lambda each: (each[0], each[1].entry), default=None)
    facts: dict[str, str] = {}
    answer = Answer.CONFIRMED
    if best is not None and best[0] >= _RESEMBLES:
        answer = Answer.REFUTED if best[0] >= _LISTED else Answer.DOUBTFUL
        facts = {"entry": best[1].entry, "listed_name": best[1].name, "score": f"{best[0]:.0f}", "list": best[1].list}
    return Attestation(Provider.SANCTIONS, key, answer, as_of, reference, facts=facts)
