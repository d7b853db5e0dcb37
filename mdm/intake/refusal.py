"""Why a message is refused: the stable codes, and what the operator can do about each.

Codes are part of the product: dead letters, metrics and runbooks use them. A reason names tables, columns and kinds of
values, never a value: what a row says about a person does not belong in logs.
"""

from typing import Final, NamedTuple

#: Stands for columns that are too many to be told one by one.
MANY: Final = "*"


class Deviation(NamedTuple):
    """A difference between an event and the contract. `column` is `MANY` where it is about too many of them."""

    code: str
    column: str
    detail: str


class Refused(Exception):
    """A message cannot become a change event. Carries the code and the reason; becomes a dead letter.

    `deviation` is the difference from the contract that led here, if that is what it was: it is told once per column,
    however many messages have it.
    """

    def __init__(self, code: str, reason: str, deviation: Deviation | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.deviation = deviation


#: Code to the sentence that tells the operator what to do.
ACTIONS: Final = {
    "FEED_LINE_MALFORMED": "Look at this line of the capture file: it must be one JSON object with topic, partition, "
    "offset, key and value; correct the file and ingest it again.",
    "TOPIC_UNKNOWN": "Add a contract for this topic to the sources, or leave the topic out of the feed; then replay "
    "the dead letters.",
    "ENVELOPE_MALFORMED": "Check that the connector writes JSON (JsonConverter) in Debezium's envelope; correct the "
    "connector and let it send the row again.",
    "POSITION_MISSING": "The event does not say where it stands in the source's log: use Debezium's envelope, or add "
    "op, lsn and source.ts_ms to add.fields, and take a new snapshot.",
    "KEY_NULL": "Give the table a primary key, or name its key columns in the connector's message.key.columns; then "
    "take a new snapshot of the table.",
    "KEY_DIFFERS": "A transform changed the key or the row: correct the connector, then take a new snapshot of the "
    "table. Fix a single message by correcting the one of the two that is wrong.",
    "KEY_MALFORMED": "Compare the message key with the primary key in the contract; correct the contract or the "
    "connector's message.key.columns, then replay.",
    "CHARACTER_FORBIDDEN": "A text of the row holds the character NUL, which PostgreSQL cannot store: ask the owner of "
    "the table to take it out; the corrected row then comes as a new event.",
    "VALUE_TYPE": "Ask the owner of the table whether the column's type has changed; adapt the contract's physicalType "
    "(or the connector's handling modes in it), then replay.",
    "SCHEMA_MALFORMED": "The embedded schema cannot be read; check the converter's version, then replay.",
    "SCHEMA_UNKNOWN": "The message names a schema of a registry: set MDM_SCHEMA_REGISTRY to the registry that the "
    "connector's converter uses, then replay.",
    "HEADER_MALFORMED": "The header with the old or new primary key cannot be read; use Kafka Connect's default header "
    "converter or the JSON one, then replay.",
    "CONTRACT_NOT_ACTIVE": "No contract of this table is active: release its draft (status: active), or leave the "
    "topic out of the feed; then replay.",
    "CONTRACT_VIOLATION": "The contract is frozen: agree the change with the owner of the table, release a new "
    "contract version, then replay.",
    "TRUNCATE_HELD": "Ask the owner whether the table was really emptied. If so, replay this message with the contract "
    "set to truncate: apply; if not, discard it and take a new snapshot.",
    "ORDER_HELD": "Nothing is wrong with this message: it waits for an earlier one of its row that was refused. Deal "
    "with that one; this one is then taken in by itself.",
    "UNFORESEEN_FAILURE": "This is a defect of the hub, which this message brings to light: report it with the place "
    "that the reason names, and replay the message with the version that mends it.",
}

#: A message that only waits for another one.
ORDER_HELD: Final = "ORDER_HELD"

#: Who is asked when no contract names an owner.
FALLBACK_OWNER: Final = "integration-operations"
