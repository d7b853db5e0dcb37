"""The JSON objects of search before create and of explanations. What a role may not see is masked as everywhere."""

from collections.abc import Iterable
from typing import Any

from api.masking import show_name, show_values
from api.present import key_object
from matching.blocking import BlockingKey
from matching.scoring import PairScore
from mdm.access import Eyes, may_see
from mdm.hub.against import Against, Ruling
from mdm.hub.explain import PairExplanation
from mdm.hub.explain_entity import EntityExplanation
from mdm.hub.judged import Judged
from mdm.hub.match_report import MatchReport, Ranked
from mdm.hub.shared_keys import SharedKey
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain

#: Bits are told to a millionth, as links are stored.
_DIGITS = 6


def match_object(report: MatchReport, eyes: Eyes) -> dict[str, Any]:
    """The answer of `POST /v1/{domain}/match`."""
    return {
        "domain": report.domain.value,
        "advice": report.advice.value,
        "candidates": [_candidate(report.domain, rank, each, eyes) for rank, each in enumerate(report.candidates, 1)],
        "compared": report.compared,
        "out_of_reach": report.out_of_reach,
        "read_as": report.record.attributes,
        "rejected": report.rejected,
        "remarks": report.remarks,
        "unused": report.unused,
        # These values come from the caller; nobody else's are told.
        "oversized": [{"rule": key.rule, "value": key.value} for key in report.oversized],
        "model": report.model,
    }


def pair_object(found: PairExplanation, eyes: Eyes) -> dict[str, Any]:
    """The explanation of two records."""
    return {
        "verdict": found.verdict,
        "together": found.together,
        "a": {**key_object(found.a.key), "entity_id": found.a.entity_id},
        "b": {**key_object(found.b.key), "entity_id": found.b.entity_id},
        "score": score_object(found.score, found.decision),
        "shared_keys": [_written_key(key, eyes) for key in found.shared_keys],
        "judgement": found.judgement,
        "path": [key_object(key) for key in found.path],
        "compared": found.compared,
        "parted_by": [key_object(key) for key in found.parted_by or ()],
        "judged": [_judged(word) for word in (found.word, found.parting) if word is not None],
        "refused": _refused(found.refused, eyes),
        "model": found.score.fingerprint,
    }


def entity_object(found: EntityExplanation, eyes: Eyes) -> dict[str, Any]:
    """The explanation of an entity."""
    return {
        "id": found.entity_id,
        "domain": found.domain.value,
        "members": [key_object(key) for key in found.members],
        "steps": [
            {
                "step": step.number,
                "a": key_object(step.a),
                "b": key_object(step.b),
                "by": step.by,
                "members": step.members,
                "score": score_object(step.score, step.decision),
                "shared_keys": [_written_key(key, eyes) for key in step.shared_keys],
            }
            for step in found.steps
        ],
        "rejected": [
            {
                "member": key_object(each.member),
                "record": key_object(each.record),
                "entity_id": each.entity_id,
                "reason": each.reason,
                "refused": _refused(each.refused, eyes),
                "score": score_object(each.score, each.decision),
                "shared_keys": [_written_key(key, eyes) for key in each.shared_keys],
            }
            for each in found.rejected
        ],
        "oversized": [_written_key(key, eyes) for key in found.oversized],
        "model": found.model,
    }


def _judged(word: Judged) -> dict[str, Any]:
    return {
        "a": key_object(word.a),
        "b": key_object(word.b),
        "verdict": word.verdict,
        "author": word.author,
        "at": word.at,
    }


def _refused(why: Against | None, eyes: Eyes) -> dict[str, Any] | None:
    """What speaks against joining two entities; values of identifiers are told to those who may see them."""
    if why is None:
        return None
    shown = may_see(eyes, DataClass.CONFIDENTIAL)
    rival = why.rival
    return {
        "reason": why.reason,
        "match": [key_object(key) for key in why.match],
        "identifiers": [
            {"kind": each.kind, "a": list(each.a) if shown else None, "b": list(each.b) if shown else None}
            for each in why.identifiers
        ],
        "parent": [key_object(key) for key in why.parent or ()],
        "rival": None if rival is None else {**key_object(rival.key), "entity_id": rival.entity_id},
        "rule": None if why.rule is None else _rule(why.rule),
    }


def _rule(rule: Ruling) -> dict[str, Any]:
    return {"veto": rule.veto, "reason": rule.reason, "records": [key_object(key) for key in rule.records]}


def score_object(score: PairScore, decision: str) -> dict[str, Any]:
    """A match weight as a sum of parts."""
    return {
        "weight": round(score.weight, _DIGITS),
        "probability": round(score.probability, _DIGITS),
        "prior": round(score.prior, _DIGITS),
        "contributions": [
            {
                "comparison": each.comparison,
                "level": each.level,
                "bits": round(each.bits, _DIGITS),
                "formerly": each.formerly,
            }
            for each in score.contributions
        ],
        "vetoes": list(score.vetoes),
        "reasons": list(score.reasons),
        "decision": str(decision),
    }


def _candidate(domain: Domain, rank: int, each: Ranked, eyes: Eyes) -> dict[str, Any]:
    shown = show_values(domain, each.home.values, eyes)
    return {
        "rank": rank,
        "entity_id": each.home.entity_id,
        "name": show_name(domain, each.home.name, eyes),
        "version": each.home.version,
        "record": key_object(each.home.key),
        "members_compared": each.compared,
        "score": score_object(each.score, each.decision.value),
        "refused": each.refused,
        "shared_keys": list(_keys(each.shared_keys)),
        "values": shown.values,
        "masked": shown.masked,
    }


def _keys(keys: Iterable[BlockingKey]) -> Iterable[dict[str, Any]]:
    """Keys that a candidate shares with a record: both have the value, so the caller knows it."""
    return ({"rule": key.rule, "value": key.value} for key in keys)


def _written_key(key: SharedKey, eyes: Eyes) -> dict[str, Any]:
    """The value of two stored records is told to those who may see identifiers."""
    shown = (key.value or None) if may_see(eyes, DataClass.CONFIDENTIAL) else None
    return {"rule": key.rule, "value": shown, "carriers": key.carriers, "most": key.most}
