"""Two hubs are compared by what they hold, never by their ids, and a difference names its field."""

from typing import Any

from mdm.core.comparison import Content, differences
from mdm.model.ids import CrosswalkKey, Domain

CRM, ERP, BILLING = (CrosswalkKey(system, "customer", "1") for system in ("crm", "erp", "billing"))


def content(
    *entities: tuple[tuple[CrosswalkKey, ...], dict[str, Any]], rows: dict[CrosswalkKey, dict[str, Any]] | None = None
) -> Content:
    return Content(rows or {}, {domain: dict(entities) if domain is Domain.CUSTOMER else {} for domain in Domain})


def told(live: Content, other: Content) -> list[tuple[str, str, str]]:
    return [(each.kind, each.subject, each.detail) for each in differences(live, other, "replayed")]


def test_equal_hubs_have_equal_digests_and_no_difference() -> None:
    one, other = content(((CRM, ERP), {"name": "Acme"})), content(((CRM, ERP), {"name": "Acme"}))

    assert told(one, other) == []
    assert one.digest(Domain.CUSTOMER) == other.digest(Domain.CUSTOMER)


def test_a_golden_value_that_differs_is_named_with_both_values() -> None:
    live = content(((CRM,), {"name": "Acme", "city": None}))
    other = content(((CRM,), {"name": "Acme Ltd"}))

    assert told(live, other) == [
        ("customer golden", "crm:customer:1 city", "live: None, replayed: absent"),
        ("customer golden", "crm:customer:1 name", "live: 'Acme', replayed: 'Acme Ltd'"),
    ]
    assert live.digest(Domain.CUSTOMER) != other.digest(Domain.CUSTOMER)


def test_members_that_part_are_named_with_where_they_went() -> None:
    live = content(((CRM, ERP), {"name": "Acme"}), ((BILLING,), {"name": "Acme"}))
    other = content(((CRM,), {"name": "Acme"}), ((BILLING, ERP), {"name": "Acme"}))

    (first, second) = told(live, other)

    assert first == ("customer entity", "billing:customer:1", "live: billing:customer:1, replayed: billing:customer:1"
                     " + erp:customer:1")  # fmt: skip
    assert second[2] == "live: crm:customer:1 + erp:customer:1, replayed: billing:customer:1 + erp:customer:1; " + (
        "crm:customer:1"
    )


def test_an_entity_that_only_the_other_has_is_named() -> None:
    assert told(content(), content(((CRM,), {}))) == [
        ("customer entity", "crm:customer:1", "live: none, replayed: crm:customer:1")
    ]


def test_rows_are_compared_column_by_column() -> None:
    live = content(rows={CRM: {"name": "Acme"}, ERP: {}})
    other = content(rows={CRM: {"name": " Acme"}})

    assert told(live, other) == [
        ("row", "crm:customer:1 name", "live: 'Acme', replayed: ' Acme'"),
        ("row", "erp:customer:1", "only live has it"),
    ]
