"""What no weight may decide: reasons why a pair is parted, is a question at most, or is one in any case."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from matching.conditions import Condition
from matching.features import DISTINCT_IN
from matching.parsing import Tables, parse_condition
from mdm.errors import ConfigurationInvalid


class Effect(StrEnum):
    """What a veto does to a pair.

    `forbid` parts it. `review` makes a question of it at most, and no third record that both match brings the two
    together. `doubt` makes a question of it at most, which a third record may settle. `ask` makes a question of a pair
    that would not be one for its weight.
    """

    FORBID = "forbid"
    REVIEW = "review"
    DOUBT = "doubt"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Veto:
    """A reason why a pair may not be joined automatically, or must be asked about, whatever its weight."""

    name: str
    condition: Condition
    effect: Effect
    reason: str


#: Every model has this veto: rows of a table that is trusted to hold no duplicates say so in `distinct_in`.
SAME_SOURCE = Veto(
    "same_source",
    parse_condition({"equal": DISTINCT_IN}, "vetoes.same_source"),
    Effect.FORBID,
    "Both are rows of one table that is trusted to hold no duplicates.",
)


def read_veto(domain: str, item: Mapping[str, Any], tables: Tables) -> Veto:
    """A veto as a profile writes it."""
    name = str(item["name"])
    if name == SAME_SOURCE.name:
        raise ConfigurationInvalid(f"{domain}.vetoes: {name!r} is a veto that every model has; choose another name.")
    condition = parse_condition(item["when"], f"{domain}.vetoes.{name}", tables)
    return Veto(name, condition, Effect(item["effect"]), str(item["reason"]))
