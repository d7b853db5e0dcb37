"""What `If-Match` says."""

import pytest

from api.conditions import tags_in


@pytest.mark.parametrize(
    ("condition", "tags"),
    [
        ("*", None),
        (" * ", None),
        ('"17-ab"', {"17-ab"}),
        ('W/"17-ab"', {"17-ab"}),
        ("17-ab", {"17-ab"}),
        ('"1", W/"2" ,"3,4"', {"1", "2", "3,4"}),
        ('"1", *', set()),
        ('"1" "2"', set()),
        ('"1', set()),
        (",", set()),
    ],
)
def test_a_condition_names_tags_or_whatever_there_is(condition: str, tags: set[str] | None) -> None:
    assert tags_in(condition) == tags
