"""Names as platforms send them - without end, from right to left, with markup - break no page that shows them."""

import pytest
from sqlalchemy import Engine, text

from tests.e2e.conftest import SignIn
from tests.e2e.test_reviewing import rows

_OVER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_RENAMED = """
with named as (
  update golden set name = :name, "values" = jsonb_set("values", '{name}', to_jsonb(cast(:name as text)))
  where entity_id = :id and known_to is null)
update source_record set attributes = jsonb_set(attributes::jsonb, '{name}', to_jsonb(cast(:name as text)))::json
where rec_id in (select rec_id from crosswalk where entity_id = :id)
"""


@pytest.mark.parametrize(
    "name",
    [
        "A" * 400,
        "شركة الأمل للتجارة (ش.ذ.م.م) Acme 123",
        "<img src=x onerror=document.title=1><script>alert(1)</script>",
    ],
    ids=["long", "from the right", "markup"],
)
def test_no_name_breaks_a_page(signed_in: SignIn, world: Engine, name: str) -> None:
    asked = """select t.task_id, x.entity_id from steward_task t join crosswalk x on x.rec_id = t.a
               join golden g on g.entity_id = x.entity_id and g.known_to is null and g.version > 1
               where t.status = 'open' and t.domain = 'customer' order by 1 limit 1"""
    task, customer = rows(world, asked)[0]
    with world.begin() as connection:
        connection.execute(text(_RENAMED), {"name": name, "id": customer})
    page = signed_in("Ada").page
    tabs = (
        "",
        "/sources",
        "/related",
        "/hierarchy",
        "/readiness",
        "/history",
        "/graph",
        "/exceptions",
        "/override/name",
    )
    broken = {}

    for address in (
        "/console/", "/console/reviews", "/console/customers", "/console/onboarding", f"/console/reviews/{task}",
        f"/console/reviews/{task}/preview", f"/console/privacy/new?entity={customer}",
        *(f"/console/customers/{customer}{tab}" for tab in tabs),
    ):  # fmt: skip
        answer = page.goto(address)
        over = page.evaluate(_OVER)
        if answer is None or answer.status != 200 or over > 0 or page.title() == "1":
            broken[address] = (answer and answer.status, over)

    assert broken == {}
    page.goto(f"/console/customers/{customer}")
    assert page.locator("h1 bdi").inner_text() == name
