"""Asking about blocks that grew too large, and about records that are in no others, as they change."""

from collections.abc import Collection, Mapping
from functools import partial

from matching.blocking import block_hash, block_keys, dynamic_keys, own_keys
from matching.model import MatchModel
from mdm.core.oversize import (
    EVIDENCE,
    SAMPLE,
    Finding,
    block_finding,
    evidence_finding,
    evidence_question,
    questions_of_block,
    records_finding,
    records_question,
    reported,
    stuck,
)
from mdm.model.blocks import coarse
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store import evidence, keyless, neighbourhood, pairs
from mdm.store.large_blocks import find_large, perhaps_stuck
from mdm.store.oversize import (
    any_question,
    live_questions,
    oversize_questions,
    oversize_sizes,
    write_now,
    write_oversize,
)
from mdm.store.unit_of_work import UnitOfWork

#: Records, or blocks with a member each, that are looked at at once where a whole domain is asked about.
_AT_A_TIME = 2_000


def ask_about_blocks(
    work: UnitOfWork,
    model: MatchModel,
    replaced: pairs.Replaced,
    blocks: pairs.Blocks,
    concerned: Collection[RecordId],
) -> None:
    """Raise and close the questions that changed keys and blocks give rise to.

    Args:
        blocks: the blocks of all records whose keys changed or whose blocks crossed their cap.
        concerned: these records, and those that are gone.
    """
    # Nobody is asked about coarse blocks, of which a batch may touch thousands that are too large.
    over = {block for block, there in replaced.members.items() if len(there) > model.block_cap and not coarse(block)}
    crossed = [block for block in replaced.crossed if not coarse(block)]
    large = over.intersection(crossed)
    raised = _large_blocks(work, model, replaced, large, set(concerned) - replaced.others)
    cleared = {each for block in crossed if block not in large for each in questions_of_block(model.domain, block)}
    grown = {
        question: number
        for block, number in replaced.grown.items()
        if block in over
        for question in questions_of_block(model.domain, block)
    }
    write_oversize(work, [row_of(each) for each in raised], cleared, grown)
    without = _without_usable_key(work, model, blocks)
    names = pairs.record_names(work, without)
    others = set(concerned) - without if keyless.any_without(work) else set[RecordId]()
    if names or others:
        work.defer(partial(_keep_without, work, Domain(model.domain), names, others))


def _keep_without(
    work: UnitOfWork, domain: Domain, without: Mapping[RecordId, CrosswalkKey], others: Collection[RecordId]
) -> None:
    """Note which records have no usable key, and say it of each table of which others have none now."""
    changed = keyless.replace_without(work, domain, without, others)
    if not changed:
        return
    questions = {table: records_question(domain, *table) for table in changed}
    known = oversize_sizes(work, questions.values())
    sizes = {table: known.get(questions[table], 0) + change for table, change in changed.items()}
    _say(work, domain, {table: size for table, size in sizes.items() if size > 0})
    write_now(work, [], {questions[table] for table, size in sizes.items() if size <= 0})


def ask_about_all(work: UnitOfWork, model: MatchModel) -> None:
    """Raise and close all these questions of a domain, by everything that is there now.

    For what a batch cannot tell by what it changed: other caps, other rules, keys that were exchanged as a whole.
    """
    domain = Domain(model.domain)
    raised = _all_large_blocks(work, model)
    if domain is not Domain.CONTRACT:
        found = evidence.oversized_evidence(work, domain, model.block_cap)
        raised += [evidence_finding(model, token, some, number) for token, (number, some) in sorted(found.items())]
    kinds = tuple(f"oversize:{domain}:{kind}:" for kind in ("block", "joined", "evidence"))
    asked = {question for question in oversize_questions(work) if question.startswith(kinds)}
    write_oversize(work, [row_of(each) for each in raised], asked - {each.question for each in raised}, {})
    without: set[RecordId] = set()
    stuck_so_far = perhaps_stuck(work, len(own_keys(model, [""])))
    for start in range(0, len(stuck_so_far), _AT_A_TIME):
        some = stuck_so_far[start : start + _AT_A_TIME]
        without |= _without_usable_key(work, model, pairs.blocks_of(work, some, model.block_cap))
    names = pairs.record_names(work, without)
    work.defer(partial(_keep_all_without, work, domain, names))


