"""A company calls its ERP sap and has a second CRM: what the hub does for ERP and CRM, it does for theirs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.access import FORMER_STEWARD
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.errors import ConfigurationInvalid
from mdm.hub import steward
from mdm.hub.arrivals import begin
from mdm.hub.outdated import outdated
from mdm.hub.process import Pipeline, process
from mdm.hub.recheck import recheck
from mdm.hub.reconcile import found_by
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_open_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.model.ids import Domain, EntityId
from mdm.model.platforms import PlatformRole
from mdm.model.stewardship import Merge
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.store.embedded import EmbeddedServer
from mdm.store.read_review import hanging_on
from mdm.store.read_verdicts import Narrowed, kept_verdicts
from tests.conftest import copied
from tests.harness.other_names import sent_by, sources
from tests.integration.hub.conftest import world_messages

ANNA = steward.Actor("anna", FORMER_STEWARD)
Members = frozenset[str]


@dataclass(frozen=True)
class Company:
    """A hub, told apart from another one by nothing but names: `erp` is what its ERP is called."""

    pipeline: Pipeline
    erp: str = "erp"

    @property
    def engine(self) -> Engine:
        return self.pipeline.engine

    def rows(self, query: str, **parameters: Any) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(text(query), parameters).all()

    def named(self, key: Iterable[str]) -> str:
        """A source row as the shipped names call it."""
        system, *rest = key
        return ":".join(("erp" if system == self.erp else system, *rest))

    def entities(self, domain: str) -> Mapping[EntityId, Members]:
        found: dict[EntityId, set[str]] = {}
        query = "select entity_id, system, type, key from crosswalk join source_record using (rec_id) where domain = :d"
        for entity_id, *key in self.rows(query, d=domain):
            found.setdefault(entity_id, set()).add(self.named(key))
        return {entity_id: frozenset(keys) for entity_id, keys in found.items()}


def take(pipeline: Pipeline, messages: Iterable[Message]) -> None:
    taken = list(messages)
    for start in range(0, len(taken), 2000):
        process(pipeline, "test", taken[start : start + 2000])


def company(
    engine: Engine, folder: Path | None = None, erp: str = "erp", reconciliation: Path | None = None
) -> Company:
    catalogue = load_catalogue(folder)
    rules = load_rules(catalogue, reconciliation=reconciliation)
    return Company(Pipeline(engine, system_clock, catalogue, rules), erp)


@pytest.fixture(scope="module")
def companies(
    postgres_server: EmbeddedServer,
    world_template: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Company, Company]]:
    """The sample world as it ships, and with its ERP called sap. Nothing that tests do here changes golden records."""
    with ExitStack() as stack:

        def opened(template: str) -> Engine:
            engine = make_engine(stack.enter_context(contextmanager(copied)(postgres_server, template)))
            stack.callback(engine.dispose)
            return engine

        folder = sources(tmp_path_factory.mktemp("renamed") / "sources", {"erp": "sap"})
        renamed = company(opened(migrated_template), folder, "sap")
        take(renamed.pipeline, sent_by(world_messages(), {"erp": "sap"}))
        yield company(opened(world_template)), renamed


@pytest.mark.parametrize("domain", ["customer", "contract", "product"])
def test_the_same_records_are_the_same_entities(companies: tuple[Company, Company], domain: str) -> None:
    as_shipped, renamed = (set(each.entities(domain).values()) for each in companies)

    assert as_shipped == renamed


def test_a_merge_of_two_customers_in_erp_needs_a_second_person(companies: tuple[Company, Company]) -> None:
    as_shipped, renamed = map(asked_for, companies)

    assert as_shipped == renamed
    assert all("merge-of-erp-records" in demands for _, demands in renamed.values())
    assert all(erp for erp, _ in renamed.values())


def asked_for(company: Company) -> Mapping[Members, tuple[set[str], set[str]]]:
    """What merges of some customers would touch in ERP, and the rules that ask for a second person."""
    customers = sorted(
        ((keys, entity_id) for entity_id, keys in company.entities("customer").items() if any(map(of_erp, keys))),
        key=lambda each: sorted(each[0]),
    )
    found = {}
    for (some, first), (others, second) in pairwise(customers[:6]):
        shown = steward.preview(company.pipeline, ANNA, Merge((first, second)))
        erp = {company.named(key) for key in shown.effect.erp}
        with company.engine.connect() as connection:
            hanging = hanging_on(connection, [first, second], company.pipeline.rules.platforms.erps).erp
        assert {company.named(key) for key in hanging} == erp, "pages tell the same numbers as previews"
        found[some | others] = erp, {each.name for each in shown.demands}
    return found


def of_erp(key: str) -> bool:
    return key.startswith("erp:")


@pytest.mark.parametrize("in_erp", [True, False])
def test_verdicts_know_who_is_in_erp(companies: tuple[Company, Company], in_erp: bool) -> None:
    as_shipped, renamed = (verdicts(each, in_erp) for each in companies)

    assert as_shipped == renamed
    assert renamed
    assert all(any(map(of_erp, members)) is in_erp for members in renamed)


def verdicts(company: Company, in_erp: bool) -> Mapping[Members, tuple[str, Sequence[str]]]:
    """The last verdicts on customers that ERP has, or has not: decision and codes."""
    platforms = company.pipeline.rules.platforms
    recheck(company.engine, system_clock, platforms, "sap")
    rules, members = shipped_ruleset().aimed_at("sap"), company.entities("customer")
    with company.engine.connect() as connection:
        found = kept_verdicts(
            connection, platforms.erps, "sap", rules.digest, Narrowed(in_erp=in_erp), system_clock(), None, 10_000
        )
    return {members[each.entity_id]: (each.decision, each.codes) for each in found}


def test_questions_have_the_same_priority_for_the_same_reasons(companies: tuple[Company, Company]) -> None:
    as_shipped, renamed = map(queue, companies)

    assert as_shipped == renamed
    assert any("both sides are in ERP" in reason for parts in renamed.values() for _, reason in parts)


def queue(company: Company) -> Mapping[tuple[str, frozenset[Members]], Sequence[tuple[float, str]]]:
    """Open questions by kind and by the entities that they are about, and why they stand where they stand."""
    rank_open_tasks(company.engine, company.pipeline.rules, system_clock())
    members = {**company.entities("customer"), **company.entities("contract"), **company.entities("product")}
    asked = company.rows(
        """select t.kind, x.entity_id, y.entity_id, p.parts from task_priority p join steward_task t using (task_id)
           join crosswalk x on x.rec_id = t.a join crosswalk y on y.rec_id = t.b"""
    )
    return {
        (kind, frozenset({members[a], members[b]})): [(points, reason) for points, reason in parts]
        for kind, a, b, parts in asked
    }


def test_the_platforms_are_reconciled_alike(companies: tuple[Company, Company]) -> None:
    as_shipped, renamed = (
        {
            (each.rule, tuple(map(company.named, each.facts)), each.amount, each.currency, each.sentence)
            for each in found_by(company.pipeline).findings
        }
        for company in companies
    )

    assert as_shipped == renamed
    assert {"posting_missing", "contract_without_subscription"} <= {rule for rule, *_ in renamed}


def test_golden_records_belong_to_the_same_business_units(companies: tuple[Company, Company]) -> None:
    query = "select business_units, count(*) from placement group by 1 order by 1"
    as_shipped, renamed = (list(each.rows(query)) for each in companies)

    assert as_shipped == renamed


#: Contracts of the sample world that were activated before their customers were validated.
_EARLY = ("8005g6iHPEUKtqUA2T", "8005g7xJ7OiP7HjAUK", "8005gFgBjZZzK05AVF", "8005gh8ndh156OSAAY")


def test_customers_of_two_crms_are_one_and_agreements_of_both_are_reconciled(
    new_engine: Callable[[], Engine], tmp_path: Path
) -> None:
    folder = sources(tmp_path / "sources", {"erp": "sap"}, {"crm": "crm2"})
    own = tmp_path / "reconciliation.yaml"
    own.write_text('version: "2"\nroles: {agreement: [crm.contract, crm2.contract]}\n', "utf-8")
    both = company(new_engine(), folder, "sap", own)
    early: list[Message] = []
    others: list[Message] = []
    for each in sent_by(world_messages(), {"erp": "sap"}):
        meant = each.place.topic == "crm.public.contract" and any(key.encode() in (each.key or b"") for key in _EARLY)
        (early if meant else others).append(each)
    master = [each for each in others if each.place.topic in ("crm.public.account", "crm.public.product2")]
    take(both.pipeline, others)
    before = begin(both.pipeline)
    take(both.pipeline, sent_by([*master, *early], {"crm": "crm2"}))

    assert both.pipeline.catalogue.platforms_of(PlatformRole.CRM) == ("crm", "crm2")
    assert before.arrivals(0).domains[Domain.CUSTOMER].in_erp > 100, "their golden records are known to ERP"
    customers = both.entities("customer").values()
    copied_rows = {row for keys in customers for row in of("crm2", keys)}
    apart = {row for keys in customers for row in of("crm2", keys) - of("crm", keys)}
    assert len(copied_rows) > 150
    assert len(apart) < len(copied_rows) / 40, "a few say too little of themselves to be recognised"
    assert not {row for keys in customers for row in of("crm2", keys) if of("crm", keys) - of("crm2", keys)} - apart
    assert activated_early(both) == {f"crm2:contract:{key}" for key in _EARLY}
    assert outdated(both.engine, both.pipeline.catalogue, both.pipeline.rules) == ()

    by_shipped_rules = company(both.engine, folder, "sap")
    assert activated_early(by_shipped_rules) == set()
    (told,) = outdated(both.engine, by_shipped_rules.pipeline.catalogue, by_shipped_rules.pipeline.rules)
    assert (told.code, told.message) == ("STORY_SILENT", "Reconciliation hears no agreement of crm2.")


def of(system: str, keys: Members) -> set[str]:
    return {key.removeprefix(f"{system}:") for key in keys if key.startswith(f"{system}:")}


def activated_early(company: Company) -> set[str]:
    found = found_by(company.pipeline).findings
    return {company.named(each.subject) for each in found if each.rule == "account_used_before_validation"}


def test_a_table_that_nobody_has_is_refused_at_start(tmp_path: Path) -> None:
    own = tmp_path / "reconciliation.yaml"
    own.write_text('version: "2"\nroles: {agreement: [crm.contract, crm2.contract, erp.posting]}\n', "utf-8")

    with pytest.raises(ConfigurationInvalid, match=r"crm2\.contract as agreement, erp\.posting as") as refused:
        load_rules(load_catalogue(None), reconciliation=own)

    assert "billing.subscription, crm.contract, erp.sales_contract" in refused.value.advice


def test_a_platform_without_a_role_is_told_at_start(engine: Engine, tmp_path: Path) -> None:
    folder = sources(tmp_path / "sources", {"erp": "sap"})
    contract = folder / "sap" / "contract.odcs.yaml"
    contract.write_text(contract.read_text("utf-8").replace("  - {property: role, value: erp}\n", ""), "utf-8")
    nameless = company(engine, folder, "sap").pipeline

    (told,) = outdated(engine, nameless.catalogue, nameless.rules)

    assert (told.code, told.about) == ("ROLE_MISSING", ("sap",))
    assert nameless.rules.platforms.erps == ()
