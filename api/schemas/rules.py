"""Released rule sets."""

from datetime import datetime

from api.schemas.common import Form
from mdm.model.ids import Domain


class ReleasedRuleSet(Form):
    """One rule set that decided here."""

    fingerprint: str
    kind: str
    domain: Domain
    version: str
    first_used_at: datetime
    current: bool


class RuleSets(Form):
    """All of them, newest first."""

    items: list[ReleasedRuleSet]


class RuleDocument(Form):
    """A rule set as it was released."""

    fingerprint: str
    domain: Domain
    document: str
