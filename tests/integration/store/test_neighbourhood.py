"""What the hub joins into the comparison form of a contract."""

from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store.neighbourhood import load_comparisons
from mdm.store.reach import homes_of
from mdm.store.unit_of_work import unit_of_work
from tests.integration.hub.rows import billed, take_in


def test_a_reference_that_means_two_customers_is_read_as_the_first_of_their_entities(engine: Engine) -> None:
    """Two rows may have one number; which one is read must not depend on which of them came first."""
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    take_in(
        pipeline, [{"id": f"cus_{n}", "name": name} for n, name in enumerate(("Asda", "Zenit", "Oryx", "Vetokraft"))]
    )
    shared = CrosswalkKey("billing", "customer#number", "4711")
    with unit_of_work(engine, system_clock, "test") as work:
        recs = [
            RecordId(work.query("select rec_id from source_record where key = %s", billed(f"cus_{n}").key)[0][0])
            for n in range(4)
        ]
        *named, referring = recs
        homes = homes_of(work, named)
        work.copy("record_alias", ("rec_id", "system", "type", "key"), [(rec, *shared) for rec in named])
        work.copy("record_reference", ("rec_id", "role", "system", "type", "key"), [(referring, "customer", *shared)])
        read = load_comparisons(work, Domain.CONTRACT, [referring])[referring]

    assert len(set(homes.values())) == 3
    assert read["customer"] == min(homes.values())