def _all_large_blocks(work: UnitOfWork, model: MatchModel) -> list[Finding]:
    """Questions about all blocks above the cap. A member of each knows its value."""
    large = find_large(work, Domain(model.domain), model.block_cap)
    findings: list[Finding] = []
    for start in range(0, len(large), _AT_A_TIME):
        part = {each.block: each for each in large[start : start + _AT_A_TIME]}
        comparisons = neighbourhood.load_comparisons(
            work, Domain(model.domain), {each.member for each in part.values()}
        )
        members = pairs.members_of(work, part, model.block_cap)
        names = pairs.record_names(work, {rec for block in members.values() for rec in block})
        for rec, comparison in sorted(comparisons.items()):
            for key in (*block_keys(model, comparison), *dynamic_keys(model, comparison)):
                found = part.get(block_hash(model, key))
                if found is not None and found.member == rec and reported(model, key):
                    sample = [names[each] for each in members[found.block]]
                    findings.append(block_finding(model, key, sample, found.size))
    return findings


def _keep_all_without(work: UnitOfWork, domain: Domain, without: Mapping[RecordId, CrosswalkKey]) -> None:
    """Note which records of a domain have no usable key, and say it of every table, whatever was said before."""
    keyless.replace_without(work, domain, without, keyless.records(work, domain) - without.keys())
    tables = keyless.sizes(work).get(domain, {})
    _say(work, domain, tables)
    true = {records_question(domain, *table) for table in tables}
    asked = {each for each in oversize_questions(work) if each.startswith(f"oversize:{domain}:records:")}
    write_now(work, [], asked - true)


def _say(work: UnitOfWork, domain: Domain, sizes: Mapping[keyless.Table, int]) -> None:
    samples = keyless.samples(work, domain, sizes, SAMPLE)
    findings = [records_finding(domain, *table, samples[table], size) for table, size in sorted(sizes.items())]
    write_now(work, [row_of(each) for each in findings], ())


def ask_about_evidence(
    work: UnitOfWork,
    model: MatchModel,
    owners: Mapping[str, Collection[CrosswalkKey]],
    gone: Collection[RecordId],
    stated: Collection[str],
) -> None:
    """Raise and close the questions about evidence that too many records share.

    Args:
        owners: what is stated about the records that were compared, and about whom, one more than the cap at most.
        gone: records that are no longer live.
        stated: what is newly, or no longer, stated about anybody.
    """
    large = {token for token, names in owners.items() if len(names) > model.block_cap}
    raised = [evidence_finding(model, token, sorted(owners[token])) for token in sorted(large)]
    cleared: set[str] = set()
    if any_question(work, EVIDENCE):
        names = pairs.record_names(work, set(gone))
        doubted = {*owners, *stated, *evidence.stated_about(work, set(names.values()))} - large
        domain = Domain(model.domain)
        asked = live_questions(work, {evidence_question(domain, token) for token in doubted})
        tokens = {token for token in doubted if evidence_question(domain, token) in asked}
        still = evidence.oversized_evidence(work, domain, model.block_cap, tokens) if tokens else {}
        cleared = {evidence_question(domain, token) for token in tokens - still.keys()}
    write_oversize(work, [row_of(each) for each in raised], cleared, {})


def row_of(each: Finding) -> tuple[str, str, str, str, str, int]:
    """A question as `mdm.store.oversize` takes it."""
    return each.question, each.code, str(each.domain), each.detail, each.owner, each.size


def _large_blocks(
    work: UnitOfWork,
    model: MatchModel,
    replaced: pairs.Replaced,
    large: Collection[int],
    concerned: Collection[RecordId],
) -> list[Finding]:
    """Questions about blocks that have come to be above their cap. A member that made it so knows their values."""
    if not large:
        return []
    members = {rec for block in large for rec in replaced.members[block]}
    comparisons = neighbourhood.load_comparisons(work, Domain(model.domain), members.intersection(concerned))
    names = pairs.record_names(work, members)
    findings: dict[int, Finding] = {}
    for rec in sorted(comparisons):
        for key in (*block_keys(model, comparisons[rec]), *dynamic_keys(model, comparisons[rec])):
            block = block_hash(model, key)
            if block in large and block not in findings and reported(model, key):
                there = replaced.members[block]
                findings[block] = block_finding(model, key, [names[each] for each in there], len(there))
    return list(findings.values())


def _without_usable_key(work: UnitOfWork, model: MatchModel, blocks: pairs.Blocks) -> set[RecordId]:
    """Records whose every block is too large, or is that of a name of their own."""
    large = blocks.too_large(model.block_cap)
    in_large = [rec for rec, each in blocks.of.items() if not large.isdisjoint(each)] if large else []
    own = {
        rec: {block_hash(model, key) for key in own_keys(model, map(str, names))}
        for rec, names in (pairs.own_names(work, in_large) if in_large else {}).items()
    }
    return stuck(blocks.of, large, own)
