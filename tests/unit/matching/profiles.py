"""A small profile of a domain of its own, and a store of people with known truth."""

import random
from typing import Any

from matching.frequencies import count_values

PEOPLE = """
domain: people
columns: {texts: name city, lists: words phones}
frequencies: {words: 1, name: 1}
thresholds: {match: 0, possible: -2, groups: 0, attach: -1, absent: -5}
blocking: [{rule: city, columns: [city]}, {rule: phone, columns: [phones]}]
comparisons:
  - name: name
    worst: -3
    unknown: {missing: name}
    levels:
      - {label: same, expected: 4, when: {equal: name}, term_frequency: {column: name, minimum: 0.001}}
      - {label: near, expected: 1.5, when: {shared: {column: words, percent: 50, near: 0.9}}}
    otherwise: {label: different, expected: -3}
  - name: phone
    unknown: {missing: phones}
    levels:
      - {label: same phone, expected: 4, when: {overlap: phones}}
    otherwise: {label: other phone, expected: -2}
"""

TABLES = {column: count_values(column, ["ann", "abel"]) for column in ("words", "name")}

_FIRST = ("ann", "bea", "carl", "dora", "emil", "fred", "gina", "hugo", "ines", "jörg", "王伟")
_LAST = ("abel", "brandt", "conrad", "dietz", "ebert", "fuchs", "gross", "heller", "iken", "jansen")


def people(size: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Records and the person that each is: two to three records of each person, some misspelt, some without phone."""
    draw = random.Random(3)
    records: list[dict[str, Any]] = []
    entities: list[str] = []
    for number in range(size):
        name = f"{draw.choice(_FIRST)} {draw.choice(_LAST)}"
        phone, city = str(10_000 + number), f"city{draw.randrange(5)}"
        for copy in range(2 + number % 2):
            spelt = name if draw.random() < 0.7 else name[:-1]
            record = {"name": spelt, "words": spelt.split(), "city": city, "self": [f"p:{number}:{copy}"]}
            if draw.random() < 0.7:
                record["phones"] = [phone]
            records.append(record)
            entities.append(str(number))
    return records, entities
