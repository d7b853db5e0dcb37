"""Holding a contract against events before they meet: for the vendor's side, and for a pull request that changes it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mdm.errors import OperatorError
from mdm.intake.catalogue import Catalogue, profile_of
from mdm.intake.contracts import State, read_contracts
from mdm.intake.debezium import translate
from mdm.model.events import Message


@dataclass(frozen=True, slots=True)
class TableTest:
    """What the contract makes of one topic's messages: rows read, refusals by code and reason, differences told."""

    topic: str
    messages: int
    events: int
    refused: tuple[tuple[str, str, int], ...]
    drifts: tuple[tuple[str, str, str], ...]

    @property
    def passed(self) -> bool:
        return not self.refused and not self.drifts


def trial_catalogue(document: Path) -> Catalogue:
    """The contracts of one document as if they were active, without mappings: drafts are there to be tried.

    Raises:
        ConfigurationInvalid: the document is wrong.
    """
    contracts = (replace(each, status=State.ACTIVE.value) for each in read_contracts(document))
    return Catalogue(tuple(profile_of([each], None) for each in contracts))


def try_contract(catalogue: Catalogue, messages: Sequence[Message]) -> tuple[TableTest, ...]:
    """Read all messages by the contracts; messages of topics that none describes are left out.

    Raises:
        OperatorError: no message is of a topic that the contracts describe.
    """
    by_topic: dict[str, list[Message]] = {}
    for message in messages:
        if catalogue.by_topic(message.place.topic) is not None:
            by_topic.setdefault(message.place.topic, []).append(message)
    if not by_topic:
        raise OperatorError(
            "The feed has no message of a topic that the contract describes.",
            action=f"Topics of the contract: {', '.join(catalogue.topics)}.",
        )
    return tuple(_try(topic, mine, catalogue) for topic, mine in sorted(by_topic.items()))


def _try(topic: str, messages: Sequence[Message], catalogue: Catalogue) -> TableTest:
    decoded = translate(messages, catalogue)
    refused = Counter((letter.code, letter.reason) for letter in decoded.dead_letters)
    return TableTest(
        topic=topic,
        messages=len(messages),
        events=len(decoded.events),
        refused=tuple((code, reason, number) for (code, reason), number in refused.most_common()),
        drifts=tuple((drift.code, drift.column, drift.detail) for drift in decoded.drifts),
    )
