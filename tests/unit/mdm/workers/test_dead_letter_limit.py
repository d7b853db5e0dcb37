"""Bad data goes on, a bad release stops."""

import pytest

from mdm.model.events import Message, Place, TopicPartition
from mdm.workers.dead_letter_limit import DeadLetterLimit, TooManyDeadLetters

ACCOUNTS, PARTNERS = TopicPartition("crm.public.account", 0), TopicPartition("erp.public.business_partner", 1)


def batch(partition: TopicPartition, size: int) -> list[Message]:
    return [Message(Place(*partition, number), 0, (), None, None) for number in range(size)]


def test_a_partition_of_only_refused_messages_stops_soon() -> None:
    limit = DeadLetterLimit(100)
    limit.count(batch(ACCOUNTS, 100), {ACCOUNTS: 100})

    with pytest.raises(TooManyDeadLetters, match="account/0"):
        limit.count(batch(ACCOUNTS, 10), {ACCOUNTS: 1})


def test_a_few_bad_rows_a_day_never_stop_a_worker() -> None:
    limit = DeadLetterLimit(100)

    for _ in range(1_000):
        limit.count(batch(ACCOUNTS, 100), {ACCOUNTS: 9})


def test_a_bad_partition_is_not_excused_by_good_ones() -> None:
    limit = DeadLetterLimit(100)

    for _ in range(10):
        limit.count(batch(PARTNERS, 1_000) + batch(ACCOUNTS, 10), {ACCOUNTS: 10})

    with pytest.raises(TooManyDeadLetters):
        limit.count(batch(PARTNERS, 1_000) + batch(ACCOUNTS, 10), {ACCOUNTS: 10})


def test_what_was_mended_is_forgiven() -> None:
    limit = DeadLetterLimit(100)
    limit.count(batch(ACCOUNTS, 100), {ACCOUNTS: 100})
    limit.count(batch(ACCOUNTS, 1_000), {})

    limit.count(batch(ACCOUNTS, 100), {ACCOUNTS: 100})


def test_a_worker_that_starts_again_remembers_what_was_refused_before() -> None:
    lately = {ACCOUNTS: [True] * 101, PARTNERS: [True] * 101 + [False] * 10}
    limit = DeadLetterLimit(100, lambda log, last: lately[log][-last:])
    limit.admit(batch(PARTNERS, 10))

    with pytest.raises(TooManyDeadLetters, match="account/0"):
        limit.admit(batch(ACCOUNTS, 10))


def test_a_partition_that_another_worker_had_meanwhile_is_looked_at_anew() -> None:
    refused: list[bool] = []
    limit = DeadLetterLimit(100, lambda _log, last: refused[-last:])
    limit.admit(batch(ACCOUNTS, 10))
    refused += [True] * 101
    limit.admit([Message(Place(*ACCOUNTS, 10), 0, (), None, None)])  # where this worker went on

    with pytest.raises(TooManyDeadLetters):
        limit.admit([Message(Place(*ACCOUNTS, 500), 0, (), None, None)])
