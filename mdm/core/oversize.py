"""What blocking could not make small enough: questions for people, never records dropped in silence.

Three things are asked about, all functions of the records there are. A block above its cap under a rule that is not
coarse and that no other rule refines: a value that so many records carry that it pairs nobody. Evidence that is stated
about so many records that it pairs nobody either. And the records of a source table all of whose blocks are above their
caps, but for those of their own names: only what others state could find them partners. There may be any number of
these, so that they are one question for each table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from matching.blocking import BlockingKey, block_hash
from matching.model import MatchModel
from mdm.model.ids import CrosswalkKey, Domain, RecordId

BLOCK = "BLOCK_OVERSIZED"
EVIDENCE = "EVIDENCE_OVERSIZED"
RECORD = "RECORD_WITHOUT_USABLE_KEY"

#: Members named in a question.
SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """A question that is open as long as what it says is so. `size` counts the records it is about."""

    question: str
    code: str
    domain: Domain
    detail: str
    owner: str
    size: int = 1


def block_question(model: MatchModel, key: BlockingKey) -> str:
    """Names the question about a block.

    Blocks by resolved customers and products are apart, because their values are ids that another hub would not have.
    """
    kind = "joined" if any(rule.name == key.rule for rule in model.dynamic) else "block"
    return f"oversize:{model.domain}:{kind}:{block_hash(model, key)}"


def questions_of_block(domain: str, block: int) -> tuple[str, str]:
    """The names that a question about this block can have."""
    return f"oversize:{domain}:block:{block}", f"oversize:{domain}:joined:{block}"


def records_question(domain: str, system: str, type: str) -> str:
    """Names the question about the records of a source table that no key can find."""
    return f"oversize:{domain}:records:{system}:{type}"


def block_finding(model: MatchModel, key: BlockingKey, sample: Sequence[CrosswalkKey], size: int) -> Finding:
    """The question about a block above the cap."""
    named = ", ".join(map(str, sorted(sample)[:SAMPLE]))
    domain = Domain(model.domain)
    return Finding(
        block_question(model, key),
        BLOCK,
        domain,
        f"{size} {domain.plural} share {key.rule} {key.value!r}, more than {model.block_cap}, so it finds no partners. "
        f"If it says nothing, tell the source to leave it empty; else the model needs a rule that refines it. "
        f"Some of them: {named}.",
        f"{domain} stewards",
        size,
    )


def evidence_question(domain: str, token: str) -> str:
    """Names the question about evidence."""
    return f"oversize:{domain}:evidence:{xxh3_64_intdigest(token.encode())}"


def evidence_finding(model: MatchModel, token: str, sample: Sequence[CrosswalkKey], size: int | None = None) -> Finding:
    """The question about evidence that is stated about more than the cap; `size` if all of them were counted."""
    named = ", ".join(map(str, sorted(sample)[:SAMPLE]))
    domain, many = Domain(model.domain), f"{size}" if size is not None else f"More than {model.block_cap}"
    return Finding(
        evidence_question(domain, token),
        EVIDENCE,
        domain,
        f"{many} records are said to have {token!r}, more than {model.block_cap}, so it finds no partners. If it says "
        f"nothing, tell the source that states it; else join by hand what it should join. Some of them: {named}.",
        f"{domain} stewards",
        size or model.block_cap + 1,
    )


def records_finding(domain: Domain, system: str, type: str, sample: Sequence[CrosswalkKey], size: int) -> Finding:
    """The question about the records of a source table that no key can find."""
    named = ", ".join(map(str, sorted(sample)[:SAMPLE]))
    return Finding(
        records_question(domain, system, type),
        RECORD,
        domain,
        f"{size} rows of {system} {type}: everything that they state is stated by so many others that they are "
        f"compared with none of them. Complete them in their source, or search for their partners and decide by hand. "
        f"Some of them: {named}.",
        f"{domain} stewards",
        size,
    )


def reported(model: MatchModel, key: BlockingKey) -> bool:
    """Whether a block of this rule is a question when it is above its cap: no finer rule does its work.

    A coarse rule, whose cap is lower than the model's, only adds to what others find; of a record that has nothing else
    it is asked anyway.
    """
    return key.rule not in model.refined_rules and key.rule not in model.coarse_rules


def stuck(
    blocks_of: Mapping[RecordId, Collection[int]], large: Collection[int], own: Mapping[RecordId, Collection[int]]
) -> set[RecordId]:
    """The records in blocks that are too large, and in no others but `own`: those of their own names.

    In these nobody else is but who names the record, so that by itself it finds nobody there either.
    """
    return {
        rec
        for rec, blocks in blocks_of.items()
        if any(block in large for block in blocks)
        and all(block in large or block in own.get(rec, ()) for block in blocks)
    }
