"""A hierarchy as a picture: every company in a box, its name as long as the box allows, and all of it in words."""

import itertools
import re

from api.console.charts import Branch, family_tree

_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. KG"
_JAPANESE = "株式会社東京データマスター管理サービスホールディングス"


def texts(picture: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture)


def test_names_that_do_not_fit_end_in_an_ellipsis_whatever_the_script() -> None:
    picture = family_tree(Branch("Acme", True, [Branch(_LONG, False, []), Branch(_JAPANESE, False, [])]))

    short, long, japanese = sorted(texts(picture))
    assert short == "Acme"
    assert long.endswith("…")
    assert len(long) <= 29
    assert japanese.endswith("…")
    assert len(japanese) <= 16


def test_parents_stand_beside_the_middle_of_their_children_and_boxes_never_overlap() -> None:
    leaves = [Branch(f"Child {number}", False, []) for number in range(5)]
    picture = family_tree(Branch("Top", False, [Branch("Middle", True, leaves), Branch("Other", False, [])]))

    boxes = [tuple(map(float, box)) for box in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" w', picture)]
    assert len(boxes) == len(set(boxes)) == 8
    for column in {x for x, _ in boxes}:
        tops = sorted(y for x, y in boxes if x == column)
        assert all(lower - upper >= 28 for upper, lower in itertools.pairwise(tops))


def test_the_picture_says_in_words_who_is_above_whom() -> None:
    picture = family_tree(Branch("Top", False, [Branch("Acme", True, [Branch("Shop", False, [])])]))

    assert 'aria-label="Top above Acme; Acme above Shop"' in picture
