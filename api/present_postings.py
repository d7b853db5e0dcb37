"""The pre-posting check as a caller may see it: codes are told to everybody, words about hidden values are not."""

from decimal import Decimal
from typing import Any

from api.present_verdict import HIDDEN_WORDS
from api.schemas.postings import GivenPosting
from mdm.access import Eyes, may_see
from mdm.hub.prepost import Checked
from mdm.lifecycle.accounts import Accounts
from mdm.lifecycle.prepost import Judgement, PlannedLine, PlannedPosting, Reason, reason_codes
from mdm.lifecycle.tax_codes import TaxCodes
from mdm.lifecycle.usage_revenue import UsageRevenue
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain

_CLASSES = {(domain, each.name): each.data_class for domain in Domain for each in ATTRIBUTES[domain]}


def planned(given: GivenPosting) -> PlannedPosting:
    """A posting of a body as the check takes it."""
    stated = given.model_dump()
    lines = tuple(
        PlannedLine(**(each | {"amount": Decimal(each["amount"]) if each["amount"] is not None else None}))
        for each in stated.pop("lines")
    )
    return PlannedPosting(**stated, lines=lines)


def postings_object(checked: Checked, eyes: Eyes) -> dict[str, Any]:
    """The answer for a batch."""
    held = checked.documents
    return {
        "decision": "block" if checked.blocked else "pass",
        "passed": len(checked.judgements) - checked.blocked,
        "blocked": checked.blocked,
        "documents": {
            "accounts": version(held.accounts),
            "tax_codes": version(held.tax_codes),
            "usage_revenue": version(checked.mapping),
        },
        "postings": [_posting(each, eyes) for each in checked.judgements],
    }


def version(document: Accounts | TaxCodes | UsageRevenue) -> dict[str, str]:
    """Which version of a document it is."""
    return {"version": document.version, "fingerprint": document.fingerprint}


def _posting(judged: Judgement, eyes: Eyes) -> dict[str, Any]:
    return {
        "reference": judged.posting.reference,
        "decision": "pass" if judged.passes else "block",
        "customer": judged.customer,
        "reasons": [_reason(each, eyes) for each in judged.reasons],
    }


def _reason(reason: Reason, eyes: Eyes) -> dict[str, Any]:
    explained = reason_codes()[reason.code]
    shown = all(may_see(eyes, _CLASSES[each]) for each in reason.about)
    return {
        "code": reason.code,
        "path": reason.path,
        "message": reason.message if shown else HIDDEN_WORDS,
        "owner": explained.owner,
        "action": explained.action,
    }
