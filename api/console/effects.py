"""What a command would do, as a page shows it: golden values before and after, who wins and who loses, and the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.console.diff import Segment, segments
from api.console.show import Line, label, lines
from api.console.workbench import Workbench
from api.masking import show_lineage, show_values
from mdm.access import Eyes
from mdm.model.hierarchy import RelationEffect
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Effect, EntityEffect
from mdm.onboarding.assess import assess
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Changed:
    """An attribute that would say something else, with the rule that chooses and what loses."""

    label: str
    before: Sequence[Sequence[Segment]]
    after: Sequence[Sequence[Segment]]
    rule: str
    losers: Sequence[tuple[str, Sequence[Line]]]


@dataclass(frozen=True, slots=True)
class Fit:
    """How a customer would stand with ERP, before and after: shares in percent, and findings that appear or go."""

    before: str
    after: str
    appears: Sequence[str]
    disappears: Sequence[str]


#: What becomes of a golden record, in words.
FATES = {
    "founded": "new",
    "revived": "comes back",
    "changed": "changes",
    "renewed": "same values, other reasons",
    "merged": "goes into the other",
    "retired": "ends",
    "unchanged": "stays as it is",
    "let_through": "reaches ERP",
}


def effect_object(bench: Workbench, effect: Effect) -> dict[str, Any]:
    """The effect of a command for a page."""
    return {
        "entities": [_entity(each, bench.eyes, bench.now) for each in effect.entities],
        "letters": effect.letters,
        "moves": effect.moves,
        "tasks_closed": effect.tasks_closed,
        "tasks_opened": effect.tasks_opened,
        "erp": effect.erp,
        "exposure": effect.exposure,
        "announcements": effect.announcements,
        "consumers": effect.consumers,
        "relations": [_words(each, effect) for each in effect.relations],
    }


def _words(each: RelationEffect, effect: Effect) -> dict[str, Any]:
    """A relation that begins or ends, with the names of both."""
    names = {entity.entity_id: entity.name for entity in effect.entities}
    return {
        "fate": each.fate,
        "kind": label(each.kind.value),
        "child": names.get(each.child) or each.child,
        "parent": (names.get(each.parent) or each.parent) if each.parent is not None else "none",
        "valid_from": each.valid_from,
        "valid_to": each.valid_to,
    }


def _entity(effect: EntityEffect, eyes: Eyes, now: datetime) -> dict[str, Any]:
    before = show_values(effect.domain, effect.before, eyes).values
    after = show_values(effect.domain, effect.after, eyes).values
    parts_only = effect.fate == "let_through"  # of which the effect tells the sensitive attributes alone
    return {
        "id": effect.entity_id,
        "name": effect.name,
        "domain": effect.domain,
        "fate": FATES.get(effect.fate, effect.fate),
        "merged_into": effect.merged_into,
        "versions": (effect.version_before, effect.version_after),
        "members_before": effect.members_before,
        "members_after": effect.members_after,
        "changed": [_changed(effect, name, before, after, eyes) for name in effect.changed] if effect.after else [],
        "fit": _fit(effect, now) if effect.domain is Domain.CUSTOMER and effect.after and not parts_only else None,
    }


def _changed(
    effect: EntityEffect, name: str, before: Mapping[str, Any], after: Mapping[str, Any], eyes: Eyes
) -> Changed:
    old = [line.text for line in lines(effect.domain, name, before.get(name))]
    new = [line.text for line in lines(effect.domain, name, after.get(name))]
    lineage = show_lineage(effect.domain, name, effect.lineage[name], eyes) if name in effect.lineage else {}
    losers = [
        (f"{each['record']['system']} {each['record']['key']}", lines(effect.domain, name, each["value"]))
        for each in lineage.get("runners_up", ())
        if "value" in each
    ]
    return Changed(
        label=label(name),
        before=[segments(text, new) for text in old],
        after=[segments(text, old) for text in new],
        rule=str(lineage.get("rule", "")).replace("_", " "),
        losers=losers[:5],
    )


def _fit(effect: EntityEffect, now: datetime) -> Fit | None:
    """Judged on the values alone: what depends on other records is in the readiness of the record itself."""
    rules = shipped_ruleset()
    bare = Subject(effect.entity_id or EntityId("cus_new"), effect.version_after or 1, effect.after, now)
    after = assess(bare, rules)
    before = assess(replace(bare, values=effect.before), rules) if effect.before else None
    failing = _failing(before) if before else frozenset()
    return Fit(
        before=_score(before) if before else "–",
        after=_score(after),
        appears=sorted(_failing(after) - failing) if before else (),
        disappears=sorted(failing - _failing(after)),
    )


def _score(verdict: Verdict) -> str:
    return f"complete {float(verdict.completeness):.0%}, valid {float(verdict.validity):.0%}"


def _failing(verdict: Verdict) -> frozenset[str]:
    return frozenset(each.observation.message for each in verdict.findings if each.outcome is Outcome.FAIL)
