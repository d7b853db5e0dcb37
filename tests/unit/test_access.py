"""Clearance and masks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.access import HIDDEN, MEANINGS, POLICY, Permission, Role, either, ending, mask, may_see, read_role
from mdm.errors import Invalid
from mdm.model.canonical import DataClass, Shape

#: What the policy grants, written a second time: whoever changes one of them has to mean it.
GRANTS: dict[str, tuple[DataClass, str]] = {
    "viewer": (DataClass.INTERNAL, "read console"),
    "erp_reader": (DataClass.CONFIDENTIAL, "read"),
    "steward": (DataClass.CONFIDENTIAL, "read console inspect decide mend confirm waive"),
    "senior_steward": (DataClass.CONFIDENTIAL, "read console inspect decide approve mend confirm waive"),
    "approver_finance": (DataClass.CONFIDENTIAL, "read console inspect approve confirm waive"),
    "data_owner": (DataClass.CONFIDENTIAL, "read console inspect approve approve_rules propose_contracts waive"),
    "rule_author": (DataClass.CONFIDENTIAL, "read console inspect write_rules propose_contracts"),
    "releaser": (DataClass.INTERNAL, "read console inspect release"),
    "operator": (DataClass.INTERNAL, "read console inspect mend operate propose_contracts"),
    "privacy_officer": (DataClass.RESTRICTED, "read console erase audit"),
    "auditor": (DataClass.INTERNAL, "read console inspect audit"),
    "admin": (DataClass.RESTRICTED, " ".join(Permission)),
    "vendor": (DataClass.PUBLIC, "propose_contracts"),
}


def test_each_role_holds_what_the_policy_says_and_nothing_else() -> None:
    assert [str(role) for role in Role] == list(GRANTS)
    assert set(POLICY) == set(Role)
    assert set(MEANINGS) == set(Permission)
    for role in Role:
        assert (role.sees, role.permissions) == (GRANTS[str(role)][0], set(GRANTS[str(role)][1].split())), role


def test_nobody_but_the_administrator_holds_two_steps_of_a_release() -> None:
    steps = {Permission.WRITE_RULES, Permission.APPROVE_RULES, Permission.RELEASE}

    assert [role for role in Role if len(role.permissions & steps) > 1] == [Role.ADMIN]


@given(st.lists(st.sampled_from(list(Role)), min_size=1))
def test_several_roles_hold_what_each_of_them_holds(held: list[Role]) -> None:
    both = read_role("+".join(map(str, held)))

    assert both.permissions == frozenset().union(*(role.permissions for role in held))
    assert both.sees in {role.sees for role in held}
    assert all(may_see(both, role.sees) for role in held)
    assert read_role(str(both)) == both


def test_nobody_has_no_right_and_sees_what_is_public() -> None:
    assert (Role(0).permissions, Role(0).sees) == (frozenset(), DataClass.PUBLIC)


def test_names_of_before_mean_roles_and_unknown_names_mean_nothing() -> None:
    assert (read_role("reader"), read_role("erp"), Role.READER) == (Role.VIEWER, Role.ERP_READER, Role.VIEWER)
    for text in ("", "boss", "steward+boss", "Steward", "steward+", "steward,admin"):
        with pytest.raises(Invalid, match="is no role"):
            read_role(text)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_sees_up_to_its_clearance(role: Role) -> None:
    seen = [data_class for data_class in DataClass if may_see(role, data_class)]

    assert seen[-1] is role.sees
    assert seen == list(DataClass)[: len(seen)]


@given(st.text())
def test_a_hidden_text_shows_at_most_half_of_itself(text: str) -> None:
    shown = ending(text).removeprefix(HIDDEN)

    assert len(shown) <= min(4, len(text) / 2)
    assert text.endswith(shown)


@pytest.mark.parametrize(
    ("shape", "value", "hidden"),
    [
        (Shape.TEXT, "NL169963937B05", "***7B05"),
        (Shape.CODE, "Z060", "***"),
        (Shape.TEXTS, ["a name of some length", "x"], ["***ngth", "***"]),
        (
            Shape.IDENTIFIERS,
            [{"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}],
            [{"type": "vat", "country": "NL", "value": "***7B05", "normal": "***7B05", "state": "valid"}],
        ),
        (Shape.IDENTIFIERS, {"type": "duns", "value": "12345"}, {"type": "duns", "value": "***"}),
        (Shape.EMAILS, [{"value": "maud@acme.example", "shared": False}], [{"value": "***mple", "shared": False}]),
        (Shape.PHONES, [{"value": "0031 30 972", "digits": 31}], [{"value": "*** 972", "digits": None}]),
        (Shape.DECIMAL, "120000.00", None),
        (Shape.BOOLEAN, True, None),
        (Shape.INTEGER, 7, None),
        (Shape.DATE, "2025-01-01", None),
        (Shape.ADDRESS, {"street": "Main"}, None),
        (Shape.TEXT, None, None),
        (Shape.TEXT, {"unexpected": "form"}, None),
    ],
)
def test_a_mask_keeps_the_form_and_hides_the_value(shape: Shape, value: Any, hidden: Any) -> None:
    assert mask(shape, value) == hidden


@pytest.mark.parametrize(
    ("names", "said"),
    [(["admin"], "admin"), (["admin", "releaser"], "admin or releaser"), (["a", "b", "c"], "a, b or c"), ([], "")],
)
def test_roles_of_which_one_is_enough_make_a_sentence(names: list[str], said: str) -> None:
    assert either(names) == said
