"""A steward whose scope is limited: on no screen of the sample world is anything of a customer outside of it."""

import html

from sqlalchemy import Engine

from mdm.access import Role, Scope
from mdm.store import accounts
from tests.e2e import browsing
from tests.e2e.conftest import SignIn
from tests.e2e.screens import screens
from tests.e2e.test_accessibility import busy
from tests.e2e.test_reviewing import rows

_FOREIGN = """
select p.entity_id, g.name, i->>'normal' as number
from placement p join golden g on g.entity_id = p.entity_id and g.known_to is null
left join lateral jsonb_array_elements(g."values"->'identifiers') i on true
where p.domain = 'customer' and {} (p.regions && array['EMEA', '*'])
"""


def test_no_screen_shows_a_limited_steward_what_lies_outside(signed_in: SignIn, world: Engine) -> None:
    busy(world)
    foreign, own = rows(world, _FOREIGN.format("not")), rows(world, _FOREIGN.format(""))
    known = {text for row in own for text in row if text}
    secrets = {text for row in foreign for text in row if text and len(text) > 8} - known
    assert len(secrets) > 50, "the sample world has customers in other regions"
    page = signed_in("Ada").page
    with world.begin() as connection:
        password = accounts.create_account(
            connection, "ines", "Ines", Role.STEWARD, scope=Scope(regions=frozenset({"EMEA"}))
        )
    context = page.context.browser.new_context(base_url=page.url.partition("/console")[0])  # type: ignore[union-attr]
    limited = context.new_page()
    browsing.sign_in(limited, page.url.partition("/console")[0], "ines", password)

    inside = next(row.entity_id for row in own)
    outside = next(row.entity_id for row in foreign)
    addresses = [address for name, address in screens(world).items() if name != "problem"]
    for tab in ("", "/sources", "/related", "/hierarchy", "/readiness", "/history", "/graph", "/exceptions", "/access",
                "/override/name"):  # fmt: skip
        addresses += [f"/console/customers/{inside}{tab}", f"/console/customers/{outside}{tab}"]
    for task in rows(world, "select task_id from steward_task where status = 'open' order by 1"):
        addresses += [f"/console/reviews/{task.task_id}", f"/console/reviews/{task.task_id}/preview"]
    for domain in ("customers", "contracts", "products"):
        addresses.append(f"/console/{domain}")
    words = {row.name.split()[0] for row in foreign[:20]}
    addresses += [f"/console/search?q={word}" for word in words if word.isalnum()]

    shown, statuses = {}, set()
    for address in addresses:
        answer = limited.request.get(address)
        statuses.add(answer.status)
        told = html.unescape(answer.text())
        for asked in address.partition("?")[0].split("/")[3:4]:  # whoever asks for an id knows it
            told = told.replace(asked, "")
        leaked = sorted(each for each in secrets if each in told)
        if leaked:
            shown[address] = leaked[:3]
    context.close()

    assert shown == {}
    assert statuses <= {200, 303, 403, 404}
    assert 200 in statuses
    assert 404 in statuses
