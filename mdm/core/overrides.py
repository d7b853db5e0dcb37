"""Do overrides still hold? What they overruled is remembered; when that changes, a person is asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mdm.model.delta import Task
from mdm.model.ids import EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.model.stewardship import Override

#: The kind of task that asks whether an override still holds.
CHALLENGE = "override_challenged"


def question_of(override_id: int) -> str:
    """The question whether this override still holds."""
    return f"override:{override_id}"


def stated(attributes: Mapping[str, Any], attribute: str) -> Any:
    """What a record says about an attribute; None when it says nothing (0 and False say something)."""
    value = attributes.get(attribute)
    return value if value or value == 0 else None


def disagreeing(override: Override, said: Mapping[RecordId, Any]) -> list[RecordId]:
    """Members that no longer say what was overruled, or that came later and say something else than the pinned value.

    Args:
        said: what each member of the entity states about the attribute now.
    """
    return [
        rec
        for rec, value in said.items()
        if (value != override.overruled[rec] if rec in override.overruled else value not in (None, override.value))
    ]


def challenges(hood: Neighbourhood, entity_of: Mapping[RecordId, EntityId]) -> Iterator[Task]:
    """One task per override of the neighbourhood whose ground has changed."""
    if not hood.overrides:
        return
    members: dict[EntityId, list[RecordId]] = {}
    for rec, entity_id in entity_of.items():
        members.setdefault(entity_id, []).append(rec)
    for home, overrides in hood.overrides.items():
        if home not in entity_of:
            continue
        for override in _holding(overrides):
            # A platform that takes the pinned value over says nothing new: it repeats what the hub told it.
            said = {
                rec: stated(hood.records[rec].attributes, override.attribute)
                for rec in members[entity_of[home]]
                if override.attribute not in hood.records[rec].echoes
            }
            found = sorted(disagreeing(override, said), key=lambda rec: hood.records[rec].key)
            if found:
                first = hood.records[found[0]].key
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                a, b = sorted((home, found[0]))
                yield Task(
                    question_of(override.override_id), CHALLENGE, hood.domain, a, b, 0.0,
                    f"{override.attribute} was pinned by {override.author}; {first}{more} says something new",
                )  # fmt: skip


def _holding(overrides: Sequence[Override]) -> list[Override]:
    """The newest override of each attribute; older ones wait behind it."""
    newest = {override.attribute: override for override in sorted(overrides, key=lambda each: each.override_id)}
    return list(newest.values())
