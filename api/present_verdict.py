"""The verdict of ERP onboarding as a caller may see it: what a finding says of a hidden value is hidden, too."""

from dataclasses import replace
from typing import Any

from mdm.access import Eyes, may_see
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain
from mdm.onboarding.verdict import Finding, Verdict, document

HIDDEN_WORDS = "What was found is hidden from you, as the value is."
_CLASSES = {attribute.name: attribute.data_class for attribute in ATTRIBUTES[Domain.CUSTOMER]}


def verdict_object(verdict: Verdict, eyes: Eyes) -> dict[str, Any]:
    """The verdict on a golden customer. Codes and outcomes are told to everybody; words and parts of values are not."""
    told = document(verdict)
    return {**told, "findings": [_finding(each, eyes) for each in told["findings"]]}


def told_to(verdict: Verdict, eyes: Eyes) -> Verdict:
    """The same for pages: the verdict without the words and parts of values that these eyes may not see."""
    findings = tuple(each if _open(each.observation.path, eyes) else _silent(each) for each in verdict.findings)
    return replace(verdict, findings=findings)


def _silent(finding: Finding) -> Finding:
    told = replace(finding.observation, message=HIDDEN_WORDS, params={}, value_masked=None)
    return replace(finding, observation=told)


def _open(path: str, eyes: Eyes) -> bool:
    classes = [_CLASSES[part] for part in path.split("/") if part in _CLASSES]
    return all(may_see(eyes, each) for each in classes or [DataClass.PUBLIC])


def _finding(finding: dict[str, Any], eyes: Eyes) -> dict[str, Any]:
    if _open(finding["path"], eyes):
        return finding
    shown = {name: each for name, each in finding.items() if name != "value_masked"}
    return {**shown, "message": HIDDEN_WORDS, "params": {}}
