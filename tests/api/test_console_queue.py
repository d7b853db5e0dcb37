"""The review queue narrowed: by who has a question, where it belongs, what it weighs and what hangs on it."""

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_queue import labels_seen, queue_choices
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows


def test_filters_narrow_the_queue(rows: HubRows, steward: TestClient) -> None:
    third = CrosswalkKey("billing", "customer", "C1")
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"name": "Acme Ambos", "country": "ES"})
    rows.golden(Domain.CUSTOMER, third, ACME | {"name": "Acme Enclumes", "country": "FR"})
    rows.task(CRM_ACME, ERP_ACME, 1.5)
    rows.task(CRM_ACME, third, 4.25)
    with rows.engine.begin() as connection:
        connection.exec_driver_sql(
            """insert into placement (entity_id, domain, regions, business_units, legal_entities)
               select entity_id, domain, case when name = 'Acme Ambos' then array['EMEA'] else array['APAC', '*'] end,
                 case when name = 'Acme Enclumes' then array['finance'] else array['sales'] end, array['unassigned']
               from golden where name in ('Acme Ambos', 'Acme Enclumes')"""
        )

    def found(**filters: str) -> tuple[bool, bool]:
        page = steward.get("/console/reviews", params=filters).text
        return "Acme Ambos" in page, "Acme Enclumes" in page

    assert found() == (True, True)
    assert found(weight_from="2") == (False, True)
    assert found(weight_to="2") == (True, False)
    assert found(country="ES") == (True, False)
    assert found(pair="billing-crm") == (False, True)
    assert found(who="unassigned") == (True, True)
    assert found(who="mine") == (False, False)
    assert found(sla="breached") == (True, True), "both were asked long ago"
    assert found(older="1", kind="possible_match") == (True, True)
    assert found(amount_from="1") == (False, False)
    assert found(region="APAC") == (False, True)
    assert found(region="EMEA") == (True, True), "what is placed everywhere belongs to every region"
    assert found(team="finance") == (False, True)
    assert found(team="sales", region="EMEA") == (True, False)
    offered = steward.get("/console/reviews").text
    assert all(f'<option value="{each}">' in offered for each in ("EMEA", "sales", "billing-crm"))
    assert '<option value="*">' not in offered
    with rows.engine.connect() as connection:
        assert labels_seen(connection) == queue_choices(connection), "noted with their ranks"
