"""How the hub is doing."""

from datetime import datetime

from api.schemas.common import Form


class Outcomes(Form):
    """Messages by outcome."""

    applied: int
    duplicate: int
    stale: int
    ignored: int
    quarantined: int


class TopicCount(Outcomes):
    """Messages of one topic."""

    system: str
    topic: str
    consumed: int


class Messages(Form):
    """Every consumed message has exactly one outcome; `add_up` says whether the counts agree."""

    consumed: int
    outcomes: Outcomes
    reasons: dict[str, dict[str, int]]
    add_up: bool
    topics: list[TopicCount]


class DomainCount(Form):
    """Records and golden records of one domain."""

    records: int
    crosswalks: int
    golden: int
    ids_issued: int
    open_tasks: int


class OpenMatters(Form):
    """What waits for somebody."""

    dead_letters: int
    exceptions: int
    unpublished: int


class LastBatch(Form):
    """The newest unit of work."""

    batch: int
    committed_at: datetime


class Status(Form):
    """How the hub is doing."""

    messages: Messages
    domains: dict[str, DomainCount]
    facts: dict[str, int]
    open: OpenMatters
    last_batch: LastBatch | None
